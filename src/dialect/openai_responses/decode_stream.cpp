// A provider's stream as events. An item is a part, or for a message as many parts as it has
// contents; a part begins with its first words, so that none is empty. What was not said in pieces
// is taken from the events that repeat the whole.
#include <algorithm>

#include "dialect/failure.h"
#include "dialect/openai_responses/codec.h"

namespace weir::dialect::openai_responses {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

// More than any answer has; what is done is not counted.
constexpr std::size_t kOpenItemsMax = 1024;

// A part that was begun, or will be with its first words.
struct Part {
    std::int64_t content_index = 0;  // in a message
    PartKind kind = PartKind::text;
    std::uint32_t number = 0;
    bool begun = false;
    bool said = false;  // something
    bool ended = false;
};

struct Item {
    std::int64_t output_index = 0;
    std::string id;
    PartKind kind = PartKind::text;  // of all that is no message, the one part's
    bool is_ignored = false;         // a tool of the provider's
    std::int64_t thought_index = 0;  // of thinking: the summary that was said last
    std::vector<Part> parts;
};

class Decoder : public StreamDecoder {
public:
    Result<void> feed(std::string_view bytes, EventSink& sink) override {
        sse_.feed(bytes);
        sse::Event event;
        while (!ended_) {
            WEIR_TRY(const bool found, sse_.next(event));
            if (!found) {
                break;
            }
            if (event.kind == sse::Event::Kind::message && !event.data.empty() &&
                event.data != "[DONE]") {
                WEIR_TRY(on_event(event, sink));
            }
        }
        return {};
    }

    Result<void> end(EventSink&) override {
        return ended_ ? Result<void>{}
                      : unusable_answer("the stream ended without its terminal event");
    }

private:
    Result<void> on_event(const sse::Event& event, EventSink& sink);
    Result<void> on_response(Value response, EventSink& sink);
    Result<void> on_item_added(Value root, EventSink& sink);
    Result<void> on_item_done(Value root, EventSink& sink);
    Result<void> on_text(Value root, PartKind kind, std::string_view key, EventSink& sink);
    Result<void> on_whole_text(Value root, PartKind kind, std::string_view text, EventSink& sink);
    Result<void> on_content_done(Value root, EventSink& sink);
    Result<void> on_thought(Value root, bool is_summary, EventSink& sink);
    Result<void> on_arguments(Value root, EventSink& sink);
    Result<void> on_annotation(Value root, EventSink& sink);
    Result<void> on_terminal(Value response, EventSink& sink);

    Result<void> finish_item(Value item, Item& state, EventSink& sink);
    Result<void> finish_message(Value item, Item& state, EventSink& sink);
    Result<void> finish_reasoning(Value item, Item& state, EventSink& sink);
    Result<void> give_image(Value item, Item& state, EventSink& sink);

    Result<Item*> item_of(Value root, PartKind kind);
    Part& part_of(Item& item, std::int64_t content_index, PartKind kind);
    Result<void> begin(Part& part, llm::Event event, EventSink& sink);
    Result<void> say(Part& part, std::string_view text, EventSink& sink, Value logprobs = {});
    Result<void> end_part(Part& part, EventSink& sink);
    Result<void> end_parts(Item& item, EventSink& sink);

