#include "router/plan.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <map>

#include "config/snapshot.h"

namespace weir::router {
namespace {

config::Loaded load(std::string_view yaml) {
    auto loaded = config::load(
        {models_section(), default_model_section()}, yaml, "weir.yaml", [](std::string_view) {
            return std::optional<std::string>();
        });
    EXPECT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    return loaded;
}

const std::vector<ProviderName> kProviders{{"p", true, "openai"}, {"q", false, "vllm"}};

// By the name of the model at its provider.
using Loads = std::map<std::string, Load, std::less<>>;

struct Asked {
    Loads loads = {};
    std::string_view model = "m";
    std::string_view tag = {};
    std::optional<std::size_t> provider = {};
    std::optional<Strategy> strategy = {};
    std::uint64_t sticky = 0;
    std::uint64_t seed = 1;
    bool is_too_long = false;  // for the context fallback
    std::span<const std::uint64_t> prefix = {};
    const PrefixTable* prefixes = nullptr;
};

// The plan as "model model …".
std::string planned(const Catalog& catalog, const Asked& asked) {
    Random random(asked.seed);
    const auto load_of = [&](const Target& target) {
        const auto found = asked.loads.find(target.model);
        return found == asked.loads.end() ? Load{} : found->second;
    };
    const auto header = [](std::string_view) { return std::string_view(); };
    const Facts facts{.traits = {.asked_model = asked.model,
                                 .tags = {&asked.tag, 1},
                                 .prompt_tokens = 1000,
                                 .header = header},
                      .sticky = asked.sticky,
                      .output_tokens = 100,
                      .provider = asked.provider,
                      .strategy = asked.strategy,
                      .prefix = asked.prefix,
                      .prefixes = asked.prefixes,
                      .random = random};
    const auto resolved = catalog.resolve(asked.model);
    EXPECT_TRUE(resolved.has_value());
    Plan out;
    (asked.is_too_long ? plan_context_fallback : plan)(*resolved, catalog, facts, load_of, out);
    std::string text;
    for (const Target* target : out) {
        text += (text.empty() ? "" : " ") + target->model;
    }
    return text;
}

constexpr std::string_view kModels = R"(
models:
  - name: m
    strategy: priority
    targets:
      - {provider: p, model: a}
      - {provider: q, model: b, tier: 1}
      - {strategy: priority, tier: 2, targets: [{provider: p, model: c, tier: 1}, {provider: q, model: d}]}
      - {provider: p, model: off, disabled: true}
      - {provider: p, model: none, weight: 0}
    rules:
      - {when: {tag: cheap}, use: {strategy: cost}}
      - {when: {tag: big}, use: {targets: [{provider: q, model: big}]}}
      - {when: {tag: other}, use: {model: other}}
    fallback: [{provider: q, model: f}, {model: other}, {provider: p, model: a}]
    context_fallback: {model: other}
  - name: other
    strategy: priority
    targets: [{provider: q, model: y, tier: 1}, {provider: p, model: x}, {provider: q, model: f, tier: 2}]
    fallback: [{provider: p, model: z}]
)";

struct PlanCase {
    std::string_view name;
    Asked asked;
    std::string_view want;
};
class Plans : public testing::TestWithParam<PlanCase> {};
TEST_P(Plans, AreInTheOrderTheConfigurationSays) {
    const auto loaded = load(kModels);
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, kProviders);
    EXPECT_EQ(planned(catalog, GetParam().asked), GetParam().want);
}
const Load kAway{.is_available = false};
const Load kFull{.in_flight = 2, .in_flight_max = 2};
INSTANTIATE_TEST_SUITE_P(
    Table,
    Plans,
    testing::Values(
        PlanCase{"its_own_then_fallbacks", {}, "a b d c f x y z"},
        PlanCase{"what_is_away_comes_last_in_its_group",
                 {.loads = {{"a", kAway}, {"d", kFull}, {"f", kAway}}},
                 "b c d a f x y z"},
        PlanCase{"a_group_with_one_that_is_there_is_there",
                 {.loads = {{"a", kAway}, {"b", kAway}, {"d", kAway}}},
                 "c d a b f x y z"},
        PlanCase{"a_group_without_any_is_not",
                 {.loads = {{"a", kFull}, {"c", kAway}, {"d", kAway}}},
                 "b a d c f x y z"},
        PlanCase{"a_group_that_is_full_comes_before_what_is_away",
                 {.loads = {{"a", kAway}, {"b", kAway}, {"c", kFull}, {"d", kAway}}},
                 "c d a b f x y z"},
        PlanCase{"drained_while_it_runs",
                 {.loads = {{"a", {.weight = 0}}, {"c", {.weight = 0}}, {"d", {.weight = 0}}}},
                 "b f x y z"},
        PlanCase{"given_a_weight_while_it_runs",
                 {.loads = {{"none", {.weight = 5}}, {"off", {.weight = 5}}, {"a", kAway}}},
                 "none b d c a f x y z"},
        PlanCase{"pinned_to_a_provider", {.provider = 1}, "b d f y"},
        PlanCase{"pinned_to_one_that_has_none", {.provider = 7}, ""},
        PlanCase{"a_rule_with_targets", {.tag = "big"}, "big f x y a z"},
        PlanCase{"a_rule_with_another_model", {.tag = "other"}, "x y f a z"},
        PlanCase{"too_long", {.is_too_long = true}, "x y f"},
        PlanCase{"too_long_without_anywhere", {.model = "other", .is_too_long = true}, ""},
        PlanCase{"another_strategy_while_it_runs",
                 {.loads = {{"a", {.in_flight = 9}}, {"b", {.in_flight = 8}}},
                  .strategy = Strategy::least_inflight},
                 "d c b a f x y z"}),
    [](const auto& info) { return std::string(info.param.name); });

