// A chat request of a client, taken apart for a provider that speaks another dialect.
#include <fmt/format.h>

#include <array>

#include "dialect/carrier.h"
#include "dialect/data_url.h"
#include "dialect/openai_chat/codec.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Value;

Failure wrong(Value value, std::string_view expected) {
    const std::string path = value.path();
    return fail(Code::invalid_request, fmt::format("'{}' must be {}.", path, expected))
        .parameter(path);
}

llm::CacheMark decode_cache_mark(Value part) {
    const Value mark = part["cache_control"];
    return {.is_set = mark.is_object(), .for_an_hour = mark["ttl"].equals("1h")};
}

Result<llm::Media> decode_image(Value part) {
    const Value image = part["image_url"];
    // Some clients send the bare URL.
    const Value url = image.is_string() ? image : image["url"];
    if (!url.is_string()) {
        return wrong(part, "an image with its 'image_url.url'");
    }
    llm::Media media{.kind = llm::MediaKind::image, .detail = image["detail"].string_or("")};
    std::string text = *url.string();
    if (is_data_url(text)) {
        const auto parsed = parse_data_url(text);
        if (!parsed) {
            return wrong(url, "a data URL in base64, such as data:image/png;base64,…");
        }
        media.mime = parsed->mime;
        media.data = parsed->data;
    } else {
        media.url = std::move(text);
    }
    return media;
}

Result<llm::Media> decode_file(Value part) {
    const Value file = part["file"];
    llm::Media media{.kind = llm::MediaKind::file, .name = file["filename"].string_or("")};
    if (const auto id = file["file_id"].string()) {
        media.file_id = *id;
        return media;
    }
    const auto data = file["file_data"].string();
    if (!data) {
        return wrong(part, "a file with its 'file_data' or 'file_id'");
    }
    const auto parsed = parse_data_url(*data);
    media.mime = parsed ? parsed->mime : "application/pdf";
    media.data = parsed ? parsed->data : std::string_view(*data);
    return media;
}

Result<llm::Part> decode_part(Value part) {
    const auto type = part["type"].string();
    if (!type) {
        return wrong(part, "an object with a 'type'");
    }
    llm::Part decoded{.cache = decode_cache_mark(part)};
    if (*type == "text") {
        const auto text = part["text"].string();
        if (!text) {
            return wrong(part, "a text with its 'text'");
        }
        decoded.body = llm::Text{.text = *text};
    } else if (*type == "refusal") {
        decoded.body = llm::Refusal{.text = part["refusal"].string_or("")};
    } else if (*type == "image_url") {
        WEIR_TRY(decoded.body, decode_image(part));
    } else if (*type == "file") {
        WEIR_TRY(decoded.body, decode_file(part));
    } else if (*type == "input_audio") {
        const Value audio = part["input_audio"];
        decoded.body = llm::Media{.kind = llm::MediaKind::audio,
                                  .mime = "audio/" + audio["format"].string_or("wav"),
                                  .data = audio["data"].string_or("")};
    } else {
        decoded.body = llm::Opaque{
            .of = llm::Dialect::openai_chat, .type = *type, .json = std::string(part.json())};
    }
    return decoded;
}

Result<void> decode_content(Value content, std::vector<llm::Part>& into) {
    if (!content.has_value()) {
        return {};
    }
    if (content.is_string()) {
        std::string text = *content.string();
        if (!text.empty()) {
            into.push_back({.body = llm::Text{.text = std::move(text)}});
        }
        return {};
    }
    if (!content.is_array()) {
        return wrong(content, "a string or an array of parts");
    }
    for (const Value part : content) {
        WEIR_TRY(auto decoded, decode_part(part));
        into.push_back(std::move(decoded));
    }
    return {};
}

