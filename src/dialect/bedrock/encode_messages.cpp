// The conversation: system, then turns that alternate.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/bedrock/encoder.h"

namespace weir::dialect::bedrock {
namespace {

// Claude's limit, and Nova's.
constexpr std::size_t kCachePointsMax = 4;
// Bedrock refuses blank texts, and a result without content.
constexpr std::string_view kNoOutput = "(no output)";

bool is_blank(std::string_view text) {
    return text.find_first_not_of(" \t\r\n\f\v") == std::string_view::npos;
}

bool is_result(const llm::Part& part) { return llm::as<llm::ToolResult>(part) != nullptr; }

// What is no id for Bedrock becomes one, the same each time: FNV-1a, which need not keep secrets.
std::string plain_id(std::string_view id) {
    if (is_plain_name(id)) {
        return std::string(id);
    }
    std::uint64_t hash = 0xcbf29ce484222325u;
    for (const char c : id) {
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
    }
    return fmt::format("call_{:016x}", hash);
}

}  // namespace

// Blank texts are left out before turns are made, so that what they stood between is one turn.
bool Encoder::is_sendable(const llm::Part& part) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        return !is_blank(text->text);
    }
    if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        return !is_blank(refusal->text);
    }
    if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
        // Thinking that nobody signed, or another provider, is refused.
        return facts_.signs_thinking && !reasoning->signature.text.empty() &&
               reasoning->signature.of == llm::Dialect::bedrock;
    }
    return true;
}

void Encoder::add_part(bool is_user, const llm::Part& part) {
    if (!is_sendable(part)) {
        return;
    }
    if (turns_.empty() || turns_.back().is_user != is_user) {
        turns_.push_back({.is_user = is_user, .results = 0, .parts = {}});
    }
    Turn& turn = turns_.back();
    if (is_result(part)) {
        turn.parts.insert(turn.parts.begin() + static_cast<std::ptrdiff_t>(turn.results++), &part);
    } else {
        turn.parts.push_back(&part);
    }
}

void Encoder::collect_turns() {
    for (const llm::Message& message : call_.messages) {
        const bool is_system =
            message.role == llm::Role::system || message.role == llm::Role::developer;
        if (!message.name.empty()) {
            drop("name");
        }
        for (const llm::Part& part : message.parts) {
            if (!is_system || !turns_.empty()) {
                // A system message further down stays where it is, in the user's turn: the front
                // would move the prefix that caches know.
                add_part(message.role != llm::Role::assistant, part);
            } else if (is_sendable(part)) {
                system_.push_back(&part);
            }
        }
    }
}

bool Encoder::holds_tool_parts() const {
    for (const Turn& turn : turns_) {
        for (const llm::Part* part : turn.parts) {
            if (is_result(*part) || llm::as<llm::ToolCall>(*part) != nullptr) {
                return true;
            }
        }
    }
    return false;
}

// Claude wants the thought that led to a call back before its result is given, or no thinking.
bool Encoder::is_in_tool_loop_without_thought() const {
    if (turns_.size() < 2 || turns_.back().results == 0) {
        return false;
    }
    const Turn& before = turns_[turns_.size() - 2];
    return llm::as<llm::Reasoning>(*before.parts.front()) == nullptr;
}

void Encoder::write_text(std::string_view text) { json_.object().field("text", text).end_object(); }

void Encoder::write_cache_point(const llm::CacheMark& mark) {
    if (!mark.is_set) {
        return;
    }
    if (!facts_.caches || cache_points_ == kCachePointsMax) {
        return drop("cache_control");
    }
    ++cache_points_;
    json_.object().key("cachePoint").object().field("type", "default");
    if (mark.for_an_hour && facts_.caches_for_hour) {
        json_.field("ttl", "1h");
    }
    json_.end_object().end_object();
}

Result<void> Encoder::write_system() {
    if (system_.empty()) {
        return {};
    }
    json_.key("system").array();
    for (const llm::Part* part : system_) {
        const auto* text = llm::as<llm::Text>(*part);
        if (text == nullptr) {
            return cannot(names_.messages, "anything but text from the system");
        }
        write_text(text->text);
        write_cache_point(part->cache);
    }
    json_.end_array();
    return {};
}

