// How much a Claude is to think, and what that leaves for the answer. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "dialect/anthropic/model_facts.h"
#include "llm/call.h"

namespace weir::dialect::anthropic {

struct ThinkingPlan {
    enum class Kind : std::uint8_t { unsaid, disabled, enabled, adaptive };
    Kind kind = Kind::unsaid;
    std::int64_t budget_tokens = 0;  // of Kind::enabled: at least 1024, below max_tokens
    std::string_view display;        // of thinking; empty: the model's own way
    std::string_view effort;         // of output_config; empty: unsaid
    std::int64_t max_tokens = 0;
    bool dropped = false;  // something that the client said of it cannot be had

    bool thinks() const { return kind == Kind::enabled || kind == Kind::adaptive; }
};

struct ThinkingTerms {
    std::int64_t output_tokens_max = 0;  // the operator's word; 0: the model's own
    // The turn that is going on began without a signed thought: thinking by budget is refused then.
    bool history_lacks_thought = false;
    llm::EffortBudgets budgets{};
};
ThinkingPlan plan_thinking(const llm::Call& call,
                           const ModelFacts& facts,
                           const ThinkingTerms& terms);

}  // namespace weir::dialect::anthropic
