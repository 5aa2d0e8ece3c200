// A stream for a client, in the order of events that OpenAI's own server keeps: every item is
// announced, said in pieces, said again as a whole, and closed; the last event holds all of them.
// Items never overlap and never share an output_index.
#include <fmt/format.h>

#include "dialect/carrier.h"
#include "dialect/failure.h"
#include "dialect/json/value.h"
#include "dialect/openai_responses/codec.h"
#include "dialect/sequencer.h"

namespace weir::dialect::openai_responses {
namespace {

using Kind = llm::Event::Kind;
using llm::PartKind;

constexpr llm::Dialect kOwn = llm::Dialect::openai_responses;
// The last event repeats the whole answer, so all of it is kept. Clients take no larger event.
constexpr std::size_t kKeptBytesMax = sse::kEventBytesMax;

// The item that is open. It is announced with its first words: none is empty.
struct Item {
    PartKind kind = PartKind::text;
    bool announced = false;
    bool is_ending = false;  // its end waits for what follows: it may have been cut
    std::string id;
    std::string call_id, name;  // of a tool call
    std::string given_id;       // the provider's
    llm::Signature signature;
    std::string escaped;      // all that was said
    std::string annotations;  // members of the array
    std::string logprobs;     // members of the array
    std::int64_t annotation_count = 0;
    std::string delta_head;  // what every piece's event begins with
};

class Encoder : public StreamEncoder, private EventSink {
public:
    explicit Encoder(const AnswerTerms& terms)
        : model_(terms.model),
          request_id_(terms.request_id),
          id_(make_response_id(terms.request_id)),
          created_(terms.created) {}

    void take(const llm::Event& event, std::string& out) override {
        if (ended_ || event.choice != 0) {
            return;  // a client of this dialect can ask for one choice only
        }
        out_ = &out;
        if (const auto taken = sequencer_.take(event, *this); !taken) {
            fail(taken.error(), out);
        }
    }

    void fail(const Error& error, std::string& out) override {
        if (ended_) {
            return;
        }
        out_ = &out;
        ended_ = true;
        begin_event("error");
        out += R"(,"code":")";
        out += name(error.code());
        out += R"(","message":")";
        json::append_escaped(out, error.message());
        out += R"(","param":null)";
        end_event();
        begin_event("response.failed");
        append_response_field("failed", {}, response_error_code(error.code()), error.message());
        end_event();
    }

    void keep_alive(std::string& out) override { out += ": waiting\n\n"; }

private:
    Result<void> take(const llm::Event& event) override;  // in order now
    void begin_stream(std::string_view model);
    void begin_item(const llm::Event& event);
    void announce();
    Result<void> say(std::string_view text, std::string_view logprobs);
    void cite(const llm::Citation& citation);
    void end_item(std::string_view status);
    void end_words(std::string_view status, std::string& item);
    void end_call(std::string_view status, std::string& item);
    void end_reasoning(std::string& item);
    void end_image(std::string& item);
    void finish_stream();

    void begin_event(std::string_view type) const;
    void end_event();
    void begin_item_event(std::string_view type) const;
    void append_index() const;
    void append_logprobs(std::string_view members) const {
        *out_ += ",\"logprobs\":[";
        *out_ += members;
        *out_ += ']';
    }
    void append_response_field(std::string_view status,
                               std::string_view reason,
                               std::string_view error_code,
                               std::string_view error_message);
    void prepare_deltas(std::string_view type, std::string_view place);
    bool is_words() const {
        return item_->kind == PartKind::text || item_->kind == PartKind::refusal;
    }

    std::string model_, request_id_, id_;
    std::int64_t created_;
    bool begun_ = false;
    bool ended_ = false;
    std::int64_t sequence_ = 0;
    std::size_t items_ = 0;  // announced
    std::optional<Item> item_;
    std::string output_;  // the items that are done: members of the array
    llm::FinishReason finish_ = llm::FinishReason::stop;
    std::optional<llm::Usage> usage_;
    Sequencer sequencer_;
    std::string* out_ = nullptr;
};

