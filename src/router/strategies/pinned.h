// The same one for the same caller (rendezvous hashing, by weight): where one goes away, only its
// own callers move, and each of them always to the same other. Without a caller: as written.
#pragma once

#include "router/strategy.h"

namespace weir::router::strategies {

// Puts `chosen`, indices of `options` that are all as ready as each other, in order.
void pinned(std::span<const Option> options,
            const Question& question,
            std::span<std::uint16_t> chosen);

}  // namespace weir::router::strategies
