// A client's request, taken apart for a provider that speaks another dialect.
#include <fmt/format.h>

#include "dialect/gemini/codec.h"
#include "dialect/gemini/decode.h"
#include "dialect/gemini/fields.h"
#include "dialect/gemini/finish.h"
#include "dialect/gemini/schema.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;

struct Decoder {
    llm::Call& call;

    Result<void> decode_field(Value member);
    Result<void> decode_tools(Value tools);
    Result<void> decode_function(Value function);
    Result<void> decode_tool_config(Value config);
    Result<void> decode_choice(Value config);
    Result<void> decode_config(Value config);
    Result<void> decode_setting(Value setting);
    Result<void> decode_thinking(Value config);
    Result<void> decode_stop(Value stop);
    void decode_modalities(Value modalities);
    void keep_unknown(Value member, std::string_view prefix) {
        call.unknown.push_back({.name = fmt::format("{}{}", prefix, member.key()),
                                .json = std::string(member.json())});
    }
};

Result<void> read(Value value, std::optional<double>& into) {
    into = value.number();
    return into ? Result<void>{} : wrong(value, "a number");
}

Result<void> read(Value value, std::optional<std::int64_t>& into) {
    into = integer(value);
    return into ? Result<void>{} : wrong(value, "a whole number");
}

Result<void> read_schema(Value value, std::string& into, bool is_json_schema) {
    if (!value.is_object()) {
        return wrong(value, "an object");
    }
    into = is_json_schema ? std::string(value.json()) : json_schema_of(value);
    return {};
}

Result<void> Decoder::decode_field(Value member) {
    const std::string_view key = member.key();
    if (member.is_null() || key == "model") {  // the path says it
        return {};
    }
    if (key == "contents") {
        return decode_contents(member, call);
    }
    if (is_field(key, "systemInstruction")) {
        return decode_system(member, call);
    }
    if (key == "tools") {
        return decode_tools(member);
    }
    if (is_field(key, "toolConfig")) {
        return decode_tool_config(member);
    }
    if (is_field(key, "generationConfig")) {
        return decode_config(member);
    }
    if (is_field(key, "serviceTier")) {
        call.service_tier = lower_case(member.string_or(""));
        return {};
    }
    keep_unknown(member, "");
    return {};
}

Result<void> Decoder::decode_tools(Value tools) {
    if (!tools.is_array()) {
        return wrong(tools, "an array");
    }
    for (const Value tool : tools) {
        if (!tool.is_object()) {
            return wrong(tool, "an object");
        }
        for (const Value member : tool) {
            if (is_field(member.key(), "functionDeclarations")) {
                for (const Value function : member) {
                    WEIR_TRY(decode_function(function));
                }
            } else if (!member.is_null()) {
                // What Google runs itself: a search, code, maps.
                std::string opaque;
                json::Writer(opaque).object().raw_field(member.key(), member.json()).end_object();
                call.tools.push_back({.name = std::string(member.key()),
                                      .opaque_json = std::move(opaque),
                                      .of = llm::Dialect::gemini});
            }
        }
    }
    return {};
}

Result<void> Decoder::decode_function(Value function) {
    const Value name = field(function, "name");
    if (!name.is_string() || name.equals("")) {
        return wrong(function, "a function with its 'name'");
    }
    llm::Tool tool{.name = *name.string(),
                   .description = field(function, "description").string_or(""),
                   .of = llm::Dialect::gemini};
    if (const Value schema = field(function, "parametersJsonSchema")) {
        WEIR_TRY(read_schema(schema, tool.schema, true));
    } else if (const Value older = field(function, "parameters")) {
        WEIR_TRY(read_schema(older, tool.schema, false));
    }
    call.tools.push_back(std::move(tool));
    return {};
}

Result<void> Decoder::decode_tool_config(Value config) {
    for (const Value member : config) {
        if (is_field(member.key(), "functionCallingConfig")) {
            WEIR_TRY(decode_choice(member));
        } else if (!member.is_null()) {
            keep_unknown(member, "toolConfig.");
        }
    }
    return {};
}

Result<void> Decoder::decode_choice(Value config) {
    using Mode = llm::ToolChoice::Mode;
    llm::ToolChoice& choice = call.tool_choice;
    for (const Value name : field(config, "allowedFunctionNames")) {
        choice.allowed.push_back(name.string_or(""));
    }
    const Value mode = field(config, "mode");
    const std::string word = upper_case(mode.string_or(""));
    if (word == "AUTO" || word == "VALIDATED") {
        choice.mode = Mode::automatic;
    } else if (word == "NONE") {
        choice.mode = Mode::none;
    } else if (word == "ANY") {
        choice.mode = Mode::required;
        if (choice.allowed.size() == 1) {
            choice.mode = Mode::named;
            choice.name = choice.allowed.front();
            choice.allowed.clear();
        }
    } else if (mode && word != "MODE_UNSPECIFIED") {
        return wrong(mode, "AUTO, ANY, NONE or VALIDATED");
    }
    return {};
}

