// A whole answer of Converse, and what it shares with the stream.
#include <array>

#include "dialect/answer_tool.h"
#include "dialect/bedrock/codec.h"
#include "dialect/failure.h"

namespace weir::dialect::bedrock {
namespace {

using json::Value;
using llm::FinishReason;

llm::Signature own(std::string text) {
    return {.text = std::move(text), .of = llm::Dialect::bedrock};
}

llm::Part decode_reasoning(Value block) {
    if (const Value text = block["reasoningText"]; text.is_object()) {
        return {.body = llm::Reasoning{.text = text["text"].string_or(""),
                                       .signature = own(text["signature"].string_or(""))}};
    }
    return {.body = llm::Reasoning{.signature = own(block["redactedContent"].string_or("")),
                                   .redacted = true}};
}

llm::Text decode_cited(Value block) {
    llm::Text text;
    for (const Value piece : block["content"]) {
        text.text += piece["text"].string_or("");
    }
    for (const Value citation : block["citations"]) {
        text.citations.push_back(decode_citation(citation));
    }
    return text;
}

// Blocks of other kinds (what the provider's own tools did and found) have no place in an answer of
// any client's dialect.
void decode_block(Value block, std::vector<llm::Part>& into) {
    if (auto text = block["text"].string()) {
        if (!text->empty()) {
            into.push_back({.body = llm::Text{.text = std::move(*text)}});
        }
    } else if (const Value reasoning = block["reasoningContent"]; reasoning.is_object()) {
        into.push_back(decode_reasoning(reasoning));
    } else if (const Value call = block["toolUse"]; call.is_object() && !is_server_tool(call)) {
        const Value input = call["input"];
        if (call["name"].equals(kAnswerTool)) {
            into.push_back(
                {.body = llm::Text{.text = std::string(input.is_object() ? input.json() : "{}")}});
            return;
        }
        into.push_back({.body = llm::ToolCall{
                            .id = call["toolUseId"].string_or(""),
                            .name = call["name"].string_or(""),
                            .arguments = std::string(input.is_object() ? input.json() : "")}});
    } else if (const Value cited = block["citationsContent"]; cited.is_object()) {
        if (llm::Text quoting = decode_cited(cited); !quoting.text.empty()) {
            into.push_back({.body = std::move(quoting)});
        }
    } else if (const Value image = block["image"]; image["source"]["bytes"].is_string()) {
        into.push_back({.body = llm::Media{.kind = llm::MediaKind::image,
                                           .mime = "image/" + image["format"].string_or("png"),
                                           .data = image["source"]["bytes"].string_or("")}});
    }
}

Calls calls_in(Value content, const std::vector<llm::Part>& parts) {
    for (const llm::Part& part : parts) {
        if (llm::as<llm::ToolCall>(part) != nullptr) {
            return Calls::real;
        }
    }
    for (const Value block : content) {
        if (block["toolUse"]["name"].equals(kAnswerTool)) {
            return Calls::answer;
        }
    }
    return Calls::none;
}

struct StopWord {
    std::string_view word;
    FinishReason reason;
};
constexpr auto kStopWords = std::to_array<StopWord>({
    {"end_turn", FinishReason::stop},
    {"stop_sequence", FinishReason::stop_sequence},
    {"max_tokens", FinishReason::length},
    {"model_context_window_exceeded", FinishReason::length},
    {"tool_use", FinishReason::tool_calls},
    {"guardrail_intervened", FinishReason::content_filter},
    {"content_filtered", FinishReason::content_filter},
    {"malformed_model_output", FinishReason::error},
    {"malformed_tool_use", FinishReason::error},
});

FinishReason reason_of(std::string_view word) {
    for (const StopWord& one : kStopWords) {
        if (one.word == word) {
            return one.reason;
        }
    }
    return FinishReason::other;
}

}  // namespace

bool is_server_tool(Value tool_use) { return tool_use["type"].equals("server_tool_use"); }

llm::Citation decode_citation(Value citation) {
    llm::Citation decoded{.url = citation["location"]["web"]["url"].string_or(""),
                          .title = citation["title"].string_or(""),
                          .json = std::string(citation.json()),
                          .of = llm::Dialect::bedrock};
    for (const Value piece : citation["sourceContent"]) {
        decoded.cited_text += piece["text"].string_or("");
    }
    // A search result names its source; that is an address only by habit.
    if (std::string source = citation["source"].string_or("");
        decoded.url.empty() && source.starts_with("http")) {
        decoded.url = std::move(source);
    }
    return decoded;
}

std::optional<llm::Usage> decode_usage(Value usage) {
    if (!usage.is_object()) {
        return std::nullopt;
    }
    const auto count = [usage](std::string_view key) { return usage[key].integer().value_or(0); };
    llm::Usage decoded{.cache_read_tokens = count("cacheReadInputTokens"),
                       .cache_write_tokens = count("cacheWriteInputTokens"),
                       .output_tokens = count("outputTokens")};
    decoded.input_tokens =
        count("inputTokens") + decoded.cache_read_tokens + decoded.cache_write_tokens;
    for (const Value detail : usage["cacheDetails"]) {
        if (detail["ttl"].equals("1h")) {
            decoded.cache_write_1h_tokens += detail["inputTokens"].integer().value_or(0);
        }
    }
    return decoded.clamped();
}

Result<Stop> decode_stop(Value answer, Calls said) {
    std::string word = answer["stopReason"].string_or("");
    if (word.empty()) {
        return unusable_answer("the answer has no stopReason");
    }
    Stop stop{.reason = reason_of(word), .text = {}};
    switch (stop.reason) {
        case FinishReason::error:
            return unusable_answer("the model finished with " + word);
        case FinishReason::other:
            stop.text = std::move(word);
            break;
        case FinishReason::stop_sequence: {
            // Said only where it was asked for (encode_request does).
            const Value fields = answer["additionalModelResponseFields"];
            const Value nested = fields["delta"]["stop_sequence"];
            stop.text = (nested ? nested : fields["stop_sequence"]).string_or("");
            break;
        }
        default:
            break;
    }
    // Why it stopped follows what was said.
    if (stop.reason == FinishReason::stop && said == Calls::real) {
        stop.reason = FinishReason::tool_calls;
    } else if (stop.reason == FinishReason::tool_calls && said == Calls::answer) {
        stop.reason = FinishReason::stop;
    }
    return stop;
}

Result<llm::Answer> decode_answer(std::string_view body) {
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (!root) {
        return unusable_answer(root.error().message());
    }
    const Value content = (*root)["output"]["message"]["content"];
    if (!content.is_array()) {
        return unusable_answer("the answer has no output.message.content");
    }
    llm::Choice choice;
    for (const Value block : content) {
        decode_block(block, choice.parts);
    }
    WEIR_TRY(Stop stop, decode_stop(*root, calls_in(content, choice.parts)));
    choice.finish = stop.reason;
    (stop.reason == FinishReason::other ? choice.finish_word : choice.stop_sequence) =
        std::move(stop.text);
    llm::Answer answer{.usage = decode_usage((*root)["usage"]),
                       .service_tier = (*root)["serviceTier"]["type"].string_or("")};
    if (answer.usage) {
        answer.usage->tier = llm::read_service_tier(answer.service_tier);
    }
    if (choice.parts.empty() && !answer.usage) {
        return unusable_answer("the answer holds neither content nor usage");
    }
    answer.choices.push_back(std::move(choice));
    return answer;
}

}  // namespace weir::dialect::bedrock
