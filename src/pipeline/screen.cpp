#include "pipeline/screen.h"

#include "dialect/json/value.h"

namespace weir::pipeline {

namespace openai_chat = dialect::openai_chat;

llm::FinishReason reason_of(guardrail::Stop stop) {
    switch (stop) {
        case guardrail::Stop::none:
            return llm::FinishReason::none;
        case guardrail::Stop::banned_word:
            return llm::FinishReason::content_filter;
        case guardrail::Stop::length:
            return llm::FinishReason::length;
    }
    std::unreachable();
}

std::vector<openai_chat::Cut> screen(const openai_chat::Answer& answer,
                                     std::string_view text,
                                     const guardrail::OutputRules& rules) {
    std::vector<openai_chat::Cut> cuts;
    for (std::size_t i = 0; i < answer.choices.size(); ++i) {
        const auto& choice = answer.choices[i];
        if (choice.content.size <= 2) {
            continue;
        }
        guardrail::OutputFilter filter(rules);
        // Nearly every answer passes whole: no copy is made to find that out, but of escaped text.
        std::string unescaped;
        const std::string_view words =
            dialect::json::view_string(choice.content.in(text), unescaped);
        if (filter.pass(words)) {
            continue;
        }
        std::string kept;
        auto stop = filter.feed(words, kept);
        if (stop == guardrail::Stop::none) {
            stop = filter.finish(kept);
        }
        if (stop != guardrail::Stop::none) {
            cuts.push_back({.choice = i, .kept = std::move(kept), .reason = reason_of(stop)});
        }
    }
    return cuts;
}

}  // namespace weir::pipeline
