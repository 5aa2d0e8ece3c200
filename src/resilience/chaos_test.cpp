#include "resilience/chaos.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/text.h"
#include "base/timestamp.h"

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

config::Loaded load(std::string_view yaml) {
    return config::load({chaos_section()}, yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
}

const WallTime kNow = *parse_rfc3339("2026-11-21T12:00:00Z");

TEST(ChaosSection, IsOffUnlessEnabled) {
    EXPECT_FALSE(load("").snapshot->get<ChaosSection>().enabled);
    const auto loaded = load("chaos: {rules: [{reset: true}]}");
    ASSERT_TRUE(loaded.errors.empty());
    EXPECT_FALSE(loaded.snapshot->get<ChaosSection>().enabled);
}

TEST(ChaosSection, ReadsEveryKindOfFault) {
    const auto loaded = load(R"(
chaos:
  enabled: true
  rules:
    - {match: {provider: gpu-1, header: x-chaos}, percent: 5, latency: 800ms}
    - {name: broken, match: {model: m, key: sk-weir-ab}, percent: 0.5%, status: 503, latency: 1s}
    - {reset: true}
    - {stall: true}
    - {cut_after: 0, slow_chunks: 50ms}
    - {corrupt: true, from: "2026-11-21T06:00:00Z", until: "2026-11-21T07:00:00+00:00"}
)");
    ASSERT_TRUE(loaded.errors.empty()) << to_text(loaded.errors[0]);
    const auto& section = loaded.snapshot->get<ChaosSection>();
    EXPECT_TRUE(section.enabled);
    ASSERT_EQ(section.rules.size(), 6u);
    EXPECT_EQ(section.rules[0].fault, (Fault{.name = "rule 1", .latency = 800ms}));
    EXPECT_DOUBLE_EQ(section.rules[0].share, 0.05);
    EXPECT_EQ(section.rules[1].fault, (Fault{.name = "broken", .latency = 1s, .status = 503}));
    EXPECT_DOUBLE_EQ(section.rules[1].share, 0.005);
    EXPECT_EQ(section.rules[2].fault, (Fault{.name = "rule 3", .reset = true}));
    EXPECT_EQ(section.rules[3].fault, (Fault{.name = "rule 4", .stall = true}));
    EXPECT_EQ(section.rules[4].fault,
              (Fault{.name = "rule 5", .cut_after = 0, .chunk_delay = 50ms}));
    EXPECT_EQ(section.rules[5].fault, (Fault{.name = "rule 6", .corrupt = true}));
    EXPECT_EQ(*section.rules[5].until - *section.rules[5].from, 1h);
}

struct BadCase {
    std::string_view name;
    std::string_view rule;  // stands in line 3
    std::string_view key;
    int line = 3;
};
class BadChaosTest : public testing::TestWithParam<BadCase> {};

TEST_P(BadChaosTest, IsRefusedWithItsPlace) {
    const auto loaded = load("chaos:\n  rules:\n    - " + std::string(GetParam().rule) + "\n");
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(loaded.errors[0].key, GetParam().key);
    EXPECT_EQ(loaded.errors[0].place.line, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    ChaosSection,
    BadChaosTest,
    testing::Values(
        BadCase{"nothing", "{percent: 5}", "chaos.rules[0]"},
        BadCase{"two_at_once", "status: 503\n      reset: true", "chaos.rules[0].reset", 4},
        BadCase{"cut_and_corrupt", "{cut_after: 1, corrupt: true}", "chaos.rules[0].corrupt"},
        BadCase{"no_percent", "{percent: 0, reset: true}", "chaos.rules[0].percent"},
        BadCase{"too_many_percent", "{percent: 101, reset: true}", "chaos.rules[0].percent"},
        BadCase{"percent_is_nan", "{percent: nan, reset: true}", "chaos.rules[0].percent"},
        BadCase{"percent_is_negative", "{percent: -5, reset: true}", "chaos.rules[0].percent"},
        BadCase{"a_good_status", "{status: 200}", "chaos.rules[0].status"},
        BadCase{"negative_chunks", "{cut_after: -1}", "chaos.rules[0].cut_after"},
        BadCase{"hours_of_latency", "{latency: 1h}", "chaos.rules[0].latency"},
        BadCase{"no_time", "{reset: true, from: tomorrow}", "chaos.rules[0].from"},
        BadCase{"an_empty_window",
                "{reset: true, from: \"2026-11-21T06:00:00Z\", until: \"2026-11-21T06:00:00Z\"}",
                "chaos.rules[0].until"},
        BadCase{
            "an_empty_match", "{reset: true, match: {model: ''}}", "chaos.rules[0].match.model"},
        BadCase{"an_unknown_key", "{rezet: true, reset: true}", "chaos.rules[0].rezet"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(ChaosSection, LimitsTheRules) {
    std::string yaml = "chaos:\n  rules:\n";
    for (std::size_t i = 0; i < kChaosRulesMax; ++i) {
        yaml += "    - {reset: true}\n";
    }
    EXPECT_TRUE(load(yaml).errors.empty());
    EXPECT_EQ(load(yaml + "    - {reset: true}\n").errors.size(), 1u);
}

struct MatchCase {
    std::string_view name;
    ChaosMatch match;
    bool want;
};
class MatchTest : public testing::TestWithParam<MatchCase> {};

ChaosFacts facts() {
    return {.model = "chat",
            .provider = "gpu-1",
            .key_name = "ci",
            .key_prefix = "sk-weir-ab12",
            .header = [](std::string_view name) -> std::optional<std::string_view> {
                if (equals_ignoring_case(name, "x-chaos")) {
                    return "yes";
                }
                return std::nullopt;
            }};
}

TEST_P(MatchTest, DecidesByWhatIsSet) {
    const std::vector<ChaosRule> rules{{.match = GetParam().match, .fault = {.reset = true}}};
    EXPECT_EQ(decide(rules, facts(), 1, kNow).has_value(), GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(
    Chaos,
    MatchTest,
    testing::Values(MatchCase{"everything", {}, true},
                    MatchCase{"model", {.model = "chat"}, true},
                    MatchCase{"other_model", {.model = "cha"}, false},
                    MatchCase{"provider", {.provider = "gpu-1"}, true},
                    MatchCase{"other_provider", {.provider = "gpu-2"}, false},
                    MatchCase{"key_by_name", {.key = "ci"}, true},
                    MatchCase{"key_by_beginning", {.key = "sk-weir-ab"}, true},
                    MatchCase{"other_key", {.key = "sk-weir-b"}, false},
                    MatchCase{"header", {.header = "X-Chaos"}, true},
                    MatchCase{"header_with_value", {.header = "x-chaos: yes"}, true},
                    MatchCase{"header_with_other_value", {.header = "x-chaos: no"}, false},
                    MatchCase{"other_header", {.header = "x-other"}, false},
                    MatchCase{"all_must_match", {.model = "chat", .provider = "gpu-2"}, false}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Chaos, WithoutHeadersNoRuleAboutThemMatches) {
    ChaosFacts bare = facts();
    bare.header = nullptr;
    const std::vector<ChaosRule> rules{{.match = {.header = "x-chaos"}, .fault = {.reset = true}}};
    EXPECT_FALSE(decide(rules, bare, 1, kNow));
}

TEST(Chaos, HappensWithinItsWindowOnly) {
    const std::vector<ChaosRule> rules{
        {.from = kNow, .until = kNow + 1h, .fault = {.reset = true}}};
    EXPECT_FALSE(decide(rules, facts(), 1, kNow - 1us));
    EXPECT_TRUE(decide(rules, facts(), 1, kNow));
    EXPECT_TRUE(decide(rules, facts(), 1, kNow + 1h - 1us));
    EXPECT_FALSE(decide(rules, facts(), 1, kNow + 1h));
}

TEST(Chaos, HappensAsOftenAsToldAndTheFirstRuleCounts) {
    const std::vector<ChaosRule> rules{{.match = {.model = "other"}, .fault = {.stall = true}},
                                       {.share = 0.05, .fault = {.name = "first", .reset = true}},
                                       {.share = 0.5, .fault = {.name = "second", .status = 503}}};
    Random random(3);
    int first = 0;
    int second = 0;
    for (int i = 0; i < 100'000; ++i) {
        if (const auto fault = decide(rules, facts(), random.next(), kNow)) {
            ++(fault->name == "first" ? first : second);
        }
    }
    EXPECT_NEAR(first, 5'000, 300);
    EXPECT_NEAR(second, 47'500, 1'000);
}

}  // namespace
}  // namespace weir::resilience
