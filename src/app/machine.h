// What the machine gives this process.
#pragma once

namespace weir::app {

// Processors this process may run on.
unsigned processors();
// As many descriptors as the hard limit allows: each call needs two.
void raise_descriptor_limit();

}  // namespace weir::app
