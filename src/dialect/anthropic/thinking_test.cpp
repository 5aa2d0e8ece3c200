#include "dialect/anthropic/thinking.h"

#include <gtest/gtest.h>

namespace weir::dialect::anthropic {
namespace {

using llm::Effort;
using Kind = ThinkingPlan::Kind;
using Mode = llm::Thinking::Mode;

struct FactsCase {
    std::string_view model;
    bool sampling, budget, adaptive, effort, xhigh, schema, system;
    std::int64_t output_tokens_max;
};
TEST(AnthropicModelFacts, AreReadFromNames) {
    for (const auto& c : {
             FactsCase{
                 "claude-3-haiku-20240307", true, false, false, false, false, false, false, 4096},
             FactsCase{
                 "claude-3-5-haiku-20241022", true, false, false, false, false, false, false, 8192},
             FactsCase{
                 "claude-3-7-sonnet-latest", true, true, false, false, false, false, false, 64'000},
             FactsCase{
                 "claude-opus-4-20250514", true, true, false, false, false, false, false, 32'000},
             FactsCase{
                 "claude-4-sonnet-20250514", true, true, false, false, false, false, false, 64'000},
             FactsCase{"anthropic.claude-opus-4-1-20250805-v1:0",
                       true,
                       true,
                       false,
                       false,
                       false,
                       true,
                       false,
                       32'000},
             FactsCase{"us.anthropic.claude-sonnet-4-5-20250929-v1:0",
                       true,
                       true,
                       false,
                       false,
                       false,
                       true,
                       false,
                       64'000},
             FactsCase{
                 "claude-haiku-4-5@20251001", true, true, false, false, false, true, false, 64'000},
             FactsCase{
                 "claude-opus-4-5-20251101", true, true, false, true, false, true, false, 64'000},
             FactsCase{
                 "anthropic/claude-opus-4.6", true, true, true, true, false, true, false, 128'000},
             FactsCase{"claude-sonnet-4-6", true, true, true, true, false, true, false, 64'000},
             FactsCase{
                 "claude-opus-4-7-20260416", false, false, true, true, true, true, false, 128'000},
             FactsCase{"claude-opus-4-8", false, false, true, true, true, true, true, 128'000},
             FactsCase{"claude-sonnet-5", false, false, true, true, true, true, false, 128'000},
             FactsCase{"Claude-Opus-5", false, false, true, true, true, true, true, 128'000},
             FactsCase{"claude-fable-5-1", false, false, true, true, true, true, true, 128'000},
             FactsCase{
                 "claude-mythos-preview", false, false, true, true, true, false, false, 128'000},
             FactsCase{"claude-opus-latest", false, false, true, true, true, true, true, 128'000},
             FactsCase{"deepseek-chat", true, true, false, false, false, false, false, 0},
         }) {
        const ModelFacts facts = facts_of(c.model);
        EXPECT_EQ(facts.takes_sampling, c.sampling) << c.model;
        EXPECT_EQ(facts.thinks_by_budget, c.budget) << c.model;
        EXPECT_EQ(facts.thinks_adaptively, c.adaptive) << c.model;
        EXPECT_EQ(facts.takes_effort, c.effort) << c.model;
        EXPECT_EQ(facts.takes_xhigh_effort, c.xhigh) << c.model;
        EXPECT_EQ(facts.takes_json_schema, c.schema) << c.model;
        EXPECT_EQ(facts.takes_system_in_place, c.system) << c.model;
        EXPECT_EQ(facts.output_tokens_max, c.output_tokens_max) << c.model;
    }
}

struct PlanCase {
    std::string_view name;
    std::string_view model;
    llm::Thinking wish;
    std::optional<std::int64_t> limit;
    std::int64_t cap;
    Kind kind;
    std::int64_t budget, max_tokens;
    std::string_view effort;
    bool dropped = false;
    llm::Dialect from = llm::Dialect::openai_chat;
};
class AnthropicThinking : public testing::TestWithParam<PlanCase> {};

TEST_P(AnthropicThinking, FitsTheModel) {
    const PlanCase& c = GetParam();
    llm::Call call{.from = c.from, .thinking = c.wish, .max_output_tokens = c.limit};
    const auto plan = plan_thinking(call, facts_of(c.model), {.output_tokens_max = c.cap});
    EXPECT_EQ(plan.kind, c.kind);
    EXPECT_EQ(plan.budget_tokens, c.budget);
    EXPECT_EQ(plan.max_tokens, c.max_tokens);
    EXPECT_EQ(plan.effort, c.effort);
    EXPECT_EQ(plan.dropped, c.dropped);
    if (plan.kind == Kind::enabled) {
        EXPECT_LT(plan.budget_tokens, plan.max_tokens);
        EXPECT_GE(plan.budget_tokens, 1024);
    }
}

constexpr std::string_view kSonnet = "claude-sonnet-4-5";
constexpr std::string_view kOpus45 = "claude-opus-4-5";
constexpr std::string_view kOpus46 = "claude-opus-4-6";
constexpr std::string_view kOpus48 = "claude-opus-4-8";
constexpr std::string_view kOpus5 = "claude-opus-5";
constexpr auto kAnthropic = llm::Dialect::anthropic;
const llm::Thinking kHigh{.mode = Mode::on, .effort = Effort::high};
const llm::Thinking kOff{.mode = Mode::off, .effort = Effort::none};
llm::Thinking budget(std::int64_t tokens) { return {.mode = Mode::on, .budget_tokens = tokens}; }

INSTANTIATE_TEST_SUITE_P(
    Table,
    AnthropicThinking,
    testing::Values(
        PlanCase{"unsaid", kSonnet, {}, 100, 0, Kind::unsaid, 0, 100, ""},
        PlanCase{"budget_on_top", kSonnet, kHigh, 100, 0, Kind::enabled, 16'384, 16'484, ""},
        PlanCase{"budget_within_the_cap", kSonnet, kHigh, 100, 8000, Kind::enabled, 4000, 8000, ""},
        PlanCase{
            "budget_without_a_limit", kSonnet, kHigh, {}, 0, Kind::enabled, 16'384, 64'000, ""},
        PlanCase{"no_room_to_think", kSonnet, kHigh, 100, 2000, Kind::unsaid, 0, 100, "", true},
        PlanCase{"figure", kSonnet, budget(5000), 100, 0, Kind::enabled, 5000, 5100, ""},
        PlanCase{
            "figure_below_the_least", kSonnet, budget(1), 100, 0, Kind::enabled, 1024, 1124, ""},
        PlanCase{"figure_beyond_reason",
                 "other",
                 budget(INT64_MAX),
                 INT64_MAX,
                 0,
                 Kind::enabled,
                 1'000'000'000,
                 2'000'000'000,
                 ""},
        PlanCase{"left_to_the_model", kSonnet, budget(-1), 100, 0, Kind::enabled, 8192, 8292, ""},
        PlanCase{"own_figure_is_inside_the_limit",
                 kSonnet,
                 budget(5000),
                 9000,
                 0,
                 Kind::enabled,
                 5000,
                 9000,
                 "",
                 false,
                 kAnthropic},
        PlanCase{"own_effort_beside_a_budget",
                 kOpus45,
                 {.mode = Mode::on, .effort = Effort::xhigh, .budget_tokens = 2000},
                 9000,
                 0,
                 Kind::enabled,
                 2000,
                 9000,
                 "high",
                 false,
                 kAnthropic},
        PlanCase{"own_effort_is_no_wish_to_think",
                 kOpus46,
                 {.effort = Effort::low},
                 100,
                 0,
                 Kind::unsaid,
                 0,
                 100,
                 "low",
                 false,
                 kAnthropic},
        PlanCase{"others_effort_is_one",
                 kOpus46,
                 {.effort = Effort::low},
                 100,
                 0,
                 Kind::adaptive,
                 0,
                 100,
                 "low"},
        PlanCase{"model_without_thoughts",
                 "claude-3-haiku-20240307",
                 kHigh,
                 100,
                 0,
                 Kind::unsaid,
                 0,
                 100,
                 "",
                 true},
        PlanCase{"figure_where_both_are_known",
                 kOpus46,
                 budget(5000),
                 100,
                 0,
                 Kind::enabled,
                 5000,
                 5100,
                 ""},
        PlanCase{"figure_for_an_adaptive_model",
                 kOpus48,
                 budget(5000),
                 100,
                 0,
                 Kind::adaptive,
                 0,
                 100,
                 "medium"},
        PlanCase{"xhigh_unknown",
                 kOpus46,
                 {.mode = Mode::on, .effort = Effort::xhigh},
                 100,
                 0,
                 Kind::adaptive,
                 0,
                 100,
                 "max"},
        PlanCase{"xhigh_known",
                 kOpus48,
                 {.mode = Mode::on, .effort = Effort::xhigh},
                 100,
                 0,
                 Kind::adaptive,
                 0,
                 100,
                 "xhigh"},
        PlanCase{"adaptive_of_old",
                 kSonnet,
                 {.mode = Mode::adaptive},
                 20'000,
                 0,
                 Kind::enabled,
                 8192,
                 20'000,
                 "",
                 false,
                 kAnthropic},
        PlanCase{"off_by_itself", kOpus48, kOff, 100, 0, Kind::unsaid, 0, 100, ""},
        PlanCase{"switched_off", kOpus5, kOff, 100, 0, Kind::disabled, 0, 100, ""},
        PlanCase{"switched_off_takes_no_top_effort",
                 kOpus5,
                 {.mode = Mode::off, .effort = Effort::max},
                 100,
                 0,
                 Kind::disabled,
                 0,
                 100,
                 "high",
                 false,
                 kAnthropic},
        PlanCase{"cannot_be_switched_off",
                 "claude-fable-5",
                 kOff,
                 100,
                 0,
                 Kind::unsaid,
                 0,
                 100,
                 "low",
                 true},
        PlanCase{"zero_budget_is_off",
                 kOpus5,
                 {.budget_tokens = 0},
                 100,
                 0,
                 Kind::disabled,
                 0,
                 100,
                 "",
                 false,
                 llm::Dialect::gemini}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::dialect::anthropic
