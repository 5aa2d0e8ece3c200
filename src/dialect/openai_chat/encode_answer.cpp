// A whole answer for a client of OpenAI's chat.
#include "dialect/carrier.h"
#include "dialect/openai_chat/codec.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Writer;

struct Sorted {
    std::string text, refusal, thought;
    std::vector<const llm::Reasoning*> reasonings;
    std::vector<const llm::ToolCall*> calls;
    std::vector<const llm::Citation*> citations;
    std::vector<const llm::Media*> media;
};

Sorted sort(const llm::Choice& choice) {
    Sorted sorted;
    for (const llm::Part& part : choice.parts) {
        if (const auto* text = llm::as<llm::Text>(part)) {
            sorted.text += text->text;
            for (const llm::Citation& citation : text->citations) {
                sorted.citations.push_back(&citation);
            }
        } else if (const auto* refusal = llm::as<llm::Refusal>(part)) {
            sorted.refusal += refusal->text;
        } else if (const auto* reasoning = llm::as<llm::Reasoning>(part)) {
            sorted.thought += reasoning->text;
            sorted.reasonings.push_back(reasoning);
        } else if (const auto* call = llm::as<llm::ToolCall>(part)) {
            sorted.calls.push_back(call);
        } else if (const auto* media = llm::as<llm::Media>(part)) {
            sorted.media.push_back(media);
        }
    }
    return sorted;
}

void encode_calls(const std::vector<const llm::ToolCall*>& calls, Writer& json) {
    json.key("tool_calls").array();
    for (const llm::ToolCall* call : calls) {
        json.object().field("id", carry_in_id(call->id, call->signature)).field("type", "function");
        json.key("function").object().field("name", call->name);
        json.field("arguments", call->arguments.empty() ? "{}" : call->arguments).end_object();
        write_google_signature(call->signature, json);
        json.end_object();
    }
    json.end_array();
}

// Only those whose place in the text is known; OpenAI's clients index with it.
void encode_annotations(const std::vector<const llm::Citation*>& citations, Writer& json) {
    json.key("annotations").array();
    for (const llm::Citation* citation : citations) {
        if (citation->url.empty() || !citation->start || !citation->end) {
            continue;
        }
        json.object().field("type", "url_citation").key("url_citation").object();
        json.field("url", citation->url).field("title", citation->title);
        json.field("start_index", *citation->start).field("end_index", *citation->end);
        json.end_object().end_object();
    }
    json.end_array();
}

// Pictures that the model made: the form that OpenRouter's clients know.
void encode_images(const std::vector<const llm::Media*>& media, Writer& json) {
    json.key("images").array();
    for (const llm::Media* picture : media) {
        json.object().field("type", "image_url").key("image_url").object();
        json.field("url", "data:" + picture->mime + ";base64," + picture->data);
        json.end_object().end_object();
    }
    json.end_array();
}

void encode_choice(const llm::Choice& choice, std::int64_t index, Writer& json) {
    const Sorted sorted = sort(choice);
    json.object().field("index", index).key("message").object().field("role", "assistant");
    if (sorted.text.empty() && (!sorted.calls.empty() || !sorted.refusal.empty())) {
        json.key("content").null();
    } else {
        json.field("content", sorted.text);
    }
    if (sorted.refusal.empty()) {
        json.key("refusal").null();
    } else {
        json.field("refusal", sorted.refusal);
    }
    if (!sorted.reasonings.empty()) {
        json.field_unless_empty("reasoning_content", sorted.thought);
        json.key("reasoning_details").array();
        for (const llm::Reasoning* reasoning : sorted.reasonings) {
            encode_reasoning_detail(*reasoning, json);
        }
        json.end_array();
    }
    if (!sorted.calls.empty()) {
        encode_calls(sorted.calls, json);
    }
    if (!sorted.media.empty()) {
        encode_images(sorted.media, json);
    }
    encode_annotations(sorted.citations, json);
    json.end_object().key("logprobs");
    json.raw(choice.logprobs_json.empty() ? "null" : choice.logprobs_json);
    json.field("finish_reason",
               choice.finish == llm::FinishReason::other ? std::string_view(choice.finish_word)
                                                         : llm::name(choice.finish));
    json.end_object();
}

}  // namespace

std::string encode_answer(const llm::Answer& answer, const AnswerTerms& terms) {
    std::string body;
    Writer json(body);
    json.object().field("id", "chatcmpl-" + std::string(terms.request_id));
    json.field("object", "chat.completion");
    json.field("created", answer.created != 0 ? answer.created : terms.created);
    json.field("model", terms.model.empty() ? std::string_view(answer.model) : terms.model);
    json.key("choices").array();
    for (std::size_t i = 0; i < answer.choices.size(); ++i) {
        encode_choice(answer.choices[i], static_cast<std::int64_t>(i), json);
    }
    json.end_array();
    if (answer.usage) {
        json.key("usage");
        encode_usage(*answer.usage, json);
    }
    json.end_object();
    return body;
}

}  // namespace weir::dialect::openai_chat
