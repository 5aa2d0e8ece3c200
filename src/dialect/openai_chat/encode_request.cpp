// A call of another dialect's client, written for a provider that speaks OpenAI's chat.
#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "dialect/carrier.h"
#include "dialect/data_url.h"
#include "dialect/openai_chat/codec.h"
#include "dialect/openai_chat/model_facts.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Writer;

Failure cannot(std::string parameter, std::string_view what) {
    return fail(Code::invalid_request,
                fmt::format("This model cannot take {}; leave it out or ask another model.", what))
        .parameter(std::move(parameter));
}

struct Encoder {
    const llm::Call& call;
    const Target& target;
    EncodedRequest encoded;
    Writer json{encoded.body};

    void drop(std::string_view name) {
        auto& dropped = encoded.dropped;
        if (std::find(dropped.begin(), dropped.end(), name) == dropped.end()) {
            dropped.emplace_back(name);
        }
    }
    bool passes(std::string_view name) const {
        return std::find(target.passed_fields.begin(), target.passed_fields.end(), name) !=
               target.passed_fields.end();
    }

    Result<void> encode();
    Result<void> encode_messages();
    Result<void> encode_message(const llm::Message& message);
    void encode_results(const llm::Message& message);
    Result<void> encode_user(const llm::Message& message, std::string_view role);
    Result<void> encode_assistant(const llm::Message& message);
    Result<void> encode_part(const llm::Part& part);
    Result<void> encode_media(const llm::Media& media);
    void encode_text(std::string_view text);
    Result<void> encode_tools();
    void encode_tool_choice();
    void encode_format();
    void encode_limits();
    void encode_thinking();
    void encode_rest();
};

bool is_text(const llm::Part& part) { return llm::as<llm::Text>(part) != nullptr; }

bool has_words(const llm::Part& part) {
    const auto* text = llm::as<llm::Text>(part);
    return text == nullptr || !text->text.empty();
}

// The words of a tool's result; what is no text comes after it, in the user's message.
std::string words_of(const llm::ToolResult& result) {
    std::string words;
    for (const llm::Part& part : result.content) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            words += words.empty() ? "" : "\n";
            words += text->text;
        } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            words += opaque->json;
        }
    }
    return words;
}

void Encoder::encode_text(std::string_view text) {
    json.object().field("type", "text").field("text", text).end_object();
}

Result<void> Encoder::encode_media(const llm::Media& media) {
    if (media.is_plain_text) {
        encode_text(media.data);
        return {};
    }
    const bool is_openais =
        call.from == llm::Dialect::openai_responses || call.from == llm::Dialect::openai_chat;
    const bool has_place = media.kind == llm::MediaKind::file;
    if (!media.file_id.empty() && (!is_openais || !has_place)) {
        return cannot("messages", "a file kept by another provider");
    }
    switch (media.kind) {
        case llm::MediaKind::image:
            json.object().field("type", "image_url").key("image_url").object();
            json.field("url",
                       media.url.empty() ? make_data_url(media.mime, media.data) : media.url);
            json.field_unless_empty("detail", media.detail).end_object().end_object();
            return {};
        case llm::MediaKind::audio: {
            const bool is_mp3 = media.mime == "audio/mp3" || media.mime == "audio/mpeg";
            const bool is_wav = media.mime == "audio/wav" || media.mime == "audio/x-wav";
            if (media.data.empty() || (!is_mp3 && !is_wav)) {
                return cannot("messages", "audio other than wav and mp3, inline");
            }
            json.object().field("type", "input_audio").key("input_audio").object();
            json.field("data", media.data).field("format", is_mp3 ? "mp3" : "wav");
            json.end_object().end_object();
            return {};
        }
        case llm::MediaKind::file:
            if (!media.url.empty()) {
                return cannot("messages", "a file by its URL");
            }
            json.object().field("type", "file").key("file").object();
            if (!media.file_id.empty()) {
                json.field("file_id", media.file_id);
            } else {
                json.field("filename", media.name.empty() ? "document.pdf" : media.name);
                json.field("file_data", make_data_url(media.mime, media.data));
            }
            json.end_object().end_object();
            return {};
        case llm::MediaKind::video:
            return cannot("messages", "video");
    }
    std::unreachable();
}

