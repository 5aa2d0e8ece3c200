// The grammar of single values (DESIGN section 8): durations, rates, percents, sizes, money. Pure;
// what is wrong comes back as what was expected, to be finished by "at file:line".
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "base/money.h"

namespace weir::config {

// The error is the expectation: "a duration such as 250ms, 5s, 10m, 1h or 30d".
template <class T>
using Parsed = std::expected<T, std::string>;

struct Rate {
    std::uint32_t count = 0;
    std::chrono::seconds per{60};
    bool operator==(const Rate&) const = default;
};

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text);
Parsed<Rate> parse_rate(std::string_view text);           // 60/min, 5/s, 1000/h, 10000/d
Parsed<double> parse_percent(std::string_view text);      // 10% -> 0.1
Parsed<std::uint64_t> parse_size(std::string_view text);  // 32MiB, 4KB, 100
Parsed<Money> parse_money(std::string_view text);         // 25 USD

}  // namespace weir::config
