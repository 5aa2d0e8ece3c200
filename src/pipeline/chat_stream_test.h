// For tests and fuzzers: a relay between two sides that speak OpenAI's chat.
#pragma once

#include "dialect/openai_chat/edge.h"
#include "pipeline/pass_relay.h"

namespace weir::pipeline {

struct ChatTerms {
    std::string_view public_model{};
    bool include_usage = false;
    std::int64_t choices = 1;
    bool may_omit_done = false;
    std::int64_t input_tokens_estimate = 0;
    const guardrail::OutputRules* rules = nullptr;

    PassTerms pass() const {
        return {.pass = dialect::openai_chat::pass,
                .client = dialect::openai_chat::client,
                .provider = dialect::openai_chat::provider,
                .answer = {.model = public_model, .include_usage = include_usage},
                .choices = choices,
                .may_omit_done = may_omit_done,
                .input_tokens_estimate = input_tokens_estimate,
                .rules = rules};
    }
};

inline Result<dialect::AnswerView> view_of(std::string_view text, dialect::json::Scratch& scratch) {
    dialect::AnswerView view;
    WEIR_TRY(dialect::openai_chat::pass.read_answer(text, scratch, view));
    return view;
}

}  // namespace weir::pipeline
