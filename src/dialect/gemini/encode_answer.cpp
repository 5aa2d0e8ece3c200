// A whole answer for a client that speaks Gemini.
#include <fmt/format.h>

#include "base/timestamp.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/finish.h"
#include "dialect/gemini/logprobs.h"
#include "dialect/gemini/parts.h"
#include "dialect/gemini/usage.h"

namespace weir::dialect::gemini {
namespace {

using json::Writer;

struct Encoder {
    const AnswerTerms& terms;
    Writer& json;
    json::Document document{};
    int calls = 0;
    // Of the choice that is being written.
    Grounding grounding{};
    Ending ending{};

    void write_choice(const llm::Choice& choice, std::int64_t index);
    void write_part(const llm::Part& part);
};

void Encoder::write_choice(const llm::Choice& choice, std::int64_t index) {
    grounding = {};
    ending = {.reason = choice.finish, .word = choice.finish_word};
    json.object();
    if (!choice.parts.empty()) {
        json.key("content").object().key("parts").array();
        for (const llm::Part& part : choice.parts) {
            write_part(part);
        }
        json.end_array().field("role", "model").end_object();
    }
    write_ending(ending, json);
    json.field("index", index);
    grounding.write(json);
    encode_logprobs(choice.logprobs_json, json);
    json.end_object();
}

void Encoder::write_part(const llm::Part& part) {
    if (const auto* text = llm::as<llm::Text>(part)) {
        if (!text->text.empty() || !text->signature.text.empty()) {
            write_text(text->text, false, carry(text->signature, false), json);
        }
        for (const llm::Citation& citation : text->citations) {
            grounding.add(citation, text->text);
        }
    } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
        ending.has_refusal = true;
        write_text(refusal->text, false, {}, json);
    } else if (const auto* thought = llm::as<llm::Reasoning>(part)) {
        if (!thought->text.empty() || !thought->signature.text.empty()) {
            write_text(thought->text, true, carry(thought->signature, thought->redacted), json);
        }
    } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
        if (!is_object(call->arguments, document)) {
            ending.has_malformed_call = true;
            return;
        }
        const std::string made =
            call->id.empty() ? fmt::format("call_{}_{}", calls, terms.request_id) : "";
        ++calls;
        write_call(made.empty() ? call->id : made,
                   call->name,
                   call->arguments,
                   carry(call->signature, false),
                   json);
    } else if (const auto* media = llm::as<llm::Media>(part)) {
        if (!media->data.empty()) {
            write_data(media->mime, media->data, json);
        }
    } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
        if (opaque->of == llm::Dialect::gemini) {
            json.raw(opaque->json);
        }
    }
}

}  // namespace

std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms) {
    std::string body;
    Writer json(body);
    Encoder encoder{.terms = terms, .json = json};
    json.object().key("candidates").array();
    for (std::size_t i = 0; i < answer.choices.size(); ++i) {
        encoder.write_choice(answer.choices[i], static_cast<std::int64_t>(i));
    }
    json.end_array();
    if (answer.usage) {
        json.key("usageMetadata");
        encode_usage(*answer.usage, json);
    }
    json.field("modelVersion", terms.model);
    const std::int64_t created = answer.created != 0 ? answer.created : terms.created;
    if (created != 0) {
        json.field("createTime", to_rfc3339(wall_from_micros(created * 1'000'000)));
    }
    json.field("responseId", terms.request_id);  // a foreign one would say who the provider is
    json.end_object();
    return body;
}

}  // namespace weir::dialect::gemini
