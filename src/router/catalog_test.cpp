#include "router/catalog.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir::router {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load(
        {models_section(), default_model_section()}, yaml, "weir.yaml", [](std::string_view) {
            return std::optional<std::string>();
        });
}

constexpr std::string_view kModels = R"(
default_model: chat
models:
  - name: chat
    aliases: [gpt-4o-mini]
    targets: [{provider: sim, model: sim-small}]
    price: {input: 0.15 USD, output: 0.60 USD}
    timeouts: {first_token: 2m}
  - name: embed
    targets: [{provider: openai, model: text-embedding-3-small, price: {input: 0.02 USD, output: 0 USD}}]
)";

Catalog make() {
    const auto loaded = load(kModels);
    EXPECT_TRUE(loaded.errors.empty());
    return Catalog(loaded.snapshot->get<ModelsSection>(),
                   loaded.snapshot->get<DefaultModelSection>(),
                   {{"sim", false, "openai_compatible"}, {"openai", true, "openai"}});
}

struct Case {
    std::string_view name, asked, model, upstream;
};
class CatalogResolves : public testing::TestWithParam<Case> {};
TEST_P(CatalogResolves, EveryNameThereIs) {
    const Catalog catalog = make();
    const auto resolved = catalog.resolve(GetParam().asked);
    ASSERT_TRUE(resolved.has_value()) << resolved.error().message();
    EXPECT_EQ(resolved->model->name, GetParam().model);
    EXPECT_EQ(resolved->upstream_model, GetParam().upstream);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    CatalogResolves,
    testing::Values(Case{"exact", "chat", "chat", "sim-small"},
                    Case{"alias", "gpt-4o-mini", "chat", "sim-small"},
                    Case{"default_model", "", "chat", "sim-small"},
                    Case{"pass_through", "openai/gpt-4.1", "", "gpt-4.1"},
                    Case{"pass_through_with_slash", "openai/org/model", "", "org/model"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Catalog, RefusesWhatIsNotThere) {
    const Catalog catalog = make();
    for (const std::string_view asked : {"chatt", "sim/sim-small", "openai/", "/x", "nobody/x"}) {
        const auto resolved = catalog.resolve(asked);
        ASSERT_FALSE(resolved.has_value()) << asked;
        EXPECT_EQ(resolved.error().code(), Code::model_not_found);
        EXPECT_EQ(resolved.error().parameter(), "model");
    }
    const Catalog empty({}, {}, {});
    EXPECT_EQ(empty.resolve("").error().code(), Code::invalid_request);
}

TEST(Catalog, TakesThePriceOfTheTargetThenOfTheModel) {
    const Catalog catalog = make();
    EXPECT_EQ(catalog.resolve("chat")->rates->tokens.input.nano_usd(), 150'000'000);
    EXPECT_EQ(catalog.resolve("embed")->rates->tokens.input.nano_usd(), 20'000'000);
    EXPECT_EQ(catalog.resolve("openai/x")->rates, nullptr);
    EXPECT_EQ(catalog.resolve("chat")->model->timeouts.first_token, std::chrono::minutes{2});
}

struct PriceCase {
    std::string_view name, target, more, asked;  // `more`: keys of the model
    std::string_view listed;                     // openai's entry that holds; empty: none
    std::optional<Money> input;                  // where none holds; absent: no price at all
    std::int64_t output_tokens_max = kOutputTokensDefault;
};
class PriceOf : public testing::TestWithParam<PriceCase> {};
TEST_P(PriceOf, TheConfigurationThenTheCatalogOfPrices) {
    const auto loaded = load(fmt::format(
        "models: [{{name: m, targets: [{{{}}}]{}}}]", GetParam().target, GetParam().more));
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(),
                          {},
                          {{"own", true, "openai"}, {"plain", true, "vllm"}});
    const auto resolved = catalog.resolve(GetParam().asked);
    ASSERT_TRUE(resolved.has_value());
    EXPECT_EQ(resolved->output_tokens_max, GetParam().output_tokens_max);
    if (!GetParam().listed.empty()) {
        EXPECT_EQ(resolved->rates, &price::find("openai", GetParam().listed)->rates);
        return;
    }
    ASSERT_EQ(resolved->rates != nullptr, GetParam().input.has_value());
    if (GetParam().input) {
        EXPECT_EQ(resolved->rates->tokens.input, *GetParam().input);
    }
}
constexpr std::string_view kGpt4o = "provider: own, model: gpt-4o";
constexpr std::string_view kOther = "provider: own, model: x";
INSTANTIATE_TEST_SUITE_P(
    Table,
    PriceOf,
    testing::Values(
        PriceCase{"listed", kGpt4o, "", "m", "gpt-4o", {}, 16384},
        PriceCase{"listed_by_date",
                  "provider: own, model: gpt-4o-2024-08-06",
                  "",
                  "m",
                  "gpt-4o",
                  {},
                  16384},
        PriceCase{"overridden",
                  kGpt4o,
                  ", price: {input: 7 USD, output: 0 USD}",
                  "m",
                  "",
                  parse_usd("7"),
                  16384},
        PriceCase{"made_free",
                  kGpt4o,
                  ", price: {input: 0 USD, output: 0 USD}",
                  "m",
                  "",
                  Money::zero(),
                  16384},
        PriceCase{
            "longest_answer_overridden", kGpt4o, ", max_output_tokens: 7", "m", "gpt-4o", {}, 7},
        PriceCase{"of_another_kind", "provider: plain, model: gpt-4o", "", "m", "", {}},
        PriceCase{"unknown", kOther, "", "m", "", {}},
        PriceCase{"pass_through", kOther, "", "own/o3", "o3", {}, 100'000},
        PriceCase{"pass_through_unknown", kOther, "", "own/y", "", {}},
        PriceCase{"pass_through_of_another_kind", kOther, "", "plain/o3", "", {}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ModelsSection, NamesWhatDoesNotFitTogether) {
    const auto loaded = load(
        "default_model: nine\nmodels:\n  - name: a\n    targets: [{provider: opnai, model: b}]\n");
    ASSERT_TRUE(loaded.errors.empty());
    config::Reporter reporter("weir.yaml");
    check_models(loaded.snapshot->get<ModelsSection>(),
                 loaded.snapshot->get<DefaultModelSection>(),
                 {"openai"},
                 reporter);
    const auto found = reporter.take();
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(config::to_text(found[0]), "weir.yaml:1: default_model: there is no model 'nine'");
    EXPECT_EQ(config::to_text(found[1]),
              "weir.yaml:4: models[0].targets[0].provider: there is no provider 'opnai'; did you "
              "mean 'openai'?");
}

TEST(ModelsSection, RefusesTwoTargetsAndTwiceTheSameName) {
    EXPECT_FALSE(load("models: [{name: a, targets: []}]").errors.empty());
    EXPECT_FALSE(load("models:\n- {name: a, targets: [{provider: p, model: m}]}\n- {name: b, "
                      "aliases: [a], targets: [{provider: p, model: m}]}")
                     .errors.empty());
}

}  // namespace
}  // namespace weir::router
