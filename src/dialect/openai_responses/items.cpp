// Pieces of an answer, read and written: items, annotations, usage, the response object. Written by
// hand, not by a Writer: in a stream each text is repeated four times and is escaped once.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/carrier.h"
#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Value;

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

std::string joined_texts(Value parts) {
    std::string joined;
    for (const Value part : parts) {
        const std::string text = part["text"].string_or("");
        if (!text.empty()) {
            joined += joined.empty() ? "" : kSummaryGap;
            joined += text;
        }
    }
    return joined;
}

void append_quoted(std::string_view text, std::string& out) {
    out += '"';
    json::append_escaped(out, text);
    out += '"';
}

void append_optional(std::string_view key, std::string_view text, std::string& out) {
    fmt::format_to(std::back_inserter(out), ",\"{}\":", key);
    if (text.empty()) {
        out += "null";
    } else {
        append_quoted(text, out);
    }
}

// What a client of OpenAI's expects to read there; other makers' words would break its enums.
std::string_view known_tier(std::string_view tier) {
    static constexpr std::array<std::string_view, 7> kTiers = {
        "auto", "default", "flex", "scale", "priority", "fast", "ultrafast"};
    return std::find(kTiers.begin(), kTiers.end(), tier) == kTiers.end() ? std::string_view{}
                                                                         : tier;
}

}  // namespace

llm::Reasoning decode_reasoning(Value item) {
    llm::Reasoning reasoning{.text = joined_texts(item["content"]), .id = item["id"].string_or("")};
    if (reasoning.text.empty()) {
        reasoning.text = joined_texts(item["summary"]);
        reasoning.is_summary = !reasoning.text.empty();
    }
    reasoning.signature = read_carried_field(item["encrypted_content"].string_or(""), kOwn);
    if (reasoning.signature.of != kOwn) {
        reasoning.is_summary = false;  // Weir put another maker's own words there
    }
    reasoning.redacted = reasoning.text.empty() && !reasoning.signature.text.empty();
    return reasoning;
}

llm::Citation decode_annotation(Value annotation) {
    return {.url = annotation["url"].string_or(""),
            .title = annotation["title"].string_or(annotation["filename"].string_or("")),
            .start = annotation["start_index"].integer(),
            .end = annotation["end_index"].integer(),
            .json = std::string(annotation.json()),
            .of = kOwn};
}

llm::Media decode_made_image(Value item) {
    return {.kind = llm::MediaKind::image,
            .mime = "image/" + item["output_format"].string_or("png"),
            .data = item["result"].string_or("")};
}

std::optional<llm::Usage> decode_usage(Value usage) {
    const auto input = usage["input_tokens"].integer();
    const auto output = usage["output_tokens"].integer();
    if (!input && !output) {
        return std::nullopt;
    }
    const Value details = usage["input_tokens_details"];
    return llm::Usage{.input_tokens = input.value_or(0),
                      .cache_read_tokens = details["cached_tokens"].integer().value_or(0),
                      .cache_write_tokens = details["cache_write_tokens"].integer().value_or(0),
                      .output_tokens = output.value_or(0),
                      .reasoning_tokens =
                          usage["output_tokens_details"]["reasoning_tokens"].integer().value_or(0)}
        .clamped();
}

void append_usage(const llm::Usage& usage, std::string& out) {
    fmt::format_to(std::back_inserter(out),
                   R"({{"input_tokens":{},"input_tokens_details":{{"cached_tokens":{},)"
                   R"("cache_write_tokens":{}}},"output_tokens":{},)"
                   R"("output_tokens_details":{{"reasoning_tokens":{}}},"total_tokens":{}}})",
                   usage.input_tokens,
                   usage.cache_read_tokens,
                   usage.cache_write_tokens,
                   usage.output_tokens,
                   usage.reasoning_tokens,
                   usage.input_tokens + usage.output_tokens);
}

void append_text_part(const TextItem& item, std::string& out) {
    if (item.is_refusal) {
        out += R"({"type":"refusal","refusal":")";
        out += item.escaped;
        out += "\"}";
        return;
    }
    out += R"({"type":"output_text","annotations":[)";
    out += item.annotations;
    out += R"(],"logprobs":[)";
    out += item.logprobs;
    out += R"(],"text":")";
    out += item.escaped;
    out += "\"}";
}

void append_text_item(const TextItem& item, std::string& out) {
    out += R"({"id":")";
    out += item.id;
    out += R"(","type":"message","status":")";
    out += item.status;
    out += R"(","content":[)";
    if (!item.escaped.empty()) {
        append_text_part(item, out);
    }
    out += R"(],"role":"assistant"})";
}

