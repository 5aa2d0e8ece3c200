// All of a request but its conversation; encode.h says what becomes of each field.
#include <fmt/format.h>

#include <cstdint>
#include <limits>

#include "dialect/gemini/codec.h"
#include "dialect/gemini/encode.h"
#include "dialect/gemini/finish.h"

namespace weir::dialect::gemini {
namespace {

constexpr std::string_view kConfigPrefix = "generationConfig.";
constexpr std::string_view kToolConfigPrefix = "toolConfig.";

bool is_chat(const llm::Call& call) { return call.from == llm::Dialect::openai_chat; }

std::string_view stop_field(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
        case llm::Dialect::openai_responses:
            return "stop";
        case llm::Dialect::anthropic:
        case llm::Dialect::bedrock:
            return "stop_sequences";
        case llm::Dialect::gemini:
            return "generationConfig.stopSequences";
    }
    std::unreachable();
}

struct Settings : RequestEncoder {
    const Target& target;

    Result<void> write_tools();
    void write_function(const llm::Tool& tool);
    void write_tool_config();
    void write_calling();
    Result<void> write_config();
    Result<void> write_limits();
    void write_format();
    void write_thinking();
    void write_modalities();
    void write_tier();
    void write_rest();
    // Unknown fields of a client of Gemini's whose names begin so, without what they begin with.
    void write_unknown(std::string_view prefix);
};

Result<void> Settings::write_tools() {
    if (call.tools.empty()) {
        return {};
    }
    bool any_function = false;
    json.key("tools").array();
    for (std::size_t i = 0; i < call.tools.size(); ++i) {
        const llm::Tool& tool = call.tools[i];
        if (tool.opaque_json.empty()) {
            any_function = true;
        } else if (tool.of == llm::Dialect::gemini) {
            json.raw(tool.opaque_json);
        } else {
            return cannot(fmt::format("tools[{}]", i),
                          fmt::format("the tool '{}', which another API runs itself", tool.name));
        }
    }
    if (any_function) {
        json.object().key("functionDeclarations").array();
        for (const llm::Tool& tool : call.tools) {
            if (tool.opaque_json.empty()) {
                write_function(tool);
            }
        }
        json.end_array().end_object();
    }
    json.end_array();
    return {};
}

void Settings::write_function(const llm::Tool& tool) {
    json.object().field("name", tool.name).field("description", tool.description);
    if (!tool.schema.empty()) {
        // Whole, as it came: Gemini's own subset refuses "$ref", "oneOf", "additionalProperties" …
        json.raw_field("parametersJsonSchema", tool.schema);
    }
    json.end_object();
    if (tool.strict.value_or(false)) {
        drop("strict");
    }
    if (tool.cache.is_set) {
        drop("cache_control");
    }
}

void Settings::write_tool_config() {
    const llm::ToolChoice& choice = call.tool_choice;
    if (choice.parallel == false) {
        drop(call.from == llm::Dialect::anthropic ? "disable_parallel_tool_use"
                                                  : "parallel_tool_calls");
    }
    const bool has_choice = choice.mode != llm::ToolChoice::Mode::unset || !choice.allowed.empty();
    const bool has_unknown =
        call.from == llm::Dialect::gemini &&
        std::any_of(call.unknown.begin(), call.unknown.end(), [](const llm::UnknownField& one) {
            return one.name.starts_with(kToolConfigPrefix);
        });
    if (!has_choice && !has_unknown) {
        return;
    }
    json.key("toolConfig").object();
    if (has_choice) {
        write_calling();
    }
    write_unknown(kToolConfigPrefix);
    json.end_object();
}

void Settings::write_calling() {
    using Mode = llm::ToolChoice::Mode;
    const llm::ToolChoice& choice = call.tool_choice;
    std::vector<std::string> allowed = choice.allowed;
    std::string_view mode;
    switch (choice.mode) {
        case Mode::unset:
        case Mode::automatic:
            // A choice of tools is taken with these two modes only.
            mode = allowed.empty() ? "AUTO" : "VALIDATED";
            break;
        case Mode::none:
            mode = "NONE";
            allowed.clear();
            break;
        case Mode::required:
            mode = "ANY";
            break;
        case Mode::named:
            mode = "ANY";
            allowed = {choice.name};
            break;
    }
    json.key("functionCallingConfig").object().field("mode", mode);
    if (!allowed.empty()) {
        json.key("allowedFunctionNames").array();
        for (const std::string& name : allowed) {
            json.string(name);
        }
        json.end_array();
    }
    json.end_object();
}

Result<void> Settings::write_config() {
    json.key("generationConfig").object();
    WEIR_TRY(write_limits());
    write_format();
    write_thinking();
    write_modalities();
    write_unknown(kConfigPrefix);
    json.end_object();
    return {};
}

Result<void> Settings::write_limits() {
    const auto number = [this](std::string_view name, const std::optional<double>& value) {
        if (value) {
            json.field(name, *value);
        }
    };
    const auto integer = [this](std::string_view name, const std::optional<std::int64_t>& value) {
        if (value) {
            json.field(name, *value);
        }
    };
    number("temperature", call.temperature);
    number("topP", call.top_p);
    integer("topK", call.top_k);
    integer("maxOutputTokens", call.max_output_tokens);
    number("presencePenalty", call.presence_penalty);
    number("frequencyPenalty", call.frequency_penalty);
    using Seed = std::numeric_limits<std::int32_t>;  // what Google's field holds
    if (call.seed && (*call.seed < Seed::min() || *call.seed > Seed::max())) {
        drop("seed");
    } else {
        integer("seed", call.seed);
    }
    if (call.choices > 1) {
        json.field("candidateCount", call.choices);
    }
    if (call.logprobs) {
        json.field("responseLogprobs", true);
        integer("logprobs", call.top_logprobs);
    }
    if (call.stop.size() > kStopsMax) {
        return cannot(std::string(stop_field(call.from)), "more than 5 stop sequences");
    }
    if (!call.stop.empty()) {
        json.key("stopSequences").array();
        for (const std::string& word : call.stop) {
            json.string(word);
        }
        json.end_array();
    }
    return {};
}

void Settings::write_format() {
    using Kind = llm::OutputFormat::Kind;
    if (call.format.kind != Kind::json_object && call.format.kind != Kind::json_schema) {
        return;
    }
    json.field("responseMimeType", "application/json");
    if (call.format.kind == Kind::json_schema && !call.format.schema.empty()) {
        json.raw_field("responseJsonSchema", call.format.schema);
    }
}

void Settings::write_thinking() {
    const ThinkingConfig config = thinking_config(facts, call.thinking, target.effort_budgets);
    if (config.is_lost) {
        drop(is_chat(call)                                 ? "reasoning_effort"
             : call.from == llm::Dialect::openai_responses ? "reasoning"
                                                           : "thinking");
    }
    const bool shows = call.thinking.include_text && facts.control != ModelFacts::Control::none;
    if (!config.budget && config.level.empty() && !shows) {
        return;
    }
    json.key("thinkingConfig").object();
    if (config.budget) {
        json.field("thinkingBudget", *config.budget);
    }
    json.field_unless_empty("thinkingLevel", config.level);
    if (shows) {
        json.field("includeThoughts", true);
    }
    json.end_object();
}

void Settings::write_modalities() {
    if (call.modalities.empty()) {
        return;
    }
    // A model that speaks says nothing else; one that draws also writes.
    const auto& wanted = call.modalities;
    json.key("responseModalities").array();
    if (std::find(wanted.begin(), wanted.end(), "audio") == wanted.end()) {
        json.string("TEXT");
    }
    for (const std::string& modality : wanted) {
        json.string(upper_case(modality));
    }
    json.end_array();
}

void Settings::write_tier() {
    const std::string& tier = call.service_tier;
    if (tier.empty() || tier == "auto") {
        return;
    }
    if (tier == "flex" || tier == "priority" || tier == "standard") {
        json.field("serviceTier", tier);
    } else if (tier == "default" || tier == "standard_only") {
        json.field("serviceTier", "standard");
    } else {
        drop("service_tier");
    }
}

void Settings::write_unknown(std::string_view prefix) {
    if (call.from != llm::Dialect::gemini) {
        return;
    }
    for (const llm::UnknownField& field : call.unknown) {
        if (field.name.starts_with(prefix)) {
            json.raw_field(std::string_view(field.name).substr(prefix.size()), field.json);
        }
    }
}

void Settings::write_rest() {
    const auto& passed = target.passed_fields;
    for (const llm::UnknownField& field : call.unknown) {
        const bool is_inner =
            field.name.starts_with(kConfigPrefix) || field.name.starts_with(kToolConfigPrefix);
        if (call.from == llm::Dialect::gemini && is_inner) {
            continue;  // written where it belongs
        }
        if (call.from == llm::Dialect::gemini ||
            std::find(passed.begin(), passed.end(), field.name) != passed.end()) {
            json.raw_field(field.name, field.json);
        } else {
            drop(field.name);
        }
    }
    if (!call.verbosity.empty()) {
        drop("verbosity");
    }
    if (!call.user.empty()) {
        drop("user");
    }
    if (call.cache.is_set) {
        drop("cache_control");
    }
}

}  // namespace

std::string resource_of(std::string_view model) {
    constexpr std::string_view kModels = "models/";
    return model.starts_with(kModels) ? std::string(model) : fmt::format("{}{}", kModels, model);
}

Failure cannot(std::string parameter, std::string_view what) {
    return fail(Code::invalid_request,
                fmt::format("This model cannot take {}; leave it out or ask another model.", what))
        .parameter(std::move(parameter));
}

Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target) {
    Settings settings{{.call = call, .facts = facts_of(target.model)}, target};
    settings.json.object();
    WEIR_TRY(settings.write_conversation());
    WEIR_TRY(settings.write_tools());
    settings.write_tool_config();
    WEIR_TRY(settings.write_config());
    settings.write_tier();
    settings.write_rest();
    settings.json.end_object();
    return std::move(settings.encoded);
}

}  // namespace weir::dialect::gemini