Result<llm::ToolCall> decode_tool_call(Value call) {
    const Value function = call["function"];
    const auto name = function["name"].string();
    const auto id = call["id"].string();
    if (!name || !id) {
        return wrong(call, "a call with its 'id' and its 'function.name'");
    }
    auto carried = read_carried_id(*id);
    llm::ToolCall decoded{.id = std::string(carried.id),
                          .name = *name,
                          .arguments = function["arguments"].string_or(""),
                          .signature = std::move(carried.signature)};
    if (decoded.signature.text.empty()) {
        decoded.signature = read_google_signature(call);
    }
    return decoded;
}

// A stream says the text under its plain name and only the signature in the details: they are put
// together again, since a signature without its text is worth nothing.
void decode_thoughts(Value message, std::vector<llm::Part>& into) {
    decode_reasoning_details(message["reasoning_details"], into);
    std::string text;
    for (const std::string_view key : {"reasoning_content", "reasoning"}) {
        if (text.empty()) {
            text = message[key].string_or("");
        }
    }
    if (text.empty()) {
        return;
    }
    for (llm::Part& part : into) {
        auto& reasoning = std::get<llm::Reasoning>(part.body);
        if (!reasoning.text.empty()) {
            return;  // the details say it all
        }
        if (!reasoning.redacted) {
            reasoning.text = std::move(text);
            return;
        }
    }
    into.push_back({.body = llm::Reasoning{.text = std::move(text)}});
}

Result<void> decode_assistant(Value message, std::vector<llm::Part>& into) {
    decode_thoughts(message, into);
    WEIR_TRY(decode_content(message["content"], into));
    if (auto refusal = message["refusal"].string()) {
        into.push_back({.body = llm::Refusal{.text = std::move(*refusal)}});
    }
    for (const Value call : message["tool_calls"]) {
        WEIR_TRY(auto decoded, decode_tool_call(call));
        into.push_back({.body = std::move(decoded)});
    }
    if (const Value call = message["function_call"]; call.is_object()) {  // before tools there were
        into.push_back({.body = llm::ToolCall{.id = "call_" + call["name"].string_or(""),
                                              .name = call["name"].string_or(""),
                                              .arguments = call["arguments"].string_or("")}});
    }
    return {};
}

Result<llm::Message> decode_message(Value message) {
    const auto role = message["role"].string();
    if (!role) {
        return wrong(message, "a message with its 'role'");
    }
    llm::Message decoded{.name = message["name"].string_or("")};
    if (*role == "tool" || *role == "function") {
        const std::string id =
            *role == "tool" ? message["tool_call_id"].string_or("") : "call_" + decoded.name;
        if (id.empty()) {
            return wrong(message, "a result with its 'tool_call_id'");
        }
        llm::ToolResult result{.call_id = std::string(read_carried_id(id).id)};
        WEIR_TRY(decode_content(message["content"], result.content));
        decoded.name.clear();
        decoded.parts.push_back({.body = std::move(result), .cache = decode_cache_mark(message)});
        return decoded;
    }
    if (*role == "assistant") {
        decoded.role = llm::Role::assistant;
        WEIR_TRY(decode_assistant(message, decoded.parts));
        return decoded;
    }
    if (*role == "system") {
        decoded.role = llm::Role::system;
    } else if (*role == "developer") {
        decoded.role = llm::Role::developer;
    } else if (*role != "user") {
        return wrong(message["role"], "system, developer, user, assistant or tool");
    }
    WEIR_TRY(decode_content(message["content"], decoded.parts));
    return decoded;
}

Result<llm::Tool> decode_tool(Value tool, Value function) {
    if (!function.is_object()) {
        return llm::Tool{.name = tool["type"].string_or("tool"),
                         .opaque_json = std::string(tool.json()),
                         .of = llm::Dialect::openai_chat};
    }
    const auto name = function["name"].string();
    if (!name || name->empty()) {
        return wrong(function, "a function with its 'name'");
    }
    const Value parameters = function["parameters"];
    if (parameters.has_value() && !parameters.is_object()) {
        return wrong(parameters, "a JSON schema (an object)");
    }
    return llm::Tool{.name = *name,
                     .description = function["description"].string_or(""),
                     .schema = std::string(parameters.is_object() ? parameters.json() : ""),
                     .strict = function["strict"].boolean(),
                     .cache = decode_cache_mark(tool)};
}

