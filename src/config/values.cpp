#include "config/values.h"

#include <limits>
#include <utility>

#include "base/text.h"

namespace weir::config {
namespace {

struct Split {
    std::uint64_t number;
    std::string_view unit;
};

// "250ms" -> 250, "ms".
std::optional<Split> split_number(std::string_view text) {
    std::size_t digits = 0;
    while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') {
        ++digits;
    }
    const auto number = parse_decimal(text.substr(0, digits));
    if (!number) {
        return std::nullopt;
    }
    return Split{*number, text.substr(digits)};
}

}  // namespace

Parsed<std::chrono::milliseconds> parse_duration(std::string_view text) {
    static constexpr std::pair<std::string_view, std::int64_t> kUnits[] = {
        {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
    if (const auto split = split_number(text)) {
        for (const auto& [unit, ms] : kUnits) {
            std::int64_t value = 0;
            if (unit == split->unit &&
                !__builtin_mul_overflow(static_cast<std::int64_t>(split->number), ms, &value) &&
                split->number <=
                    static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) &&
                value <= 100LL * 365 * 86'400'000) {
                return std::chrono::milliseconds{value};
            }
        }
    }
    return std::unexpected("a duration such as 250ms, 5s, 10m, 1h or 30d");
}

Parsed<Rate> parse_rate(std::string_view text) {
    static constexpr std::pair<std::string_view, int> kUnits[] = {
        {"/s", 1}, {"/min", 60}, {"/h", 3600}, {"/d", 86'400}};
    if (const auto split = split_number(text)) {
        for (const auto& [unit, seconds] : kUnits) {
            if (unit == split->unit && split->number <= std::numeric_limits<std::uint32_t>::max()) {
                return Rate{static_cast<std::uint32_t>(split->number),
                            std::chrono::seconds{seconds}};
            }
        }
    }
    return std::unexpected("a rate such as 60/min, 5/s, 1000/h or 10000/d");
}

Parsed<double> parse_percent(std::string_view text) {
    if (text.ends_with('%')) {
        const auto number = parse_decimal(text.substr(0, text.size() - 1));
        if (number && *number <= 100) {
            return static_cast<double>(*number) / 100;
        }
    }
    return std::unexpected("a percentage from 0% to 100%");
}

Parsed<std::uint64_t> parse_size(std::string_view text) {
    static constexpr std::pair<std::string_view, std::uint64_t> kUnits[] = {{"", 1},
                                                                            {"B", 1},
                                                                            {"KB", 1000},
                                                                            {"MB", 1'000'000},
                                                                            {"GB", 1'000'000'000},
                                                                            {"KiB", 1u << 10},
                                                                            {"MiB", 1u << 20},
                                                                            {"GiB", 1u << 30}};
    if (const auto split = split_number(text)) {
        for (const auto& [unit, bytes] : kUnits) {
            std::uint64_t value = 0;
            if (unit == split->unit && !__builtin_mul_overflow(split->number, bytes, &value)) {
                return value;
            }
        }
    }
    return std::unexpected("a size such as 64KiB, 32MiB or 1GiB");
}

Parsed<Money> parse_money(std::string_view text) {
    if (text.ends_with(" USD")) {
        if (const auto money = parse_usd(text.substr(0, text.size() - 4))) {
            return *money;
        }
    }
    return std::unexpected("an amount such as 25 USD or 0.15 USD");
}

}  // namespace weir::config
