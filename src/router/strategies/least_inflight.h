// Who has the fewest calls in progress, relative to its weight; at random by weight among equals.
#pragma once

#include "router/strategy.h"

namespace weir::router::strategies {

// Puts `chosen`, indices of `options` that are all as ready as each other, in order.
void least_inflight(std::span<const Option> options,
                    const Question& question,
                    std::span<std::uint16_t> chosen);

}  // namespace weir::router::strategies
