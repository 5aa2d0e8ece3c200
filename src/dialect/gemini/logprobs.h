// Probabilities of tokens: Gemini's logprobsResult, to and from OpenAI's form, which is the one of
// llm::Choice. Pure.
#pragma once

#include <string>
#include <string_view>

#include "dialect/json/document.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {

// {"content":[{"token":…,"logprob":…,"bytes":null,"top_logprobs":[…]}]}; empty: there are none.
std::string decode_logprobs(json::Value result);
// The members of `content` alone, appended.
void append_logprobs(json::Value result, std::string& members);
// Writes the field logprobsResult; nothing where `openai` says nothing.
void encode_logprobs(std::string_view openai, json::Writer& json);

}  // namespace weir::dialect::gemini
