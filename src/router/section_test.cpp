#include "router/section.h"

#include <gtest/gtest.h>

#include "config/snapshot.h"

namespace weir::router {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load(
        {models_section(), default_model_section()}, yaml, "weir.yaml", [](std::string_view) {
            return std::optional<std::string>();
        });
}

// Everything that is wrong with it, a line each, at providers `openai` and `gpu-1`.
std::string faults(std::string_view yaml) {
    auto loaded = load(yaml);
    if (loaded.errors.empty()) {
        config::Reporter reporter("weir.yaml");
        const std::vector<std::string_view> providers{"openai", "gpu-1"};
        check_models(loaded.snapshot->get<ModelsSection>(),
                     loaded.snapshot->get<DefaultModelSection>(),
                     providers,
                     reporter);
        loaded.errors = reporter.take();
    }
    std::string text;
    for (const config::Diagnostic& error : loaded.errors) {
        text += (text.empty() ? "" : "\n") + config::to_text(error);
    }
    return text;
}

// `keys` of a model `a` that has a target.
std::string model(std::string_view keys) {
    return fmt::format(
        "models:\n- name: a\n  aliases: [aa]\n  targets: [{{provider: openai, "
        "model: m}}]\n  {}\n",
        keys);
}
std::string group(std::string_view targets) {
    return fmt::format("models:\n- name: a\n  targets: {}\n", targets);
}

TEST(ModelsSection, ReadsEveryKey) {
    const auto loaded = load(R"(
models:
  - name: a
    aliases: [aa]
    strategy: latency
    targets:
      - {provider: openai, model: m, weight: 90, tier: 2, disabled: true}
      - {strategy: pinned, weight: 10, tier: 1, targets: [{provider: gpu-1, model: n}]}
    fallback: [{provider: gpu-1, model: f, price: {input: 1 USD, output: 2 USD}}, {model: b}]
    context_fallback: {model: b}
    rules:
      - when: {model: aa, key: k, tenant: t, tag: g, prompt_tokens: {min: 1, max: 9}, header: {name: X-A, equals: v}}
        use: {strategy: cost}
      - {when: {header: {name: x-b, matches: "^v[0-9]$$"}}, use: {model: b}}
      - {when: {}, use: {targets: [{provider: openai, model: o}]}}
    retry: {attempts: 8, budget: 5%, backoff_min: 1s, backoff_max: 3s}
    hedge: {delay: 500ms, share: 2%}
    sticky: user
    timeouts: {connect: 1s, first_token: 2s, idle: 3s, total: 4s}
  - name: b
    targets: [{provider: openai, model: b}]
    hedge: off
)");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const ModelSection& a = loaded.snapshot->get<ModelsSection>().models[0];
    EXPECT_EQ(a.strategy, Strategy::latency);
    EXPECT_EQ(a.targets[0].weight, 90);
    EXPECT_EQ(a.targets[0].tier, 2);
    EXPECT_TRUE(a.targets[0].disabled);
    EXPECT_EQ(a.targets[1].strategy, Strategy::pinned);
    EXPECT_EQ(a.targets[1].weight, 10);
    EXPECT_EQ(a.targets[1].tier, 1);
    EXPECT_EQ(a.targets[1].targets[0].provider, "gpu-1");
    EXPECT_EQ(a.fallback[0].price->tokens.output, parse_usd("2"));
    EXPECT_EQ(a.fallback[1].model, "b");
    EXPECT_EQ(a.context_fallback->model, "b");
    const WhenSection& when = a.rules[0].when;
    EXPECT_EQ(when.model + when.key + when.tenant + when.tag, "aaktg");
    EXPECT_EQ(when.prompt_tokens, (TokenRange{1, 9}));
    EXPECT_EQ(when.header->name, "x-a");
    EXPECT_EQ(when.header->equals, "v");
    EXPECT_EQ(a.rules[0].use.strategy, Strategy::cost);
    EXPECT_TRUE(a.rules[1].when.header->matches->is_found_in("v7"));
    EXPECT_FALSE(a.rules[1].when.header->matches->is_found_in("v77"));
    EXPECT_EQ(a.rules[1].use.model, "b");
    EXPECT_EQ(a.rules[2].use.targets[0].model, "o");
    EXPECT_EQ(a.retry.attempts, 8);
    EXPECT_DOUBLE_EQ(a.retry.budget, 0.05);
    EXPECT_EQ(a.retry.backoff_min, std::chrono::seconds{1});
    EXPECT_EQ(a.retry.backoff_max, std::chrono::seconds{3});
    EXPECT_EQ(a.hedge->delay, std::chrono::milliseconds{500});
    EXPECT_DOUBLE_EQ(a.hedge->share, 0.02);
    EXPECT_EQ(a.sticky, Sticky::user);
    EXPECT_EQ(a.timeouts.idle, std::chrono::seconds{3});

    const ModelSection& b = loaded.snapshot->get<ModelsSection>().models[1];
    EXPECT_EQ(b.strategy, Strategy::weighted);
    EXPECT_EQ(b.retry.attempts, 3);
    EXPECT_DOUBLE_EQ(b.retry.budget, 0.2);
    EXPECT_FALSE(b.hedge);
    EXPECT_EQ(b.sticky, Sticky::first_known);
}

