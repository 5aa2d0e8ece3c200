// Who has the longest beginning of this prompt cached; among equals always the same one for the
// same beginning, so that those who share it meet. Nobody is sent more than a quarter above its
// share of the calls in progress, and one: such come after all others. A prompt too short to be
// known by its beginning goes to who has the fewest calls.
#pragma once

#include "router/strategy.h"

namespace weir::router::strategies {

// Puts `chosen`, indices of `options` that are all as ready as each other, in order.
void prefix_affinity(std::span<const Option> options,
                     const Question& question,
                     std::span<std::uint16_t> chosen);

}  // namespace weir::router::strategies
