// A whole answer for a client. What has no block here (pictures, sound, parts that only another
// dialect knows) stays out; foreign signatures ride along (dialect/carrier.h).
#include <fmt/format.h>

#include "dialect/anthropic/codec.h"
#include "dialect/carrier.h"

namespace weir::dialect::anthropic {
namespace {

using json::Writer;

void write_text(const llm::Text& text, Writer& json) {
    if (text.text.empty()) {
        return;
    }
    json.object().field("type", "text").field("text", text.text);
    bool has_citations = false;
    for (const llm::Citation& citation : text.citations) {
        // Others' citations point into the text; these are proofs of the provider's own.
        if (citation.of != llm::Dialect::anthropic) {
            continue;
        }
        if (!has_citations) {
            has_citations = true;
            json.key("citations").array();
        }
        json.raw(citation.json);
    }
    // Where there are none the field is left out, whatever the specification demands: real answers
    // have none either, and the Vercel SDK refuses a null.
    if (has_citations) {
        json.end_array();
    }
    json.end_object();
}

void write_thought(const llm::Reasoning& reasoning, Writer& json) {
    if (reasoning.text.empty() && reasoning.signature.text.empty()) {
        return;
    }
    const std::string signature = carry_in_field(reasoning.signature, llm::Dialect::anthropic);
    if (reasoning.redacted) {
        json.object().field("type", "redacted_thinking").field("data", signature).end_object();
        return;
    }
    json.object().field("type", "thinking").field("thinking", reasoning.text);
    json.field("signature", signature).end_object();
}

// An object, as clients of this dialect expect. What a model got wrong comes in the form that
// Anthropic's documentation has for it, so that the client can tell the model.
void write_input(const std::string& arguments, Writer& json) {
    json::Document document;
    json.key("input");
    if (arguments.empty()) {
        json.raw("{}");
    } else if (const auto root = document.parse(arguments, json::Duplicates::allowed);
               root && root->is_object()) {
        json.raw(arguments);
    } else {
        json.object().field("INVALID_JSON", arguments).end_object();
    }
}

void write_part(const llm::Part& part, std::size_t index, const AnswerTerms& terms, Writer& json) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        write_text(*text, json);
    } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        write_text({.text = refusal->text}, json);
    } else if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
        write_thought(*reasoning, json);
    } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
        const std::string id =
            call->id.empty() ? fmt::format("toolu_{}_{}", terms.request_id, index) : call->id;
        json.object().field("type", "tool_use").field("id", carry_in_id(id, call->signature));
        json.field("name", call->name);
        write_input(call->arguments, json);
        json.key("caller").object().field("type", "direct").end_object();
        json.end_object();
    } else if (const auto* opaque = llm::as<llm::Opaque>(part);
               opaque != nullptr && opaque->of == llm::Dialect::anthropic) {
        json.raw(opaque->json);
    }
}

bool refuses(const llm::Choice& choice) {
    for (const llm::Part& part : choice.parts) {
        if (llm::as<llm::Refusal>(part) != nullptr) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms) {
    static const llm::Choice kNothing;
    const llm::Choice& choice = answer.choices.empty() ? kNothing : answer.choices.front();
    std::string body;
    Writer json(body);
    json.object().field("id", message_id(answer.id, terms.request_id));
    json.field("type", "message").field("role", "assistant").field("model", terms.model);
    json.key("content").array();
    for (std::size_t i = 0; i < choice.parts.size(); ++i) {
        write_part(choice.parts[i], i, terms, json);
    }
    json.end_array();
    const bool is_refusal = choice.finish == llm::FinishReason::stop && refuses(choice);
    const auto finish = is_refusal ? llm::FinishReason::content_filter : choice.finish;
    write_stop(stop_reason(finish, choice.finish_word), choice.stop_sequence, json);
    // Clients read it without asking whether it is there.
    const llm::Usage usage = answer.usage.value_or(llm::Usage{});
    json.key("usage").object();
    write_usage(usage, json);
    write_message_usage(usage, answer.service_tier, json);
    json.end_object();
    json.end_object();
    return body;
}

}  // namespace weir::dialect::anthropic