void Encoder::begin_event(std::string_view type) const {
    std::string& out = *out_;
    out += "event: ";
    out += type;
    out += "\ndata: {\"type\":\"";
    out += type;
    out += '"';
}

void Encoder::end_event() {
    fmt::format_to(std::back_inserter(*out_), ",\"sequence_number\":{}}}\n\n", sequence_++);
}

void Encoder::append_index() const {
    fmt::format_to(std::back_inserter(*out_), ",\"output_index\":{}", items_ - 1);
}

// An event about the open item.
void Encoder::begin_item_event(std::string_view type) const {
    begin_event(type);
    fmt::format_to(std::back_inserter(*out_), ",\"item_id\":\"{}\"", item_->id);
    append_index();
}

void Encoder::append_response_field(std::string_view status,
                                    std::string_view reason,
                                    std::string_view error_code,
                                    std::string_view error_message) {
    *out_ += ",\"response\":";
    append_response({.id = id_,
                     .model = model_,
                     .created = created_,
                     .status = status,
                     .incomplete_reason = reason,
                     .error_code = error_code,
                     .error_message = error_message,
                     .output = output_,
                     .usage = usage_ ? &*usage_ : nullptr},
                    *out_);
}

Result<void> Encoder::take(const llm::Event& event) {
    if (event.kind == Kind::start) {
        begin_stream(event.model);
        return {};
    }
    begin_stream({});
    if (item_ && item_->is_ending && event.kind != Kind::usage) {
        const bool is_cut = event.kind == Kind::finish && !incomplete_reason(event.reason).empty();
        end_item(is_cut ? "incomplete" : "completed");
    }
    switch (event.kind) {
        case Kind::start:
            break;
        case Kind::part_begin:
            begin_item(event);
            break;
        case Kind::delta:
            return item_ ? say(event.text, event.logprobs) : Result<void>{};
        case Kind::signature:
            if (item_) {
                item_->signature = {.text = std::string(event.text), .of = event.signature_of};
            }
            break;
        case Kind::citation:
            if (item_ && event.citation != nullptr) {
                cite(*event.citation);
            }
            break;
        case Kind::part_end:
            if (item_) {
                item_->is_ending = true;
            }
            break;
        case Kind::finish:
            finish_ = event.reason;
            break;
        case Kind::usage:
            usage_ = *event.usage;
            break;
        case Kind::end:
            finish_stream();
            break;
    }
    return {};
}

void Encoder::begin_stream(std::string_view model) {
    if (begun_) {
        return;
    }
    begun_ = true;
    if (model_.empty()) {
        model_ = model;
    }
    for (const std::string_view type : {"response.created", "response.in_progress"}) {
        begin_event(type);
        append_response_field("in_progress", {}, {}, {});
        end_event();
    }
}

void Encoder::begin_item(const llm::Event& event) {
    if (item_) {
        end_item("completed");
    }
    item_.reset();
    if (event.part_kind == PartKind::media && !event.mime.starts_with("image/")) {
        return;  // there is no item for made sound
    }
    item_.emplace();
    item_->kind = event.part_kind;
    item_->given_id = event.id;
    item_->name = event.name;
    item_->signature = {.text = std::string(event.signature), .of = event.signature_of};
    if (event.part_kind == PartKind::tool_call) {
        announce();  // without arguments, too, it is a call
    }
}

