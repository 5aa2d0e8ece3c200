// A request of a client, taken apart for a provider that speaks another dialect.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Value;

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

// What one provider keeps, no other can look up.
constexpr std::array<std::string_view, 3> kKeptElsewhere = {
    "previous_response_id", "conversation", "prompt"};

Result<llm::Tool> decode_tool(Value tool) {
    auto type = tool["type"].string();
    if (!type) {
        return wrong(tool, "a tool with its 'type'");
    }
    if (*type != "function") {
        return llm::Tool{
            .name = std::move(*type), .opaque_json = std::string(tool.json()), .of = kOwn};
    }
    auto name = tool["name"].string();
    if (!name || name->empty()) {
        return wrong(tool, "a function with its 'name'");
    }
    const Value parameters = tool["parameters"];
    if (parameters.has_value() && !parameters.is_object()) {
        return wrong(parameters, "a JSON schema (an object)");
    }
    return llm::Tool{.name = std::move(*name),
                     .description = tool["description"].string_or(""),
                     .schema = std::string(parameters.is_object() ? parameters.json() : ""),
                     .strict = tool["strict"].boolean()};
}

Result<void> decode_tool_choice(Value choice, llm::ToolChoice& into) {
    using Mode = llm::ToolChoice::Mode;
    constexpr std::string_view kExpected = "auto, none, required, a function or allowed_tools";
    if (choice.equals("auto")) {
        into.mode = Mode::automatic;
    } else if (choice.equals("none")) {
        into.mode = Mode::none;
    } else if (choice.equals("required")) {
        into.mode = Mode::required;
    } else if (choice["type"].equals("function") && choice["name"].is_string()) {
        into.mode = Mode::named;
        into.name = *choice["name"].string();
    } else if (choice["type"].equals("allowed_tools")) {
        into.mode = choice["mode"].equals("required") ? Mode::required : Mode::automatic;
        for (const Value tool : choice["tools"]) {
            if (!tool["type"].equals("function") || !tool["name"].is_string()) {
                return wrong(tool, "a function of yours, for this model");
            }
            into.allowed.push_back(*tool["name"].string());
        }
    } else {
        return wrong(choice, kExpected);
    }
    return {};
}

Result<void> decode_text(Value text, llm::Call& call) {
    using Kind = llm::OutputFormat::Kind;
    call.verbosity = text["verbosity"].string_or("");
    const Value format = text["format"];
    if (!format.has_value()) {
        return {};
    }
    if (format["type"].equals("text")) {
        call.format.kind = Kind::text;
    } else if (format["type"].equals("json_object")) {
        call.format.kind = Kind::json_object;
    } else if (format["type"].equals("json_schema")) {
        if (!format["schema"].is_object()) {
            return wrong(format, "a json_schema with its 'schema'");
        }
        call.format = {.kind = Kind::json_schema,
                       .name = format["name"].string_or(""),
                       .description = format["description"].string_or(""),
                       .schema = std::string(format["schema"].json()),
                       .strict = format["strict"].boolean()};
    } else {
        return wrong(format, "text, json_object or json_schema");
    }
    return {};
}

std::optional<llm::Effort> read_effort(std::string_view word) {
    static constexpr std::array<std::string_view, 7> kWords = {
        "none", "minimal", "low", "medium", "high", "xhigh", "max"};
    const auto* const found = std::find(kWords.begin(), kWords.end(), word);
    return found == kWords.end() ? std::nullopt
                                 : std::optional(static_cast<llm::Effort>(found - kWords.begin()));
}

Result<void> decode_reasoning_wish(Value reasoning, llm::Thinking& into) {
    if (const Value effort = reasoning["effort"]; effort.has_value()) {
        into.effort = read_effort(effort.string_or(""));
        if (!into.effort) {
            return wrong(effort, "none, minimal, low, medium, high, xhigh or max");
        }
        into.mode =
            *into.effort == llm::Effort::none ? llm::Thinking::Mode::off : llm::Thinking::Mode::on;
    }
    into.summary = reasoning["summary"].string_or(reasoning["generate_summary"].string_or(""));
    into.include_text = !into.summary.empty();
    return {};
}

