// Tools and which of them the model may or must call.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/bedrock/encoder.h"

namespace weir::dialect::bedrock {
namespace {

using Mode = llm::ToolChoice::Mode;

constexpr std::string_view kAnySchema = R"({"type":"object","properties":{}})";

bool is_allowed(const llm::ToolChoice& choice, std::string_view name) {
    return choice.allowed.empty() ||
           std::find(choice.allowed.begin(), choice.allowed.end(), name) != choice.allowed.end();
}

std::string_view anthropic_word(Mode mode) {
    return mode == Mode::required ? "any" : mode == Mode::named ? "tool" : "auto";
}

}  // namespace

Result<void> Encoder::write_tool(const llm::Tool& tool) {
    if (!tool.opaque_json.empty()) {
        return cannot(names_.tools, fmt::format("the tool '{}'", tool.name));
    }
    if (!is_plain_name(tool.name)) {
        return fail(Code::invalid_request,
                    fmt::format("The name of the tool '{}' must have 1 to 64 letters, digits, '_' "
                                "or '-' for this model.",
                                tool.name))
            .parameter(std::string(names_.tools));
    }
    json_.object().key("toolSpec").object().field("name", tool.name);
    json_.field_unless_empty("description", tool.description);
    json_.key("inputSchema").object();
    json_.raw_field("json", tool.schema.empty() ? kAnySchema : tool.schema).end_object();
    if (tool.strict.value_or(false)) {
        if (facts_.has_strict_tools) {
            json_.field("strict", true);
        } else {
            drop("strict");
        }
    }
    json_.end_object().end_object();
    if (tool.cache.is_set && !facts_.caches_tools) {
        drop("cache_control");
    } else {
        write_cache_point(tool.cache);
    }
    return {};
}

// Bedrock refuses a conversation that holds calls where no tools are declared.
void Encoder::write_tools_of_history() {
    std::vector<std::string_view> names;
    for (const Turn& turn : turns_) {
        for (const llm::Part* part : turn.parts) {
            const auto* tool = llm::as<llm::ToolCall>(*part);
            if (tool != nullptr &&
                std::find(names.begin(), names.end(), tool->name) == names.end()) {
                names.push_back(tool->name);
            }
        }
    }
    if (names.empty()) {
        return;
    }
    json_.key("toolConfig").object().key("tools").array();
    for (const std::string_view name : names) {
        json_.object().key("toolSpec").object().field("name", name).key("inputSchema").object();
        json_.raw_field("json", kAnySchema).end_object().end_object().end_object();
    }
    json_.end_array().end_object();
}

Result<void> Encoder::write_tools() {
    const llm::ToolChoice& choice = call_.tool_choice;
    if (choice.mode == Mode::none && holds_tool_parts()) {
        // Tools would have to be declared, and nothing could keep the model from calling them.
        return cannot(names_.tool_choice,
                      "the choice of no tool while the conversation holds calls");
    }
    if (call_.tools.empty()) {
        write_tools_of_history();
        return {};
    }
    if (choice.mode == Mode::none) {
        return {};
    }
    // Where a certain tool cannot be named, it is the only one.
    const bool is_only_one =
        choice.mode == Mode::named && facts_.forcing != ModelFacts::Forcing::named;
    json_.key("toolConfig").object().key("tools").array();
    bool is_any = false;
    for (const llm::Tool& tool : call_.tools) {
        if (is_allowed(choice, tool.name) && (!is_only_one || tool.name == choice.name)) {
            WEIR_TRY(write_tool(tool));
            is_any = true;
        }
    }
    if (!is_any) {
        return fail(Code::invalid_request,
                    fmt::format("'{}' allows none of the tools.", names_.tool_choice))
            .parameter(std::string(names_.tool_choice));
    }
    json_.end_array();
    WEIR_TRY(write_tool_choice());
    json_.end_object();
    return {};
}

Result<void> Encoder::write_tool_choice() {
    const llm::ToolChoice& choice = call_.tool_choice;
    if (is_forced() && facts_.forcing == ModelFacts::Forcing::none) {
        return cannot(names_.tool_choice, "the wish that it calls a tool");
    }
    if (choice.parallel == false) {
        if (facts_.family == ModelFacts::Family::claude) {
            // Converse has no word for it: Anthropic's own choice, in place of Converse's.
            extra_.key("tool_choice").object().field("type", anthropic_word(choice.mode));
            if (choice.mode == Mode::named) {
                extra_.field("name", choice.name);
            }
            extra_.field("disable_parallel_tool_use", true).end_object();
            return {};
        }
        drop("parallel_tool_calls");
    }
    if (!is_forced()) {
        return {};  // a model decides by itself unless told otherwise
    }
    json_.key("toolChoice").object();
    if (choice.mode == Mode::named && facts_.forcing == ModelFacts::Forcing::named) {
        json_.key("tool").object().field("name", choice.name).end_object();
    } else {
        json_.key("any").object().end_object();
    }
    json_.end_object();
    return {};
}

}  // namespace weir::dialect::bedrock
