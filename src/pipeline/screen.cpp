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
        std::string kept;
        auto stop = filter.feed(dialect::json::read_string(choice.content.in(text)), kept);
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