// Its one target has no name: that is what the client said.
TEST(Plan, OfAPassThroughIsItsProvider) {
    const Catalog catalog({}, {}, kProviders);
    Random random(1);
    const auto header = [](std::string_view) { return std::string_view(); };
    const auto resolved = *catalog.resolve("p/any");
    Plan out;
    plan(
        resolved,
        catalog,
        {.traits = {.header = header}, .random = random},
        [](const Target&) { return Load{}; },
        out);
    ASSERT_EQ(out.size(), 1u);
    EXPECT_EQ(catalog.choice(resolved, *out[0]).upstream_model, "any");
}

TEST(Plan, GivesACanaryItsShareAndLetsItsGroupRest) {
    const auto loaded = load(R"(
models:
  - name: m
    targets:
      - {weight: 90, strategy: priority, targets: [{provider: p, model: a}, {provider: p, model: b, tier: 1}]}
      - {weight: 10, provider: q, model: canary}
)");
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, kProviders);
    std::map<std::string, int> count;
    for (std::uint64_t seed = 0; seed < 20'000; ++seed) {
        ++count[planned(catalog, {.seed = seed})];
    }
    EXPECT_EQ(count.size(), 2u);
    EXPECT_NEAR(count["a b canary"], 18'000, 300);
    EXPECT_NEAR(count["canary a b"], 2'000, 300);
}

TEST(Plan, SeesAGroupByItsBest) {
    const auto loaded = load(R"(
models:
  - name: m
    strategy: cost
    targets:
      - {provider: p, model: middle, price: {input: 2 USD, output: 2 USD}}
      - {strategy: priority, targets: [{provider: p, model: dear, price: {input: 9 USD, output: 9 USD}},
                                       {provider: p, model: cheap, tier: 1, price: {input: 1 USD, output: 1 USD}}]}
      - {provider: q, model: unknown}
      - {provider: p, model: gpt-4o}
)");
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, kProviders);
    EXPECT_EQ(planned(catalog, {}), "dear cheap middle gpt-4o unknown");
    // What cannot take a call makes nothing cheap.
    EXPECT_EQ(planned(catalog, {.loads = {{"cheap", kAway}}}), "middle gpt-4o dear cheap unknown");
    // Busy is what all of it is together: 4 calls are fewer than 5, and more than 3.
    const auto busy = [&](std::uint32_t middle) {
        return planned(catalog,
                       {.loads = {{"dear", {.in_flight = 2}},
                                  {"cheap", {.in_flight = 2}},
                                  {"middle", {.in_flight = middle}},
                                  {"gpt-4o", {.in_flight = 8}},
                                  {"unknown", {.in_flight = 9}}},
                        .strategy = Strategy::least_inflight});
    };
    EXPECT_EQ(busy(5), "dear cheap middle gpt-4o unknown");
    EXPECT_EQ(busy(3), "middle dear cheap gpt-4o unknown");
    // As quick as the quickest; with four calls in it that is 500 us.
    const auto timed = [&](double us) {
        return planned(catalog,
                       {.loads = {{"dear", {.in_flight = 4, .first_token_us = 900}},
                                  {"cheap", {.first_token_us = 100}},
                                  {"middle", {.first_token_us = us}},
                                  {"gpt-4o", kAway},
                                  {"unknown", kAway}},
                        .strategy = Strategy::latency})
            .substr(0, 6);
    };
    EXPECT_EQ(timed(600), "dear c");
    EXPECT_EQ(timed(400), "middle");
}

TEST(Plan, SendsAPromptWhereItsBeginningIs) {
    const auto loaded = load(R"(
models:
  - name: m
    strategy: prefix_affinity
    targets:
      - {provider: p, model: a}
      - {provider: p, model: b}
      - {strategy: prefix_affinity, targets: [{provider: q, model: c}, {provider: q, model: d}]}
)");
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, kProviders);
    EXPECT_TRUE(catalog.models()[0].asks_prefix);
    PrefixTable table;
    for (std::uint64_t prompt = 1; prompt <= 20; ++prompt) {
        const std::uint64_t prefix[] = {prompt * 77, prompt * 78, prompt * 79};
        Asked asked{.prefix = prefix, .prefixes = &table};
        const std::string cold = planned(catalog, asked);
        EXPECT_EQ(planned(catalog, {.seed = 5, .prefix = prefix, .prefixes = &table}), cold);
        // Whoever saw it, inside a group too, is first.
        const Target& target = *catalog.models()[0].candidates[prompt % 4];
        table.saw(prefix, catalog.identities()[target.identity].hash);
        EXPECT_EQ(planned(catalog, asked).substr(0, 1), target.model) << cold;
        // Busy far beyond its share it is not, though its group may be.
        asked.loads = {{target.model, {.in_flight = 50}}};
        EXPECT_NE(planned(catalog, asked).substr(0, 1), target.model);
    }
}

TEST(Plan, KeepsACallerAtItsPlaceInAGroupToo) {
    const auto loaded = load(R"(
models:
  - name: m
    strategy: pinned
    targets:
      - {provider: p, model: a}
      - {strategy: pinned, targets: [{provider: p, model: b}, {provider: q, model: c}]}
)");
    const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, kProviders);
    std::map<char, int> first;
    for (std::uint64_t caller = 1; caller <= 1000; ++caller) {
        const std::string one = planned(catalog, {.sticky = caller, .seed = 1});
        EXPECT_EQ(one, planned(catalog, {.sticky = caller, .seed = 2}));
        ++first[one[0]];
    }
    EXPECT_NEAR(first['a'], 500, 60);
    EXPECT_NEAR(first['b'], 250, 60);
}

}  // namespace
}  // namespace weir::router
