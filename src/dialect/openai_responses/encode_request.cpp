// A call of another dialect's client, written for a provider that speaks this one.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/openai_responses/model_facts.h"
#include "dialect/openai_responses/request_encoder.h"

namespace weir::dialect::openai_responses {
namespace {

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

// What this dialect has no word for, in the words of the client's.
struct FieldNames {
    std::string_view stop, choices, logprobs, modalities;
};
FieldNames names_in(llm::Dialect dialect) {
    switch (dialect) {
        case llm::Dialect::openai_chat:
            return {"stop", "n", "logprobs", "modalities"};
        case llm::Dialect::openai_responses:
            return {"stop", "n", "include", "modalities"};
        case llm::Dialect::anthropic:
        case llm::Dialect::bedrock:
            return {"stop_sequences", "n", "logprobs", "modalities"};
        case llm::Dialect::gemini:
            return {"generationConfig.stopSequences",
                    "generationConfig.candidateCount",
                    "generationConfig.responseLogprobs",
                    "generationConfig.responseModalities"};
    }
    std::unreachable();
}

std::string_view word_of(llm::Effort effort) {
    switch (effort) {
        case llm::Effort::none:
            return "none";
        case llm::Effort::minimal:
            return "minimal";
        case llm::Effort::low:
            return "low";
        case llm::Effort::medium:
            return "medium";
        case llm::Effort::high:
            return "high";
        case llm::Effort::xhigh:
            return "xhigh";
        case llm::Effort::max:
            return "max";
    }
    std::unreachable();
}

// The reverse of the budgets that others give for an effort (API-MAPPING 3.4).
llm::Effort effort_of(std::int64_t budget_tokens) {
    constexpr std::int64_t kLowMax = 2048;
    constexpr std::int64_t kMediumMax = 8192;
    return budget_tokens < 0             ? llm::Effort::medium
           : budget_tokens <= kLowMax    ? llm::Effort::low
           : budget_tokens <= kMediumMax ? llm::Effort::medium
                                         : llm::Effort::high;
}

std::optional<llm::Effort> effort_asked(const llm::Thinking& thinking, std::string_view model) {
    if (thinking.mode == llm::Thinking::Mode::off || thinking.effort == llm::Effort::none) {
        return least_effort(model);
    }
    if (thinking.effort) {
        return thinking.effort;
    }
    return thinking.budget_tokens ? std::optional(effort_of(*thinking.budget_tokens))
                                  : std::nullopt;
}

}  // namespace

Failure cannot(std::string parameter, std::string_view what) {
    return fail(Code::invalid_request,
                fmt::format("This model cannot take {}; leave it out or ask another model.", what))
        .parameter(std::move(parameter));
}

void RequestEncoder::drop(std::string_view name) {
    auto& dropped = encoded.dropped;
    if (std::find(dropped.begin(), dropped.end(), name) == dropped.end()) {
        dropped.emplace_back(name);
    }
}

bool RequestEncoder::passes(std::string_view name) const {
    return std::find(target_.passed_fields.begin(), target_.passed_fields.end(), name) !=
           target_.passed_fields.end();
}

Result<void> RequestEncoder::refuse_what_is_missing() {
    const FieldNames names = names_in(call_.from);
    if (call_.choices != 1) {
        return cannot(std::string(names.choices), "a wish for several answers");
    }
    if (!call_.stop.empty()) {
        return cannot(std::string(names.stop), "stop sequences");
    }
    if (call_.logprobs && call_.stream) {
        return cannot(std::string(names.logprobs), "a wish for logprobs of a stream");
    }
    for (const std::string& modality : call_.modalities) {
        if (modality != "text" && modality != "TEXT") {
            return cannot(std::string(names.modalities), fmt::format("answers as {}", modality));
        }
    }
    return {};
}

Result<void> RequestEncoder::encode_tools() {
    if (call_.tools.empty()) {
        return {};
    }
    json_.key("tools").array();
    for (const llm::Tool& tool : call_.tools) {
        if (!tool.opaque_json.empty()) {
            if (tool.of != kOwn) {
                return cannot("tools", fmt::format("the tool '{}'", tool.name));
            }
            json_.raw(tool.opaque_json);
            continue;
        }
        if (tool.cache.is_set) {
            drop("cache_control");
        }
        json_.object().field("type", "function").field("name", tool.name);
        json_.field_unless_empty("description", tool.description);
        json_.raw_field("parameters",
                        tool.schema.empty() ? R"({"type":"object","properties":{}})" : tool.schema);
        // Here an unset `strict` is true, everywhere else it is false: with it, OpenAI would
        // rewrite the client's schema.
        if (tool.strict || call_.from != kOwn) {
            json_.field("strict", tool.strict.value_or(false));
        }
        json_.end_object();
    }
    json_.end_array();
    return {};
}

void RequestEncoder::encode_tool_choice() {
    using Mode = llm::ToolChoice::Mode;
    const llm::ToolChoice& choice = call_.tool_choice;
    if (call_.tools.empty()) {
        return;  // OpenAI refuses a choice among none
    }
    if (!choice.allowed.empty()) {
        json_.key("tool_choice").object().field("type", "allowed_tools");
        json_.field("mode", choice.mode == Mode::required ? "required" : "auto");
        json_.key("tools").array();
        for (const std::string& name : choice.allowed) {
            json_.object().field("type", "function").field("name", name).end_object();
        }
        json_.end_array().end_object();
    } else if (choice.mode == Mode::named) {
        json_.key("tool_choice").object().field("type", "function");
        json_.field("name", choice.name).end_object();
    } else if (choice.mode != Mode::unset) {
        json_.field("tool_choice",
                    choice.mode == Mode::automatic  ? "auto"
                    : choice.mode == Mode::required ? "required"
                                                    : "none");
    }
    if (choice.parallel) {
        json_.field("parallel_tool_calls", *choice.parallel);
    }
}

void RequestEncoder::encode_text() {
    using Kind = llm::OutputFormat::Kind;
    const llm::OutputFormat& format = call_.format;
    const bool has_format = format.kind == Kind::json_object || format.kind == Kind::json_schema;
    if (!has_format && call_.verbosity.empty()) {
        return;
    }
    json_.key("text").object();
    if (has_format) {
        json_.key("format").object();
        if (format.kind == Kind::json_object) {
            json_.field("type", "json_object");
        } else {
            json_.field("type", "json_schema");
            json_.field("name", format.name.empty() ? "answer" : format.name);
            json_.field_unless_empty("description", format.description);
            json_.raw_field("schema", format.schema);
            if (format.strict) {
                json_.field("strict", *format.strict);
            }
        }
        json_.end_object();
    }
    json_.field_unless_empty("verbosity", call_.verbosity).end_object();
}

void RequestEncoder::encode_limits() {
    if (call_.max_output_tokens) {
        json_.field("max_output_tokens", std::max(*call_.max_output_tokens, kOutputTokensMin));
    }
    const bool fixed = has_fixed_sampling(target_.model);
    const auto sample = [&](std::string_view name, const std::optional<double>& value) {
        if (value && fixed) {
            drop(name);
        } else if (value) {
            json_.field(name, *value);
        }
    };
    sample("temperature", call_.temperature);
    sample("top_p", call_.top_p);
    if (call_.top_k && passes("top_k")) {
        json_.field("top_k", *call_.top_k);
    } else if (call_.top_k) {
        drop("top_k");
    }
    if (call_.seed) {
        drop("seed");
    }
    if (call_.presence_penalty) {
        drop("presence_penalty");
    }
    if (call_.frequency_penalty) {
        drop("frequency_penalty");
    }
}

void RequestEncoder::encode_thinking() {
    const llm::Thinking& thinking = call_.thinking;
    const bool thinks = may_think(target_.model);
    // A client of this dialect may have said more of it than is understood here.
    const bool is_said =
        call_.from == kOwn &&
        std::any_of(call_.unknown.begin(), call_.unknown.end(), [](const llm::UnknownField& field) {
            return field.name == "include";
        });
    if ((thinks || call_.logprobs) && !is_said) {
        json_.key("include").array();
        if (thinks) {
            json_.string("reasoning.encrypted_content");  // nothing is kept: the client carries it
        }
        if (call_.logprobs) {
            json_.string("message.output_text.logprobs");
        }
        json_.end_array();
    }
    if (call_.logprobs && call_.top_logprobs) {
        json_.field("top_logprobs", *call_.top_logprobs);
    }
    const auto effort = effort_asked(thinking, target_.model);
    // A client of OpenAI's chat has no field for a summary, and OpenAI gives one to verified
    // organisations only: it is asked for where the client did.
    const bool wants_summary =
        thinking.include_text && thinking.mode != llm::Thinking::Mode::off &&
        (!thinking.summary.empty() || call_.from != llm::Dialect::openai_chat);
    if (!effort && !wants_summary) {
        return;
    }
    if (!thinks) {
        drop("reasoning");
        return;
    }
    json_.key("reasoning").object();
    if (effort) {
        json_.field("effort", word_of(*effort));
    }
    if (wants_summary) {
        json_.field("summary", thinking.summary.empty() ? "auto" : thinking.summary);
    }
    json_.end_object();
}

void RequestEncoder::encode_rest() {
    // A client of this dialect says itself what is to be kept, and who asks.
    const bool is_own = call_.from == kOwn;
    if (!is_own) {
        json_.field("store", false);
    }
    if (!call_.service_tier.empty()) {
        // The tiers of OpenAI's two surfaces are the same.
        if (call_.from == llm::Dialect::openai_chat || is_own) {
            json_.field("service_tier", call_.service_tier);
        } else {
            drop("service_tier");
        }
    }
    if (!call_.user.empty() && is_own) {
        json_.field("user", call_.user);
    } else if (!call_.user.empty()) {
        drop("user");  // who asks is nobody else's business
    }
    if (call_.cache.is_set) {
        drop("cache_control");
    }
    for (const llm::UnknownField& field : call_.unknown) {
        if (is_own || passes(field.name)) {
            json_.raw_field(field.name, field.json);
        } else {
            drop(field.name);
        }
    }
    if (call_.stream) {
        json_.field("stream", true);
    }
}

Result<void> RequestEncoder::encode() {
    WEIR_TRY(refuse_what_is_missing());
    json_.object().field("model", target_.model);
    WEIR_TRY(encode_input());
    WEIR_TRY(encode_tools());
    encode_tool_choice();
    encode_text();
    encode_limits();
    encode_thinking();
    encode_rest();
    json_.end_object();
    return {};
}

Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target) {
    RequestEncoder encoder(call, target);
    WEIR_TRY(encoder.encode());
    return std::move(encoder.encoded);
}

}  // namespace weir::dialect::openai_responses
