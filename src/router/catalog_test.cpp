#include "router/catalog.h"

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
                   {{"sim", false}, {"openai", true}});
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
    EXPECT_EQ(catalog.resolve("chat")->model->target.rates->tokens.input.nano_usd(), 150'000'000);
    EXPECT_EQ(catalog.resolve("embed")->model->target.rates->tokens.input.nano_usd(), 20'000'000);
    EXPECT_FALSE(catalog.resolve("openai/x")->model->target.rates);
    EXPECT_EQ(catalog.resolve("chat")->model->timeouts.first_token, std::chrono::minutes{2});
}

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