void append_reasoning_item(std::string_view id,
                           std::string_view escaped_text,
                           std::string_view encrypted,
                           std::string& out) {
    out += R"({"id":")";
    out += id;
    out += R"(","type":"reasoning","summary":[)";
    if (!escaped_text.empty()) {
        out += R"({"type":"summary_text","text":")";
        out += escaped_text;
        out += "\"}";
    }
    out += ']';
    if (!encrypted.empty()) {
        append_optional("encrypted_content", encrypted, out);
    }
    out += '}';
}

void append_call_item(const CallItem& item, std::string& out) {
    out += R"({"id":")";
    out += item.id;
    out += R"(","type":"function_call","status":")";
    out += item.status;
    out += R"(","arguments":")";
    out += item.escaped_arguments;
    out += R"(","call_id":)";
    append_quoted(item.call_id, out);
    out += R"(,"name":)";
    append_quoted(item.name, out);
    out += '}';
}

void append_image_item(std::string_view id, std::string_view base64, std::string& out) {
    out += R"({"id":")";
    out += id;
    out += R"(","type":"image_generation_call","status":")";
    out += base64.empty() ? "in_progress" : "completed";
    out += '"';
    append_optional("result", base64, out);
    out += '}';
}

bool append_annotation(const llm::Citation& citation, std::string& out) {
    if (citation.of == kOwn && !citation.json.empty()) {
        out += citation.json;
        return true;
    }
    if (citation.url.empty() || !citation.start || !citation.end) {
        return false;  // a client would index into the text with it
    }
    json::Writer json(out);
    json.object().field("type", "url_citation").field("url", citation.url);
    json.field("start_index", *citation.start).field("end_index", *citation.end);
    json.field("title", citation.title).end_object();
    return true;
}

void append_response(const ResponseObject& response, std::string& out) {
    out += R"({"id":)";
    append_quoted(response.id, out);
    fmt::format_to(std::back_inserter(out),
                   R"(,"object":"response","created_at":{},"status":"{}","background":false,)"
                   R"("completed_at":null,"error":)",
                   response.created,
                   response.status);
    if (response.error_code.empty()) {
        out += "null";
    } else {
        fmt::format_to(std::back_inserter(out), R"({{"code":"{}","message":)", response.error_code);
        append_quoted(response.error_message, out);
        out += '}';
    }
    out += R"(,"incomplete_details":)";
    if (response.incomplete_reason.empty()) {
        out += "null";
    } else {
        fmt::format_to(std::back_inserter(out), R"({{"reason":"{}"}})", response.incomplete_reason);
    }
    out += R"(,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"model":)";
    append_quoted(response.model, out);
    out += R"(,"output":[)";
    out += response.output;
    out += R"(],"parallel_tool_calls":true,"previous_response_id":null,)"
           R"("reasoning":{"effort":null,"summary":null})";
    append_optional("service_tier", known_tier(response.service_tier), out);
    out += R"(,"store":false,"temperature":null,"text":{"format":{"type":"text"}},)"
           R"("tool_choice":"auto","tools":[],"top_logprobs":0,"top_p":null,)"
           R"("truncation":"disabled","metadata":{})";
    if (response.usage != nullptr) {
        out += R"(,"usage":)";
        append_usage(*response.usage, out);
    }
    out += '}';
}

std::string_view incomplete_reason(llm::FinishReason finish) {
    switch (finish) {
        case llm::FinishReason::length:
            return "max_output_tokens";
        case llm::FinishReason::content_filter:
            return "content_filter";
        case llm::FinishReason::none:
        case llm::FinishReason::stop:
        case llm::FinishReason::stop_sequence:
        case llm::FinishReason::tool_calls:
        case llm::FinishReason::error:
        case llm::FinishReason::other:
            return {};
    }
    std::unreachable();
}

std::string make_response_id(std::string_view request_id) {
    return "resp_" + std::string(request_id);
}

std::string make_item_id(std::string_view prefix, std::string_view request_id, std::size_t index) {
    return fmt::format("{}_{}_{}", prefix, request_id, index);
}

std::string reasoning_id(std::string_view id, std::string_view request_id, std::size_t index) {
    const bool is_plain = std::all_of(id.begin(), id.end(), [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-';
    });
    return is_plain && !id.empty() ? std::string(id) : make_item_id("rs", request_id, index);
}

}  // namespace weir::dialect::openai_responses
