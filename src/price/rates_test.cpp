#include "price/rates.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>

namespace weir::price {
namespace {

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();

Money usd(std::string_view text) { return *parse_usd(text); }

// Every part at a rate of its own, so that a part priced as another shows.
Rates every_rate() {
    return {.tokens = {.input = usd("1"),
                       .output = usd("10"),
                       .cache_read = usd("0.1"),
                       .cache_write = usd("1.25"),
                       .cache_write_1h = usd("2"),
                       .input_audio = usd("3"),
                       .output_audio = usd("20"),
                       .output_image = usd("30"),
                       .reasoning = usd("12")},
            .image = usd("0.04"),
            .audio_minute = usd("0.006"),
            .search = usd("0.01"),
            .request = usd("0.005")};
}

Rates plain() { return {.tokens = {.input = usd("1"), .output = usd("2")}}; }

struct PartCase {
    std::string_view name;
    llm::Usage usage;
    std::string_view own, fallback;  // by every_rate(), by plain()
};
class CostOfPart : public testing::TestWithParam<PartCase> {};
TEST_P(CostOfPart, IsItsOwnRateOrThatOfTheDocumentedFallback) {
    const Money fee = usd("0.005");
    EXPECT_EQ(cost(every_rate(), GetParam().usage), usd(GetParam().own).plus(fee));
    EXPECT_EQ(cost(plain(), GetParam().usage), usd(GetParam().fallback));
}
constexpr std::int64_t kMillion = 1'000'000;
INSTANTIATE_TEST_SUITE_P(
    Table,
    CostOfPart,
    testing::Values(
        PartCase{"nothing", {}, "0", "0"},
        PartCase{"input", {.input_tokens = kMillion}, "1", "1"},
        PartCase{
            "cache_read", {.input_tokens = kMillion, .cache_read_tokens = kMillion}, "0.1", "1"},
        PartCase{
            "cache_write", {.input_tokens = kMillion, .cache_write_tokens = kMillion}, "1.25", "1"},
        PartCase{"cache_write_1h_inside_cache_write",
                 {.input_tokens = kMillion,
                  .cache_write_tokens = kMillion,
                  .cache_write_1h_tokens = kMillion / 2},
                 "1.625",
                 "1"},
        PartCase{
            "input_audio", {.input_tokens = kMillion, .input_audio_tokens = kMillion}, "3", "1"},
        PartCase{"all_of_input",
                 {.input_tokens = kMillion,
                  .cache_read_tokens = 200'000,
                  .cache_write_tokens = 300'000,
                  .cache_write_1h_tokens = 100'000,
                  .input_audio_tokens = 400'000},
                 "1.77",  // 0.1 plain + 0.02 + 0.25 + 0.2 + 1.2
                 "1"},
        PartCase{"output", {.output_tokens = kMillion}, "10", "2"},
        PartCase{"reasoning", {.output_tokens = kMillion, .reasoning_tokens = kMillion}, "12", "2"},
        PartCase{"output_audio",
                 {.output_tokens = kMillion, .output_audio_tokens = kMillion},
                 "20",
                 "2"},
        PartCase{"output_image",
                 {.output_tokens = kMillion, .output_image_tokens = kMillion},
                 "30",
                 "2"},
        PartCase{"all_of_output",
                 {.output_tokens = kMillion,
                  .reasoning_tokens = 100'000,
                  .output_audio_tokens = 200'000,
                  .output_image_tokens = 300'000},
                 "18.2",  // 4 plain + 1.2 + 4 + 9
                 "2"},
        PartCase{"images", {.images = 3}, "0.12", "0"},
        PartCase{"audio_time", {.audio_milliseconds = 90'000}, "0.009", "0"},
        PartCase{"searches", {.searches = 7}, "0.07", "0"},
        PartCase{"a_part_beyond_its_whole",
                 {.input_tokens = 7, .cache_read_tokens = 161},
                 "0.0000007",
                 "0.000007"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Cost, AnHourOfCacheFallsBackToCacheWriteFirst) {
    Rates rates = plain();
    rates.tokens.cache_write = usd("1.25");
    EXPECT_EQ(cost(rates,
                   {.input_tokens = kMillion,
                    .cache_write_tokens = kMillion,
                    .cache_write_1h_tokens = kMillion}),
              usd("1.25"));
}

// Standard 1/2 (long 2/3), batch half of both, priority 5/6 for short input only, no flex.
Rates tiered() {
    Rates rates = plain();
    rates.tokens.cache_read = usd("0.5");
    rates.variants.push_back(
        {.above_input_tokens = 200'000, .tokens = {.input = usd("2"), .output = usd("3")}});
    const auto batch = scaled(rates, ServiceTier::batch, 500'000);
    rates.variants.insert(rates.variants.end(), batch->begin(), batch->end());
    rates.variants.push_back(
        {.tier = ServiceTier::priority, .tokens = {.input = usd("5"), .output = usd("6")}});
    return rates;
}

struct TierCase {
    std::string_view name;
    ServiceTier tier;
    std::int64_t input_tokens;
    std::string_view input, output;  // of the rates that hold
};
class TokenRatesFor : public testing::TestWithParam<TierCase> {};
TEST_P(TokenRatesFor, TierAndLengthOfTheWholeCall) {
    const Rates rates = tiered();
    const TokenRates& chosen = token_rates_for(rates, GetParam().tier, GetParam().input_tokens);
    EXPECT_EQ(chosen.input, usd(GetParam().input));
    EXPECT_EQ(chosen.output, usd(GetParam().output));
    Rates backwards = rates;
    std::reverse(backwards.variants.begin(), backwards.variants.end());
    EXPECT_EQ(token_rates_for(backwards, GetParam().tier, GetParam().input_tokens), chosen)
        << "the order of variants must not matter";
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    TokenRatesFor,
    testing::Values(TierCase{"standard_short", ServiceTier::standard, 1, "1", "2"},
                    TierCase{"standard_at_the_threshold", ServiceTier::standard, 200'000, "1", "2"},
                    TierCase{"standard_long", ServiceTier::standard, 200'001, "2", "3"},
                    TierCase{"batch_short", ServiceTier::batch, 0, "0.5", "1"},
                    TierCase{"batch_long", ServiceTier::batch, 200'001, "1", "1.5"},
                    TierCase{"priority_short", ServiceTier::priority, 200'000, "5", "6"},
                    TierCase{
                        "priority_has_no_long_rates", ServiceTier::priority, 200'001, "2", "3"},
                    TierCase{"flex_has_none_at_all", ServiceTier::flex, 1, "1", "2"},
                    TierCase{"flex_has_none_at_all_long", ServiceTier::flex, 200'001, "2", "3"}),
    [](const auto& info) { return std::string(info.param.name); });

// A variant that names no rate for reading from the cache, of a model that has one.
struct MissingCase {
    std::string_view name, input, output;  // of the variant; of standard they are 1 and 2
    std::string_view cached, reasoned;     // a million of each; of standard 0.5 and 3
};
class MissingPart : public testing::TestWithParam<MissingCase> {};
TEST_P(MissingPart, IsRaisedWithADearerVariantAndNeverLowered) {
    Rates rates{.tokens = {.input = usd("1"),
                           .output = usd("2"),
                           .cache_read = usd("0.5"),
                           .reasoning = usd("3")}};
    rates.variants.push_back(
        {.tier = ServiceTier::flex,
         .tokens = {.input = usd(GetParam().input), .output = usd(GetParam().output)}});
    EXPECT_EQ(
        cost(rates, {.input_tokens = kMillion, .cache_read_tokens = kMillion}, ServiceTier::flex),
        usd(GetParam().cached));
    EXPECT_EQ(
        cost(rates, {.output_tokens = kMillion, .reasoning_tokens = kMillion}, ServiceTier::flex),
        usd(GetParam().reasoned));
}
INSTANTIATE_TEST_SUITE_P(Table,
                         MissingPart,
                         testing::Values(MissingCase{"cheaper", "0.5", "1", "0.5", "3"},
                                         MissingCase{"same", "1", "2", "0.5", "3"},
                                         MissingCase{"dearer", "2", "3", "1", "4.5"},
                                         MissingCase{"each_by_its_own", "3", "1", "1.5", "3"}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Cost, AMissingPartOfAFreeStandardTierIsNotDividedByIt) {
    Rates rates{.tokens = {.cache_read = usd("0.5")}};
    rates.variants.push_back({.tier = ServiceTier::priority, .tokens = {.input = usd("4")}});
    EXPECT_EQ(cost(rates,
                   {.input_tokens = kMillion, .cache_read_tokens = kMillion},
                   ServiceTier::priority),
              usd("0.5"));
}

TEST(Cost, RoundsHalfUpOncePerCall) {
    const Rates rates{.tokens = {.input = Money::from_nano_usd(500'000)},
                      .audio_minute = Money::from_nano_usd(20'000)};
    EXPECT_EQ(cost(rates, {.input_tokens = 1}), Money::from_nano_usd(1));
    EXPECT_EQ(cost(rates, {.input_tokens = 3}), Money::from_nano_usd(2));
    EXPECT_EQ(cost(rates, {.audio_milliseconds = 1}), Money::zero());
    // A half and a third: less than one, more than a half.
    EXPECT_EQ(cost(rates, {.input_tokens = 1, .audio_milliseconds = 1}), Money::from_nano_usd(1));
}

TEST(Cost, RefusesWhatIsNoFigure) {
    const Rates most{
        .tokens = {.input = Money::from_nano_usd(kMost), .output = Money::from_nano_usd(kMost)},
        .image = Money::from_nano_usd(kMost)};
    EXPECT_EQ(cost(most, {.input_tokens = kMost}), std::nullopt);
    EXPECT_EQ(cost(most, {.input_tokens = kMost, .output_tokens = kMost, .images = kMost}),
              std::nullopt);
    EXPECT_EQ(cost(most, {.images = 2}), std::nullopt);
    EXPECT_EQ(cost(most, {.images = 1}), Money::from_nano_usd(kMost));
    EXPECT_EQ(cost({.tokens = {.input = Money::from_nano_usd(-1)}}, {.input_tokens = 1}),
              std::nullopt);
    EXPECT_EQ(scaled(most, ServiceTier::priority, 2'000'000), std::nullopt);
    EXPECT_EQ(scaled(plain(), ServiceTier::priority, -1), std::nullopt);
}

TEST(Scaled, RoundsEveryRateHalfUp) {
    Rates rates{.tokens = {.input = Money::from_nano_usd(3),
                           .output = Money::from_nano_usd(5),
                           .reasoning = Money::from_nano_usd(1)}};
    const auto half = scaled(rates, ServiceTier::flex, 500'000);
    ASSERT_TRUE(half);
    ASSERT_EQ(half->size(), 1u);
    EXPECT_EQ(half->front().tier, ServiceTier::flex);
    EXPECT_EQ(half->front().tokens,
              (TokenRates{.input = Money::from_nano_usd(2),
                          .output = Money::from_nano_usd(3),
                          .reasoning = Money::from_nano_usd(1)}));
}

// Seeded draws of rates and usage, among them contradictory usage and zeros.
class Draw {
public:
    explicit Draw(std::uint64_t seed) : random_(seed) {}

    std::int64_t upto(std::int64_t most) {
        return std::uniform_int_distribution<std::int64_t>(0, most)(random_);
    }
    Money money() { return Money::from_nano_usd(upto(100'000'000'000)); }
    std::optional<Money> maybe() { return upto(1) == 0 ? std::nullopt : std::optional(money()); }
    TokenRates tokens() {
        return {money(), money(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe(), maybe()};
    }
    Rates rates() {
        Rates rates{.tokens = tokens(), .request = maybe()};
        for (std::int64_t n = upto(4); n > 0; --n) {
            rates.variants.push_back({.tier = kTiers[static_cast<std::size_t>(upto(3))],
                                      .above_input_tokens = upto(2) * 1000,
                                      .tokens = tokens()});
        }
        return rates;
    }
    llm::Usage usage() {
        llm::Usage usage;
        for (std::int64_t* field : {&usage.input_tokens,
                                    &usage.cache_read_tokens,
                                    &usage.cache_write_tokens,
                                    &usage.cache_write_1h_tokens,
                                    &usage.input_audio_tokens,
                                    &usage.output_tokens,
                                    &usage.reasoning_tokens,
                                    &usage.output_audio_tokens,
                                    &usage.output_image_tokens}) {
            *field = upto(3000) - 500;
        }
        return usage;
    }
    static constexpr std::array kTiers{
        ServiceTier::standard, ServiceTier::batch, ServiceTier::flex, ServiceTier::priority};

private:
    std::mt19937_64 random_;
};

constexpr int kDraws = 20'000;

TEST(CostProperty, NeverNegativeAndNeverAboveTheDearestOfItsTokens) {
    Draw draw(20261121);
    for (int i = 0; i < kDraws; ++i) {
        const Rates rates = draw.rates();
        const llm::Usage usage = draw.usage();
        const ServiceTier tier = Draw::kTiers[static_cast<std::size_t>(draw.upto(3))];
        const auto got = cost(rates, usage, tier);
        ASSERT_TRUE(got) << "draw " << i;
        EXPECT_GE(*got, Money::zero()) << "draw " << i;
        const llm::Usage counted = usage.clamped();
        // What the hold of a call sets aside, whose estimate was not exceeded.
        const Dearest most = dearest(rates, counted.input_tokens + draw.upto(1000));
        const auto bound =
            cost({.tokens = {.input = most.input, .output = most.output}, .request = most.request},
                 {.input_tokens = counted.input_tokens, .output_tokens = counted.output_tokens});
        EXPECT_LE(*got, *bound) << "draw " << i;
    }
}

// Were a token counted in two parts, equal rates would price it twice.
TEST(CostProperty, PartsAtOnePriceCostWhatTheirWholeCosts) {
    Draw draw(42);
    for (int i = 0; i < kDraws; ++i) {
        const Money in = draw.money();
        const Money out = draw.money();
        const llm::Usage usage = draw.usage();
        const llm::Usage counted = usage.clamped();
        const auto whole =
            cost({.tokens = {.input = in, .output = out}},
                 {.input_tokens = counted.input_tokens, .output_tokens = counted.output_tokens});
        EXPECT_EQ(cost({.tokens = {in, out, in, in, in, in, out, out, out}}, usage), whole)
            << "draw " << i;
    }
}

TEST(CostProperty, MoreOfAnythingNeverCostsLessWithinOneLength) {
    Draw draw(7);
    for (int i = 0; i < kDraws; ++i) {
        Rates rates = every_rate();
        llm::Usage usage = draw.usage().clamped();
        const auto before = cost(rates, usage);
        usage.input_tokens += draw.upto(10);
        usage.output_tokens += draw.upto(10);
        usage.images += draw.upto(2);
        usage.searches += draw.upto(2);
        usage.audio_milliseconds += draw.upto(1000);
        EXPECT_GE(*cost(rates, usage), *before) << "draw " << i;
    }
}

}  // namespace
}  // namespace weir::price