TEST(ModelsSection, ShrinksTimeoutsThatNobodySetIntoTheTotal) {
    const auto loaded = load(model("timeouts: {total: 1s}"));
    ASSERT_TRUE(loaded.errors.empty());
    const Timeouts& timeouts = loaded.snapshot->get<ModelsSection>().models[0].timeouts;
    EXPECT_EQ(timeouts.connect, std::chrono::seconds{1});
    EXPECT_EQ(timeouts.first_token, std::chrono::seconds{1});
    EXPECT_EQ(timeouts.idle, std::chrono::seconds{1});
}

struct FaultCase {
    std::string_view name;
    std::string yaml;
    std::string_view faults;  // after "weir.yaml:"
};
class ModelFault : public testing::TestWithParam<FaultCase> {};
TEST_P(ModelFault, SaysWhatIsWrongAndWhere) {
    EXPECT_EQ(faults(GetParam().yaml), "weir.yaml:" + std::string(GetParam().faults));
}

std::string many(std::size_t count, std::string_view one) {
    std::string text = "[";
    for (std::size_t i = 0; i < count; ++i) {
        text += (i == 0 ? "" : ", ") + std::string(one);
    }
    return text + "]";
}
constexpr std::string_view kTarget = "{provider: openai, model: m}";

INSTANTIATE_TEST_SUITE_P(
    Targets,
    ModelFault,
    testing::Values(
        FaultCase{"none", group("[]"), "3: models[0].targets: expected 1 to 64 targets, found 0"},
        FaultCase{"too_many",
                  group(many(65, kTarget)),
                  "3: models[0].targets: expected 1 to 64 targets, found 65"},
        FaultCase{"too_many_in_groups",
                  group(many(5, "{targets: " + many(13, kTarget) + "}")),
                  "3: models[0].targets: expected 1 to 64 targets, found 65"},
        FaultCase{"negative_weight",
                  group("[{provider: openai, model: m, weight: -1}]"),
                  "3: models[0].targets[0].weight: expected a whole number from 0 to 1000000, "
                  "found '-1'"},
        FaultCase{"every_weight_zero",
                  group("[{provider: openai, model: m, weight: 0}, {weight: 0, targets: "
                        "[{provider: openai, model: m}]}]"),
                  "3: models[0].targets: every weight is 0, so that no call could go anywhere: "
                  "give one at least 1"},
        FaultCase{"every_weight_zero_inside",
                  group("\n  - {provider: openai, model: m}\n  - {targets: [{provider: openai, "
                        "model: m, weight: 0}]}"),
                  "5: models[0].targets[1].targets: every weight is 0, so that no call could go "
                  "anywhere: give one at least 1"},
        FaultCase{"too_deep",
                  group("[{targets: [{targets: [{targets: [{targets: [{provider: openai, model: "
                        "m}]}]}]}]}]"),
                  "3: models[0].targets[0].targets[0].targets[0].targets[0].targets: groups nest "
                  "at most 4 deep"},
        FaultCase{"a_group_that_is_a_target_too",
                  group("[{provider: openai, targets: [{provider: openai, model: m}]}]"),
                  "3: models[0].targets[0].provider: unknown key; known here: strategy, weight, "
                  "tier, targets"},
        FaultCase{"a_group_without_targets",
                  group("[{strategy: cost}]"),
                  "3: models[0].targets[0].targets: this key is required"},
        FaultCase{"a_conditional_group",
                  group("[{strategy: conditional, targets: [{provider: openai, model: m}]}]"),
                  "3: models[0].targets[0].strategy: a group inside another has no rules; only a "
                  "model may be conditional"},
        FaultCase{"an_unknown_provider",
                  group("\n  - {provider: opnai, model: m}\n  - {targets: [{provider: gpu-2, "
                        "model: m}]}"),
                  "4: models[0].targets[0].provider: there is no provider 'opnai'; did you mean "
                  "'openai'?\nweir.yaml:5: models[0].targets[1].targets[0].provider: there is no "
                  "provider 'gpu-2'; did you mean 'gpu-1'?"},
        FaultCase{"an_unknown_strategy",
                  model("strategy: random"),
                  "5: models[0].strategy: expected one of weighted, pinned, least_inflight, "
                  "latency, cost, priority, conditional, prefix_affinity, found 'random'"},
        FaultCase{"conditional_without_rules",
                  model("strategy: conditional"),
                  "5: models[0].strategy: conditional is what rules decide, and there are none: "
                  "add `rules`"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Fallbacks,
    ModelFault,
    testing::Values(
        FaultCase{"an_unknown_provider",
                  model("fallback: [{provider: x, model: m}]"),
                  "5: models[0].fallback[0].provider: there is no provider 'x'"},
        FaultCase{"an_unknown_model",
                  model("fallback: [{model: ab}]\n  context_fallback: {model: zzz}"),
                  "5: models[0].fallback[0].model: there is no model 'ab'; did you mean "
                  "'a'?\nweir.yaml:6: models[0].context_fallback.model: there is no model 'zzz'"},
        FaultCase{"itself",
                  model("fallback: [{model: aa}]"),
                  "5: models[0].fallback[0].model: this fallback leads back to where it began: a "
                  "-> a"},
        FaultCase{"a_circle",
                  "models:\n- {name: o, targets: [{provider: openai, model: m}], fallback: "
                  "[{model: a}]}\n- {name: a, targets: [{provider: openai, model: m}], fallback: "
                  "[{model: b}]}\n- {name: b, targets: [{provider: openai, model: m}], fallback: "
                  "[{provider: openai, model: a}, {model: a}]}",
                  "4: models[2].fallback[1].model: this fallback leads back to where it began: a "
                  "-> b -> a"},
        FaultCase{"context_fallback_to_itself",
                  model("context_fallback: {model: aa}"),
                  "5: models[0].context_fallback.model: what is too long for this model is too "
                  "long for itself: name a larger one"},
        FaultCase{"a_price_of_a_configured_model",
                  model("fallback: [{model: a, price: {input: 1 USD, output: 1 USD}}]"),
                  "5: models[0].fallback[0].price: a configured model has its own price: name a "
                  "provider too, or leave the price out"},
        FaultCase{"too_many",
                  model("fallback: " + many(17, kTarget)),
                  "5: models[0].fallback: expected at most 16 fallbacks, found 17"},
        FaultCase{"too_many_in_all",
                  "models:\n- {name: a, targets: " + many(64, kTarget) +
                      ",\n   fallback: [{model: b}, {provider: openai, model: m}]}\n- {name: b, "
                      "targets: " +
                      many(64, kTarget) + "}",
                  "3: models[0].fallback: a call could go to 129 targets, fallbacks among them; at "
                  "most 128 are allowed"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Rules,
    ModelFault,
    testing::Values(
        FaultCase{"after_a_catch_all",
                  model("rules:\n  - {when: {}, use: {strategy: cost}}\n  - {when: {tag: x}, use: "
                        "{strategy: latency}}"),
                  "7: models[0].rules[1].when: this rule can never match: every call it is for "
                  "matches models[0].rules[0] before it"},
        FaultCase{"after_a_wider_one",
                  model("rules:\n  - {when: {tag: x, prompt_tokens: {min: 5}}, use: {strategy: "
                        "cost}}\n  - {when: {tag: x, key: k, prompt_tokens: {min: 6, max: 9}}, "
                        "use: {strategy: latency}}"),
                  "7: models[0].rules[1].when: this rule can never match: every call it is for "
                  "matches models[0].rules[0] before it"},
        FaultCase{"no_length_at_all",
                  model("rules: [{when: {prompt_tokens: {min: 9, max: 8}}, use: {strategy: "
                        "cost}}]"),
                  "5: models[0].rules[0].when.prompt_tokens.min: no prompt has at least 9 and at "
                  "most 8 tokens, so that this rule can never match"},
        FaultCase{"a_tag_with_a_comma",
                  model("rules: [{when: {tag: 'a,b'}, use: {strategy: cost}}]"),
                  "5: models[0].rules[0].when.tag: expected a tag of at most 64 bytes without "
                  "commas, found 'a,b'"},
        FaultCase{"another_models_name",
                  model("rules: [{when: {model: ab}, use: {strategy: cost}}]"),
                  "5: models[0].rules[0].when.model: 'ab' is neither the name nor an alias of this "
                  "model, so that this rule can never match: add it to `aliases`, or name one of "
                  "them; did you mean 'a'?"},
        FaultCase{
            "a_header_with_space_around",
            model("rules: [{when: {header: {name: x, equals: ' v'}}, use: {strategy: cost}}]"),
            "5: models[0].rules[0].when.header.equals: expected a header's value, which has "
            "no spaces around it, found ' v'"},
        FaultCase{"a_header_of_no_name",
                  model("rules: [{when: {header: {name: 'x y', equals: v}}, use: {strategy: "
                        "cost}}]"),
                  "5: models[0].rules[0].when.header.name: expected the name of a header, found 'x "
                  "y'"},
        FaultCase{"a_header_that_says_nothing",
                  model("rules: [{when: {header: {name: x}}, use: {strategy: cost}}]"),
                  "5: models[0].rules[0].when.header: expected either `equals` or `matches`, one "
                  "of them"},
        FaultCase{"a_bad_regex",
                  model("rules: [{when: {header: {name: x, matches: 'a(b'}}, use: {strategy: "
                        "cost}}]"),
                  "5: models[0].rules[0].when.header.matches: 'a(b' is no regular expression of "
                  "RE2: missing ): a(b"},
        FaultCase{"a_regex_that_needs_backtracking",
                  model("rules: [{when: {header: {name: x, matches: '(a)\\1'}}, use: {strategy: "
                        "cost}}]"),
                  "5: models[0].rules[0].when.header.matches: '(a)\\1' is no regular expression of "
                  "RE2: invalid escape sequence: \\1"},
        FaultCase{"use_of_nothing",
                  model("rules: [{when: {}, use: {}}]"),
                  "5: models[0].rules[0].use: expected `strategy`, `targets` or both, or else "
                  "`model`"},
        FaultCase{"use_of_both",
                  model("rules: [{when: {}, use: {strategy: cost, model: a}}]"),
                  "5: models[0].rules[0].use: expected `strategy`, `targets` or both, or else "
                  "`model`"},
        FaultCase{"use_of_rules",
                  model("rules: [{when: {}, use: {strategy: conditional}}]"),
                  "5: models[0].rules[0].use.strategy: a rule has no rules of its own: name "
                  "another strategy"},
        FaultCase{"use_of_what_is_not_there",
                  model("rules: [{when: {tag: x}, use: {model: zzz}}, {when: {}, use: {targets: "
                        "[{provider: x, model: m}]}}]"),
                  "5: models[0].rules[0].use.model: there is no model 'zzz'\nweir.yaml:5: "
                  "models[0].rules[1].use.targets[0].provider: there is no provider 'x'"}),
    [](const auto& info) { return std::string(info.param.name); });

INSTANTIATE_TEST_SUITE_P(
    Policies,
    ModelFault,
    testing::Values(
        FaultCase{"timeouts_beyond_the_total",
                  model("timeouts: {connect: 6s, first_token: 7s, idle: 8s, total: 5s}"),
                  "5: models[0].timeouts.connect: '6s' is longer than the whole call may take: "
                  "'5s'\nweir.yaml:5: models[0].timeouts.first_token: '7s' is longer than the "
                  "whole call may take: '5s'\nweir.yaml:5: models[0].timeouts.idle: '8s' is longer "
                  "than the whole call may take: '5s'"},
        FaultCase{"a_timeout_beyond_the_default_total",
                  model("timeouts: {first_token: 11m}"),
                  "5: models[0].timeouts.first_token: '11m' is longer than the whole call may "
                  "take: 10m unless `total` is set"},
        FaultCase{"no_attempt",
                  model("retry: {attempts: 0}"),
                  "5: models[0].retry.attempts: expected a whole number from 1 to 8, found '0'"},
        FaultCase{"a_budget_beyond_reason",
                  model("retry: {budget: 101%}"),
                  "5: models[0].retry.budget: expected a percentage from 0% to 100%, found '101%'"},
        FaultCase{"backoff_upside_down",
                  model("retry: {backoff_min: 3s}"),
                  "5: models[0].retry.backoff_min: backoff_min of 3000ms is longer than "
                  "backoff_max of 2000ms"},
        FaultCase{"hedge_of_too_many",
                  model("fallback: [{provider: gpu-1, model: m}]\n  hedge: {share: 6%}"),
                  "6: models[0].hedge.share: expected at most 5%, found '6%'"},
        FaultCase{"hedge_that_is_none",
                  model("hedge: on"),
                  "5: models[0].hedge: expected a map of keys, found 'on'"},
        FaultCase{"hedge_without_a_second_target",
                  model("hedge: {delay: p95}"),
                  "5: models[0].hedge: there is no second target to ask: add one to `targets` or "
                  "`fallback`, or leave this out"},
        FaultCase{"sticky_to_nothing",
                  model("sticky: address"),
                  "5: models[0].sticky: expected one of prompt_cache_key, user, key, found "
                  "'address'"},
        FaultCase{"no_default_model",
                  "default_model: ab\n" + model(""),
                  "1: default_model: there is no model 'ab'; did you mean 'a'?"},
        FaultCase{"a_name_twice",
                  group("[{provider: openai, model: m}]\n- {name: b, aliases: [a], targets: "
                        "[{provider: openai, model: m}]}"),
                  "4: models[1].aliases: 'a' is a name or alias of a model already"}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Rules, CoverOnlyWhatTheyMustMatch) {
    const WhenSection tag{.tag = "x"};
    const WhenSection tag_and_key{.key = "k", .tag = "x"};
    EXPECT_TRUE(covers({}, tag));
    EXPECT_TRUE(covers(tag, tag_and_key));
    EXPECT_FALSE(covers(tag_and_key, tag));
    EXPECT_FALSE(covers(tag, {.tag = "y"}));
    EXPECT_FALSE(covers({.prompt_tokens = TokenRange{5, 9}}, {.prompt_tokens = TokenRange{5, 10}}));
    EXPECT_FALSE(covers({.prompt_tokens = TokenRange{.min = 1}}, {}));
    const auto header = [](std::string_view name, const char* equals, const char* matches) {
        HeaderCondition condition{.name = std::string(name)};
        if (equals != nullptr) {
            condition.equals = equals;
        }
        if (matches != nullptr) {
            condition.matches = *Pattern::make(matches);
        }
        return WhenSection{.header = condition};
    };
    EXPECT_TRUE(covers(header("x", nullptr, "a"), header("x", "bar", nullptr)));
    EXPECT_FALSE(covers(header("x", nullptr, "^a"), header("x", "bar", nullptr)));
    EXPECT_TRUE(covers(header("x", nullptr, "a"), header("x", nullptr, "a")));
    EXPECT_FALSE(covers(header("x", "bar", nullptr), header("x", nullptr, "a")));
    EXPECT_FALSE(covers(header("x", "bar", nullptr), header("y", "bar", nullptr)));
    EXPECT_FALSE(covers(header("x", "bar", nullptr), {}));
}

}  // namespace
}  // namespace weir::router
