// The conversation of a client's request. Clients send back what they got chunk by chunk, so pieces
// of one text come as many parts, in many contents: they are put together again.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/gemini/decode.h"
#include "dialect/gemini/fields.h"
#include "dialect/gemini/media.h"
#include "dialect/gemini/parts.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;

// What a part is, and what stands beside it.
struct PartFields {
    Value text, thought, signature, call, result, data, file, resolution;
    Value other;  // what only Gemini knows
};

PartFields fields_of(Value part) {
    PartFields found;
    for (const Value member : part) {
        const std::string_view key = member.key();
        if (member.is_null()) {
            continue;
        }
        if (key == "text") {
            found.text = member;
        } else if (key == "thought") {
            found.thought = member;
        } else if (is_field(key, "thoughtSignature")) {
            found.signature = member;
        } else if (is_field(key, "functionCall")) {
            found.call = member;
        } else if (is_field(key, "functionResponse")) {
            found.result = member;
        } else if (is_field(key, "inlineData")) {
            found.data = member;
        } else if (is_field(key, "fileData")) {
            found.file = member;
        } else if (is_field(key, "mediaResolution")) {
            found.resolution = member;
        } else if (!is_field(key, "partMetadata") && !is_field(key, "mediaProcessing")) {
            found.other = member;
        }
    }
    return found;
}

// "MEDIA_RESOLUTION_LOW", alone or as {"level":…}.
std::string detail_of(Value resolution) {
    const std::string level = resolution.is_object() ? field(resolution, "level").string_or("")
                                                     : resolution.string_or("");
    if (level.ends_with("_LOW")) {
        return "low";
    }
    return level.ends_with("_HIGH") ? "high" : "";
}

// The text that goes on in `part`, if it is one that may: what is signed is whole.
template <class Words>
Words* goes_on(std::vector<llm::Part>& parts) {
    auto* const words = parts.empty() ? nullptr : std::get_if<Words>(&parts.back().body);
    return words != nullptr && words->signature.text.empty() ? words : nullptr;
}

struct Decoder {
    struct Call {
        std::string id, name;
        bool answered;
    };
    llm::Call& call;
    std::vector<Call> calls{};

    Result<void> decode_content(Value content);
    Result<void> decode_part(Value part, llm::Message& message);
    Result<void> decode_text(const PartFields& fields, llm::Message& message);
    Result<void> decode_call(const PartFields& fields, llm::Message& message);
    Result<void> decode_result(Value result, llm::Message& message);
    Result<llm::Media> decode_data(Value data);
    Result<llm::Media> decode_file(Value file);
    Call* find_call(std::string_view id, std::string_view name);
};

Result<void> Decoder::decode_content(Value content) {
    const Value role = field(content, "role");
    llm::Message message{.role = llm::Role::user};
    if (role.equals("model")) {
        message.role = llm::Role::assistant;
    } else if (role && !role.equals("user") && !role.equals("function") && !role.equals("")) {
        return wrong(role, "\"user\" or \"model\"");
    }
    const Value parts = field(content, "parts");
    if (parts && !parts.is_array()) {
        return wrong(parts, "an array");
    }
    auto& messages = call.messages;
    const bool goes_on = message.role == llm::Role::assistant && !messages.empty() &&
                         messages.back().role == llm::Role::assistant;
    if (!goes_on) {
        messages.push_back(std::move(message));
    }
    for (const Value part : parts) {
        WEIR_TRY(decode_part(part, messages.back()));
    }
    return {};
}

Result<void> Decoder::decode_part(Value part, llm::Message& message) {
    if (!part.is_object()) {
        return wrong(part, "an object");
    }
    const PartFields fields = fields_of(part);
    if (fields.call) {
        return decode_call(fields, message);
    }
    if (fields.result) {
        return decode_result(fields.result, message);
    }
    // What is beside the media changes what is seen of it (the cut of a film): Gemini's own.
    if (fields.other) {
        message.parts.push_back({.body = llm::Opaque{.of = llm::Dialect::gemini,
                                                     .type = std::string(fields.other.key()),
                                                     .json = std::string(part.json())}});
        return {};
    }
    if (fields.data || fields.file) {
        WEIR_TRY(llm::Media media,
                 fields.data ? decode_data(fields.data) : decode_file(fields.file));
        media.detail = detail_of(fields.resolution);
        message.parts.push_back({.body = std::move(media)});
        return {};
    }
    if (!fields.text && !fields.signature) {
        return wrong(part, "a part, such as {\"text\": \"…\"}");
    }
    return decode_text(fields, message);
}

Result<void> Decoder::decode_text(const PartFields& fields, llm::Message& message) {
    if (fields.text && !fields.text.is_string()) {
        return wrong(fields.text, "a string");
    }
    std::string text = fields.text.string_or("");
    Carried carried = read_carried(fields.signature.string_or(""));
    if (text.empty() && carried.signature.text.empty()) {
        return {};
    }
    const bool is_model = message.role == llm::Role::assistant;
    if (fields.thought.boolean().value_or(false)) {
        if (auto* const thought =
                is_model && !carried.redacted ? goes_on<llm::Reasoning>(message.parts) : nullptr) {
            thought->text += text;
            thought->signature = std::move(carried.signature);
            return {};
        }
        message.parts.push_back({.body = llm::Reasoning{.text = std::move(text),
                                                        .signature = std::move(carried.signature),
                                                        .redacted = carried.redacted,
                                                        .is_summary = !carried.redacted}});
        return {};
    }
    if (auto* const words = is_model ? goes_on<llm::Text>(message.parts) : nullptr) {
        words->text += text;
        words->signature = std::move(carried.signature);
    } else if (!text.empty()) {
        message.parts.push_back({.body = llm::Text{.text = std::move(text),
                                                   .citations = {},
                                                   .signature = std::move(carried.signature)}});
    }
    return {};
}