Result<void> Decoder::decode_config(Value config) {
    for (const Value setting : config) {
        if (!setting.is_null()) {
            WEIR_TRY(decode_setting(setting));
        }
    }
    // A schema says that JSON is wanted; the MIME type alone asks for any JSON.
    const std::string mime = field(config, "responseMimeType").string_or("");
    auto& format = call.format;
    if (format.kind == llm::OutputFormat::Kind::unset && mime == "application/json") {
        format.kind = llm::OutputFormat::Kind::json_object;
    } else if (format.kind == llm::OutputFormat::Kind::unset && mime == "text/plain") {
        format.kind = llm::OutputFormat::Kind::text;
    }
    return {};
}

Result<void> Decoder::decode_setting(Value setting) {
    const std::string_view key = setting.key();
    const auto is = [key](std::string_view camel) { return is_field(key, camel); };
    if (is("temperature")) {
        return read(setting, call.temperature);
    }
    if (is("topP")) {
        return read(setting, call.top_p);
    }
    if (is("topK")) {
        return read(setting, call.top_k);
    }
    if (is("maxOutputTokens")) {
        return read(setting, call.max_output_tokens);
    }
    if (is("candidateCount")) {
        std::optional<std::int64_t> count;
        WEIR_TRY(read(setting, count));
        call.choices = *count;
        return {};
    }
    if (is("seed")) {
        return read(setting, call.seed);
    }
    if (is("presencePenalty")) {
        return read(setting, call.presence_penalty);
    }
    if (is("frequencyPenalty")) {
        return read(setting, call.frequency_penalty);
    }
    if (is("responseLogprobs")) {
        call.logprobs = setting.boolean().value_or(false);
        return {};
    }
    if (is("logprobs")) {
        return read(setting, call.top_logprobs);
    }
    if (is("stopSequences")) {
        return decode_stop(setting);
    }
    if (is("thinkingConfig")) {
        return decode_thinking(setting);
    }
    if (is("responseSchema") || is("responseJsonSchema")) {
        call.format.kind = llm::OutputFormat::Kind::json_schema;
        return read_schema(setting, call.format.schema, is("responseJsonSchema"));
    }
    if (is("responseModalities")) {
        decode_modalities(setting);
    } else if (!is("responseMimeType")) {
        keep_unknown(setting, "generationConfig.");
    }
    return {};
}

Result<void> Decoder::decode_stop(Value stop) {
    if (!stop.is_array()) {
        return wrong(stop, "an array of strings");
    }
    for (const Value word : stop) {
        if (!word.is_string()) {
            return wrong(word, "a string");
        }
        call.stop.push_back(*word.string());
    }
    return {};
}

void Decoder::decode_modalities(Value modalities) {
    for (const Value modality : modalities) {
        std::string word = lower_case(modality.string_or(""));
        if (word != "text" && word != "modality_unspecified") {
            call.modalities.push_back(std::move(word));
        }
    }
}

Result<void> Decoder::decode_thinking(Value config) {
    using Mode = llm::Thinking::Mode;
    llm::Thinking& thinking = call.thinking;
    thinking.include_text = field(config, "includeThoughts").boolean().value_or(false);
    if (const Value budget = field(config, "thinkingBudget")) {
        WEIR_TRY(read(budget, thinking.budget_tokens));
        const std::int64_t tokens = *thinking.budget_tokens;
        thinking.mode = tokens == 0 ? Mode::off : tokens < 0 ? Mode::adaptive : Mode::on;
    }
    const Value level = field(config, "thinkingLevel");
    const std::string word = upper_case(level.string_or(""));
    if (word == "MINIMAL") {
        thinking.effort = llm::Effort::minimal;
    } else if (word == "LOW") {
        thinking.effort = llm::Effort::low;
    } else if (word == "MEDIUM") {
        thinking.effort = llm::Effort::medium;
    } else if (word == "HIGH") {
        thinking.effort = llm::Effort::high;
    } else if (level && word != "THINKING_LEVEL_UNSPECIFIED") {
        return wrong(level, "MINIMAL, LOW, MEDIUM or HIGH");
    }
    if (thinking.effort && thinking.mode == Mode::unset) {
        thinking.mode = Mode::on;
    }
    return {};
}

}  // namespace

Result<llm::Call> decode_request(const Request& request, std::string_view body) {
    json::Document document;
    WEIR_TRY(Value root, document.parse(body, json::Duplicates::refused));
    if (request.surface == llm::Surface::count_tokens) {
        if (const Value whole = field(root, "generateContentRequest"); whole.is_object()) {
            root = whole;
        }
    }
    llm::Call call{.from = llm::Dialect::gemini};
    call.model = request.model;
    call.stream = request.stream;
    call.choices = request.choices;
    Decoder decoder{.call = call};
    for (const Value member : root) {
        WEIR_TRY(decoder.decode_field(member));
    }
    return call;
}

}  // namespace weir::dialect::gemini
