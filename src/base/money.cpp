#include "base/money.h"

#include <fmt/format.h>

namespace weir {
namespace {
constexpr std::int64_t kNanoPerUsd = 1'000'000'000;
constexpr std::size_t kDecimals = 9;
}  // namespace

std::optional<Money> Money::plus(Money other) const {
    std::int64_t sum = 0;
    return __builtin_add_overflow(nano_usd_, other.nano_usd_, &sum) ? std::nullopt
                                                                    : std::optional(Money(sum));
}

std::optional<Money> Money::minus(Money other) const {
    std::int64_t difference = 0;
    return __builtin_sub_overflow(nano_usd_, other.nano_usd_, &difference)
               ? std::nullopt
               : std::optional(Money(difference));
}

std::optional<Money> Money::times(std::int64_t factor) const {
    std::int64_t product = 0;
    return __builtin_mul_overflow(nano_usd_, factor, &product) ? std::nullopt
                                                               : std::optional(Money(product));
}

// By hand: it is written on the path of every priced call.
std::string to_text(Money amount) {
    const bool negative = amount.nano_usd() < 0;
    const auto magnitude = negative ? 0 - static_cast<std::uint64_t>(amount.nano_usd())
                                    : static_cast<std::uint64_t>(amount.nano_usd());
    const fmt::format_int whole(magnitude / kNanoPerUsd);
    std::string text = negative ? "-" : "";
    text.append(whole.data(), whole.size());
    char decimals[kDecimals];
    auto rest = static_cast<std::uint32_t>(magnitude % kNanoPerUsd);
    for (std::size_t i = kDecimals; i > 0; --i, rest /= 10) {
        decimals[i - 1] = static_cast<char>('0' + rest % 10);
    }
    std::size_t shown = kDecimals;
    while (shown > 2 && decimals[shown - 1] == '0') {
        --shown;
    }
    text += '.';
    text.append(decimals, shown);
    return text;
}

std::optional<Money> parse_usd(std::string_view text) {
    std::int64_t nano = 0;
    std::size_t decimals = 0;
    bool point = false;
    bool digit = false;
    for (const char c : text) {
        if (c == '.' && !point && digit) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || (point && decimals == kDecimals)) {
            return std::nullopt;
        }
        digit = true;
        decimals += point ? 1 : 0;
        if (__builtin_mul_overflow(nano, 10, &nano) ||
            __builtin_add_overflow(nano, c - '0', &nano)) {
            return std::nullopt;
        }
    }
    if (!digit || (point && decimals == 0)) {
        return std::nullopt;
    }
    for (; decimals < kDecimals; ++decimals) {
        if (__builtin_mul_overflow(nano, 10, &nano)) {
            return std::nullopt;
        }
    }
    return Money::from_nano_usd(nano);
}

}  // namespace weir
