#include "dialect/answer_tool.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/json/document.h"

namespace weir::dialect {
namespace {

using Mode = llm::ToolChoice::Mode;

constexpr std::string_view kDescription =
    "Gives your answer to the user. Call it once, with the whole answer, when no other tool is "
    "needed.";
constexpr std::string_view kAnyObject = R"({"type":"object"})";

// What a tool takes: the root is an object, and says so.
Result<std::string> object_schema(std::string_view schema, std::string_view field) {
    json::Document document;
    const auto root = document.parse(schema, json::Duplicates::allowed);
    const json::Value type = root ? (*root)["type"] : json::Value{};
    if (!root || !root->is_object() || (type && !type.equals("object"))) {
        return fail(Code::invalid_request,
                    "This model cannot take a JSON schema whose root is no object; put it into a "
                    "property of an object, or ask another model.")
            .parameter(std::string(field));
    }
    if (root->size() == 0) {
        return std::string(kAnyObject);
    }
    const std::string_view text = root->json();
    return type ? std::string(text) : fmt::format(R"({{"type":"object",{})", text.substr(1));
}

}  // namespace

bool is_beside_tools(const llm::Call& call) {
    const Mode mode = call.tool_choice.mode;
    return !call.tools.empty() && (mode == Mode::unset || mode == Mode::automatic);
}

Result<llm::Call> with_answer_tool(const llm::Call& call, std::string_view field) {
    const bool has_name =
        std::any_of(call.tools.begin(), call.tools.end(), [](const llm::Tool& tool) {
            return tool.name == kAnswerTool;
        });
    if (has_name) {
        return fail(Code::invalid_request,
                    fmt::format("The tool name '{}' is reserved; give the tool another.",
                                kAnswerTool))
            .parameter("tools");
    }
    llm::Call asked = call;  // with its pictures: only for models that few still ask
    asked.format = {};
    const Mode mode = call.tool_choice.mode;
    if (!call.tools.empty() && (mode == Mode::required || mode == Mode::named)) {
        return asked;
    }
    WEIR_TRY(std::string schema, object_schema(call.format.schema, field));
    std::string description(kDescription);
    if (!call.format.description.empty()) {
        description += ' ';
        description += call.format.description;
    }
    asked.tools.push_back({.name = std::string(kAnswerTool),
                           .description = std::move(description),
                           .schema = std::move(schema)});
    if (is_beside_tools(call)) {
        asked.tool_choice.mode = Mode::required;
        if (!asked.tool_choice.allowed.empty()) {
            asked.tool_choice.allowed.emplace_back(kAnswerTool);
        }
    } else {
        asked.tool_choice = {.mode = Mode::named, .name = std::string(kAnswerTool)};
    }
    return asked;
}

}  // namespace weir::dialect
