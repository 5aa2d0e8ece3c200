// The messages of a call as items.
#include <fmt/format.h>

#include <algorithm>

#include "base/base64.h"
#include "dialect/data_url.h"
#include "dialect/openai_responses/request_encoder.h"

namespace weir::dialect::openai_responses {
namespace {

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

bool is_word(const llm::Part& part) {
    return llm::as<llm::Text>(part) != nullptr || llm::as<llm::Refusal>(part) != nullptr;
}

bool is_empty(const llm::Part& part) {
    const auto* text = llm::as<llm::Text>(part);
    const auto* refusal = llm::as<llm::Refusal>(part);
    return (text != nullptr && text->text.empty()) || (refusal != nullptr && refusal->text.empty());
}

// Parts of messages have such types; all else are items of their own.
bool is_content(const llm::Opaque& opaque) {
    return opaque.type.starts_with("input_") || opaque.type.starts_with("output_");
}

bool is_own_item(const llm::Part& part) {
    const auto* opaque = llm::as<llm::Opaque>(part);
    return opaque != nullptr && opaque->of == kOwn && !is_content(*opaque);
}

// OpenAI's ids of files mean the same on both of its surfaces.
bool knows_files(llm::Dialect dialect) {
    return dialect == kOwn || dialect == llm::Dialect::openai_chat;
}

std::string_view name_of(llm::Role role) {
    switch (role) {
        case llm::Role::system:
            return "system";
        case llm::Role::developer:
            return "developer";
        case llm::Role::user:
            return "user";
        case llm::Role::assistant:
            return "assistant";
    }
    std::unreachable();
}

bool is_plain_system(const llm::Message& message) {
    return message.role == llm::Role::system &&
           std::all_of(message.parts.begin(), message.parts.end(), [](const llm::Part& part) {
               return llm::as<llm::Text>(part) != nullptr;
           });
}

}  // namespace

std::string RequestEncoder::path_of(Place place) const {
    switch (call_.from) {
        case llm::Dialect::openai_responses:
            return fmt::format("input[{}].content[{}]", place.message, place.part);
        case llm::Dialect::openai_chat:
            return fmt::format("messages[{}].content[{}]", place.message, place.part);
        case llm::Dialect::anthropic:
        case llm::Dialect::bedrock:
        case llm::Dialect::gemini:
            break;
    }
    // What stands first there is no message for the client: its system prompt has its own field.
    const bool has_system = !call_.messages.empty() &&
                            call_.messages.front().role == llm::Role::system && place.message > 0;
    const std::size_t message = place.message - (has_system ? 1 : 0);
    return call_.from == llm::Dialect::gemini
               ? fmt::format("contents[{}].parts[{}]", message, place.part)
               : fmt::format("messages[{}].content[{}]", message, place.part);
}

Failure RequestEncoder::cannot_at(Place place, std::string_view what) const {
    return cannot(path_of(place), what);
}

// Leading words of the system are the instructions. Returns how many messages they were.
std::size_t RequestEncoder::encode_instructions() {
    std::string words;
    std::size_t count = 0;
    for (const llm::Message& message : call_.messages) {
        if (!is_plain_system(message)) {
            break;
        }
        ++count;
        for (const llm::Part& part : message.parts) {
            const std::string& text = llm::as<llm::Text>(part)->text;
            words += words.empty() || text.empty() ? "" : "\n\n";
            words += text;
            if (part.cache.is_set) {
                drop("cache_control");
            }
        }
    }
    json_.field_unless_empty("instructions", words);
    return count;
}

Result<void> RequestEncoder::encode_input() {
    const std::size_t first = encode_instructions();
    json_.key("input").array();
    for (std::size_t i = first; i < call_.messages.size(); ++i) {
        const llm::Message& message = call_.messages[i];
        WEIR_TRY(message.role == llm::Role::assistant ? encode_answered(message, i)
                                                      : encode_said(message, i));
    }
    json_.end_array();
    return {};
}

// What a user, the system or a developer said; results of tools are items of their own and go
// first.
Result<void> RequestEncoder::encode_said(const llm::Message& message, std::size_t index) {
    bool has_content = false;
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        const llm::Part& part = message.parts[i];
        if (part.cache.is_set) {
            drop("cache_control");
        }
        if (const auto* result = llm::as<llm::ToolResult>(part)) {
            WEIR_TRY(encode_result(*result, {index, i}));
        } else if (is_own_item(part)) {
            WEIR_TRY(encode_opaque(*llm::as<llm::Opaque>(part), {index, i}));
        } else {
            has_content = has_content || !is_empty(part);
        }
    }
    if (!has_content) {
        return {};
    }
    json_.object().field("type", "message").field("role", name_of(message.role));
    json_.key("content").array();
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        const llm::Part& part = message.parts[i];
        if (llm::as<llm::ToolResult>(part) == nullptr && !is_own_item(part) && !is_empty(part)) {
            WEIR_TRY(encode_content_part(part, {index, i}));
        }
    }
    json_.end_array().end_object();
    return {};
}

