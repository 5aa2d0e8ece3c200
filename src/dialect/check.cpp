#include "dialect/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/base64.h"
#include "dialect/json/document.h"

namespace weir::dialect {
namespace {

struct Checker {
    const llm::Call& call;
    std::set<std::string_view> calls{};
    json::Document document{};

    Failure wrong(std::string message) const {
        return fail(Code::invalid_request, std::move(message))
            .parameter(std::string(messages_field(call.from)));
    }

    Result<void> check_part(const llm::Part& part) {
        if (const auto* media = llm::as<llm::Media>(part)) {
            if (!media->is_plain_text && !is_base64(media->data, Base64::standard)) {
                return wrong("An image or file is not valid base64.");
            }
        } else if (const auto* tool = llm::as<llm::ToolCall>(part)) {
            calls.insert(tool->id);
            return check_arguments(*tool);
        } else if (const auto* result = llm::as<llm::ToolResult>(part)) {
            if (!calls.contains(result->call_id)) {
                return wrong(fmt::format(
                    "There is a result for the tool call '{}', but no such call before it.",
                    result->call_id));
            }
            for (const llm::Part& inner : result->content) {
                WEIR_TRY(check_part(inner));
            }
        }
        return {};
    }

    Result<void> check_arguments(const llm::ToolCall& tool) {
        if (tool.arguments.empty()) {
            return {};
        }
        const auto root = document.parse(tool.arguments, json::Duplicates::allowed);
        if (!root || !root->is_object()) {
            return wrong(
                fmt::format("The arguments of the tool call '{}' are no JSON object.", tool.name));
        }
        return {};
    }
};

}  // namespace

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

Result<void> check(const llm::Call& call) {
    Checker checker{.call = call};
    bool has_content = false;
    for (const llm::Message& message : call.messages) {
        has_content =
            has_content || (message.role != llm::Role::system &&
                            message.role != llm::Role::developer && !message.parts.empty());
        for (const llm::Part& part : message.parts) {
            WEIR_TRY(checker.check_part(part));
        }
    }
    if (!has_content) {
        return checker.wrong("There is nothing to answer: no message has any content.");
    }
    std::set<std::string_view> names;
    for (const llm::Tool& tool : call.tools) {
        if (tool.opaque_json.empty() && !names.insert(tool.name).second) {
            return fail(Code::invalid_request,
                        fmt::format("Two tools have the name '{}'.", tool.name))
                .parameter("tools");
        }
    }
    const llm::ToolChoice& choice = call.tool_choice;
    if (choice.mode == llm::ToolChoice::Mode::named && !names.contains(choice.name)) {
        return fail(Code::invalid_request,
                    fmt::format("The tool '{}' is to be called, but there is none of that name.",
                                choice.name))
            .parameter("tool_choice");
    }
    return {};
}

}  // namespace weir::dialect
