#include "router/price_section.h"

#include <gtest/gtest.h>

#include "config/snapshot.h"
#include "router/section.h"

namespace weir::router {
namespace {

struct Read {
    std::optional<price::Rates> rates;
    std::string fault;  // the first
};
// `price` in flow style, as the price of a model.
Read read(std::string_view price) {
    const std::string yaml = fmt::format(
        "models:\n  - {{name: a, targets: [{{provider: p, model: m}}], price: {}}}", price);
    const auto loaded = config::load({models_section()}, yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
    if (!loaded.errors.empty()) {
        return {.rates = {}, .fault = config::to_text(loaded.errors.front())};
    }
    return {.rates = loaded.snapshot->get<ModelsSection>().models.front().price, .fault = {}};
}

Money usd(std::string_view text) { return *parse_usd(text); }

TEST(PriceSection, ReadsEveryKey) {
    const auto got = read(
        "{input: 1 USD, output: 2 USD, cache_read: 3 USD, cache_write: 4 USD, cache_write_1h: 5 "
        "USD, input_audio: 6 USD, output_audio: 7 USD, output_image: 8 USD, reasoning: 9 USD, "
        "image: 10 USD, audio_minute: 11 USD, search: 12 USD, request: 13 USD}");
    ASSERT_TRUE(got.rates) << got.fault;
    EXPECT_EQ(*got.rates,
              (price::Rates{.tokens = {usd("1"),
                                       usd("2"),
                                       usd("3"),
                                       usd("4"),
                                       usd("5"),
                                       usd("6"),
                                       usd("7"),
                                       usd("8"),
                                       usd("9")},
                            .image = usd("10"),
                            .audio_minute = usd("11"),
                            .search = usd("12"),
                            .request = usd("13")}));
}

TEST(PriceSection, ReadsLongContextsAndTiers) {
    const auto got = read(
        "{input: 1 USD, output: 2 USD, long_context: [{above: 200000, input: 2 USD, output: 3 "
        "USD}], batch: 50%, priority: {input: 2 USD, output: 4 USD, long_context: [{above: 300000, "
        "input: 5 USD, output: 6 USD}]}}");
    ASSERT_TRUE(got.rates) << got.fault;
    using enum price::ServiceTier;
    const std::vector<price::Variant> want{
        {standard, 200'000, {usd("2"), usd("3")}},
        {batch, 0, {usd("0.5"), usd("1")}},
        {batch, 200'000, {usd("1"), usd("1.5")}},
        {priority, 0, {usd("2"), usd("4")}},
        {priority, 300'000, {usd("5"), usd("6")}},
    };
    EXPECT_EQ(got.rates->variants, want);
}

struct FaultCase {
    std::string_view name, price, fault;
};
class PriceFault : public testing::TestWithParam<FaultCase> {};
TEST_P(PriceFault, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(read(GetParam().price).fault, GetParam().fault);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    PriceFault,
    testing::Values(
        FaultCase{"no_output",
                  "{input: 1 USD}",
                  "weir.yaml:2: models[0].price.output: this key is required"},
        FaultCase{"a_typo",
                  "{input: 1 USD, output: 1 USD, cache_raed: 1 USD}",
                  "weir.yaml:2: models[0].price.cache_raed: unknown key; did you mean "
                  "'cache_read'?"},
        FaultCase{"a_tier_of_no_form",
                  "{input: 1 USD, output: 1 USD, flex: half}",
                  "weir.yaml:2: models[0].price.flex: expected a share such as 50%, at most "
                  "10000%, or a map of rates, found 'half'"},
        FaultCase{"a_tier_beyond_reason",
                  "{input: 1 USD, output: 1 USD, flex: 10001%}",
                  "weir.yaml:2: models[0].price.flex: expected a share such as 50%, at most "
                  "10000%, or a map of rates, found '10001%'"},
        FaultCase{"a_share_that_overflows",
                  "{input: 9000000000 USD, output: 1 USD, priority: 200%}",
                  "weir.yaml:2: models[0].price: a share of these rates is too large a figure"},
        FaultCase{"a_tier_without_its_output",
                  "{input: 1 USD, output: 1 USD, flex: {input: 1 USD}}",
                  "weir.yaml:2: models[0].price.flex.output: this key is required"},
        FaultCase{"lengths_out_of_order",
                  "{input: 1 USD, output: 1 USD, long_context: [{above: 2, input: 1 USD, output: "
                  "1 USD}, {above: 2, input: 1 USD, output: 1 USD}]}",
                  "weir.yaml:2: models[0].price.long_context[1].above: expected more than the 2 "
                  "before it, found 2"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weir::router
