// A client's request, taken apart for a provider that speaks another dialect.
#include <fmt/format.h>

#include <array>

#include "dialect/anthropic/codec.h"

namespace weir::dialect::anthropic {
namespace {

using json::Value;

template <class Number>
Result<void> decode_number(Value field, std::optional<Number>& into) {
    if (!field.has_value()) {
        return {};
    }
    if constexpr (std::is_integral_v<Number>) {
        into = field.integer();
    } else {
        into = field.number();
    }
    return into ? Result<void>{}
                : wrong(field, std::is_integral_v<Number> ? "a whole number" : "a number");
}

// `system` comes first, whatever its place in the body.
Result<void> decode_system(Value system, llm::Call& call) {
    if (!system.has_value()) {
        return {};
    }
    llm::Message message{.role = llm::Role::system};
    WEIR_TRY(decode_content(system, Origin::client, message.parts));
    if (!message.parts.empty()) {
        call.messages.push_back(std::move(message));
    }
    return {};
}

Result<llm::Message> decode_message(Value message) {
    llm::Message decoded;
    const Value role = message["role"];
    if (role.equals("user")) {
        decoded.role = llm::Role::user;
    } else if (role.equals("assistant")) {
        decoded.role = llm::Role::assistant;
    } else if (role.equals("system")) {  // newer models take one in mid-conversation
        decoded.role = llm::Role::system;
    } else {
        return wrong(role ? role : message,
                     role ? "user, assistant or system" : "a message with its 'role'");
    }
    const Value content = message["content"];
    if (!content) {
        return wrong(message, "a message with its 'content'");
    }
    WEIR_TRY(decode_content(content, Origin::client, decoded.parts));
    return decoded;
}

Result<llm::Tool> decode_tool(Value tool) {
    const Value type = tool["type"];
    if (type.is_string() && !type.equals("custom")) {
        return llm::Tool{.name = tool["name"].string_or(type.string_or("")),
                         .opaque_json = std::string(tool.json()),
                         .of = llm::Dialect::anthropic};
    }
    const auto name = tool["name"].string();
    if (!name || name->empty()) {
        return wrong(tool, "a tool with its 'name'");
    }
    const Value schema = tool["input_schema"];
    if (!schema.is_object()) {
        return wrong(schema ? schema : tool, "a tool with its 'input_schema', a JSON schema");
    }
    return llm::Tool{.name = *name,
                     .description = tool["description"].string_or(""),
                     .schema = std::string(schema.json()),
                     .strict = tool["strict"].boolean(),
                     .cache = decode_cache_mark(tool)};
}

Result<void> decode_tool_choice(Value choice, llm::ToolChoice& into) {
    using Mode = llm::ToolChoice::Mode;
    if (!choice.has_value()) {
        return {};
    }
    const Value type = choice["type"];
    if (type.equals("auto")) {
        into.mode = Mode::automatic;
    } else if (type.equals("any")) {
        into.mode = Mode::required;
    } else if (type.equals("none")) {
        into.mode = Mode::none;
    } else if (auto name = choice["name"].string(); name && type.equals("tool")) {
        into.mode = Mode::named;
        into.name = std::move(*name);
    } else {
        return wrong(choice, "auto, any, none or a tool with its 'name', by 'type'");
    }
    if (const auto one_at_a_time = choice["disable_parallel_tool_use"].boolean()) {
        into.parallel = !*one_at_a_time;
    }
    return {};
}

Result<void> decode_thinking(Value thinking, llm::Thinking& into) {
    using Mode = llm::Thinking::Mode;
    if (!thinking.has_value()) {
        return {};
    }
    const Value type = thinking["type"];
    if (!type.is_string()) {
        return wrong(thinking, "an object with a 'type'");
    }
    WEIR_TRY(decode_number(thinking["budget_tokens"], into.budget_tokens));
    into.mode = type.equals("disabled")   ? Mode::off
                : type.equals("adaptive") ? Mode::adaptive
                                          : Mode::on;  // enabled, and what comes after it
    into.include_text = into.mode != Mode::off && !thinking["display"].equals("omitted");
    return {};
}

Result<void> decode_effort(Value effort, llm::Thinking& into) {
    static constexpr std::array<std::string_view, 5> kWords = {
        "low", "medium", "high", "xhigh", "max"};
    if (!effort.has_value()) {
        return {};
    }
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        if (effort.equals(kWords[i])) {
            into.effort = static_cast<llm::Effort>(static_cast<std::size_t>(llm::Effort::low) + i);
            return {};
        }
    }
    return wrong(effort, "low, medium, high, xhigh or max");
}

Result<void> decode_format(Value format, llm::OutputFormat& into) {
    if (!format.has_value()) {
        return {};
    }
    const Value schema = format["schema"];
    if (!format["type"].equals("json_schema") || !schema.is_object()) {
        return wrong(format, "of type json_schema, with its 'schema'");
    }
    into = {.kind = llm::OutputFormat::Kind::json_schema,
            .schema = std::string(schema.json()),
            .strict = true};  // it has no other way
    return {};
}

Result<void> decode_stop(Value stop, std::vector<std::string>& into) {
    if (stop.has_value() && !stop.is_array()) {
        return wrong(stop, "an array of strings");
    }
    for (const Value word : stop) {
        auto text = word.string();
        if (!text) {
            return wrong(word, "a string");
        }
        into.push_back(std::move(*text));
    }
    return {};
}

Result<void> decode_tools(Value tools, llm::Call& call) {
    if (tools.has_value() && !tools.is_array()) {
        return wrong(tools, "an array of tools");
    }
    for (const Value tool : tools) {
        WEIR_TRY(auto decoded, decode_tool(tool));
        call.tools.push_back(std::move(decoded));
    }
    return {};
}

Result<void> decode_messages(Value messages, llm::Call& call) {
    for (const Value message : messages) {
        WEIR_TRY(auto decoded, decode_message(message));
        call.messages.push_back(std::move(decoded));
    }
    return {};
}

void keep(Value field, llm::Call& call) {
    if (field.has_value()) {
        call.unknown.push_back(
            {.name = std::string(field.key()), .json = std::string(field.json())});
    }
}

// One member of the body. What is not known here travels as it is.
Result<void> decode_field(Value field, llm::Call& call) {
    const std::string_view key = field.key();
    if (key == "messages") {
        return decode_messages(field, call);
    }
    if (key == "tools") {
        return decode_tools(field, call);
    }
    if (key == "tool_choice") {
        return decode_tool_choice(field, call.tool_choice);
    }
    if (key == "thinking") {
        return decode_thinking(field, call.thinking);
    }
    if (key == "output_config") {
        WEIR_TRY(decode_effort(field["effort"], call.thinking));
        return decode_format(field["format"], call.format);
    }
    if (key == "output_format") {  // its name while it was in beta
        return decode_format(field, call.format);
    }
    if (key == "temperature") {
        return decode_number(field, call.temperature);
    }
    if (key == "top_p") {
        return decode_number(field, call.top_p);
    }
    if (key == "top_k") {
        return decode_number(field, call.top_k);
    }
    if (key == "stop_sequences") {
        return decode_stop(field, call.stop);
    }
    if (key == "service_tier") {
        call.service_tier = field.string_or("");
    } else if (key == "cache_control") {
        call.cache = {.is_set = field.is_object(), .for_an_hour = field["ttl"].equals("1h")};
    } else if (key == "metadata") {
        call.user = field["user_id"].string_or("");
        keep(field, call);
    } else if (key != "model" && key != "stream" && key != "max_tokens" && key != "system") {
        keep(field, call);
    }
    return {};
}

}  // namespace

Result<llm::Call> decode_request(const Request& request, std::string_view body) {
    json::Document document;
    // Duplicate keys were refused when the request was read.
    WEIR_TRY(const Value root, document.parse(body, json::Duplicates::allowed));
    llm::Call call{.from = llm::Dialect::anthropic,
                   .model = request.model,
                   .stream = request.stream,
                   .include_usage = true,
                   .max_output_tokens = request.max_output_tokens};
    WEIR_TRY(decode_system(root["system"], call));
    for (const Value field : root) {
        WEIR_TRY(decode_field(field, call));
    }
    return call;
}

}  // namespace weir::dialect::anthropic