Result<void> Encoder::encode_part(const llm::Part& part) {
    if (part.cache.is_set) {
        drop("cache_control");
    }
    if (const auto* text = llm::as<llm::Text>(part)) {
        encode_text(text->text);
        return {};
    }
    if (const auto* media = llm::as<llm::Media>(part)) {
        return encode_media(*media);
    }
    if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        encode_text(refusal->text);
        return {};
    }
    if (const auto* opaque = llm::as<llm::Opaque>(part)) {
        if (opaque->of == llm::Dialect::openai_chat) {
            json.raw(opaque->json);
            return {};
        }
        return cannot("messages", fmt::format("a part of type '{}'", opaque->type));
    }
    return {};  // calls and results have places of their own
}

// Results go first, one message each; pictures in them follow in the user's message.
void Encoder::encode_results(const llm::Message& message) {
    for (const llm::Part& part : message.parts) {
        const auto* result = llm::as<llm::ToolResult>(part);
        if (result == nullptr) {
            continue;
        }
        if (result->is_error) {
            drop("is_error");  // its words say so
        }
        if (part.cache.is_set) {
            drop("cache_control");
        }
        json.object().field("role", "tool").field("tool_call_id", result->call_id);
        json.field("content", words_of(*result)).end_object();
    }
}

Result<void> Encoder::encode_user(const llm::Message& message, std::string_view role) {
    std::vector<const llm::Part*> parts;
    for (const llm::Part& part : message.parts) {
        if (const auto* result = llm::as<llm::ToolResult>(part)) {
            for (const llm::Part& inner : result->content) {
                if (llm::as<llm::Media>(inner) != nullptr) {
                    parts.push_back(&inner);
                }
            }
        } else if (has_words(part)) {
            parts.push_back(&part);
        }
    }
    if (parts.empty()) {
        return {};
    }
    json.object().field("role", role).field_unless_empty("name", message.name);
    json.key("content");
    if (parts.size() == 1 && is_text(*parts.front())) {
        if (parts.front()->cache.is_set) {
            drop("cache_control");
        }
        json.string(llm::as<llm::Text>(*parts.front())->text);
    } else {
        json.array();
        for (const llm::Part* part : parts) {
            WEIR_TRY(encode_part(*part));
        }
        json.end_array();
    }
    json.end_object();
    return {};
}

Result<void> Encoder::encode_assistant(const llm::Message& message) {
    std::string words, refusal;
    std::vector<const llm::ToolCall*> calls;
    for (const llm::Part& part : message.parts) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            words += text->text;
        } else if (const auto* refused = llm::as<llm::Refusal>(part)) {
            refusal += refused->text;
        } else if (const auto* tool = llm::as<llm::ToolCall>(part)) {
            calls.push_back(tool);
        } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            return cannot("messages", fmt::format("a part of type '{}'", opaque->type));
        } else if (llm::as<llm::Media>(part) != nullptr) {
            return cannot("messages", "a picture in an assistant's message");
        }
        // Thinking stays with who thought.
    }
    if (words.empty() && refusal.empty() && calls.empty()) {
        return {};
    }
    json.object().field("role", "assistant");
    if (!words.empty()) {
        json.field("content", words);
    } else {
        json.key("content").null();
    }
    json.field_unless_empty("refusal", refusal);
    if (!calls.empty()) {
        json.key("tool_calls").array();
        for (const llm::ToolCall* tool : calls) {
            json.object().field("id", tool->id).field("type", "function");
            json.key("function").object().field("name", tool->name);
            json.field("arguments", tool->arguments.empty() ? "{}" : tool->arguments);
            json.end_object();
            if (wants_google_signatures(target.model)) {
                write_google_signature(tool->signature, json);
            }
            json.end_object();
        }
        json.end_array();
    }
    json.end_object();
    return {};
}

