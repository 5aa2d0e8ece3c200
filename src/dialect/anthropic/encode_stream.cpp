// A stream for a client, as Anthropic's own server would send it: message_start, one block after
// the other, message_delta with the reason and the usage, message_stop. A block begins with the
// first that it says: none is ever empty but a tool's that has no arguments.
#include <fmt/format.h>

#include "dialect/anthropic/codec.h"
#include "dialect/carrier.h"
#include "dialect/sequencer.h"

namespace weir::dialect::anthropic {
namespace {

using json::Writer;
using Kind = llm::Event::Kind;
using llm::PartKind;

class Encoder : public StreamEncoder {
public:
    explicit Encoder(const AnswerTerms& terms)
        : model_(terms.model), request_id_(terms.request_id), ordered_(*this) {}

    void take(const llm::Event& event, std::string& out) override {
        if (ended_ || event.choice != 0) {
            return;  // an answer of this dialect is one
        }
        out_ = &out;
        if (const auto taken = sequencer_.take(event, ordered_); !taken) {
            fail(taken.error(), out);
        }
    }

    void fail(const Error& error, std::string& out) override {
        if (!ended_) {
            ended_ = true;
            out += "event: error\ndata: ";
            out += encode_error(error, request_id_);
            out += "\n\n";
        }
    }

    void keep_alive(std::string& out) override {
        out += "event: ping\ndata: {\"type\": \"ping\"}\n\n";
    }

private:
    // Blocks never interleave: events come here in an order in which they do not.
    struct Ordered : EventSink {
        explicit Ordered(Encoder& encoder) : to(encoder) {}
        Result<void> take(const llm::Event& event) override {
            to.encode(event);
            return {};
        }
        Encoder& to;
    };

    void encode(const llm::Event& event) {
        switch (event.kind) {
            case Kind::start:
                id_ = event.id;  // the message begins when its input is counted, or with a block
                return;
            case Kind::part_begin:
                return begin(event);
            case Kind::delta:
                return delta(event);
            case Kind::signature:
                return sign(event);
            case Kind::citation:
                if (event.citation->of == llm::Dialect::anthropic) {
                    citations_.push_back(event.citation->json);
                    cite();
                }
                return;
            case Kind::part_end:
                mark_unsigned_thought();
                return end_block();
            case Kind::finish:
                reason_ = event.reason;
                word_ = event.text;
                return;
            case Kind::usage:
                usage_ = *event.usage;
                return;
            case Kind::end:
                return end();
        }
    }

    // "event: name" and the beginning of its data, which the caller ends with close_event().
    void open_event(std::string_view name) {
        *out_ += "event: ";
        *out_ += name;
        *out_ += "\ndata: {\"type\":\"";
        *out_ += name;
        *out_ += '"';
    }
    void close_event() { *out_ += "}\n\n"; }
    void append_index() { fmt::format_to(std::back_inserter(*out_), ",\"index\":{}", index_); }

    void start_message() {
        if (message_begun_) {
            return;
        }
        message_begun_ = true;
        open_event("message_start");
        *out_ += ",\"message\":";
        Writer json(*out_);
        json.object().field("id", message_id(id_, request_id_)).field("type", "message");
        json.field("role", "assistant").field("model", model_);
        json.key("content").array().end_array();
        write_stop({}, {}, json);
        json.key("usage").object();
        llm::Usage known = usage_.value_or(llm::Usage{.output_tokens = 1});
        known.reasoning_tokens = known.searches = 0;
        write_usage(known, json);
        write_message_usage(known, {}, json);
        json.end_object().end_object();
        close_event();
    }

    // `rest`: the block's own members, JSON.
    void open_block(std::string_view rest) {
        start_message();
        block_open_ = true;
        open_event("content_block_start");
        append_index();
        *out_ += ",\"content_block\":{";
        *out_ += rest;
        *out_ += '}';
        close_event();
    }
    void open_delta(std::string_view type, std::string_view field) {
        open_event("content_block_delta");
        append_index();
        *out_ += ",\"delta\":{\"type\":\"";
        *out_ += type;
        *out_ += "\",\"";
        *out_ += field;
        *out_ += "\":";
    }
    void close_delta() {
        *out_ += '}';
        close_event();
    }
    void text_delta(std::string_view type, std::string_view field, std::string_view text) {
        open_delta(type, field);
        *out_ += '"';
        json::append_escaped(*out_, text);
        *out_ += '"';
        close_delta();
    }
    void end_block() {
        citations_.clear();
        if (block_open_) {
            block_open_ = false;
            open_event("content_block_stop");
            append_index();
            close_event();
            ++index_;
        }
    }