void Encoder::announce() {
    Item& item = *item_;
    item.announced = true;
    const std::size_t index = items_++;
    std::string shown;
    switch (item.kind) {
        case PartKind::text:
        case PartKind::refusal:
            item.id = make_item_id("msg", request_id_, index);
            append_text_item({.id = item.id, .status = "in_progress"}, shown);
            break;
        case PartKind::reasoning:
            item.id = reasoning_id(item.given_id, request_id_, index);
            append_reasoning_item(item.id, {}, {}, shown);
            break;
        case PartKind::tool_call:
            item.id = make_item_id("fc", request_id_, index);
            item.call_id = carry_in_id(
                item.given_id.empty() ? make_item_id("call", request_id_, index) : item.given_id,
                item.signature);
            append_call_item({.id = item.id,
                              .status = "in_progress",
                              .call_id = item.call_id,
                              .name = item.name},
                             shown);
            prepare_deltas("response.function_call_arguments.delta", {});
            break;
        case PartKind::media:
            item.id = make_item_id("ig", request_id_, index);
            append_image_item(item.id, {}, shown);
            break;
    }
    begin_event("response.output_item.added");
    append_index();
    *out_ += ",\"item\":";
    *out_ += shown;
    end_event();
    if (is_words()) {
        begin_item_event("response.content_part.added");
        *out_ += ",\"content_index\":0,\"part\":";
        append_text_part({.escaped = {}, .is_refusal = item.kind == PartKind::refusal}, *out_);
        end_event();
        prepare_deltas(
            item.kind == PartKind::text ? "response.output_text.delta" : "response.refusal.delta",
            ",\"content_index\":0");
    }
}

void Encoder::prepare_deltas(std::string_view type, std::string_view place) {
    item_->delta_head = fmt::format(
        R"(event: {0}{1}data: {{"type":"{0}","item_id":"{2}","output_index":{3}{4},"delta":")",
        type,
        "\n",
        item_->id,
        items_ - 1,
        place);
}

Result<void> Encoder::say(std::string_view text, std::string_view logprobs) {
    Item& item = *item_;
    if (text.empty() && logprobs.empty()) {
        return {};
    }
    if (!item.announced) {
        announce();
    }
    if (item.kind == PartKind::reasoning && item.delta_head.empty()) {
        begin_item_event("response.reasoning_summary_part.added");
        *out_ += R"(,"summary_index":0,"part":{"type":"summary_text","text":""})";
        end_event();
        prepare_deltas("response.reasoning_summary_text.delta", ",\"summary_index\":0");
    }
    // Escaped once: the events that repeat it take it as it is.
    const std::size_t from = item.escaped.size();
    json::append_escaped(item.escaped, text);
    item.logprobs += item.logprobs.empty() || logprobs.empty() ? "" : ",";
    item.logprobs += logprobs;
    if (output_.size() + item.escaped.size() + item.logprobs.size() > kKeptBytesMax) {
        return unusable_answer("the answer is longer than an event that repeats it may be");
    }
    if (item.kind == PartKind::media) {
        return {};  // a picture comes whole
    }
    *out_ += item.delta_head;
    out_->append(item.escaped, from);
    *out_ += '"';
    if (item.kind == PartKind::text) {
        append_logprobs(logprobs);
    }
    end_event();
    return {};
}

void Encoder::cite(const llm::Citation& citation) {
    Item& item = *item_;
    if (item.kind != PartKind::text || !item.announced) {
        return;
    }
    std::string annotation;
    if (!append_annotation(citation, annotation)) {
        return;
    }
    begin_item_event("response.output_text.annotation.added");
    fmt::format_to(std::back_inserter(*out_),
                   R"(,"content_index":0,"annotation_index":{},"annotation":)",
                   item.annotation_count++);
    *out_ += annotation;
    end_event();
    item.annotations += item.annotations.empty() ? "" : ",";
    item.annotations += annotation;
}

