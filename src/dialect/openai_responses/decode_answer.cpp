// A provider's whole answer.
#include "dialect/failure.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Value;

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

void decode_message(Value item, llm::Choice& into, std::string& logprobs) {
    for (const Value part : item["content"]) {
        if (part["type"].equals("refusal")) {
            into.parts.push_back({.body = llm::Refusal{.text = part["refusal"].string_or("")}});
            continue;
        }
        llm::Text text{.text = part["text"].string_or("")};
        if (text.text.empty()) {
            continue;
        }
        for (const Value annotation : part["annotations"]) {
            text.citations.push_back(decode_annotation(annotation));
        }
        add_logprobs(part["logprobs"], logprobs);
        into.parts.push_back({.body = std::move(text)});
    }
}

// What the provider's own tools did is for clients of this dialect only, but for pictures.
void decode_item(Value item, llm::Choice& into, std::string& logprobs) {
    const std::string type = item["type"].string_or("");
    if (type == "message") {
        decode_message(item, into, logprobs);
    } else if (type == "function_call") {
        into.parts.push_back({.body = llm::ToolCall{.id = item["call_id"].string_or(""),
                                                    .name = item["name"].string_or(""),
                                                    .arguments = item["arguments"].string_or("")}});
    } else if (type == "reasoning") {
        auto reasoning = decode_reasoning(item);
        if (!reasoning.text.empty() || !reasoning.signature.text.empty()) {
            into.parts.push_back({.body = std::move(reasoning)});
        }
    } else if (type == "image_generation_call" && item["result"].is_string()) {
        into.parts.push_back({.body = decode_made_image(item)});
    } else {
        into.parts.push_back(
            {.body = llm::Opaque{.of = kOwn, .type = type, .json = std::string(item.json())}});
    }
}

Result<void> decode_status(Value root, llm::Choice& into) {
    const std::string status = root["status"].string_or("completed");
    if (status == "incomplete") {
        const std::string reason = root["incomplete_details"]["reason"].string_or("");
        into.finish = read_incomplete_reason(reason);
        if (into.finish == llm::FinishReason::other) {
            into.finish_word = reason;
        }
        return {};
    }
    if (status != "completed") {
        return unusable_answer("the answer's status is " + bounded(status));
    }
    into.finish = llm::FinishReason::stop;
    for (const llm::Part& part : into.parts) {
        if (llm::as<llm::ToolCall>(part) != nullptr) {
            into.finish = llm::FinishReason::tool_calls;
        }
    }
    return {};
}

void write_token(Value token, json::Writer& json) {
    for (const Value member : token) {
        if (member.key() != "top_logprobs") {
            json.raw_field(member.key(), member.json());
        }
    }
    if (!token["bytes"]) {
        json.key("bytes").null();
    }
}

}  // namespace

void add_logprobs(Value logprobs, std::string& members) {
    for (const Value token : logprobs) {
        members += members.empty() ? "" : ",";
        json::Writer json(members);
        json.object();
        write_token(token, json);
        json.key("top_logprobs").array();
        for (const Value other : token["top_logprobs"]) {
            json.object();
            write_token(other, json);
            json.end_object();
        }
        json.end_array().end_object();
    }
}

llm::FinishReason read_incomplete_reason(std::string_view reason) {
    if (reason == "max_output_tokens" || reason == "max_tokens" || reason.empty()) {
        return llm::FinishReason::length;
    }
    return reason == "content_filter" ? llm::FinishReason::content_filter
                                      : llm::FinishReason::other;
}

std::int64_t count_searches(Value output) {
    std::int64_t searches = 0;
    for (const Value item : output) {
        searches += item["type"].equals("web_search_call") ? 1 : 0;
    }
    return searches;
}

Result<llm::Answer> decode_answer(std::string_view body) {
    json::Document document;
    const auto parsed = document.parse(body, json::Duplicates::allowed);
    if (!parsed) {
        return unusable_answer(parsed.error().message());
    }
    const Value root = *parsed;
    if (root["error"].has_value() || root["status"].equals("failed")) {
        return std::unexpected(decode_error({.status = kServerError, .body = body}));
    }
    if (!root["output"].is_array()) {
        return unusable_answer("the answer has no output");
    }
    llm::Answer answer{.id = root["id"].string_or(""),
                       .model = root["model"].string_or(""),
                       .created = root["created_at"].integer().value_or(0),
                       .usage = decode_usage(root["usage"]),
                       .service_tier = root["service_tier"].string_or("")};
    if (answer.usage) {
        answer.usage->searches = count_searches(root["output"]);
        answer.usage->tier = llm::read_service_tier(answer.service_tier);
    }
    llm::Choice& choice = answer.choices.emplace_back();
    std::string logprobs;
    for (const Value item : root["output"]) {
        decode_item(item, choice, logprobs);
    }
    if (!logprobs.empty()) {
        choice.logprobs_json = "{\"content\":[" + logprobs + "],\"refusal\":null}";
    }
    WEIR_TRY(decode_status(root, choice));
    return answer;
}

}  // namespace weir::dialect::openai_responses
