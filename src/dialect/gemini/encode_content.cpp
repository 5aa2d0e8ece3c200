// The conversation of a request.
#include <fmt/format.h>

#include "dialect/gemini/encode.h"
#include "dialect/gemini/parts.h"

namespace weir::dialect::gemini {
namespace {

using llm::Role;

bool is_instruction(const llm::Message& message) {
    return message.role == Role::system || message.role == Role::developer;
}

// Gemini knows two roles; an instruction from the middle of a conversation is said by the user,
// where it stood.
bool is_model(const llm::Message& message) { return message.role == Role::assistant; }

struct Conversation {
    RequestEncoder& request;
    const llm::Call& call{request.call};
    json::Writer& json{request.json};
    json::Document document{};
    bool has_content = false;  // one is open
    bool content_is_model = false;
    bool has_call = false;  // in the content that is open
    std::size_t contents = 0;

    std::size_t write_instructions();
    Result<void> write_messages(std::size_t first);
    Result<std::size_t> write_results(std::size_t first);
    Result<void> write_message(std::size_t index);
    Result<void> write_part(const llm::Part& part, bool is_model, const std::string& path);
    void write_words(const llm::Text& text);
    Result<void> write_call_part(const llm::ToolCall& tool, const std::string& path);
    Result<void> write_result(const llm::ToolResult& result, const std::string& path);
    void write_response(const llm::ToolResult& result);
    std::string name_of(const llm::ToolResult& result) const;
    void begin_content(bool is_model);
    void end_content();
};

bool is_of_text(const llm::Message& message) {
    return std::all_of(message.parts.begin(), message.parts.end(), [](const llm::Part& part) {
        return llm::as<llm::Text>(part) != nullptr;
    });
}

// Leading instructions; how many messages that were. Where nothing else is said, the instructions
// are what there is to answer, since a request without contents is none.
std::size_t Conversation::write_instructions() {
    const auto& messages = call.messages;
    std::size_t count = 0;
    bool any = false;
    while (count < messages.size() && is_instruction(messages[count]) &&
           is_of_text(messages[count])) {
        for (const llm::Part& part : messages[count].parts) {
            any = any || !llm::as<llm::Text>(part)->text.empty();
        }
        ++count;
    }
    if (!any || count == messages.size()) {
        return any ? 0 : count;
    }
    json.key("systemInstruction").object().key("parts").array();
    for (std::size_t i = 0; i < count; ++i) {
        for (const llm::Part& part : messages[i].parts) {
            write_words(*llm::as<llm::Text>(part));
            if (part.cache.is_set) {
                request.drop("cache_control");
            }
        }
    }
    json.end_array().end_object();
    return count;
}

void Conversation::write_words(const llm::Text& text) {
    if (!text.text.empty()) {
        write_text(text.text, false, {}, json);
    }
}

void Conversation::begin_content(bool is_model) {
    if (has_content && content_is_model == is_model) {
        return;
    }
    end_content();
    has_content = true;
    content_is_model = is_model;
    has_call = false;
    ++contents;
    json.object().field("role", is_model ? "model" : "user").key("parts").array();
}

void Conversation::end_content() {
    if (has_content) {
        json.end_array().end_object();
    }
    has_content = false;
}

Result<void> Conversation::write_messages(std::size_t first) {
    json.key("contents").array();
    std::size_t results_until = first;
    for (std::size_t i = first; i < call.messages.size(); ++i) {
        // All results of a turn come first in it, also those of the messages that follow.
        if (!is_model(call.messages[i]) && i >= results_until) {
            WEIR_TRY(results_until, write_results(i));
        }
        WEIR_TRY(write_message(i));
    }
    end_content();
    json.end_array();
    if (contents == 0) {
        return cannot(message_path(call.from, 0), "a request that says nothing");
    }
    return {};
}

// The results in the run of the user's messages that begins at `first`; where the run ends.
Result<std::size_t> Conversation::write_results(std::size_t first) {
    std::size_t at = first;
    for (; at < call.messages.size() && !is_model(call.messages[at]); ++at) {
        const auto& parts = call.messages[at].parts;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            if (const auto* result = llm::as<llm::ToolResult>(parts[i])) {
                begin_content(false);
                WEIR_TRY(write_result(*result, part_path(call.from, at, i)));
            }
        }
    }
    return at;
}

Result<void> Conversation::write_message(std::size_t index) {
    const llm::Message& message = call.messages[index];
    if (!message.name.empty()) {
        request.drop("name");
    }
    for (std::size_t i = 0; i < message.parts.size(); ++i) {
        const llm::Part& part = message.parts[i];
        if (part.cache.is_set) {
            request.drop("cache_control");
        }
        WEIR_TRY(write_part(part, is_model(message), part_path(call.from, index, i)));
    }
    return {};
}

Result<void> Conversation::write_part(const llm::Part& part,
                                      bool is_model,
                                      const std::string& path) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        const bool is_own = text->signature.of == llm::Dialect::gemini;
        if (!text->text.empty()) {
            begin_content(is_model);
            write_text(text->text, false, is_own ? text->signature.text : "", json);
        }
        return {};
    }
    if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        if (!refusal->text.empty()) {
            begin_content(is_model);
            write_text(refusal->text, false, {}, json);
        }
        return {};
    }
    if (const auto* thought = llm::as<llm::Reasoning>(part)) {
        const llm::Signature& signature = thought->signature;
        if (signature.of == llm::Dialect::gemini && !signature.text.empty()) {
            begin_content(is_model);
            write_text(thought->text, true, signature.text, json);
        }
        return {};
    }
    if (const auto* media = llm::as<llm::Media>(part)) {
        begin_content(is_model);
        return request.write_media(*media, is_model, path);
    }
    if (const auto* tool = llm::as<llm::ToolCall>(part)) {
        begin_content(is_model);
        return write_call_part(*tool, path);
    }
    if (const auto* result = llm::as<llm::ToolResult>(part)) {
        // The result itself stands at the head of the turn; older models take its media here.
        for (const llm::Part& inner : result->content) {
            const auto* const media = llm::as<llm::Media>(inner);
            if (media != nullptr && !request.facts.takes_media_in_results) {
                WEIR_TRY(request.write_media(*media, false, path));
            }
        }
        return {};
    }
    const auto& opaque = *llm::as<llm::Opaque>(part);
    if (opaque.of != llm::Dialect::gemini) {
        return cannot(path, fmt::format("a part of type '{}'", opaque.type));
    }
    begin_content(is_model);
    json.raw(opaque.json);
    return {};
}

