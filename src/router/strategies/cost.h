// Who is cheapest for this call; at random by weight among equals; unknown prices last.
#pragma once

#include "router/strategy.h"

namespace weir::router::strategies {

// Puts `chosen`, indices of `options` that are all as ready as each other, in order.
void cost(std::span<const Option> options,
          const Question& question,
          std::span<std::uint16_t> chosen);

}  // namespace weir::router::strategies
