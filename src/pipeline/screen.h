// Step 9 for whole answers: what the output guardrails leave of each text. Pure.
#pragma once

#include <string_view>
#include <vector>

#include "dialect/edge.h"
#include "dialect/rewrite.h"
#include "guardrail/output_filter.h"
#include "llm/answer.h"

namespace weir::pipeline {

// The reason a client is given where a guardrail ended the answer.
llm::FinishReason reason_of(guardrail::Stop stop);

// Which answer text `index` of a dialect belongs to: choices are answers of their own, content
// blocks and items are one together. The longest length is of an answer.
std::int64_t answer_of(llm::Dialect dialect, std::int64_t index);

// Whether every text of an answer that passes as it came may pass whole; nearly always. `text` is
// what `answer` was read from.
bool may_pass(llm::Dialect dialect,
              const dialect::AnswerView& answer,
              std::string_view text,
              const guardrail::OutputRules& rules);

// The texts of an answer, each a choice of its own, in which there is a hit, each cut where the
// first one begins.
std::vector<dialect::Cut> cuts_of(const dialect::AnswerView& answer,
                                  std::string_view text,
                                  const guardrail::OutputRules& rules);

// Cuts the texts of an answer, each choice where the first hit in it begins: what comes after it in
// the choice is gone.
void screen(llm::Answer& answer, const guardrail::OutputRules& rules);

}  // namespace weir::pipeline