Result<void> Encoder::write_messages() {
    json_.key("messages").array();
    for (const Turn& turn : turns_) {
        json_.object().field("role", turn.is_user ? "user" : "assistant").key("content").array();
        for (const llm::Part* part : turn.parts) {
            WEIR_TRY(write_part(*part));
        }
        if (&turn == &turns_.back() && !turn.parts.back()->cache.is_set) {
            write_cache_point(call_.cache);
        }
        json_.end_array().end_object();
    }
    json_.end_array();
    return {};
}

Result<void> Encoder::write_part(const llm::Part& part) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        write_text(text->text);
    } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        write_text(refusal->text);
    } else if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
        write_reasoning(*reasoning);
        return {};  // no cache point may follow
    } else if (const auto* media = llm::as<llm::Media>(part)) {
        WEIR_TRY(write_media(*media));
    } else if (const auto* tool = llm::as<llm::ToolCall>(part)) {
        WEIR_TRY(write_tool_call(*tool));
    } else if (const auto* result = llm::as<llm::ToolResult>(part)) {
        WEIR_TRY(write_tool_result(*result));
    } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
        return cannot(names_.messages, fmt::format("a part of type '{}'", opaque->type));
    }
    write_cache_point(part.cache);
    return {};
}

void Encoder::write_reasoning(const llm::Reasoning& reasoning) {
    json_.object().key("reasoningContent").object();
    if (reasoning.redacted) {
        json_.field("redactedContent", reasoning.signature.text);
    } else {
        json_.key("reasoningText").object().field("text", reasoning.text);
        json_.field("signature", reasoning.signature.text).end_object();
    }
    json_.end_object().end_object();
}

Result<void> Encoder::write_tool_call(const llm::ToolCall& tool) {
    // Clients of OpenAI keep the arguments as a text of the model's, which may be anything.
    json::Document document;
    if (!tool.arguments.empty()) {
        const auto arguments = document.parse(tool.arguments, json::Duplicates::allowed);
        if (!arguments || !arguments->is_object()) {
            return fail(Code::invalid_request,
                        fmt::format("The arguments of the call of '{}' must be a JSON object.",
                                    tool.name))
                .parameter(std::string(names_.messages));
        }
    }
    ++calls_;
    std::string id = tool.id.empty() ? fmt::format("call_{}", calls_) : plain_id(tool.id);
    json_.object().key("toolUse").object();
    json_.field("toolUseId", id).field("name", tool.name);
    json_.raw_field("input", tool.arguments.empty() ? "{}" : tool.arguments);
    json_.end_object().end_object();
    if (tool.id.empty()) {
        nameless_.push_back({.name = tool.name, .id = std::move(id)});
    }
    return {};
}

// A result that names no call answers the oldest of its name that has none.
Result<std::string> Encoder::id_of(const llm::ToolResult& result) {
    if (!result.call_id.empty()) {
        return plain_id(result.call_id);
    }
    const auto waiting = std::find_if(nameless_.begin(), nameless_.end(), [&](const Nameless& one) {
        return one.name == result.name;
    });
    if (waiting == nameless_.end()) {
        return fail(Code::invalid_request,
                    fmt::format("The result of '{}' answers no call.", result.name))
            .parameter(std::string(names_.messages));
    }
    std::string id = std::move(waiting->id);
    nameless_.erase(waiting);
    return id;
}

Result<void> Encoder::write_tool_result(const llm::ToolResult& result) {
    WEIR_TRY(const std::string id, id_of(result));
    json_.object().key("toolResult").object().field("toolUseId", id).key("content").array();
    bool is_empty = true;
    for (const llm::Part& part : result.content) {
        if (part.cache.is_set) {
            drop("cache_control");  // a point may follow the result only
        }
        if (const auto* text = llm::as<llm::Text>(part)) {
            if (is_blank(text->text)) {
                continue;
            }
            write_text(text->text);
        } else if (const auto* media = llm::as<llm::Media>(part)) {
            if (media->kind == llm::MediaKind::audio) {
                return cannot(names_.messages, "audio in the result of a tool");
            }
            WEIR_TRY(write_media(*media));
        } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            return cannot(names_.messages, fmt::format("a part of type '{}'", opaque->type));
        } else {
            continue;
        }
        is_empty = false;
    }
    if (is_empty) {
        write_text(kNoOutput);
    }
    json_.end_array();
    if (result.is_error) {
        if (facts_.marks_errors) {
            json_.field("status", "error");
        } else {
            drop("is_error");  // its words say so
        }
    }
    json_.end_object().end_object();
    return {};
}

}  // namespace weir::dialect::bedrock
