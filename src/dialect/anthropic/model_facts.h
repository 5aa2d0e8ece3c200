// What the models behind this dialect differ in, read from their names. A name that says no version
// is taken for the newest of its kind; what is no Claude (others serve this dialect, too) for a
// model that takes the plain fields. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "llm/call.h"

namespace weir::dialect::anthropic {

struct ModelFacts {
    // What max_tokens may be at most; 0: not known.
    std::int64_t output_tokens_max = 0;
    bool takes_sampling = true;  // temperature other than 1, top_p, top_k
    bool takes_temperature_with_top_p = true;
    bool thinks_by_budget = true;    // thinking: enabled, with budget_tokens
    bool thinks_adaptively = false;  // thinking: adaptive
    bool thinks_unasked = false;     // unless thinking is disabled
    bool can_be_kept_from_thinking = true;
    bool takes_effort = false;  // output_config.effort
    bool takes_xhigh_effort = false;
    bool takes_max_effort = false;
    bool takes_json_schema = false;      // output_config.format, and `strict` of tools
    bool takes_system_in_place = false;  // role "system" behind a user's turn
    bool can_be_forced = true;           // tool_choice: any, tool
};
ModelFacts facts_of(std::string_view model);

// Tokens to think with, where a model wants a figure and the client gave a word.
std::int64_t budget_of(llm::Effort effort);
// The word where the client gave a figure.
llm::Effort effort_of(std::int64_t budget_tokens);
// The nearest word that the model takes.
std::string_view effort_word(llm::Effort effort, const ModelFacts& facts);

}  // namespace weir::dialect::anthropic
