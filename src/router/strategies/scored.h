// What the strategies share: to put options in order by a figure, and chance by weight.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include "base/assert.h"
#include "base/random.h"
#include "router/inline_vector.h"
#include "router/strategy.h"
#include "router/target_section.h"

namespace weir::router::strategies {

// Neither is negative; the lowest is the best. A float's seven digits tell apart what is worth it.
struct Score {
    double first = 0;
    double second = 0;  // where the first is the same
};

// Puts `chosen` in the order of `score(option)`, which is asked once for each. Equals stay as they
// are.
template <class ScoreOf>
void sort_by(std::span<const Option> options, std::span<std::uint16_t> chosen, ScoreOf score) {
    // The bits of floats that are not negative are in the order of the floats, and one figure each
    // lets the order be counted without a branch: of 64 that takes a third of what sorting does.
    WEIR_UNINITIALIZED std::int64_t keys[kTargetsMax];
    WEIR_UNINITIALIZED std::uint16_t before[kTargetsMax];
    const std::size_t count = chosen.size();
    WEIR_ASSERT(count <= kTargetsMax);
    for (std::size_t i = 0; i < count; ++i) {
        const Score one = score(options[chosen[i]]);
        const auto bits = [](double figure) {
            return static_cast<std::int64_t>(
                std::bit_cast<std::uint32_t>(static_cast<float>(figure)));
        };
        keys[i] = bits(one.first) << 32 | bits(one.second);
        before[i] = chosen[i];
    }
    for (std::size_t i = 0; i < count; ++i) {
        std::int64_t rank = 0;
        for (std::size_t j = 0; j < i; ++j) {
            rank += keys[j] <= keys[i] ? 1 : 0;
        }
        for (std::size_t j = i + 1; j < count; ++j) {
            rank += keys[j] < keys[i] ? 1 : 0;
        }
        chosen[static_cast<std::size_t>(rank)] = before[i];
    }
}

// A waiting time whose mean is 1 / weight: who waits shortest is chosen by weight, and in the order
// of these times all are chosen by weight without being put back (Efraimidis and Spirakis).
inline double waiting(double unit, std::uint32_t weight) {
    return -std::log(1.0 - unit) / static_cast<double>(weight);
}
inline double chance(Random& random, std::uint32_t weight) {
    return waiting(random.unit(), weight);
}

}  // namespace weir::router::strategies
