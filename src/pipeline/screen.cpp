#include "pipeline/screen.h"

#include "dialect/json/value.h"

namespace weir::pipeline {
namespace {

// The text until the hit, and why it ends there.
guardrail::Stop cut(std::string& text, const guardrail::OutputRules& rules) {
    guardrail::OutputFilter filter(rules);
    if (filter.pass(text)) {
        return guardrail::Stop::none;
    }
    std::string kept;
    auto stop = filter.feed(text, kept);
    if (stop == guardrail::Stop::none) {
        stop = filter.finish(kept);
    }
    if (stop != guardrail::Stop::none) {
        text = std::move(kept);
    }
    return stop;
}

}  // namespace

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

bool may_pass(const dialect::AnswerView& answer,
              std::string_view text,
              const guardrail::OutputRules& rules) {
    std::string unescaped, kept;
    for (const auto& output : answer.outputs) {
        if (output.text.size <= 2) {
            continue;
        }
        // No copy is made to find out that a text passes, but of what is escaped.
        const std::string_view words = dialect::json::view_string(output.text.in(text), unescaped);
        guardrail::OutputFilter filter(rules);
        if (filter.pass(words)) {
            continue;
        }
        kept.clear();
        if (filter.feed(words, kept) != guardrail::Stop::none ||
            filter.finish(kept) != guardrail::Stop::none) {
            return false;
        }
    }
    return true;
}

std::vector<dialect::Cut> cuts_of(const dialect::AnswerView& answer,
                                  std::string_view text,
                                  const guardrail::OutputRules& rules) {
    std::vector<dialect::Cut> cuts;
    for (std::size_t i = 0; i < answer.outputs.size(); ++i) {
        const dialect::AnswerView::Output& output = answer.outputs[i];
        if (output.text.size <= 2) {
            continue;
        }
        std::string words = dialect::json::read_string(output.text.in(text));
        const auto stop = cut(words, rules);
        if (stop != guardrail::Stop::none) {
            cuts.push_back({.output = i,
                            .kept = std::move(words),
                            .finish_word = std::string(llm::name(reason_of(stop)))});
        }
    }
    return cuts;
}

void screen(llm::Answer& answer, const guardrail::OutputRules& rules) {
    for (llm::Choice& choice : answer.choices) {
        for (std::size_t i = 0; i < choice.parts.size(); ++i) {
            auto* const text = std::get_if<llm::Text>(&choice.parts[i].body);
            if (text == nullptr) {
                continue;
            }
            const auto stop = cut(text->text, rules);
            if (stop != guardrail::Stop::none) {
                choice.parts.resize(i + 1);
                choice.finish = reason_of(stop);
                choice.logprobs_json.clear();  // they would spell out what was cut
                break;
            }
        }
    }
}

}  // namespace weir::pipeline