Result<void> Encoder::encode_message(const llm::Message& message) {
    switch (message.role) {
        case llm::Role::system:
            return encode_user(message, "system");
        case llm::Role::developer:
            // Few but OpenAI know this role.
            return encode_user(message, is_reasoning_model(target.model) ? "developer" : "system");
        case llm::Role::user:
            encode_results(message);
            return encode_user(message, "user");
        case llm::Role::assistant:
            return encode_assistant(message);
    }
    std::unreachable();
}

Result<void> Encoder::encode_messages() {
    json.key("messages").array();
    for (const llm::Message& message : call.messages) {
        WEIR_TRY(encode_message(message));
    }
    json.end_array();
    return {};
}

Result<void> Encoder::encode_tools() {
    if (call.tools.empty()) {
        return {};
    }
    json.key("tools").array();
    for (const llm::Tool& tool : call.tools) {
        if (!tool.opaque_json.empty()) {
            if (tool.of != llm::Dialect::openai_chat) {
                return cannot("tools", fmt::format("the tool '{}'", tool.name));
            }
            json.raw(tool.opaque_json);
            continue;
        }
        if (tool.cache.is_set) {
            drop("cache_control");
        }
        json.object().field("type", "function").key("function").object();
        json.field("name", tool.name).field_unless_empty("description", tool.description);
        json.raw_field("parameters",
                       tool.schema.empty() ? R"({"type":"object","properties":{}})" : tool.schema);
        if (tool.strict) {
            json.field("strict", *tool.strict);
        }
        json.end_object().end_object();
    }
    json.end_array();
    return {};
}

void Encoder::encode_tool_choice() {
    using Mode = llm::ToolChoice::Mode;
    const llm::ToolChoice& choice = call.tool_choice;
    if (call.tools.empty()) {
        return;  // OpenAI refuses a choice among none
    }
    if (!choice.allowed.empty()) {
        json.key("tool_choice").object().field("type", "allowed_tools");
        json.key("allowed_tools").object();
        json.field("mode", choice.mode == Mode::required ? "required" : "auto");
        json.key("tools").array();
        for (const std::string& name : choice.allowed) {
            json.object().field("type", "function").key("function").object();
            json.field("name", name).end_object().end_object();
        }
        json.end_array().end_object().end_object();
    } else if (choice.mode == Mode::named) {
        json.key("tool_choice").object().field("type", "function").key("function").object();
        json.field("name", choice.name).end_object().end_object();
    } else if (choice.mode != Mode::unset) {
        json.field("tool_choice",
                   choice.mode == Mode::automatic  ? "auto"
                   : choice.mode == Mode::required ? "required"
                                                   : "none");
    }
    if (choice.parallel) {
        json.field("parallel_tool_calls", *choice.parallel);
    }
}

void Encoder::encode_format() {
    using Kind = llm::OutputFormat::Kind;
    if (call.format.kind == Kind::json_object) {
        json.key("response_format").object().field("type", "json_object").end_object();
    } else if (call.format.kind == Kind::json_schema) {
        json.key("response_format").object().field("type", "json_schema");
        json.key("json_schema").object();
        json.field("name", call.format.name.empty() ? "answer" : call.format.name);
        json.field_unless_empty("description", call.format.description);
        json.raw_field("schema", call.format.schema);
        if (call.format.strict) {
            json.field("strict", *call.format.strict);
        }
        json.end_object().end_object();
    }
}

