// Step 9 for whole answers: what the output guardrails leave of each choice. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "dialect/openai_chat/response.h"
#include "guardrail/output_filter.h"

namespace weir::pipeline {

// The reason a client is given where a guardrail ended the answer.
llm::FinishReason reason_of(guardrail::Stop stop);

// The choices that end early. `text` is what `answer` was decoded from.
std::vector<dialect::openai_chat::Cut> screen(const dialect::openai_chat::Answer& answer,
                                              std::string_view text,
                                              const guardrail::OutputRules& rules);

}  // namespace weir::pipeline
