// Highest random weight: every caller has its own order of all options, which nobody else's coming
// or going changes.
#pragma once

#include "router/hash.h"
#include "router/strategies/scored.h"
#include "router/strategy.h"

namespace weir::router::strategies {

// The lowest is the best; by weight over many callers.
inline double rendezvous(std::uint64_t caller, const Option& option) {
    const std::uint64_t hash = combine(caller, option.identity);
    return waiting(static_cast<double>(hash >> 11) * 0x1.0p-53, option.weight);
}

}  // namespace weir::router::strategies