Result<void> Decoder::decode_call(const PartFields& fields, llm::Message& message) {
    const Value name = field(fields.call, "name");
    if (!name.is_string() || name.equals("")) {
        return wrong(fields.call, "a call with the 'name' of its function");
    }
    const Value arguments = field(fields.call, "args");
    if (arguments && !arguments.is_object()) {
        return wrong(arguments, "an object");
    }
    std::string id = field(fields.call, "id").string_or("");
    if (id.empty()) {
        id = fmt::format("call_{}", calls.size());
    }
    calls.push_back({.id = id, .name = *name.string(), .answered = false});
    message.parts.push_back(
        {.body =
             llm::ToolCall{.id = std::move(id),
                           .name = *name.string(),
                           .arguments = json::compacted(arguments.json()),
                           .signature = read_carried(fields.signature.string_or("")).signature}});
    return {};
}

Decoder::Call* Decoder::find_call(std::string_view id, std::string_view name) {
    // The latest with this id, since ids made without an answer's own may repeat.
    const auto same_id = std::find_if(
        calls.rbegin(), calls.rend(), [&](const Call& one) { return !id.empty() && one.id == id; });
    if (same_id != calls.rend()) {
        return &*same_id;
    }
    const auto same_name = std::find_if(calls.begin(), calls.end(), [&](const Call& one) {
        return !one.answered && one.name == name;
    });
    return same_name == calls.end() ? nullptr : &*same_name;
}

// {"result": …} and {"output": …} are how values that are no objects travel; {"error": …} tells of
// a failure.
std::vector<llm::Part> words_of(Value response, bool& is_error) {
    Value said = response;
    if (response.size() == 1) {
        const Value only = *response.begin();
        is_error = only.key() == "error";
        if (is_error || only.key() == "result" || only.key() == "output") {
            said = only;
        }
    }
    std::vector<llm::Part> words;
    std::string text = said.is_string() ? *said.string() : json::compacted(said.json());
    if (!text.empty()) {
        words.push_back({.body = llm::Text{.text = std::move(text)}});
    }
    return words;
}

Result<void> Decoder::decode_result(Value result, llm::Message& message) {
    const std::string name = field(result, "name").string_or("");
    Call* const answered = find_call(field(result, "id").string_or(""), name);
    if (answered == nullptr) {
        return wrong(result, "the result of a functionCall that stands before it");
    }
    answered->answered = true;
    const Value response = field(result, "response");
    if (response && !response.is_object()) {
        return wrong(response, "an object");
    }
    llm::ToolResult decoded{
        .call_id = answered->id, .name = answered->name, .content = {}, .is_error = false};
    decoded.content = words_of(response, decoded.is_error);
    for (const Value part : field(result, "parts")) {
        const Value data = field(part, "inlineData");
        if (!data) {
            return wrong(part, "a part with 'inlineData'");
        }
        WEIR_TRY(llm::Media media, decode_data(data));
        decoded.content.push_back({.body = std::move(media)});
    }
    message.parts.push_back({.body = std::move(decoded)});
    return {};
}

Result<llm::Media> Decoder::decode_data(Value data) {
    const Value mime = field(data, "mimeType");
    const Value bytes = field(data, "data");
    if (!mime.is_string() || !bytes.is_string()) {
        return wrong(data, "an object with 'mimeType' and 'data'");
    }
    return llm::Media{.kind = media_kind_of(*mime.string()),
                      .mime = *mime.string(),
                      .data = standard_base64(*bytes.string()),
                      .name = field(data, "displayName").string_or("")};
}

Result<llm::Media> Decoder::decode_file(Value file) {
    const Value uri = field(file, "fileUri");
    if (!uri.is_string() || uri.equals("")) {
        return wrong(file, "an object with 'fileUri'");
    }
    std::string mime = field(file, "mimeType").string_or("");
    return llm::Media{.kind = media_kind_of(mime),
                      .mime = std::move(mime),
                      .url = *uri.string(),
                      .name = field(file, "displayName").string_or("")};
}

}  // namespace

Failure wrong(Value value, std::string_view expected) {
    std::string path = value.path();
    return fail(Code::invalid_request, fmt::format("'{}' must be {}.", path, expected))
        .parameter(std::move(path));
}

Result<void> decode_contents(Value contents, llm::Call& call) {
    Decoder decoder{.call = call};
    for (const Value content : contents) {
        if (!content.is_object()) {
            return wrong(content, "an object with 'role' and 'parts'");
        }
        WEIR_TRY(decoder.decode_content(content));
    }
    return {};
}

Result<void> decode_system(Value instruction, llm::Call& call) {
    if (!instruction.is_object()) {
        return wrong(instruction, "an object with 'parts'");
    }
    llm::Message message{.role = llm::Role::system};
    for (const Value part : field(instruction, "parts")) {
        const Value text = field(part, "text");
        if (!text.is_string()) {
            return wrong(part, "a text");
        }
        if (!text.equals("")) {
            message.parts.push_back({.body = llm::Text{.text = *text.string()}});
        }
    }
    if (!message.parts.empty()) {
        call.messages.insert(call.messages.begin(), std::move(message));
    }
    return {};
}

}  // namespace weir::dialect::gemini