template <class Number>
Result<void> decode_number(Value value, std::optional<Number>& into) {
    if constexpr (std::is_integral_v<Number>) {
        into = value.integer();
        return into ? Result<void>{} : wrong(value, "a whole number");
    } else {
        into = value.number();
        return into ? Result<void>{} : wrong(value, "a number");
    }
}

void keep_unknown(Value field, llm::Call& call) {
    call.unknown.push_back({.name = std::string(field.key()), .json = std::string(field.json())});
}

// What else an answer is to hold: two of them have a meaning in other dialects, too.
void decode_include(Value include, llm::Call& call) {
    bool has_more = false;
    for (const Value word : include) {
        if (word.equals("message.output_text.logprobs")) {
            call.logprobs = true;
        } else if (!word.equals("reasoning.encrypted_content")) {  // a seal is always given
            has_more = true;
        }
    }
    if (has_more) {
        keep_unknown(include, call);
    }
}

Result<void> decode_tools(Value tools, llm::Call& call) {
    for (const Value tool : tools) {
        WEIR_TRY(auto decoded, decode_tool(tool));
        call.tools.push_back(std::move(decoded));
    }
    return {};
}

// One member of the body that is not null.
Result<void> decode_field(Value field, llm::Call& call) {
    const std::string_view key = field.key();
    if (key == "tools") {
        return decode_tools(field, call);
    }
    if (key == "tool_choice") {
        return decode_tool_choice(field, call.tool_choice);
    }
    if (key == "parallel_tool_calls") {
        call.tool_choice.parallel = field.boolean();
    } else if (key == "text") {
        return decode_text(field, call);
    } else if (key == "reasoning") {
        return decode_reasoning_wish(field, call.thinking);
    } else if (key == "temperature") {
        return decode_number(field, call.temperature);
    } else if (key == "top_p") {
        return decode_number(field, call.top_p);
    } else if (key == "top_logprobs") {
        return decode_number(field, call.top_logprobs);
    } else if (key == "include") {
        decode_include(field, call);
    } else if (key == "service_tier") {
        call.service_tier = field.string_or("");
    } else if (key == "user" || key == "safety_identifier") {
        call.user = field.string_or("");
    } else if (key != "model" && key != "stream" && key != "input" && key != "instructions" &&
               key != "max_output_tokens") {
        keep_unknown(field, call);
    }
    return {};
}

Result<void> decode_instructions(Value instructions, llm::Call& call) {
    if (!instructions.has_value()) {
        return {};
    }
    auto text = instructions.string();
    if (!text) {
        return wrong(instructions, "a string");
    }
    if (!text->empty()) {
        call.messages.push_back({.role = llm::Role::system});
        call.messages.back().parts.push_back({.body = llm::Text{.text = std::move(*text)}});
    }
    return {};
}

}  // namespace

Result<llm::Call> decode_request(const Request& request, std::string_view body) {
    json::Document document;
    WEIR_TRY(const Value root, document.parse(body, json::Duplicates::refused));
    for (const std::string_view key : kKeptElsewhere) {
        if (root[key].has_value()) {
            return fail(Code::invalid_request,
                        fmt::format("'{}' names what another provider keeps; this model needs the "
                                    "whole conversation as 'input'.",
                                    key))
                .parameter(std::string(key));
        }
    }
    llm::Call call{.from = kOwn,
                   .model = request.model,
                   .stream = request.stream,
                   .max_output_tokens = request.max_output_tokens};
    WEIR_TRY(decode_instructions(root["instructions"], call));
    WEIR_TRY(decode_input(root["input"], call.messages));
    for (const Value field : root) {
        if (field.has_value()) {
            WEIR_TRY(decode_field(field, call));
        }
    }
    return call;
}

}  // namespace weir::dialect::openai_responses
