// What a model costs, and what a call cost. Pure integers: prices are nano-dollars per million
// tokens, rounded half up to a nano-dollar once per call.
#pragma once

#include <cstdint>
#include <optional>

#include "base/money.h"
#include "llm/usage.h"

namespace weir::price {

struct Rates {
    Money input;                       // per million tokens
    Money output;                      // per million tokens
    std::optional<Money> cache_read;   // absent: as input
    std::optional<Money> cache_write;  // absent: as input
    bool operator==(const Rates&) const = default;
};

// nullopt on overflow: such a figure is wrong, not large.
std::optional<Money> cost(const Rates& rates, const llm::Usage& usage);

}  // namespace weir::price
