// Turns into JSON: a content block for every part, or a refusal that names what cannot be said.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/anthropic/encode.h"

namespace weir::dialect::anthropic {
namespace {

using json::Writer;
using llm::Part;
using llm::Role;

bool is_id_character(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
}

// Anthropic takes letters, digits, '_' and '-'. Others' ids may have more in them; what becomes of
// them is told apart by a sum over the original.
std::string tool_id(std::string_view id) {
    std::string safe(id);
    if (std::all_of(id.begin(), id.end(), is_id_character)) {
        return safe;
    }
    std::replace_if(safe.begin(), safe.end(), [](char c) { return !is_id_character(c); }, '_');
    std::uint32_t sum = 2166136261u;  // FNV-1a
    for (const char c : id) {
        sum = (sum ^ static_cast<unsigned char>(c)) * 16777619u;
    }
    return fmt::format("{}_{:08x}", safe, sum);
}

class Blocks {
public:
    Blocks(Outgoing& out, Writer& json) : out_(out), json_(json) {}

    Result<void> turn(const Turn& turn, bool is_last) {
        static constexpr std::string_view kRoles[] = {"system", "system", "user", "assistant"};
        json_.object().field("role", kRoles[static_cast<std::size_t>(turn.role)]);
        json_.key("content").array();
        for (const Part* one : turn.parts) {
            const bool is_begun =
                is_last && turn.role == Role::assistant && one == turn.parts.back();
            current_ = one;
            WEIR_TRY(part(*one, turn.role, is_begun));
        }
        json_.end_array().end_object();
        return {};
    }

    Result<void> system(const Part& part) {
        current_ = &part;
        const auto* text = llm::as<llm::Text>(part);
        if (text == nullptr) {
            return cannot("a system message that is not text");
        }
        write_text(text->text, part.cache);
        return {};
    }

private:
    Failure cannot(std::string_view what) const {
        return out_.cannot(place_of(*current_, out_.call), what);
    }

    // `is_begun`: the model goes on from here; white space at the end would be refused.
    Result<void> part(const Part& part, Role role, bool is_begun) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            write_text_part(*text, part.cache, is_begun);
            return {};
        }
        if (const auto* refusal = llm::as<llm::Refusal>(part)) {
            write_text(refusal->text, part.cache);
            return {};
        }
        if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
            write_thought(*reasoning);
            return {};
        }
        if (const auto* media = llm::as<llm::Media>(part)) {
            return role == Role::user ? encode_media(*media, part.cache, *current_, out_, json_)
                                      : cannot("a picture or file that is not the user's");
        }
        if (const auto* tool = llm::as<llm::ToolCall>(part)) {
            return role == Role::assistant ? write_call(*tool, part.cache)
                                           : cannot("a tool call that is not the assistant's");
        }
        if (const auto* result = llm::as<llm::ToolResult>(part)) {
            return role == Role::user ? write_result(*result, part.cache)
                                      : cannot("a tool's result that is not in the user's turn");
        }
        return write_opaque(std::get<llm::Opaque>(part.body));
    }

    void write_text(std::string_view text, const llm::CacheMark& cache) {
        json_.object().field("type", "text").field("text", text);
        write_cache_mark(cache, json_);
        json_.end_object();
    }

    void write_text_part(const llm::Text& text, const llm::CacheMark& cache, bool is_begun) {
        std::string_view words = text.text;
        if (is_begun) {
            words = without_blank_end(words);
        }
        json_.object().field("type", "text").field("text", words);
        bool has_citations = false;
        for (const llm::Citation& citation : text.citations) {
            if (citation.of != llm::Dialect::anthropic) {
                continue;  // places in others' texts mean nothing here
            }
            if (!has_citations) {
                has_citations = true;
                json_.key("citations").array();
            }
            json_.raw(citation.json);
        }
        if (has_citations) {
            json_.end_array();
        }
        write_cache_mark(cache, json_);
        json_.end_object();
    }

    // Only signed ones come here. They take no cache mark.
    void write_thought(const llm::Reasoning& reasoning) {
        json_.object();
        if (reasoning.redacted) {
            json_.field("type", "redacted_thinking").field("data", reasoning.signature.text);
        } else {
            json_.field("type", "thinking").field("thinking", reasoning.text);
            json_.field("signature", reasoning.signature.text);
        }
        json_.end_object();
    }

    Result<void> write_call(const llm::ToolCall& tool, const llm::CacheMark& cache) {
        std::string_view arguments = "{}";
        if (!tool.arguments.empty()) {
            arguments = tool.arguments;
        }
        const auto root = out_.document.parse(arguments, json::Duplicates::allowed);
        if (!root || !root->is_object()) {
            return cannot(
                fmt::format("arguments of the tool call '{}' that are no JSON object", tool.name));
        }
        json_.object().field("type", "tool_use").field("id", tool_id(tool.id));
        json_.field("name", tool.name).raw_field("input", arguments);
        write_cache_mark(cache, json_);
        json_.end_object();
        return {};
    }

    Result<void> write_result(const llm::ToolResult& result, const llm::CacheMark& cache) {
        json_.object().field("type", "tool_result");
        json_.field("tool_use_id", tool_id(result.call_id));
        json_.key("content").array();
        for (const Part& inner : result.content) {
            const auto* text = llm::as<llm::Text>(inner);
            const bool is_empty = text != nullptr && text->text.empty();
            if (is_empty || llm::as<llm::Reasoning>(inner) != nullptr) {
                continue;
            }
            WEIR_TRY(part(inner, Role::user, false));
        }
        json_.end_array();
        if (result.is_error) {
            json_.field("is_error", true);
        }
        write_cache_mark(cache, json_);
        json_.end_object();
        return {};
    }

    Result<void> write_opaque(const llm::Opaque& opaque) {
        if (opaque.of != llm::Dialect::anthropic) {
            return cannot(fmt::format("a part of type '{}'", opaque.type));
        }
        json_.raw(opaque.json);
        return {};
    }

    Outgoing& out_;
    Writer& json_;
    const Part* current_ = nullptr;  // of the call's own
};

}  // namespace

void write_cache_mark(const llm::CacheMark& mark, Writer& json) {
    if (mark.is_set) {
        json.key("cache_control").object().field("type", "ephemeral");
        if (mark.for_an_hour) {
            json.field("ttl", "1h");
        }
        json.end_object();
    }
}

Result<void> encode_conversation(const Conversation& conversation, Outgoing& out, Writer& json) {
    if (conversation.turns.empty()) {
        return fail(Code::invalid_request,
                    "There is nothing to answer: this model needs a message of the user.")
            .parameter(std::string(words_of(out.call.from).messages));
    }
    Blocks blocks(out, json);
    if (!conversation.system.empty()) {
        json.key("system").array();
        for (const Part* part : conversation.system) {
            WEIR_TRY(blocks.system(*part));
        }
        json.end_array();
    }
    json.key("messages").array();
    for (const Turn& turn : conversation.turns) {
        WEIR_TRY(blocks.turn(turn, &turn == &conversation.turns.back()));
    }
    json.end_array();
    return {};
}

}  // namespace weir::dialect::anthropic
