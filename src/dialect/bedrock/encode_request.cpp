// A call of any client, written for Converse.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/answer_tool.h"
#include "dialect/bedrock/encoder.h"

namespace weir::dialect::bedrock {

const FieldNames& names_of(llm::Dialect client) {
    static constexpr FieldNames kChat{.messages = "messages",
                                      .limit = "max_completion_tokens",
                                      .format = "response_format",
                                      .tools = "tools",
                                      .tool_choice = "tool_choice",
                                      .choices = "n",
                                      .logprobs = "logprobs",
                                      .modalities = "modalities"};
    static constexpr FieldNames kResponses{.messages = "input",
                                           .limit = "max_output_tokens",
                                           .format = "text.format",
                                           .tools = "tools",
                                           .tool_choice = "tool_choice",
                                           .choices = "n",
                                           .logprobs = "top_logprobs",
                                           .modalities = "modalities"};
    static constexpr FieldNames kAnthropic{.messages = "messages",
                                           .limit = "max_tokens",
                                           .format = "output_config.format",
                                           .tools = "tools",
                                           .tool_choice = "tool_choice",
                                           .choices = "n",
                                           .logprobs = "logprobs",
                                           .modalities = "modalities"};
    static constexpr FieldNames kGemini{.messages = "contents",
                                        .limit = "generationConfig.maxOutputTokens",
                                        .format = "generationConfig.responseMimeType",
                                        .tools = "tools",
                                        .tool_choice = "toolConfig.functionCallingConfig",
                                        .choices = "generationConfig.candidateCount",
                                        .logprobs = "generationConfig.responseLogprobs",
                                        .modalities = "generationConfig.responseModalities"};
    switch (client) {
        case llm::Dialect::openai_responses:
            return kResponses;
        case llm::Dialect::anthropic:
            return kAnthropic;
        case llm::Dialect::gemini:
            return kGemini;
        case llm::Dialect::openai_chat:
        case llm::Dialect::bedrock:  // no client's
            return kChat;
    }
    std::unreachable();
}

bool is_plain_name(std::string_view name) {
    constexpr std::size_t kBytesMax = 64;
    return !name.empty() && name.size() <= kBytesMax &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
           });
}

Failure Encoder::cannot(std::string_view parameter, std::string_view what) const {
    return fail(Code::invalid_request,
                fmt::format("This model cannot take {}; leave it out or ask another model.", what))
        .parameter(std::string(parameter));
}

void Encoder::drop(std::string_view name) {
    auto& dropped = encoded_.dropped;
    if (std::find(dropped.begin(), dropped.end(), name) == dropped.end()) {
        dropped.emplace_back(name);
    }
}

bool Encoder::passes(std::string_view name) const {
    const auto& fields = target_.passed_fields;
    return std::find(fields.begin(), fields.end(), name) != fields.end();
}

Result<EncodedRequest> Encoder::encode() {
    if (call_.choices != 1) {
        return cannot(names_.choices, "more than one answer at once");
    }
    if (call_.logprobs) {
        return cannot(names_.logprobs, "the wish for log probabilities");
    }
    for (const std::string& modality : call_.modalities) {
        if (modality != "text") {
            return cannot(names_.modalities, fmt::format("the wish for answers as {}", modality));
        }
    }
    collect_turns();
    if (turns_.empty()) {
        return fail(Code::invalid_request,
                    fmt::format("'{}' must hold a message of the user that is not blank.",
                                names_.messages))
            .parameter(std::string(names_.messages));
    }
    decide_thinking();
    json_.object();
    WEIR_TRY(write_system());
    WEIR_TRY(write_messages());
    WEIR_TRY(write_inference());
    WEIR_TRY(write_tools());
    WEIR_TRY(write_format());
    write_thinking();
    write_tier();
    write_unknown();
    write_extra();
    json_.end_object();
    return std::move(encoded_);
}

std::int64_t Encoder::limit() {
    collect_turns();
    decide_thinking();
    return limit_.value_or(0);
}

std::int64_t output_tokens_max(const llm::Call& call, const Target& target) {
    return Encoder(call, target).limit();
}

bool Encoder::needs_answer_tool() const {
    return call_.format.kind == llm::OutputFormat::Kind::json_schema &&
           !facts_.has_structured_output && facts_.family == ModelFacts::Family::claude &&
           facts_.forcing == ModelFacts::Forcing::named;
}

Result<llm::Call> Encoder::answering_by_tool() {
    if (is_beside_tools(call_)) {
        collect_turns();
        decide_thinking();
        if (thinks_) {
            return cannot(names_.format, "a schema for its answer beside tools and thinking");
        }
    }
    return with_answer_tool(call_, names_.format);
}

Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target) {
    Encoder encoder(call, target);
    if (!encoder.needs_answer_tool()) {
        return encoder.encode();
    }
    WEIR_TRY(const llm::Call asked, encoder.answering_by_tool());
    return Encoder(asked, target).encode();
}

}  // namespace weir::dialect::bedrock