Result<void> decode_tool_choice(Value choice, llm::ToolChoice& into) {
    using Mode = llm::ToolChoice::Mode;
    if (!choice.has_value()) {
        return {};
    }
    if (choice.equals("auto")) {
        into.mode = Mode::automatic;
    } else if (choice.equals("none")) {
        into.mode = Mode::none;
    } else if (choice.equals("required")) {
        into.mode = Mode::required;
    } else if (const Value allowed = choice["allowed_tools"]; allowed.is_object()) {
        into.mode = allowed["mode"].equals("required") ? Mode::required : Mode::automatic;
        for (const Value tool : allowed["tools"]) {
            into.allowed.push_back(tool["function"]["name"].string_or(""));
        }
    } else if (auto name = choice["function"]["name"].string()) {
        into.mode = Mode::named;
        into.name = std::move(*name);
    } else if (auto legacy = choice["name"].string()) {  // function_call: {"name": …}
        into.mode = Mode::named;
        into.name = std::move(*legacy);
    } else {
        return wrong(choice, "auto, none, required or a function");
    }
    return {};
}

Result<void> decode_format(Value format, llm::OutputFormat& into) {
    using Kind = llm::OutputFormat::Kind;
    if (!format.has_value()) {
        return {};
    }
    if (format["type"].equals("text")) {
        into.kind = Kind::text;
    } else if (format["type"].equals("json_object")) {
        into.kind = Kind::json_object;
    } else if (format["type"].equals("json_schema")) {
        const Value schema = format["json_schema"];
        if (!schema["schema"].is_object()) {
            return wrong(format, "a json_schema with its 'json_schema.schema'");
        }
        into = {.kind = Kind::json_schema,
                .name = schema["name"].string_or(""),
                .description = schema["description"].string_or(""),
                .schema = std::string(schema["schema"].json()),
                .strict = schema["strict"].boolean()};
    } else {
        return wrong(format, "text, json_object or json_schema");
    }
    return {};
}

std::optional<llm::Effort> read_effort(std::string_view word) {
    static constexpr std::array<std::string_view, 7> kWords = {
        "none", "minimal", "low", "medium", "high", "xhigh", "max"};
    for (std::size_t i = 0; i < kWords.size(); ++i) {
        if (kWords[i] == word) {
            return static_cast<llm::Effort>(i);
        }
    }
    return std::nullopt;
}

Result<void> decode_effort(Value effort, llm::Thinking& into) {
    if (!effort.has_value()) {
        return {};
    }
    into.effort = read_effort(effort.string_or(""));
    if (!into.effort) {
        return wrong(effort, "none, minimal, low, medium, high, xhigh or max");
    }
    into.mode =
        *into.effort == llm::Effort::none ? llm::Thinking::Mode::off : llm::Thinking::Mode::on;
    into.include_text = true;
    return {};
}

// OpenRouter's form: {"effort": …} or {"max_tokens": …}, {"enabled": …}, {"exclude": true}.
Result<void> decode_reasoning(Value reasoning, llm::Thinking& into) {
    WEIR_TRY(decode_effort(reasoning["effort"], into));
    if (const auto budget = reasoning["max_tokens"].integer()) {
        into.budget_tokens = *budget;
        into.mode = llm::Thinking::Mode::on;
    }
    if (const auto enabled = reasoning["enabled"].boolean();
        enabled && into.mode == llm::Thinking::Mode::unset) {
        into.mode = *enabled ? llm::Thinking::Mode::on : llm::Thinking::Mode::off;
    }
    into.include_text = !reasoning["exclude"].boolean().value_or(false);
    return {};
}

