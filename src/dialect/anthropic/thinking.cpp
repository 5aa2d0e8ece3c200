#include "dialect/anthropic/thinking.h"

#include <algorithm>

namespace weir::dialect::anthropic {
namespace {

using Kind = ThinkingPlan::Kind;
using Mode = llm::Thinking::Mode;

// Anthropic's least.
constexpr std::int64_t kBudgetMin = 1024;
// For a model that nobody knows a cap of.
constexpr std::int64_t kMaxTokensDefault = 4096;
// More than any model says at once: sums stay small.
constexpr std::int64_t kTokensMax = 1'000'000'000;

enum class Wish : std::uint8_t { unsaid, no, yes };

Wish wish_of(const llm::Call& call) {
    const llm::Thinking& thinking = call.thinking;
    if (thinking.mode == Mode::off || thinking.effort == llm::Effort::none ||
        thinking.budget_tokens == 0) {
        return Wish::no;
    }
    if (thinking.mode != Mode::unset) {
        return Wish::yes;
    }
    // Anthropic's effort is about the whole answer; elsewhere it asks for thoughts.
    const bool asks = call.from != llm::Dialect::anthropic &&
                      (thinking.effort.has_value() || thinking.budget_tokens.has_value());
    return asks ? Wish::yes : Wish::unsaid;
}

bool is_forced(const llm::Call& call) {
    return !call.tools.empty() && (call.tool_choice.mode == llm::ToolChoice::Mode::required ||
                                   call.tool_choice.mode == llm::ToolChoice::Mode::named);
}

// A positive figure; -1 leaves it to the model.
std::optional<std::int64_t> budget_wish(const llm::Thinking& thinking) {
    return thinking.budget_tokens.value_or(-1) > 0 ? thinking.budget_tokens : std::nullopt;
}

void say_effort(llm::Effort effort, const ModelFacts& facts, ThinkingPlan& plan) {
    if (facts.takes_effort) {
        plan.effort = effort_word(effort, facts);
    } else {
        plan.dropped = true;
    }
}

// The limits of other dialects are for the answer and the thoughts of a model that decides itself;
// here the thoughts have a budget of their own, on top.
void plan_budget(const llm::Call& call,
                 const ThinkingTerms& terms,
                 std::int64_t cap,
                 ThinkingPlan& plan) {
    const auto figure = budget_wish(call.thinking);
    const llm::Effort effort = call.thinking.effort.value_or(llm::Effort::medium);
    std::int64_t budget = std::clamp(
        figure.value_or(terms.budgets.of(effort, budget_of(effort))), kBudgetMin, kTokensMax);
    std::int64_t max_tokens = std::min(plan.max_tokens, kTokensMax);
    if (call.from != llm::Dialect::anthropic && call.max_output_tokens) {
        max_tokens += budget;
        if (cap > 0) {
            max_tokens = std::min(max_tokens, cap);
        }
    }
    if (budget >= max_tokens) {
        budget = max_tokens / 2;
    }
    if (budget < kBudgetMin) {
        plan.dropped = true;
        return;
    }
    plan.kind = Kind::enabled;
    plan.budget_tokens = budget;
    plan.max_tokens = max_tokens;
}

void plan_yes(const llm::Call& call,
              const ModelFacts& facts,
              const ThinkingTerms& terms,
              std::int64_t cap,
              ThinkingPlan& plan) {
    const llm::Thinking& thinking = call.thinking;
    const auto budget = budget_wish(thinking);
    const bool by_budget = facts.thinks_by_budget && (!facts.thinks_adaptively || budget);
    // With adaptive thinking the effort says how much; beside a budget it is the client's own word.
    if (thinking.effort && (!by_budget || call.from == llm::Dialect::anthropic)) {
        say_effort(*thinking.effort, facts, plan);
    } else if (budget && !by_budget && facts.takes_effort) {
        plan.effort = effort_word(effort_of(*budget), facts);
    }
    if ((!facts.thinks_by_budget && !facts.thinks_adaptively) || is_forced(call)) {
        plan.dropped = true;
        return;
    }
    if (by_budget) {
        if (terms.history_lacks_thought) {
            plan.dropped = true;
            return;
        }
        plan_budget(call, terms, cap, plan);
        return;
    }
    plan.kind = Kind::adaptive;
    if (thinking.include_text) {
        plan.display = "summarized";  // newer models keep their thoughts unless asked
    } else if (call.from == llm::Dialect::anthropic) {
        plan.display = "omitted";
    }
}

void plan_no(const llm::Call& call, const ModelFacts& facts, ThinkingPlan& plan) {
    if (facts.thinks_unasked && facts.can_be_kept_from_thinking) {
        plan.kind = Kind::disabled;
    } else if (facts.thinks_unasked) {
        plan.dropped = true;  // as little as it can
        say_effort(llm::Effort::low, facts, plan);
        return;
    }
    if (call.thinking.effort && *call.thinking.effort != llm::Effort::none) {
        // Such a model cannot try its hardest without a thought.
        const auto effort = plan.kind == Kind::disabled
                                ? std::min(*call.thinking.effort, llm::Effort::high)
                                : *call.thinking.effort;
        say_effort(effort, facts, plan);
    }
}

}  // namespace

ThinkingPlan plan_thinking(const llm::Call& call,
                           const ModelFacts& facts,
                           const ThinkingTerms& terms) {
    const std::int64_t cap =
        terms.output_tokens_max > 0 ? terms.output_tokens_max : facts.output_tokens_max;
    ThinkingPlan plan;
    plan.max_tokens = call.max_output_tokens.value_or(cap > 0 ? cap : kMaxTokensDefault);
    if (cap > 0) {
        plan.max_tokens = std::min(plan.max_tokens, cap);
    }
    switch (wish_of(call)) {
        case Wish::unsaid:
            if (call.thinking.effort) {
                say_effort(*call.thinking.effort, facts, plan);
            }
            break;
        case Wish::no:
            plan_no(call, facts, plan);
            break;
        case Wish::yes:
            plan_yes(call, facts, terms, cap, plan);
            break;
    }
    return plan;
}

}  // namespace weir::dialect::anthropic