Result<void> Conversation::write_call_part(const llm::ToolCall& tool, const std::string& path) {
    if (!is_object(tool.arguments, document)) {
        return fail(Code::invalid_request,
                    fmt::format("The arguments of the tool call '{}' are no JSON object.",
                                tool.name))
            .parameter(path);
    }
    std::string_view signature;
    if (tool.signature.of == llm::Dialect::gemini) {
        signature = tool.signature.text;
    }
    // Of parallel calls Gemini signs the first only, and asks for that one only.
    if (signature.empty() && request.facts.wants_signatures && !has_call) {
        signature = kNoSignature;
    }
    has_call = true;
    write_call(tool.id, tool.name, tool.arguments, signature, json);
    return {};
}

// Results know the id of their call, Gemini wants the name of its function.
std::string Conversation::name_of(const llm::ToolResult& result) const {
    if (!result.name.empty()) {
        return result.name;
    }
    for (auto message = call.messages.rbegin(); message != call.messages.rend(); ++message) {
        for (const llm::Part& part : message->parts) {
            const auto* tool = llm::as<llm::ToolCall>(part);
            if (tool != nullptr && tool->id == result.call_id) {
                return tool->name;
            }
        }
    }
    return {};
}

Result<void> Conversation::write_result(const llm::ToolResult& result, const std::string& path) {
    const std::string name = name_of(result);
    if (name.empty()) {
        return fail(Code::invalid_request,
                    fmt::format("There is a result for the tool call '{}', but no such call before "
                                "it.",
                                result.call_id))
            .parameter(path);
    }
    json.object().key("functionResponse").object();
    json.field_unless_empty("id", result.call_id).field("name", name).key("response");
    write_response(result);
    bool any_media = false;
    for (const llm::Part& part : result.content) {
        if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            return cannot(path, fmt::format("a result with a part of type '{}'", opaque->type));
        }
        const auto* const media = llm::as<llm::Media>(part);
        if (media != nullptr && request.facts.takes_media_in_results) {
            if (!any_media) {
                json.key("parts").array();
            }
            any_media = true;
            WEIR_TRY(request.write_media(*media, false, path));
        }
    }
    if (any_media) {
        json.end_array();
    }
    json.end_object().end_object();
    return {};
}

// An object is the result as the function gave it; all else needs a name.
void Conversation::write_response(const llm::ToolResult& result) {
    std::vector<std::string_view> texts;
    for (const llm::Part& part : result.content) {
        if (const auto* text = llm::as<llm::Text>(part); text != nullptr && !text->text.empty()) {
            texts.push_back(text->text);
        }
    }
    bool is_list = false;
    if (texts.size() == 1 && !result.is_error) {
        if (const auto root = document.parse(texts[0], json::Duplicates::allowed)) {
            if (root->is_object()) {
                json.raw(texts[0]);
                return;
            }
            is_list = root->is_array();
        }
    }
    json.object().key(result.is_error ? "error" : "result");
    if (is_list) {
        json.raw(texts[0]);
    } else if (texts.size() <= 1) {
        json.string(texts.empty() ? std::string_view{} : texts[0]);
    } else {
        json.array();
        for (const std::string_view text : texts) {
            json.string(text);
        }
        json.end_array();
    }
    json.end_object();
}

std::string_view messages_field(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
        case llm::Dialect::anthropic:
        case llm::Dialect::bedrock:
            return "messages";
        case llm::Dialect::openai_responses:
            return "input";
        case llm::Dialect::gemini:
            return "contents";
    }
    std::unreachable();
}

}  // namespace

std::string message_path(llm::Dialect dialect, std::size_t message) {
    return fmt::format("{}[{}]", messages_field(dialect), message);
}

std::string part_path(llm::Dialect dialect, std::size_t message, std::size_t part) {
    return fmt::format("{}.{}[{}]",
                       message_path(dialect, message),
                       dialect == llm::Dialect::gemini ? "parts" : "content",
                       part);
}

Result<void> RequestEncoder::write_conversation() {
    Conversation conversation{.request = *this};
    const std::size_t first = conversation.write_instructions();
    return conversation.write_messages(first);
}

}  // namespace weir::dialect::gemini
