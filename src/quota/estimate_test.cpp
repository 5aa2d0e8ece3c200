#include "quota/estimate.h"

#include <gtest/gtest.h>

#include <limits>

namespace weir::quota {
namespace {

struct TokensCase {
    std::string_view name;
    std::uint64_t bytes, output_max;
    std::int64_t input, output;
};
class TokensTest : public testing::TestWithParam<TokensCase> {};
TEST_P(TokensTest, Estimates) {
    const auto got = estimate_tokens(GetParam().bytes, GetParam().output_max);
    EXPECT_EQ(got.input_tokens, GetParam().input);
    EXPECT_EQ(got.output_tokens, GetParam().output);
    EXPECT_EQ(got.tokens(), GetParam().input + GetParam().output);
}
constexpr auto kU64Max = std::numeric_limits<std::uint64_t>::max();
INSTANTIATE_TEST_SUITE_P(Estimate,
                         TokensTest,
                         testing::Values(TokensCase{"nothing", 0, 0, 0, 0},
                                         TokensCase{"rounds_up", 1, 5, 1, 5},
                                         TokensCase{"whole", 3, 0, 1, 0},
                                         TokensCase{"one_more", 4, 0, 2, 0},
                                         TokensCase{
                                             "clamps", kU64Max, kU64Max, kTokensMax, kTokensMax}),
                         [](const auto& info) { return std::string{info.param.name}; });

struct CostCase {
    std::string_view name;
    HoldEstimate tokens;
    std::int64_t input_price, output_price;  // nano-USD per million
    std::optional<std::int64_t> nano_usd;
};
class CostTest : public testing::TestWithParam<CostCase> {};
TEST_P(CostTest, Prices) {
    const auto got =
        estimate_cost(GetParam().tokens,
                      {.input_per_million = Money::from_nano_usd(GetParam().input_price),
                       .output_per_million = Money::from_nano_usd(GetParam().output_price)});
    ASSERT_EQ(got.has_value(), GetParam().nano_usd.has_value());
    if (got) {
        EXPECT_EQ(got->nano_usd(), *GetParam().nano_usd);
    }
}
constexpr auto kI64Max = std::numeric_limits<std::int64_t>::max();
INSTANTIATE_TEST_SUITE_P(
    Estimate,
    CostTest,
    testing::Values(CostCase{"free", {1000, 1000, {}}, 0, 0, 0},
                    CostCase{"two_and_a_half_and_ten_dollars",
                             {1000, 500, {}},
                             2'500'000'000,
                             10'000'000'000,
                             7'500'000},
                    CostCase{"rounds_up_to_a_nano_dollar", {1, 0, {}}, 1, 0, 1},
                    CostCase{"the_sum_is_rounded_once", {1, 1, {}}, 400'000, 600'000, 1},
                    CostCase{"overflow", {kTokensMax, 0, {}}, kI64Max, 0, std::nullopt},
                    CostCase{"negative", {-1, 0, {}}, 1, 0, std::nullopt}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Estimate, TheFeeOfTheRequestIsAddedOnce) {
    const HoldPrices prices{.input_per_million = Money::from_nano_usd(1'000'000),
                            .output_per_million = Money::zero(),
                            .request = Money::from_nano_usd(7)};
    EXPECT_EQ(estimate_cost({.input_tokens = 3}, prices), Money::from_nano_usd(10));
    EXPECT_EQ(estimate_cost({}, {.request = Money::from_nano_usd(-1)}), std::nullopt);
    EXPECT_EQ(estimate_cost({.input_tokens = 3},
                            {.input_per_million = Money::from_nano_usd(1'000'000),
                             .request = Money::from_nano_usd(kI64Max)}),
              std::nullopt);
}

}  // namespace
}  // namespace weir::quota
