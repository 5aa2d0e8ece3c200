// A whole answer for a client: every part is an item of its own, as in a stream.
#include "dialect/carrier.h"
#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;

std::string escaped(std::string_view text) {
    std::string out;
    json::append_escaped(out, text);
    return out;
}

// The members of `content` in OpenAI's chat form.
std::string read_logprobs(const llm::Choice& choice) {
    json::Document document;
    const auto root = document.parse(choice.logprobs_json, json::Duplicates::allowed);
    if (!root || (*root)["content"].size() == 0) {
        return {};
    }
    const std::string_view members = (*root)["content"].json();
    return std::string(members.substr(1, members.size() - 2));
}

struct Items {
    const AnswerTerms& terms;
    std::string_view last_status;  // of the last part: it may have been cut
    std::string logprobs;          // of the first text: an answer has them once
    std::string out{};
    std::size_t count = 0;

    std::string next_id(std::string_view prefix) const {
        return make_item_id(prefix, terms.request_id, count);
    }
    void begin_item() { out += out.empty() ? "" : ","; }

    void add_words(std::string_view words, bool is_refusal, const llm::Text* text, bool is_last) {
        if (words.empty()) {
            return;
        }
        std::string annotations;
        if (text != nullptr) {
            for (const llm::Citation& citation : text->citations) {
                const std::size_t before = annotations.size();
                annotations += before == 0 ? "" : ",";
                if (!append_annotation(citation, annotations)) {
                    annotations.resize(before);
                }
            }
        }
        begin_item();
        append_text_item({.id = next_id("msg"),
                          .status = is_last ? last_status : "completed",
                          .escaped = escaped(words),
                          .is_refusal = is_refusal,
                          .annotations = annotations,
                          .logprobs = is_refusal ? std::string_view{} : logprobs},
                         out);
        if (!is_refusal) {
            logprobs.clear();
        }
        ++count;
    }

    void add_call(const llm::ToolCall& call, bool is_last) {
        const std::string id =
            call.id.empty() ? make_item_id("call", terms.request_id, count) : call.id;
        begin_item();
        append_call_item(
            {.id = next_id("fc"),
             .status = is_last ? last_status : "completed",
             .call_id = carry_in_id(id, call.signature),
             .name = call.name,
             .escaped_arguments = escaped(call.arguments.empty() ? "{}" : call.arguments)},
            out);
        ++count;
    }

    void add_reasoning(const llm::Reasoning& reasoning) {
        if (reasoning.text.empty() && reasoning.signature.text.empty()) {
            return;
        }
        begin_item();
        append_reasoning_item(reasoning_id(reasoning.id, terms.request_id, count),
                              escaped(reasoning.text),
                              carry_in_field(reasoning.signature, kOwn),
                              out);
        ++count;
    }

    void add(const llm::Part& part, bool is_last) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            add_words(text->text, false, text, is_last);
        } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
            add_words(refusal->text, true, nullptr, is_last);
        } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
            add_call(*call, is_last);
        } else if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
            add_reasoning(*reasoning);
        } else if (const auto* media = llm::as<llm::Media>(part)) {
            // Pictures only: there is no item for made sound.
            if (media->kind == llm::MediaKind::image && !media->data.empty()) {
                begin_item();
                append_image_item(next_id("ig"), media->data, out);
                ++count;
            }
        } else if (const auto* opaque = llm::as<llm::Opaque>(part)) {
            if (opaque->of == kOwn) {
                begin_item();
                out += opaque->json;
                ++count;
            }
        }
    }
};

}  // namespace

std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms) {
    static const llm::Choice kNothing;
    // A client of this dialect can ask for one choice only.
    const llm::Choice& choice = answer.choices.empty() ? kNothing : answer.choices.front();
    const std::string_view reason = incomplete_reason(choice.finish);
    const bool has_failed = choice.finish == llm::FinishReason::error;
    const std::string_view status = has_failed       ? "failed"
                                    : reason.empty() ? "completed"
                                                     : "incomplete";
    Items items{.terms = terms,
                .last_status = reason.empty() ? "completed" : "incomplete",
                .logprobs = choice.logprobs_json.empty() ? "" : read_logprobs(choice)};
    for (std::size_t i = 0; i < choice.parts.size(); ++i) {
        items.add(choice.parts[i], i + 1 == choice.parts.size());
    }
    // An id of this dialect's own may be one that its provider knows.
    const bool has_own_id = answer.id.starts_with("resp_");
    std::string body;
    append_response({.id = has_own_id ? answer.id : make_response_id(terms.request_id),
                     .model = terms.model.empty() ? std::string_view(answer.model) : terms.model,
                     .created = answer.created != 0 ? answer.created : terms.created,
                     .status = status,
                     .incomplete_reason = reason,
                     .error_code = has_failed ? "server_error" : "",
                     .error_message = has_failed ? "The model provider failed; try again." : "",
                     .output = items.out,
                     .usage = answer.usage ? &*answer.usage : nullptr,
                     .service_tier = answer.service_tier},
                    body);
    return body;
}

}  // namespace weir::dialect::openai_responses