    void begin(const llm::Event& event) {
        kind_ = event.part_kind;
        redacted_ = event.redacted;
        is_signed_ = false;
        refused_ = refused_ || kind_ == PartKind::refusal;
        if (kind_ != PartKind::tool_call) {
            return;
        }
        const std::string id = event.id.empty() ? fmt::format("toolu_{}_{}", request_id_, index_)
                                                : std::string(event.id);
        std::string rest = R"("type":"tool_use","id":")";
        json::append_escaped(
            rest,
            carry_in_id(id, {.text = std::string(event.signature), .of = event.signature_of}));
        rest += R"(","name":")";
        json::append_escaped(rest, event.name);
        rest += R"(","input":{},"caller":{"type":"direct"})";
        open_block(rest);
    }

    void open_text() {
        if (!block_open_) {
            open_block(citations_.empty() ? R"("type":"text","text":"")"
                                          : R"("citations":[],"type":"text","text":"")");
            cite();
        }
    }
    void open_thought() {
        if (!block_open_) {
            open_block(R"("type":"thinking","thinking":"","signature":"")");
        }
    }
    // Some come before the first word, with which the block begins.
    void cite() {
        if (!block_open_) {
            return;
        }
        for (const std::string& citation : citations_) {
            open_delta("citations_delta", "citation");
            *out_ += citation;
            close_delta();
        }
        citations_.clear();
    }

    void delta(const llm::Event& event) {
        if (event.text.empty()) {
            return;
        }
        switch (kind_) {
            case PartKind::text:
            case PartKind::refusal:
                open_text();
                return text_delta("text_delta", "text", event.text);
            case PartKind::reasoning:
                if (!redacted_) {
                    open_thought();
                    text_delta("thinking_delta", "thinking", event.text);
                }
                return;
            case PartKind::tool_call:
                return text_delta("input_json_delta", "partial_json", event.text);
            case PartKind::media:
                return;  // there is no block for it
        }
    }

    void sign(const llm::Event& event) {
        if (kind_ != PartKind::reasoning || event.text.empty()) {
            return;
        }
        const std::string signature = carry_in_field(
            {.text = std::string(event.text), .of = event.signature_of}, llm::Dialect::anthropic);
        if (redacted_) {
            end_block();  // one seal, one block
            std::string rest = R"("type":"redacted_thinking","data":")";
            json::append_escaped(rest, signature);
            rest += '"';
            return open_block(rest);
        }
        open_thought();
        is_signed_ = true;
        text_delta("signature_delta", "signature", signature);
    }
    // Anthropic's own thoughts always end with one: without, it is another's, and must be known as
    // such when the client sends it back.
    void mark_unsigned_thought() {
        if (kind_ == PartKind::reasoning && block_open_ && !redacted_ && !is_signed_) {
            text_delta("signature_delta",
                       "signature",
                       carry_in_field({.of = llm::Dialect::openai_chat}, llm::Dialect::anthropic));
        }
    }

    void end() {
        ended_ = true;
        start_message();
        const bool is_refusal = reason_ == llm::FinishReason::stop && refused_;
        const auto reason = is_refusal ? llm::FinishReason::content_filter : reason_;
        const std::string_view word = stop_reason(reason, word_);
        open_event("message_delta");
        *out_ += ",\"delta\":";
        Writer delta(*out_);
        delta.object();
        const bool met_sequence = reason == llm::FinishReason::stop_sequence;
        write_stop(word, met_sequence ? std::string_view(word_) : std::string_view{}, delta);
        delta.end_object();
        *out_ += ",\"usage\":";
        Writer usage(*out_);
        usage.object();
        write_usage(usage_.value_or(llm::Usage{}), usage);  // clients read it unasked
        usage.end_object();
        close_event();
        open_event("message_stop");
        close_event();
    }

    const std::string model_, request_id_;
    std::string id_;
    bool message_begun_ = false;
    bool block_open_ = false;
    bool ended_ = false;
    bool refused_ = false;
    bool redacted_ = false;
    bool is_signed_ = false;
    PartKind kind_ = PartKind::text;  // of the part that is being said
    std::int64_t index_ = 0;          // of the block
    std::vector<std::string> citations_;
    llm::FinishReason reason_ = llm::FinishReason::none;
    std::string word_;
    std::optional<llm::Usage> usage_;
    std::string* out_ = nullptr;
    Ordered ordered_;
    Sequencer sequencer_;
};

}  // namespace

std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms) {
    return std::make_unique<Encoder>(terms);
}

}  // namespace weir::dialect::anthropic
