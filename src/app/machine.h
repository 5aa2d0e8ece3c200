// What the machine gives this process.
#pragma once

#include <cstdint>

namespace weir::app {

// Processors this process may run on.
unsigned processors();
// The control group's memory limit, else the machine's memory.
std::uint64_t memory_bytes();
// As many descriptors as the hard limit allows: each call needs two.
void raise_descriptor_limit();

}  // namespace weir::app