// What the model said: words in a row are one message, all else are items of their own. The message
// has its words as a string: with parts it would have to be an item with an id, and there is none
// that the provider knows.
Result<void> RequestEncoder::encode_answered(const llm::Message& message, std::size_t index) {
    std::string words;
    const auto close = [&] {
        if (!words.empty()) {
            json_.object().field("type", "message").field("role", "assistant");
            json_.field("content", words).end_object();
            words.clear();
        }
    };
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        const llm::Part& part = message.parts[i];
        if (part.cache.is_set) {
            drop("cache_control");
        }
        if (is_empty(part)) {
            continue;
        }
        if (is_word(part)) {
            const auto* text = llm::as<llm::Text>(part);
            words += text != nullptr ? text->text : llm::as<llm::Refusal>(part)->text;
            continue;
        }
        close();
        if (const auto* tool_call = llm::as<llm::ToolCall>(part)) {
            encode_call(*tool_call);
        } else if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
            encode_reasoning(*reasoning);
        } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            WEIR_TRY(encode_opaque(*opaque, {index, i}));
        } else if (llm::as<llm::Media>(part) != nullptr) {
            return cannot_at({index, i}, "media in what the model said");
        }
    }
    close();
    return {};
}

void RequestEncoder::encode_call(const llm::ToolCall& tool_call) {
    std::string id = tool_call.id;
    ++calls_seen_;
    if (id.empty()) {
        id = fmt::format("call_{}", calls_seen_);
        made_ids_.push_back({.name = tool_call.name, .id = id});
    }
    json_.object().field("type", "function_call").field("call_id", id);
    json_.field("name", tool_call.name);
    json_.field("arguments", tool_call.arguments.empty() ? "{}" : tool_call.arguments);
    json_.end_object();
}

std::string RequestEncoder::call_id_of(const llm::ToolResult& result) {
    if (!result.call_id.empty()) {
        return result.call_id;
    }
    for (MadeId& made : made_ids_) {
        if (!made.answered && (result.name.empty() || made.name == result.name)) {
            made.answered = true;
            return made.id;
        }
    }
    return result.name;
}

// Only its own maker can use thinking, and only with its seal.
void RequestEncoder::encode_reasoning(const llm::Reasoning& reasoning) {
    // One without a seal is known to the provider by its id, where it keeps what it answers.
    const bool may_be_kept = call_.from == kOwn && !reasoning.id.empty();
    if (reasoning.signature.of != kOwn || (reasoning.signature.text.empty() && !may_be_kept)) {
        return;
    }
    json_.object().field("type", "reasoning").field_unless_empty("id", reasoning.id);
    json_.key("summary").array();
    if (!reasoning.text.empty()) {
        json_.object().field("type", "summary_text").field("text", reasoning.text).end_object();
    }
    json_.end_array().field_unless_empty("encrypted_content", reasoning.signature.text);
    json_.end_object();
}

