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
    const Choice choice = catalog.choice(*resolved, resolved->model->first());
    EXPECT_EQ(choice.upstream_model, GetParam().upstream);
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
    const auto rates = [&](std::string_view name) {
        const auto resolved = *catalog.resolve(name);
        return catalog.choice(resolved, resolved.model->first()).rates;
    };
    EXPECT_EQ(rates("chat")->tokens.input.nano_usd(), 150'000'000);
    EXPECT_EQ(rates("embed")->tokens.input.nano_usd(), 20'000'000);
    EXPECT_EQ(rates("openai/x"), nullptr);
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
    const Choice choice = catalog.choice(*resolved, resolved->model->first());
    EXPECT_EQ(choice.output_tokens_max, GetParam().output_tokens_max);
    if (!GetParam().listed.empty()) {
        EXPECT_EQ(choice.rates, &price::find("openai", GetParam().listed)->rates);
        return;
    }
    ASSERT_EQ(choice.rates != nullptr, GetParam().input.has_value());
    if (GetParam().input) {
        EXPECT_EQ(choice.rates->tokens.input, *GetParam().input);
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

// Where a model's calls may go, as "provider/model" in order.
std::string names(const Catalog& catalog, std::span<const Target* const> targets) {
    std::string text;
    for (const Target* target : targets) {
        EXPECT_EQ(&catalog.targets()[target->index], target);
        const Identity& identity = catalog.identities()[target->identity];
        EXPECT_EQ(identity.provider, target->provider);
        EXPECT_EQ(identity.model, target->model);
        text += fmt::format("{}{}/{}", text.empty() ? "" : " ", target->provider, target->model);
    }
    return text;
}

constexpr std::string_view kLinked = R"(
models:
  - name: a
    max_output_tokens: 5
    targets:
      - {provider: p, model: m, weight: 3}
      - {strategy: priority, weight: 2, targets: [{provider: q, model: m, tier: 1}, {provider: p, model: n, disabled: true}]}
    rules:
      - {when: {tag: batch}, use: {strategy: cost}}
      - {when: {tag: long}, use: {targets: [{provider: q, model: long}]}}
      - {when: {tag: b}, use: {model: b}}
    fallback: [{model: bee}, {provider: q, model: last}]
    context_fallback: {model: c}
  - name: b
    aliases: [bee]
    targets: [{provider: p, model: b}]
    fallback: [{provider: p, model: after-b}, {model: c}]
  - name: c
    targets: [{provider: p, model: c}, {provider: p, model: m}]
)";

TEST(Catalog, LinksGroupsRulesAndFallbacks) {
    const auto loaded = load(kLinked);
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const Catalog catalog(
        loaded.snapshot->get<ModelsSection>(), {}, {{"p", true, "openai"}, {"q", false, "vllm"}});
    const Model& a = catalog.models()[0];
    // Its own, its rules', b, `last`, what b falls back to, and c as well for what is too long.
    EXPECT_EQ(names(catalog, catalog.candidates({&a, "a"})),
              "0/m 1/m 0/n 1/long 0/b 1/last 0/after-b 0/c 0/m");
    ASSERT_EQ(a.fallback.size(), 4u);
    EXPECT_EQ(a.fallback[0], catalog.models()[1].group);
    EXPECT_EQ(a.fallback[3], catalog.models()[2].group);
    EXPECT_EQ(a.context_fallback, catalog.models()[2].group);

    const Group& own = catalog.groups()[a.group];
    ASSERT_EQ(own.members.size(), 2u);
    EXPECT_EQ(own.members[0].weight, 3u);
    ASSERT_TRUE(own.members[1].is_group);
    const Group& nested = catalog.groups()[own.members[1].index];
    EXPECT_EQ(nested.strategy, Strategy::priority);
    EXPECT_EQ(nested.members[0].tier, 1u);
    EXPECT_TRUE(catalog.targets()[nested.members[1].index].is_disabled);

    // A rule without targets puts the model's own in another order.
    const Group& cheap = catalog.groups()[a.rules[0].group];
    EXPECT_EQ(cheap.strategy, Strategy::cost);
    EXPECT_EQ(cheap.members[0].index, own.members[0].index);
    EXPECT_EQ(a.rules[2].group, catalog.models()[1].group);

    // The same model at the same provider is one identity wherever it is named; pass-through is
    // another.
    EXPECT_EQ(a.candidates.front()->identity, a.candidates.back()->identity);
    EXPECT_NE(a.candidates.front()->index, a.candidates.back()->index);
    const auto passed = *catalog.resolve("p/m");
    EXPECT_NE(passed.model->first().identity, a.first().identity);
    EXPECT_EQ(catalog.choice(passed, passed.model->first()).upstream_model, "m");
}

TEST(Catalog, TakesTheLongestAnswerOfTheModelThatOwnsTheTarget) {
    const auto loaded = load(R"(
models:
  - name: a
    max_output_tokens: 5
    targets: [{provider: p, model: x}]
    fallback: [{model: b}, {provider: p, model: y}, {provider: p, model: gpt-4o}]
  - {name: b, max_output_tokens: 7, targets: [{provider: p, model: z}]}
)");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, {{"p", false, "openai"}});
    const auto a = *catalog.resolve("a");
    std::vector<std::int64_t> longest;
    for (const Target* target : catalog.candidates(a)) {
        longest.push_back(catalog.choice(a, *target).output_tokens_max);
    }
    EXPECT_EQ(longest, (std::vector<std::int64_t>{5, 7, 5, 16384}));
}

TEST(Catalog, KeepsAnIdentitysHashOverReloads) {
    const auto hash_of = [](std::string_view yaml) {
        const auto loaded = load(yaml);
        EXPECT_TRUE(loaded.errors.empty());
        const Catalog catalog(
            loaded.snapshot->get<ModelsSection>(), {}, {{"p", false, ""}, {"q", false, ""}});
        return catalog.identities()[catalog.resolve("a")->model->first().identity].hash;
    };
    const auto before = hash_of("models: [{name: a, targets: [{provider: q, model: m}]}]");
    EXPECT_EQ(before,
              hash_of("models: [{name: b, targets: [{provider: p, model: x}]}, "
                      "{name: a, targets: [{provider: q, model: m}]}]"));
    EXPECT_NE(before, hash_of("models: [{name: a, targets: [{provider: p, model: m}]}]"));
    EXPECT_NE(before, hash_of("models: [{name: a, targets: [{provider: q, model: n}]}]"));
}

}  // namespace
}  // namespace weir::router
