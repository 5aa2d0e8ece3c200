// Tools, and which of them the model may or must call.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/anthropic/encode.h"

namespace weir::dialect::anthropic {
namespace {

using json::Writer;
using Mode = llm::ToolChoice::Mode;

constexpr std::string_view kNoArguments = R"({"type":"object","properties":{}})";
// Anthropic's own limit.
constexpr std::size_t kNameBytesMax = 128;

bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameBytesMax &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      c == '_' || c == '-';
           });
}

// The schema as it is, but for the type that Anthropic insists on and others take as understood.
Result<std::string> schema_of(const llm::Tool& tool, Outgoing& out) {
    if (tool.schema.empty()) {
        return std::string(kNoArguments);
    }
    const auto root = out.document.parse(tool.schema, json::Duplicates::allowed);
    if (!root || !root->is_object()) {
        return out.cannot("tools",
                          fmt::format("a tool ('{}') whose schema is no object", tool.name));
    }
    if (root->size() == 0) {
        return std::string(kNoArguments);
    }
    const std::string_view text = root->json();
    return (*root)["type"] ? std::string(text)
                           : fmt::format(R"({{"type":"object",{})", text.substr(1));
}

// The client may narrow the choice for one call without taking tools away.
bool is_offered(const llm::Tool& tool, const llm::ToolChoice& choice) {
    return choice.allowed.empty() ||
           std::find(choice.allowed.begin(), choice.allowed.end(), tool.name) !=
               choice.allowed.end();
}

Result<void> encode_tool(const llm::Tool& tool, Outgoing& out, Writer& json) {
    if (!tool.opaque_json.empty()) {
        if (tool.of != llm::Dialect::anthropic) {
            return out.cannot("tools", fmt::format("the tool '{}'", tool.name));
        }
        json.raw(tool.opaque_json);
        return {};
    }
    if (!is_name(tool.name)) {
        return out.cannot(
            "tools",
            fmt::format("a tool named '{}' (letters, digits, '_' and '-', at most {})",
                        tool.name,
                        kNameBytesMax));
    }
    WEIR_TRY(const std::string schema, schema_of(tool, out));
    json.object().field("name", tool.name).field_unless_empty("description", tool.description);
    json.raw_field("input_schema", schema);
    if (tool.strict.value_or(false)) {
        if (out.facts.takes_json_schema) {
            json.field("strict", true);
        } else {
            out.drop("strict");
        }
    }
    write_cache_mark(tool.cache, json);
    json.end_object();
    return {};
}

Result<void> encode_choice(Outgoing& out, Writer& json) {
    const llm::ToolChoice& choice = out.call.tool_choice;
    const bool is_forced = choice.mode == Mode::required || choice.mode == Mode::named;
    if (is_forced && !out.facts.can_be_forced) {
        return out.cannot("tool_choice", "a tool that must be called");
    }
    const bool one_at_a_time = !choice.parallel.value_or(true) && choice.mode != Mode::none;
    if (choice.mode == Mode::unset && !one_at_a_time) {
        return {};
    }
    json.key("tool_choice").object();
    switch (choice.mode) {
        case Mode::unset:
        case Mode::automatic:
            json.field("type", "auto");
            break;
        case Mode::none:
            json.field("type", "none");
            break;
        case Mode::required:
            json.field("type", "any");
            break;
        case Mode::named:
            json.field("type", "tool").field("name", choice.name);
            break;
    }
    if (one_at_a_time) {
        json.field("disable_parallel_tool_use", true);
    }
    json.end_object();
    return {};
}

}  // namespace

Result<void> encode_tools(Outgoing& out, Writer& json) {
    const llm::ToolChoice& choice = out.call.tool_choice;
    bool has_tools = false;
    for (const llm::Tool& tool : out.call.tools) {
        if (!is_offered(tool, choice)) {
            continue;
        }
        if (!has_tools) {
            has_tools = true;
            json.key("tools").array();
        }
        WEIR_TRY(encode_tool(tool, out, json));
    }
    if (has_tools) {
        json.end_array();
        return encode_choice(out, json);
    }
    if (choice.mode == Mode::required || choice.mode == Mode::named) {
        return out.cannot("tool_choice", "a tool that must be called, and no tools");
    }
    return {};
}

}  // namespace weir::dialect::anthropic