void Encoder::end_item(std::string_view status) {
    Item& item = *item_;
    if (!item.announced && item.kind == PartKind::reasoning && !item.signature.text.empty()) {
        announce();  // sealed thinking has no words
    }
    if (!item.announced) {
        item_.reset();
        return;
    }
    std::string whole;
    switch (item.kind) {
        case PartKind::text:
        case PartKind::refusal:
            end_words(status, whole);
            break;
        case PartKind::tool_call:
            end_call(status, whole);
            break;
        case PartKind::reasoning:
            end_reasoning(whole);
            break;
        case PartKind::media:
            end_image(whole);
            break;
    }
    begin_event("response.output_item.done");
    append_index();
    *out_ += ",\"item\":";
    *out_ += whole;
    end_event();
    output_ += output_.empty() ? "" : ",";
    output_ += whole;
    item_.reset();
}

void Encoder::end_words(std::string_view status, std::string& whole) {
    const Item& item = *item_;
    const bool is_refusal = item.kind == PartKind::refusal;
    const TextItem words{.id = item.id,
                         .status = status,
                         .escaped = item.escaped,
                         .is_refusal = is_refusal,
                         .annotations = item.annotations,
                         .logprobs = item.logprobs};
    begin_item_event(is_refusal ? "response.refusal.done" : "response.output_text.done");
    *out_ += ",\"content_index\":0";
    if (!is_refusal) {
        append_logprobs(item.logprobs);
    }
    *out_ += is_refusal ? ",\"refusal\":\"" : ",\"text\":\"";
    *out_ += item.escaped;
    *out_ += '"';
    end_event();
    begin_item_event("response.content_part.done");
    *out_ += ",\"content_index\":0,\"part\":";
    append_text_part(words, *out_);
    end_event();
    append_text_item(words, whole);
}

void Encoder::end_call(std::string_view status, std::string& whole) {
    Item& item = *item_;
    if (item.escaped.empty()) {
        item.escaped = "{}";
        *out_ += item.delta_head;
        *out_ += "{}\"";
        end_event();
    }
    begin_item_event("response.function_call_arguments.done");
    *out_ += ",\"name\":\"";
    json::append_escaped(*out_, item.name);
    *out_ += R"(","arguments":")";
    *out_ += item.escaped;
    *out_ += '"';
    end_event();
    append_call_item({.id = item.id,
                      .status = status,
                      .call_id = item.call_id,
                      .name = item.name,
                      .escaped_arguments = item.escaped},
                     whole);
}

void Encoder::end_reasoning(std::string& whole) {
    const Item& item = *item_;
    if (!item.escaped.empty()) {
        begin_item_event("response.reasoning_summary_text.done");
        *out_ += R"(,"summary_index":0,"text":")";
        *out_ += item.escaped;
        *out_ += '"';
        end_event();
        begin_item_event("response.reasoning_summary_part.done");
        *out_ += R"(,"summary_index":0,"part":{"type":"summary_text","text":")";
        *out_ += item.escaped;
        *out_ += "\"}";
        end_event();
    }
    append_reasoning_item(item.id, item.escaped, carry_in_field(item.signature, kOwn), whole);
}

void Encoder::end_image(std::string& whole) {
    for (const std::string_view type : {"response.image_generation_call.in_progress",
                                        "response.image_generation_call.generating",
                                        "response.image_generation_call.completed"}) {
        begin_item_event(type);
        end_event();
    }
    append_image_item(item_->id, item_->escaped, whole);
}

void Encoder::finish_stream() {
    if (item_) {
        end_item("completed");
    }
    const std::string_view reason = incomplete_reason(finish_);
    if (finish_ == llm::FinishReason::error || (output_.empty() && reason.empty())) {
        // Nothing was said: no client of this dialect could show it.
        fail(unusable_answer("the answer holds nothing").error(), *out_);
        return;
    }
    begin_event(reason.empty() ? "response.completed" : "response.incomplete");
    append_response_field(reason.empty() ? "completed" : "incomplete", reason, {}, {});
    end_event();
    ended_ = true;
}

}  // namespace

std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms) {
    return std::make_unique<Encoder>(terms);
}

}  // namespace weir::dialect::openai_responses