template <class Number>
Result<void> decode_number(Value value, std::optional<Number>& into) {
    if (!value.has_value()) {
        return {};
    }
    if constexpr (std::is_integral_v<Number>) {
        into = value.integer();
    } else {
        into = value.number();
    }
    return into ? Result<void>{}
                : wrong(value, std::is_integral_v<Number> ? "a whole number" : "a number");
}

Result<void> decode_stop(Value stop, std::vector<std::string>& into) {
    if (stop.is_string()) {
        into.push_back(*stop.string());
    } else if (stop.is_array()) {
        for (const Value word : stop) {
            auto text = word.string();
            if (!text) {
                return wrong(word, "a string");
            }
            into.push_back(std::move(*text));
        }
    } else if (stop.has_value()) {
        return wrong(stop, "a string or an array of strings");
    }
    return {};
}

// One member of the body. What is not known here travels as it is.
Result<void> decode_field(Value field, llm::Call& call) {
    const std::string_view key = field.key();
    if (key == "messages") {
        for (const Value message : field) {
            WEIR_TRY(auto decoded, decode_message(message));
            call.messages.push_back(std::move(decoded));
        }
    } else if (key == "tools") {
        for (const Value tool : field) {
            WEIR_TRY(auto decoded, decode_tool(tool, tool["function"]));
            call.tools.push_back(std::move(decoded));
        }
    } else if (key == "functions") {
        for (const Value function : field) {
            WEIR_TRY(auto decoded, decode_tool(function, function));
            call.tools.push_back(std::move(decoded));
        }
    } else if (key == "tool_choice" || key == "function_call") {
        return decode_tool_choice(field, call.tool_choice);
    } else if (key == "parallel_tool_calls") {
        call.tool_choice.parallel = field.boolean();
    } else if (key == "response_format") {
        return decode_format(field, call.format);
    } else if (key == "reasoning_effort") {
        return decode_effort(field, call.thinking);
    } else if (key == "reasoning") {
        return decode_reasoning(field, call.thinking);
    } else if (key == "temperature") {
        return decode_number(field, call.temperature);
    } else if (key == "top_p") {
        return decode_number(field, call.top_p);
    } else if (key == "top_k") {
        return decode_number(field, call.top_k);
    } else if (key == "seed") {
        return decode_number(field, call.seed);
    } else if (key == "presence_penalty") {
        return decode_number(field, call.presence_penalty);
    } else if (key == "frequency_penalty") {
        return decode_number(field, call.frequency_penalty);
    } else if (key == "stop") {
        return decode_stop(field, call.stop);
    } else if (key == "logprobs") {
        call.logprobs = field.boolean().value_or(false);
    } else if (key == "top_logprobs") {
        return decode_number(field, call.top_logprobs);
    } else if (key == "verbosity") {
        call.verbosity = field.string_or("");
    } else if (key == "service_tier") {
        call.service_tier = field.string_or("");
    } else if (key == "user") {
        call.user = field.string_or("");
    } else if (key == "modalities") {
        for (const Value modality : field) {
            call.modalities.push_back(modality.string_or(""));
        }
    } else if (key == "cache_control") {
        call.cache = {.is_set = field.is_object(), .for_an_hour = field["ttl"].equals("1h")};
    } else if (key != "model" && key != "stream" && key != "stream_options" && key != "n" &&
               key != "max_tokens" && key != "max_completion_tokens" && field.has_value()) {
        call.unknown.push_back({.name = std::string(key), .json = std::string(field.json())});
    }
    return {};
}

}  // namespace

Result<llm::Call> decode_request(const Request& request, std::string_view body) {
    json::Document document;
    WEIR_TRY(const Value root, document.parse(body, json::Duplicates::refused));
    llm::Call call{.from = llm::Dialect::openai_chat,
                   .model = request.model,
                   .stream = request.stream,
                   .include_usage = request.include_usage,
                   .max_output_tokens = request.max_output_tokens,
                   .choices = request.choices};
    for (const Value field : root) {
        WEIR_TRY(decode_field(field, call));
    }
    return call;
}

}  // namespace weir::dialect::openai_chat