void Encoder::encode_limits() {
    if (call.max_output_tokens) {
        json.field(target.has_old_limit_name ? "max_tokens" : "max_completion_tokens",
                   *call.max_output_tokens);
    }
    const bool fixed_sampling = is_reasoning_model(target.model);
    const auto sample = [&](std::string_view name, const std::optional<double>& value) {
        if (value && fixed_sampling) {
            drop(name);
        } else if (value) {
            json.field(name, *value);
        }
    };
    sample("temperature", call.temperature);
    sample("top_p", call.top_p);
    sample("presence_penalty", call.presence_penalty);
    sample("frequency_penalty", call.frequency_penalty);
    if (call.top_k) {
        if (passes("top_k")) {
            json.field("top_k", *call.top_k);
        } else {
            drop("top_k");
        }
    }
    if (call.seed) {
        json.field("seed", *call.seed);
    }
    if (!call.stop.empty()) {
        json.key("stop").array();
        for (const std::string& word : call.stop) {
            json.string(word);
        }
        json.end_array();
    }
    if (call.choices != 1) {
        json.field("n", call.choices);
    }
    if (call.logprobs) {
        json.field("logprobs", true);
        if (call.top_logprobs) {
            json.field("top_logprobs", *call.top_logprobs);
        }
    }
}

std::string_view word_of(llm::Effort effort) {
    switch (effort) {
        case llm::Effort::none:
            return "none";
        case llm::Effort::minimal:
            return "minimal";
        case llm::Effort::low:
            return "low";
        case llm::Effort::medium:
            return "medium";
        case llm::Effort::high:
            return "high";
        case llm::Effort::xhigh:
            return "xhigh";
        case llm::Effort::max:
            return "max";
    }
    std::unreachable();
}

// The reverse of the budgets that others give for an effort (API-MAPPING 3.4).
llm::Effort effort_of(std::int64_t budget_tokens) {
    constexpr std::int64_t kLowMax = 2048;
    constexpr std::int64_t kMediumMax = 8192;
    return budget_tokens < 0             ? llm::Effort::medium
           : budget_tokens <= kLowMax    ? llm::Effort::low
           : budget_tokens <= kMediumMax ? llm::Effort::medium
                                         : llm::Effort::high;
}

void Encoder::encode_thinking() {
    const llm::Thinking& thinking = call.thinking;
    if (thinking.mode == llm::Thinking::Mode::unset && !thinking.effort) {
        return;
    }
    if (refuses_effort(target.model)) {
        drop("reasoning");
        return;
    }
    if (thinking.effort) {
        json.field("reasoning_effort", word_of(*thinking.effort));
    } else if (thinking.budget_tokens && thinking.mode != llm::Thinking::Mode::off) {
        json.field("reasoning_effort", word_of(effort_of(*thinking.budget_tokens)));
    } else if (thinking.mode == llm::Thinking::Mode::off && is_reasoning_model(target.model)) {
        json.field("reasoning_effort", "minimal");
    }
}

void Encoder::encode_rest() {
    json.field_unless_empty("verbosity", call.verbosity);
    const bool is_own = call.from == llm::Dialect::openai_chat;
    if (!call.service_tier.empty()) {
        if (is_own || call.from == llm::Dialect::openai_responses) {
            json.field("service_tier", call.service_tier);
        } else {
            drop("service_tier");
        }
    }
    if (!call.user.empty() && is_own) {
        json.field("user", call.user);
    } else if (!call.user.empty()) {
        drop("user");  // who asks is nobody else's business
    }
    for (const llm::UnknownField& field : call.unknown) {
        if (is_own || passes(field.name)) {
            json.raw_field(field.name, field.json);
        } else {
            drop(field.name);
        }
    }
    if (call.stream) {
        json.field("stream", true);
        json.key("stream_options").object().field("include_usage", true).end_object();
    }
}

Result<void> Encoder::encode() {
    for (const std::string& modality : call.modalities) {
        if (modality != "text") {
            return cannot("modalities", fmt::format("answers as {}", modality));
        }
    }
    json.object().field("model", target.model);
    WEIR_TRY(encode_messages());
    WEIR_TRY(encode_tools());
    encode_tool_choice();
    encode_format();
    encode_limits();
    encode_thinking();
    encode_rest();
    json.end_object();
    return {};
}

}  // namespace

Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target) {
    Encoder encoder{.call = call, .target = target, .encoded = {}};
    WEIR_TRY(encoder.encode());
    return std::move(encoder.encoded);
}

}  // namespace weir::dialect::openai_chat
