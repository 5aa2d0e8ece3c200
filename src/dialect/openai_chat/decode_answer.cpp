// A whole answer of a provider, for a client that speaks another dialect.
#include "dialect/failure.h"
#include "dialect/openai_chat/codec.h"
#include "dialect/openai_chat/error.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Value;

std::vector<llm::Citation> decode_annotations(Value annotations) {
    std::vector<llm::Citation> citations;
    for (const Value annotation : annotations) {
        const Value url = annotation["url_citation"];
        if (!url.is_object()) {
            continue;
        }
        citations.push_back({.url = url["url"].string_or(""),
                             .title = url["title"].string_or(""),
                             .start = url["start_index"].integer(),
                             .end = url["end_index"].integer(),
                             .json = std::string(annotation.json()),
                             .of = llm::Dialect::openai_chat});
    }
    return citations;
}

// Some makers give an array of parts: Mistral's thinking comes in one of type `thinking`.
void decode_content_parts(Value content, std::vector<llm::Part>& into) {
    for (const Value part : content) {
        if (part["type"].equals("text")) {
            into.push_back({.body = llm::Text{.text = part["text"].string_or("")}});
        } else if (part["type"].equals("thinking")) {
            std::string thought = part["thinking"].string_or("");
            for (const Value piece : part["thinking"]) {
                thought += piece["text"].string_or("");
            }
            into.push_back({.body = llm::Reasoning{.text = std::move(thought)}});
        }
    }
}

void decode_reasoning(Value message, std::vector<llm::Part>& into) {
    if (const Value details = message["reasoning_details"]; details.size() > 0) {
        decode_reasoning_details(details, into);
        if (!into.empty()) {
            return;
        }
    }
    for (const std::string_view key : {"reasoning_content", "reasoning"}) {
        if (auto text = message[key].string(); text && !text->empty()) {
            into.push_back({.body = llm::Reasoning{.text = std::move(*text)}});
            return;
        }
    }
}

void decode_message(Value message, std::vector<llm::Part>& into) {
    decode_reasoning(message, into);
    const Value content = message["content"];
    if (content.is_array()) {
        decode_content_parts(content, into);
    } else if (auto text = content.string(); text && !text->empty()) {
        into.push_back(
            {.body = llm::Text{.text = std::move(*text),
                               .citations = decode_annotations(message["annotations"])}});
    }
    if (auto refusal = message["refusal"].string(); refusal && !refusal->empty()) {
        into.push_back({.body = llm::Refusal{.text = std::move(*refusal)}});
    }
    for (const Value call : message["tool_calls"]) {
        const Value function = call["function"];
        into.push_back({.body = llm::ToolCall{.id = call["id"].string_or(""),
                                              .name = function["name"].string_or(""),
                                              .arguments = function["arguments"].string_or(""),
                                              .signature = read_google_signature(call)}});
    }
    if (const Value call = message["function_call"]; call.is_object()) {
        into.push_back({.body = llm::ToolCall{.id = "call_0",
                                              .name = call["name"].string_or(""),
                                              .arguments = call["arguments"].string_or("")}});
    }
}

bool has_call(const llm::Choice& choice) {
    for (const llm::Part& part : choice.parts) {
        if (llm::as<llm::ToolCall>(part) != nullptr) {
            return true;
        }
    }
    return false;
}

llm::Choice decode_choice(Value choice) {
    llm::Choice decoded;
    if (const Value message = choice["message"]; message.is_object()) {
        decode_message(message, decoded.parts);
    } else if (auto text = choice["text"].string(); text && !text->empty()) {  // completions
        decoded.parts.push_back({.body = llm::Text{.text = std::move(*text)}});
    }
    const std::string word = choice["finish_reason"].string_or("");
    decoded.finish = word.empty() ? llm::FinishReason::stop : read_finish_reason(word);
    if (decoded.finish == llm::FinishReason::other) {
        decoded.finish_word = word;
    }
    // Why it stopped follows what was said: several makers say `stop` after a call.
    if (decoded.finish == llm::FinishReason::stop && has_call(decoded)) {
        decoded.finish = llm::FinishReason::tool_calls;
    }
    if (const Value logprobs = choice["logprobs"]; logprobs.is_object()) {
        decoded.logprobs_json = logprobs.json();
    }
    return decoded;
}

}  // namespace

llm::FinishReason read_finish_reason(std::string_view word) {
    using enum llm::FinishReason;
    if (word == "stop") {
        return stop;
    }
    if (word == "length") {
        return length;
    }
    if (word == "tool_calls" || word == "function_call") {
        return tool_calls;
    }
    if (word == "error") {
        return error;
    }
    return word == "content_filter" ? content_filter : other;
}

Result<llm::Answer> decode_answer(std::string_view body) {
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (!root) {
        return unusable_answer(root.error().message());
    }
    if ((*root)["error"].has_value()) {
        return std::unexpected(decode_error({.status = kServerError, .body = body}));
    }
    llm::Answer answer{.id = (*root)["id"].string_or(""),
                       .model = (*root)["model"].string_or(""),
                       .created = (*root)["created"].integer().value_or(0),
                       .usage = decode_usage((*root)["usage"]),
                       .service_tier = (*root)["service_tier"].string_or("")};
    if (answer.usage) {
        answer.usage->tier = llm::read_service_tier(answer.service_tier);
    }
    for (const Value choice : (*root)["choices"]) {
        answer.choices.push_back(decode_choice(choice));
    }
    if (answer.choices.empty()) {
        return unusable_answer("the answer has no choices");
    }
    return answer;
}

}  // namespace weir::dialect::openai_chat
