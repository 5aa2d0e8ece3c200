// Thinking, for which OpenAI's chat has no official field: as OpenRouter and Google's server of
// this dialect carry it.
#include <array>

#include "dialect/openai_chat/codec.h"

namespace weir::dialect::openai_chat {
namespace {

struct Format {
    llm::Dialect dialect;
    std::string_view name;
};
// OpenRouter's names; the last one is ours.
constexpr std::array<Format, 4> kFormats{{
    {llm::Dialect::anthropic, "anthropic-claude-v1"},
    {llm::Dialect::gemini, "google-gemini-v1"},
    {llm::Dialect::openai_responses, "openai-responses-v1"},
    {llm::Dialect::bedrock, "amazon-bedrock-converse-v1"},
}};

}  // namespace

std::string_view format_of(llm::Dialect dialect) {
    for (const Format& format : kFormats) {
        if (format.dialect == dialect) {
            return format.name;
        }
    }
    return "unknown";
}

std::optional<llm::Dialect> dialect_of_format(std::string_view name) {
    for (const Format& format : kFormats) {
        if (format.name == name) {
            return format.dialect;
        }
    }
    return std::nullopt;
}

void decode_reasoning_details(json::Value details, std::vector<llm::Part>& into) {
    for (const json::Value detail : details) {
        llm::Reasoning reasoning;
        reasoning.id = detail["id"].string_or("");
        const auto of = dialect_of_format(detail["format"].string_or(""));
        if (detail["type"].equals("reasoning.encrypted")) {
            reasoning.redacted = true;
            reasoning.signature.text = detail["data"].string_or("");
        } else if (detail["type"].equals("reasoning.summary")) {
            reasoning.is_summary = true;
            reasoning.text = detail["summary"].string_or("");
        } else {
            reasoning.text = detail["text"].string_or("");
            reasoning.signature.text = detail["signature"].string_or("");
        }
        if (of) {
            reasoning.signature.of = *of;
        } else {
            reasoning.signature.text.clear();  // nobody to give it back to
        }
        if (!reasoning.text.empty() || !reasoning.signature.text.empty()) {
            into.push_back({.body = std::move(reasoning)});
        }
    }
}

void encode_reasoning_detail(const llm::Reasoning& reasoning, json::Writer& json) {
    json.object();
    if (reasoning.redacted) {
        json.field("type", "reasoning.encrypted").field("data", reasoning.signature.text);
    } else if (reasoning.is_summary && reasoning.signature.text.empty()) {
        // A sealed summary goes as a text, the only form that has a place for both.
        json.field("type", "reasoning.summary").field("summary", reasoning.text);
    } else {
        json.field("type", "reasoning.text").field("text", reasoning.text);
        json.field_unless_empty("signature", reasoning.signature.text);
    }
    if (!reasoning.signature.text.empty()) {
        json.field("format", format_of(reasoning.signature.of));
    }
    json.field_unless_empty("id", reasoning.id);
    json.end_object();
}

llm::Signature read_google_signature(json::Value tool_call) {
    return {.text = tool_call["extra_content"]["google"]["thought_signature"].string_or(""),
            .of = llm::Dialect::gemini};
}

void write_google_signature(const llm::Signature& signature, json::Writer& json) {
    if (!signature.text.empty() && signature.of == llm::Dialect::gemini) {
        json.key("extra_content").object().key("google").object();
        json.field("thought_signature", signature.text).end_object().end_object();
    }
}

}  // namespace weir::dialect::openai_chat
