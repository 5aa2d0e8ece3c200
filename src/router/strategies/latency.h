// Who would answer soonest: the better of two taken at random by weight, so that not every call of
// every replica runs to the one that was best a moment ago; the others follow, the best first.
//
// Of those whose times are not known yet, one that has no call in progress is tried before all: its
// first answer tells. While it is on the way that one counts as no better than the others.
#pragma once

#include "router/strategy.h"

namespace weir::router::strategies {

// Puts `chosen`, indices of `options` that are all as ready as each other, in order.
void latency(std::span<const Option> options,
             const Question& question,
             std::span<std::uint16_t> chosen);

}  // namespace weir::router::strategies
