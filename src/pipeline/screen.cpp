#include "pipeline/screen.h"

#include "dialect/json/value.h"

namespace weir::pipeline {
namespace {

// The text until the hit, and why it ends there.
guardrail::Stop cut(std::string& text,
                    const guardrail::OutputRules& rules,
                    guardrail::AnswerLength& length) {
    guardrail::OutputFilter filter(rules, length);
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

std::int64_t answer_of(llm::Dialect dialect, std::int64_t index) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
        case llm::Dialect::gemini:
            return index;
        case llm::Dialect::openai_responses:
        case llm::Dialect::anthropic:
        case llm::Dialect::bedrock:
            return 0;
    }
    std::unreachable();
}

bool may_pass(llm::Dialect dialect,
              const dialect::AnswerView& answer,
              std::string_view text,
              const guardrail::OutputRules& rules) {
    std::string unescaped, kept;
    guardrail::AnswerLength length;
    std::optional<guardrail::OutputFilter> filter;
    std::int64_t index = 0;  // of the text that the filter reads
    const auto ends_well = [&] {
        kept.clear();
        return !filter || filter->finish(kept) == guardrail::Stop::none;
    };
    for (const auto& output : answer.outputs) {
        if (output.text.size <= 2) {
            continue;
        }
        if (!filter || output.index != index) {
            if (!ends_well()) {
                return false;
            }
            if (!filter || answer_of(dialect, output.index) != answer_of(dialect, index)) {
                length = {};
            }
            index = output.index;
            filter.emplace(rules, length);
        }
        // No copy is made to find out that a text passes, but of what is escaped.
        const std::string_view words = dialect::json::view_string(output.text.in(text), unescaped);
        kept.clear();
        if (!filter->pass(words) && filter->feed(words, kept) != guardrail::Stop::none) {
            return false;
        }
    }
    return ends_well();
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
        guardrail::AnswerLength length;
        const auto stop = cut(words, rules, length);
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
        guardrail::AnswerLength length;
        for (std::size_t i = 0; i < choice.parts.size(); ++i) {
            auto* const text = std::get_if<llm::Text>(&choice.parts[i].body);
            if (text == nullptr) {
                continue;
            }
            const auto stop = cut(text->text, rules, length);
            if (stop != guardrail::Stop::none) {
                choice.parts.resize(text->text.empty() ? i : i + 1);  // no text is empty
                choice.finish = reason_of(stop);
                choice.logprobs_json.clear();  // they would spell out what was cut
                break;
            }
        }
    }
}

}  // namespace weir::pipeline
