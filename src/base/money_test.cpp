#include "base/money.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir {
namespace {

struct ParseCase {
    std::string_view text;
    std::optional<std::int64_t> nano_usd;
};

TEST(Money, ParsesDecimalDollarsExactly) {
    const ParseCase cases[] = {
        {"25", 25'000'000'000},
        {"0.15", 150'000'000},
        {"0.000000001", 1},
        {"9223372036.854775807", std::numeric_limits<std::int64_t>::max()},
        {"9223372036.854775808", std::nullopt},
        {"0.0000000001", std::nullopt},
        {"", std::nullopt},
        {".5", std::nullopt},
        {"5.", std::nullopt},
        {"-1", std::nullopt},
        {"1e3", std::nullopt},
    };
    for (const auto& c : cases) {
        const auto parsed = parse_usd(c.text);
        EXPECT_EQ(parsed.has_value(), c.nano_usd.has_value()) << c.text;
        if (parsed && c.nano_usd) {
            EXPECT_EQ(parsed->nano_usd(), *c.nano_usd) << c.text;
        }
    }
}

TEST(Money, PrintsAtLeastCentsAndNoMoreThanNeeded) {
    EXPECT_EQ(to_text(Money::zero()), "0.00");
    EXPECT_EQ(to_text(Money::from_nano_usd(125'000)), "0.000125");
    EXPECT_EQ(to_text(Money::from_nano_usd(-1'500'000'000)), "-1.50");
    EXPECT_EQ(to_text(Money::from_nano_usd(std::numeric_limits<std::int64_t>::min())),
              "-9223372036.854775808");
}

TEST(Money, RefusesOverflow) {
    const Money most = Money::from_nano_usd(std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(most.plus(Money::from_nano_usd(1)), std::nullopt);
    EXPECT_EQ(most.times(2), std::nullopt);
    EXPECT_EQ(most.minus(most), Money::zero());
}

}  // namespace
}  // namespace weir
