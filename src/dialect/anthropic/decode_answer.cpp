// A provider's whole answer.
#include <algorithm>

#include "base/text.h"
#include "dialect/answer_tool.h"
#include "dialect/anthropic/codec.h"
#include "dialect/failure.h"

namespace weir::dialect::anthropic {
namespace {

using json::Value;

bool answers_by_tool(Value root) {
    for (const Value block : root["content"]) {
        if (block["type"].equals("tool_use") && block["name"].equals(kAnswerTool)) {
            return true;
        }
    }
    return false;
}

void decode_finish(Value root, llm::Choice& choice) {
    std::string aside;
    const Value said = root["stop_reason"];
    if (!said.is_string()) {
        return;
    }
    const std::string_view word = said.view(aside);
    choice.finish = read_stop_reason(word);
    if (choice.finish == llm::FinishReason::other) {
        choice.finish_word = word;
        std::transform(choice.finish_word.begin(),
                       choice.finish_word.end(),
                       choice.finish_word.begin(),
                       to_lower);
    }
    if (choice.finish == llm::FinishReason::stop_sequence) {
        choice.stop_sequence = root["stop_sequence"].string_or("");
    }
    const bool is_normal = choice.finish == llm::FinishReason::stop ||
                           choice.finish == llm::FinishReason::stop_sequence;
    const bool has_call =
        std::any_of(choice.parts.begin(), choice.parts.end(), [](const llm::Part& part) {
            return llm::as<llm::ToolCall>(part) != nullptr;
        });
    if (is_normal && has_call) {
        choice.finish = llm::FinishReason::tool_calls;
    }
    if (choice.finish == llm::FinishReason::tool_calls && !has_call && answers_by_tool(root)) {
        choice.finish = llm::FinishReason::stop;
    }
}

}  // namespace

Result<llm::Answer> decode_answer(std::string_view body) {
    json::Document document;
    const auto parsed = document.parse(body, json::Duplicates::allowed);
    if (!parsed || !parsed->is_object()) {
        return unusable_answer(parsed ? "the answer is no JSON object" : parsed.error().message());
    }
    const Value root = *parsed;
    if (root["error"].has_value() || root["type"].equals("error")) {
        return std::unexpected(decode_error({.status = kServerError, .body = body}));
    }
    if (!root["content"].is_array()) {
        return unusable_answer("the answer has no content");
    }
    llm::Choice choice;
    if (auto content = decode_content(root["content"], Origin::provider, choice.parts); !content) {
        return unusable_answer(content.error().message());
    }
    decode_finish(root, choice);
    if (choice.finish == llm::FinishReason::error) {
        return unusable_answer("the provider finished with an error");
    }
    llm::Answer answer{.id = root["id"].string_or(""),
                       .model = root["model"].string_or(""),
                       .service_tier = root["usage"]["service_tier"].string_or("")};
    UsageCounters counters;
    counters.take(root["usage"]);
    if (counters.is_known()) {
        answer.usage = counters.normal();
    }
    if (choice.parts.empty() && !answer.usage) {
        return unusable_answer("the answer holds nothing");
    }
    answer.choices.push_back(std::move(choice));
    return answer;
}

}  // namespace weir::dialect::anthropic