Result<void> RequestEncoder::encode_result(const llm::ToolResult& result, Place place) {
    if (result.is_error) {
        drop("is_error");  // its words say so
    }
    json_.object().field("type", "function_call_output").field("call_id", call_id_of(result));
    json_.key("output");
    const bool is_text = std::all_of(result.content.begin(),
                                     result.content.end(),
                                     [](const auto& part) { return is_word(part); });
    if (is_text) {
        std::string words;
        for (const llm::Part& part : result.content) {
            const auto* text = llm::as<llm::Text>(part);
            words += words.empty() ? "" : "\n";
            words += text != nullptr ? text->text : llm::as<llm::Refusal>(part)->text;
        }
        json_.string(words);
    } else {
        json_.array();
        for (const llm::Part& part : result.content) {
            if (!is_empty(part)) {
                WEIR_TRY(encode_content_part(part, place));
            }
        }
        json_.end_array();
    }
    json_.end_object();
    return {};
}

Result<void> RequestEncoder::encode_content_part(const llm::Part& part, Place place) {
    if (const auto* media = llm::as<llm::Media>(part)) {
        return encode_media(*media, place);
    }
    if (const auto* opaque = llm::as<llm::Opaque>(part)) {
        return encode_opaque(*opaque, place);
    }
    const auto* text = llm::as<llm::Text>(part);
    const auto* refusal = llm::as<llm::Refusal>(part);
    if (text == nullptr && refusal == nullptr) {
        return cannot_at(place, "a call or a thought in what the caller says");
    }
    json_.object().field("type", "input_text");
    json_.field("text", text != nullptr ? text->text : refusal->text).end_object();
    return {};
}

Result<void> RequestEncoder::encode_media(const llm::Media& media, Place place) {
    if (!media.file_id.empty() && !knows_files(call_.from)) {
        return cannot_at(place, "a file kept by another provider");
    }
    switch (media.kind) {
        case llm::MediaKind::image:
            json_.object().field("type", "input_image");
            if (!media.file_id.empty()) {
                json_.field("file_id", media.file_id);
            } else {
                json_.field("image_url",
                            media.url.empty() ? make_data_url(media.mime, media.data) : media.url);
            }
            json_.field("detail", media.detail.empty() ? "auto" : media.detail).end_object();
            return {};
        case llm::MediaKind::file:
            encode_file(media);
            return {};
        case llm::MediaKind::audio:
            return cannot_at(place, "audio");
        case llm::MediaKind::video:
            return cannot_at(place, "video");
    }
    std::unreachable();
}

void RequestEncoder::encode_file(const llm::Media& media) {
    if (!media.context.empty()) {
        drop("context");
    }
    if (media.wants_citations) {
        drop("citations");
    }
    json_.object().field("type", "input_file");
    if (!media.file_id.empty()) {
        json_.field("file_id", media.file_id);
    } else if (!media.url.empty()) {
        json_.field("file_url", media.url);
    } else if (media.is_plain_text) {
        json_.field("filename", media.name.empty() ? "document.txt" : media.name);
        json_.field("file_data",
                    make_data_url("text/plain", to_base64(media.data, Base64::standard)));
    } else {
        json_.field("filename", media.name.empty() ? "document.pdf" : media.name);
        json_.field("file_data",
                    make_data_url(media.mime.empty() ? "application/pdf" : media.mime, media.data));
    }
    json_.end_object();
}

Result<void> RequestEncoder::encode_opaque(const llm::Opaque& opaque, Place place) {
    if (opaque.of != kOwn) {
        return cannot_at(place, fmt::format("a part of type '{}'", opaque.type));
    }
    json_.raw(opaque.json);
    return {};
}

}  // namespace weir::dialect::openai_responses
