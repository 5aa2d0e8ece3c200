// At random: the first by weight, the next by weight among the rest, and so on.
#pragma once

#include "router/strategy.h"

namespace weir::router::strategies {

// Puts `chosen`, indices of `options` that are all as ready as each other, in order.
void weighted(std::span<const Option> options,
              const Question& question,
              std::span<std::uint16_t> chosen);

}  // namespace weir::router::strategies
