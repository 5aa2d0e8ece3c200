// Money is an integer count of nano-dollars, never a double. Every operation is checked: the
// largest amount, 9.2 billion dollars, is far beyond any ledger, so an overflow is a bug or an
// attack and is refused.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

class Money {
public:
    constexpr Money() = default;
    static constexpr Money from_nano_usd(std::int64_t value) { return Money(value); }
    static constexpr Money zero() { return Money(); }
    constexpr std::int64_t nano_usd() const { return nano_usd_; }
    constexpr auto operator<=>(const Money&) const = default;

    // nullopt on overflow.
    std::optional<Money> plus(Money other) const;
    std::optional<Money> minus(Money other) const;
    std::optional<Money> times(std::int64_t factor) const;

private:
    constexpr explicit Money(std::int64_t nano_usd) : nano_usd_(nano_usd) {}
    std::int64_t nano_usd_ = 0;
};

// "0.000125" : dollars with as many decimals as are needed, at least two.
std::string to_text(Money amount);
// Decimal dollars with up to nine decimals ("25", "0.15", "1.234567891"); no sign, no exponent.
std::optional<Money> parse_usd(std::string_view text);

}  // namespace weir
