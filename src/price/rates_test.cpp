#include "price/rates.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::price {
namespace {

Money usd(const char* text) { return *parse_usd(text); }

TEST(Rates, EveryTokenIsPricedOnceAtItsOwnPrice) {
    const Rates rates{usd("1"), usd("2"), usd("0.1"), usd("1.25")};
    EXPECT_EQ(cost(rates, {1'000'000, 0, 0, 1'000'000, 500'000}), usd("3"));
    EXPECT_EQ(cost(rates, {1'000'000, 500'000, 100'000, 0, 0}), usd("0.575"));
    const Rates plain{usd("1"), usd("2"), std::nullopt, std::nullopt};
    EXPECT_EQ(cost(plain, {1'000'000, 500'000, 100'000, 0, 0}), usd("1"));
}

TEST(Rates, RoundsHalfUpOncePerCall) {
    const Rates rates{Money::from_nano_usd(500'000), Money::zero(), std::nullopt, std::nullopt};
    EXPECT_EQ(cost(rates, {1, 0, 0, 0, 0}), Money::from_nano_usd(1));
    EXPECT_EQ(cost(rates, {3, 0, 0, 0, 0}), Money::from_nano_usd(2));
}

TEST(Rates, RefusesWhatDoesNotFit) {
    const std::int64_t most = std::numeric_limits<std::int64_t>::max();
    const Rates rates{
        Money::from_nano_usd(most), Money::from_nano_usd(most), std::nullopt, std::nullopt};
    EXPECT_EQ(cost(rates, {most, 0, 0, most, 0}), std::nullopt);
}

}  // namespace
}  // namespace weir::price