    bool started_ = false;
    bool ended_ = false;
    bool has_calls_ = false;
    std::uint32_t parts_ = 0;  // begun
    sse::Decoder sse_;
    json::Document document_;
    std::vector<Item> items_;              // those that are open
    std::string type_, text_, name_, id_;  // unescaped, where that takes a copy
    std::string logprobs_;                 // of the words that are said
};

Result<void> Decoder::on_event(const sse::Event& event, EventSink& sink) {
    const auto parsed = document_.parse(event.data, json::Duplicates::allowed);
    if (!parsed) {
        return unusable_answer(parsed.error().message());
    }
    const Value root = *parsed;
    std::string_view type = root["type"].view(type_);
    if (type.empty()) {
        type = event.name;
    }
    constexpr std::string_view kPrefix = "response.";
    if (!type.starts_with(kPrefix)) {
        const bool is_error = type == "error" || root["error"].has_value();
        return is_error
                   ? std::unexpected(decode_error({.status = kServerError, .body = event.data}))
                   : Result<void>{};
    }
    type.remove_prefix(kPrefix.size());
    if (type == "output_text.delta") {
        return on_text(root, PartKind::text, "delta", sink);
    }
    if (type == "function_call_arguments.delta") {
        return on_arguments(root, sink);
    }
    if (type == "reasoning_summary_text.delta") {
        return on_thought(root, true, sink);
    }
    if (type == "reasoning_text.delta") {
        return on_thought(root, false, sink);
    }
    if (type == "refusal.delta") {
        return on_text(root, PartKind::refusal, "delta", sink);
    }
    if (type == "output_item.added") {
        return on_item_added(root, sink);
    }
    if (type == "output_item.done") {
        return on_item_done(root, sink);
    }
    if (type == "output_text.done") {
        return on_whole_text(root, PartKind::text, root["text"].view(text_), sink);
    }
    if (type == "refusal.done") {
        return on_whole_text(root, PartKind::refusal, root["refusal"].view(text_), sink);
    }
    if (type == "content_part.done") {
        return on_content_done(root, sink);
    }
    if (type == "output_text.annotation.added") {
        return on_annotation(root, sink);
    }
    if (type == "created" || type == "in_progress" || type == "queued") {
        return on_response(root["response"], sink);
    }
    if (type == "completed" || type == "incomplete") {
        return on_terminal(root["response"], sink);
    }
    if (type == "failed") {
        return std::unexpected(decode_error({.status = kServerError, .body = event.data}));
    }
    return type == "cancelled" ? unusable_answer("the provider gave the answer up")
                               : Result<void>{};  // tools of the provider's, and what is to come
}

Result<void> Decoder::on_response(Value response, EventSink& sink) {
    if (started_) {
        return {};
    }
    started_ = true;
    return sink.take({.kind = Kind::start,
                      .id = response["id"].view(id_),
                      .model = response["model"].view(name_)});
}

// The item that an event is about; one that was not announced is taken to be of the kind that such
// events are of.
Result<Item*> Decoder::item_of(Value root, PartKind kind) {
    const std::int64_t index = root["output_index"].integer().value_or(0);
    const auto known = std::find_if(items_.rbegin(), items_.rend(), [index](const Item& item) {
        return item.output_index == index;
    });
    if (known != items_.rend()) {
        return &*known;
    }
    if (items_.size() == kOpenItemsMax) {
        return unusable_answer("more items side by side than there can be");
    }
    items_.push_back({.output_index = index, .kind = kind});
    return &items_.back();
}

Part& Decoder::part_of(Item& item, std::int64_t content_index, PartKind kind) {
    for (Part& part : item.parts) {
        if (part.content_index == content_index) {
            return part;
        }
    }
    return item.parts.emplace_back(Part{.content_index = content_index, .kind = kind});
}

Result<void> Decoder::begin(Part& part, llm::Event event, EventSink& sink) {
    part.begun = true;
    part.number = parts_++;
    event.kind = Kind::part_begin;
    event.part = part.number;
    event.part_kind = part.kind;
    return sink.take(event);
}

Result<void> Decoder::say(Part& part, std::string_view text, EventSink& sink, Value logprobs) {
    logprobs_.clear();
    if (part.kind == PartKind::text) {
        add_logprobs(logprobs, logprobs_);
    }
    if ((text.empty() && logprobs_.empty()) || part.ended) {
        return {};
    }
    if (!part.begun) {
        WEIR_TRY(begin(part, {}, sink));
    }
    part.said = true;
    return sink.take({.kind = Kind::delta,
                      .part = part.number,
                      .part_kind = part.kind,
                      .text = text,
                      .logprobs = logprobs_});
}

Result<void> Decoder::end_part(Part& part, EventSink& sink) {
    if (!part.begun || part.ended) {
        return {};
    }
    part.ended = true;
    return sink.take({.kind = Kind::part_end, .part = part.number, .part_kind = part.kind});
}

Result<void> Decoder::end_parts(Item& item, EventSink& sink) {
    for (Part& part : item.parts) {
        WEIR_TRY(end_part(part, sink));
    }
    return {};
}

Result<void> Decoder::on_item_added(Value root, EventSink& sink) {
    const Value item = root["item"];
    const std::int64_t index = root["output_index"].integer().value_or(0);
    // Some servers say index 0 of every item: what came before it is over.
    for (auto earlier = items_.begin(); earlier != items_.end();) {
        if (earlier->output_index == index) {
            WEIR_TRY(end_parts(*earlier, sink));
            earlier = items_.erase(earlier);
        } else {
            ++earlier;
        }
    }
    WEIR_TRY(Item* const state, item_of(root, PartKind::text));
    state->id = item["id"].string_or("");
    const std::string_view type = item["type"].view(type_);
    if (type == "reasoning") {
        state->kind = PartKind::reasoning;
        return {};
    }
    if (type == "function_call") {
        state->kind = PartKind::tool_call;
        has_calls_ = true;
        Part& part = part_of(*state, 0, PartKind::tool_call);
        return begin(
            part, {.id = item["call_id"].view(id_), .name = item["name"].view(name_)}, sink);
    }
    state->is_ignored = type != "message";
    return {};
}

Result<void> Decoder::on_text(Value root, PartKind kind, std::string_view key, EventSink& sink) {
    WEIR_TRY(Item* const item, item_of(root, kind));
    const std::int64_t index = root["content_index"].integer().value_or(0);
    return say(part_of(*item, index, kind), root[key].view(text_), sink, root["logprobs"]);
}

// Said in pieces before, or only now.
Result<void> Decoder::on_whole_text(Value root,
                                    PartKind kind,
                                    std::string_view text,
                                    EventSink& sink) {
    WEIR_TRY(Item* const item, item_of(root, kind));
    Part& part = part_of(*item, root["content_index"].integer().value_or(0), kind);
    return part.begun ? Result<void>{} : say(part, text, sink, root["logprobs"]);
}

Result<void> Decoder::on_content_done(Value root, EventSink& sink) {
    WEIR_TRY(Item* const item, item_of(root, PartKind::text));
    if (item->kind != PartKind::text) {
        return {};  // thinking ends with its item, which brings the seal
    }
    const std::int64_t index = root["content_index"].integer().value_or(0);
    for (Part& part : item->parts) {
        if (part.content_index == index) {
            return end_part(part, sink);
        }
    }
    return {};
}

Result<void> Decoder::on_annotation(Value root, EventSink& sink) {
    WEIR_TRY(Item* const item, item_of(root, PartKind::text));
    Part& part = part_of(*item, root["content_index"].integer().value_or(0), PartKind::text);
    if (!part.begun || part.ended) {
        return {};
    }
    const llm::Citation citation = decode_annotation(root["annotation"]);
    return sink.take({.kind = Kind::citation,
                      .part = part.number,
                      .part_kind = part.kind,
                      .citation = &citation});
}

Result<void> Decoder::on_thought(Value root, bool is_summary, EventSink& sink) {
    WEIR_TRY(Item* const item, item_of(root, PartKind::reasoning));
    Part& part = part_of(*item, 0, PartKind::reasoning);
    const std::string_view text = root["delta"].view(text_);
    if (text.empty()) {
        return {};
    }
    const std::int64_t index =
        root[is_summary ? "summary_index" : "content_index"].integer().value_or(0);
    if (!part.begun) {
        WEIR_TRY(begin(part, {.is_summary = is_summary, .id = item->id}, sink));
    } else if (index != item->thought_index) {
        WEIR_TRY(say(part, kSummaryGap, sink));
    }
    item->thought_index = index;
    return say(part, text, sink);
}

Result<void> Decoder::on_arguments(Value root, EventSink& sink) {
    WEIR_TRY(Item* const item, item_of(root, PartKind::tool_call));
    if (item->is_ignored) {
        return {};
    }
    Part& part = part_of(*item, 0, PartKind::tool_call);
    if (!part.begun) {
        return unusable_answer("arguments of a tool call that was not announced");
    }
    return say(part, root["delta"].view(text_), sink);
}

Result<void> Decoder::on_item_done(Value root, EventSink& sink) {
    const Value item = root["item"];
    const std::string_view type = item["type"].view(type_);
    const PartKind kind = type == "function_call" ? PartKind::tool_call
                          : type == "reasoning"   ? PartKind::reasoning
                                                  : PartKind::text;
    WEIR_TRY(Item* const state, item_of(root, kind));
    WEIR_TRY(finish_item(item, *state, sink));
    items_.erase(items_.begin() + (state - items_.data()));
    return {};
}

// All that the whole item says beyond its pieces.
Result<void> Decoder::finish_item(Value item, Item& state, EventSink& sink) {
    const std::string_view type = item["type"].view(type_);
    if (type == "message") {
        WEIR_TRY(finish_message(item, state, sink));
    } else if (type == "reasoning") {
        WEIR_TRY(finish_reasoning(item, state, sink));
    } else if (type == "function_call") {
        Part& part = part_of(state, 0, PartKind::tool_call);
        if (!part.begun) {
            has_calls_ = true;
            WEIR_TRY(begin(
                part, {.id = item["call_id"].view(id_), .name = item["name"].view(name_)}, sink));
        }
        if (!part.said) {
            WEIR_TRY(say(part, item["arguments"].view(text_), sink));
        }
    } else if (type == "image_generation_call" && item["result"].is_string()) {
        WEIR_TRY(give_image(item, state, sink));
    }
    return end_parts(state, sink);
}

Result<void> Decoder::finish_message(Value item, Item& state, EventSink& sink) {
    std::int64_t index = 0;
    for (const Value content : item["content"]) {
        const bool is_refusal = content["type"].equals("refusal");
        const PartKind kind = is_refusal ? PartKind::refusal : PartKind::text;
        Part& part = part_of(state, index++, kind);
        if (!part.begun) {
            WEIR_TRY(say(part,
                         content[is_refusal ? "refusal" : "text"].view(text_),
                         sink,
                         content["logprobs"]));
        }
    }
    return {};
}

Result<void> Decoder::finish_reasoning(Value item, Item& state, EventSink& sink) {
    const llm::Reasoning reasoning = decode_reasoning(item);
    Part& part = part_of(state, 0, PartKind::reasoning);
    if (!part.begun) {
        if (reasoning.text.empty() && reasoning.signature.text.empty()) {
            return {};
        }
        WEIR_TRY(begin(part,
                       {.redacted = reasoning.redacted,
                        .is_summary = reasoning.is_summary,
                        .id = reasoning.id},
                       sink));
        WEIR_TRY(say(part, reasoning.text, sink));
    }
    if (reasoning.signature.text.empty()) {
        return {};
    }
    return sink.take({.kind = Kind::signature,
                      .part = part.number,
                      .part_kind = part.kind,
                      .text = reasoning.signature.text,
                      .signature_of = reasoning.signature.of});
}

Result<void> Decoder::give_image(Value item, Item& state, EventSink& sink) {
    const llm::Media media = decode_made_image(item);
    Part& part = part_of(state, 0, PartKind::media);
    part.kind = PartKind::media;
    WEIR_TRY(begin(part, {.mime = media.mime}, sink));
    return say(part, media.data, sink);
}

Result<void> Decoder::on_terminal(Value response, EventSink& sink) {
    if (!response.is_object()) {
        return unusable_answer("the terminal event has no response");
    }
    WEIR_TRY(on_response(response, sink));
    for (Item& item : items_) {
        WEIR_TRY(end_parts(item, sink));
    }
    if (parts_ == 0) {  // a server that says it all at once
        for (const Value item : response["output"]) {
            Item state;
            WEIR_TRY(finish_item(item, state, sink));
        }
    }
    auto reason = has_calls_ ? llm::FinishReason::tool_calls : llm::FinishReason::stop;
    std::string_view word;
    if (response["status"].equals("incomplete")) {
        word = response["incomplete_details"]["reason"].view(text_);
        reason = read_incomplete_reason(word);
    }
    WEIR_TRY(sink.take({.kind = Kind::finish,
                        .text = reason == llm::FinishReason::other ? word : std::string_view{},
                        .reason = reason}));
    if (auto usage = decode_usage(response["usage"])) {
        usage->searches = count_searches(response["output"]);
        usage->tier = llm::read_service_tier(response["service_tier"].string_or(""));
        WEIR_TRY(sink.take({.kind = Kind::usage, .usage = &*usage}));
    }
    ended_ = true;
    return sink.take({.kind = Kind::end});
}

}  // namespace

// `[DONE]` is no terminal here: some send it behind theirs.
std::unique_ptr<StreamDecoder> decode_stream(bool) { return std::make_unique<Decoder>(); }

}  // namespace weir::dialect::openai_responses
