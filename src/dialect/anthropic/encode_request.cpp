// A call of another dialect's client, written for a provider that speaks this one. edge.h says what
// becomes of each field.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "dialect/answer_tool.h"
#include "dialect/anthropic/encode.h"
#include "dialect/anthropic/thinking.h"

namespace weir::dialect::anthropic {
namespace {

using json::Writer;
using llm::Dialect;

// With thinking, anything below is refused.
constexpr double kThinkingTopPMin = 0.95;

Result<void> refuse_what_changes_the_answer(const Outgoing& out) {
    const llm::Call& call = out.call;
    const FieldWords& words = words_of(call.from);
    if (call.choices > 1) {
        return out.cannot(words.choices, "more than one choice");
    }
    if (call.logprobs || call.top_logprobs.value_or(0) > 0) {
        return out.cannot(words.logprobs, "a wish for log probabilities");
    }
    if (call.format.kind == llm::OutputFormat::Kind::json_object) {
        return out.cannot(words.format, "JSON without a schema (give it a json_schema)");
    }
    for (const std::string& modality : call.modalities) {
        if (!equals_ignoring_case(modality, "text")) {
            return out.cannot(words.modalities, fmt::format("a wish for {}", modality));
        }
    }
    return {};
}

void encode_sampling(const ThinkingPlan& plan, Outgoing& out, Writer& json) {
    const llm::Call& call = out.call;
    const bool is_free = out.facts.takes_sampling && !plan.thinks();
    bool has_temperature = false;
    if (call.temperature) {
        const double temperature = std::clamp(*call.temperature, 0.0, 1.0);
        if (is_free) {
            has_temperature = true;
            json.field("temperature", temperature);
        } else if (temperature != 1.0) {  // that is what it is anyway
            out.drop("temperature");
        }
    }
    if (call.top_p) {
        const bool is_high = *call.top_p >= kThinkingTopPMin;
        const bool is_refused = has_temperature && !out.facts.takes_temperature_with_top_p;
        if (out.facts.takes_sampling && !is_refused && (!plan.thinks() || is_high)) {
            json.field("top_p", *call.top_p);
        } else {
            out.drop("top_p");
        }
    }
    if (call.top_k) {
        if (is_free) {
            json.field("top_k", *call.top_k);
        } else {
            out.drop("top_k");
        }
    }
}

void encode_thinking(const ThinkingPlan& plan, Outgoing& out, Writer& json) {
    if (plan.dropped) {
        out.drop(words_of(out.call.from).thinking);
    }
    switch (plan.kind) {
        case ThinkingPlan::Kind::unsaid:
            return;
        case ThinkingPlan::Kind::disabled:
            json.key("thinking").object().field("type", "disabled").end_object();
            return;
        case ThinkingPlan::Kind::enabled:
            json.key("thinking").object().field("type", "enabled");
            json.field("budget_tokens", plan.budget_tokens).end_object();
            return;
        case ThinkingPlan::Kind::adaptive:
            json.key("thinking").object().field("type", "adaptive");
            json.field_unless_empty("display", plan.display).end_object();
            return;
    }
}

void encode_output_config(const ThinkingPlan& plan, const Outgoing& out, Writer& json) {
    const llm::OutputFormat& format = out.call.format;
    const bool has_format = format.kind == llm::OutputFormat::Kind::json_schema;
    if (!has_format && plan.effort.empty()) {
        return;
    }
    json.key("output_config").object().field_unless_empty("effort", plan.effort);
    if (has_format) {
        json.key("format").object().field("type", "json_schema");
        json.raw_field("schema", format.schema.empty() ? "{}" : format.schema).end_object();
    }
    json.end_object();
}

void encode_stop(Outgoing& out, Writer& json) {
    bool has_stop = false;
    for (const std::string& stop : out.call.stop) {
        if (without_blank_end(stop).empty()) {  // refused there
            out.drop(words_of(out.call.from).stop);
            continue;
        }
        if (!has_stop) {
            has_stop = true;
            json.key("stop_sequences").array();
        }
        json.string(stop);
    }
    if (has_stop) {
        json.end_array();
    }
}

void encode_service_tier(Outgoing& out, Writer& json) {
    const std::string& tier = out.call.service_tier;
    if (tier.empty()) {
        return;
    }
    if (out.call.from == Dialect::anthropic) {
        json.field("service_tier", tier);
    } else if (tier == "default" || tier == "standard") {
        json.field("service_tier", "standard_only");
    } else if (tier != "auto") {
        out.drop("service_tier");
    }
}

// Fields that this dialect knows and the vocabulary does not go to it, others where the provider
// says that it takes them. Who the client's user is stays here unless the client spoke this
// dialect.
void encode_rest(Outgoing& out, Writer& json) {
    const llm::Call& call = out.call;
    const FieldWords& words = words_of(call.from);
    const auto drop_if = [&out](bool is_said, std::string_view field) {
        if (is_said) {
            out.drop(field);
        }
    };
    drop_if(call.seed.has_value(), "seed");
    drop_if(call.presence_penalty.value_or(0) != 0, words.presence_penalty);
    drop_if(call.frequency_penalty.value_or(0) != 0, words.frequency_penalty);
    drop_if(!call.verbosity.empty(), "verbosity");
    const bool is_own = call.from == Dialect::anthropic;
    drop_if(!call.user.empty() && !is_own, "user");
    const auto& passed = out.target.passed_fields;
    for (const llm::UnknownField& field : call.unknown) {
        if (is_own || std::find(passed.begin(), passed.end(), field.name) != passed.end()) {
            json.raw_field(field.name, field.json);
        } else {
            out.drop(field.name);
        }
    }
}

}  // namespace

const FieldWords& words_of(Dialect dialect) {
    static constexpr FieldWords kChat{.stop = "stop",
                                      .format = "response_format",
                                      .choices = "n",
                                      .logprobs = "logprobs",
                                      .thinking = "reasoning_effort",
                                      .modalities = "modalities",
                                      .presence_penalty = "presence_penalty",
                                      .frequency_penalty = "frequency_penalty",
                                      .system = "messages",
                                      .messages = "messages"};
    static constexpr FieldWords kResponses{.stop = "stop",
                                           .format = "text.format",
                                           .choices = "n",
                                           .logprobs = "top_logprobs",
                                           .thinking = "reasoning",
                                           .modalities = "modalities",
                                           .presence_penalty = "presence_penalty",
                                           .frequency_penalty = "frequency_penalty",
                                           .system = "instructions",
                                           .messages = "input"};
    static constexpr FieldWords kMessages{.stop = "stop_sequences",
                                          .format = "output_config.format",
                                          .choices = "n",
                                          .logprobs = "logprobs",
                                          .thinking = "thinking",
                                          .modalities = "modalities",
                                          .presence_penalty = "presence_penalty",
                                          .frequency_penalty = "frequency_penalty",
                                          .system = "system",
                                          .messages = "messages"};
    static constexpr FieldWords kGenerate{.stop = "generationConfig.stopSequences",
                                          .format = "generationConfig.responseMimeType",
                                          .choices = "generationConfig.candidateCount",
                                          .logprobs = "generationConfig.responseLogprobs",
                                          .thinking = "generationConfig.thinkingConfig",
                                          .modalities = "generationConfig.responseModalities",
                                          .presence_penalty = "generationConfig.presencePenalty",
                                          .frequency_penalty = "generationConfig.frequencyPenalty",
                                          .system = "systemInstruction",
                                          .messages = "contents"};
    switch (dialect) {
        case Dialect::openai_chat:
            return kChat;
        case Dialect::openai_responses:
            return kResponses;
        case Dialect::anthropic:
        case Dialect::bedrock:
            return kMessages;
        case Dialect::gemini:
            return kGenerate;
    }
    std::unreachable();
}

void Outgoing::drop(std::string_view field) {
    auto& dropped = encoded.dropped;
    if (std::find(dropped.begin(), dropped.end(), field) == dropped.end()) {
        dropped.emplace_back(field);
    }
}

Failure Outgoing::cannot(std::string_view field, std::string_view what) const {
    return fail(Code::invalid_request,
                fmt::format("This model cannot take {}; leave it out or ask another model.", what))
        .parameter(std::string(field));
}

namespace {

ThinkingPlan plan_of(const llm::Call& call,
                     const ModelFacts& facts,
                     const Target& target,
                     const Conversation& conversation) {
    return plan_thinking(call,
                         facts,
                         {.output_tokens_max = target.output_tokens_max,
                          .history_lacks_thought = conversation.lacks_thought(),
                          .budgets = target.effort_budgets});
}

// A schema for the answer, of a model that knows none: as a tool that must be called.
bool needs_answer_tool(const llm::Call& call, const ModelFacts& facts) {
    return call.format.kind == llm::OutputFormat::Kind::json_schema && !facts.takes_json_schema;
}

Result<llm::Call> answering_by_tool(const Outgoing& out) {
    const std::string_view field = words_of(out.call.from).format;
    if (!out.facts.can_be_forced) {
        return out.cannot(field, "a JSON schema for its answer");
    }
    if (is_beside_tools(out.call) &&
        plan_of(out.call, out.facts, out.target, arrange(out.call, out.facts)).thinks()) {
        return out.cannot(field, "a JSON schema for its answer beside tools and thinking");
    }
    return with_answer_tool(out.call, field);
}

}  // namespace

std::int64_t output_tokens_max(const llm::Call& call, const Target& target) {
    const ModelFacts facts = facts_of(target.model);
    return plan_of(call, facts, target, arrange(call, facts)).max_tokens;
}

Result<EncodedRequest> encode_request(const llm::Call& call, const Target& target) {
    Outgoing out{.call = call, .target = target, .facts = facts_of(target.model)};
    WEIR_TRY(refuse_what_changes_the_answer(out));
    if (needs_answer_tool(call, out.facts)) {
        WEIR_TRY(const llm::Call asked, answering_by_tool(out));
        return encode_request(asked, target);
    }
    const Conversation conversation = arrange(call, out.facts);
    const ThinkingPlan plan = plan_of(call, out.facts, target, conversation);
    Writer json(out.encoded.body);
    json.object().field("model", target.model).field("max_tokens", plan.max_tokens);
    if (call.stream) {
        json.field("stream", true);
    }
    WEIR_TRY(encode_conversation(conversation, out, json));
    WEIR_TRY(encode_tools(out, json));
    encode_thinking(plan, out, json);
    encode_output_config(plan, out, json);
    encode_sampling(plan, out, json);
    encode_stop(out, json);
    encode_service_tier(out, json);
    write_cache_mark(call.cache, json);
    encode_rest(out, json);
    json.end_object();
    return std::move(out.encoded);
}

}  // namespace weir::dialect::anthropic
