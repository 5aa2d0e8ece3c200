// The order that a dialect's clients demand of a stream (API-MAPPING 5 and 8): read from the bytes
// alone, without Weir's decoders.
#pragma once

#include <string>
#include <string_view>

#include "llm/names.h"

namespace weir::conformance {

// What is wrong with a stream to a client that asked for its usage; empty: nothing. `failed`: it
// broke off, and must end with the dialect's error.
std::string broken_rule(std::string_view stream, llm::Dialect dialect, bool failed);

}  // namespace weir::conformance
