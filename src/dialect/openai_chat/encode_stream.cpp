// A stream of chat chunks for a client, as OpenAI's own server would send it: role, deltas, a chunk
// with the reason, the usage if it was asked for, [DONE].
#include "dialect/carrier.h"
#include "dialect/openai_chat/codec.h"
#include "dialect/openai_chat/error.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Writer;
using Kind = llm::Event::Kind;
using llm::PartKind;

struct Choice {
    bool began = false;
    std::int64_t calls = 0;
    // Of each part: a call's index among the calls, whether it had arguments.
    struct Part {
        PartKind kind = PartKind::text;
        std::int64_t call = 0;
        bool has_arguments = false;
        bool redacted = false;
        std::string id;  // the provider's, of thinking
        std::string mime;
        std::string bytes;  // of a picture, which goes out whole
    };
    std::vector<Part> parts;
};

class Encoder : public StreamEncoder {
public:
    explicit Encoder(const AnswerTerms& terms) : include_usage_(terms.include_usage) {
        Writer json(head_);
        json.object().field("id", "chatcmpl-" + std::string(terms.request_id));
        json.field("object", "chat.completion.chunk").field("created", terms.created);
        json.field("model", terms.model);
        head_ += ",\"choices\":[";
    }

    void take(const llm::Event& event, std::string& out) override {
        switch (event.kind) {
            case Kind::start:
                return;  // the first chunk carries the role; it waits for its choice
            case Kind::part_begin:
                return begin(event, out);
            case Kind::delta:
                return delta(event, out);
            case Kind::signature:
                return sign(event, out);
            case Kind::citation:
                return;  // offsets into a text that is still growing help nobody
            case Kind::part_end:
                return end_part(event, out);
            case Kind::finish:
                return finish(event, out);
            case Kind::usage:
                usage_ = *event.usage;
                return;
            case Kind::end:
                if (include_usage_ && usage_) {
                    out += "data: ";
                    out += head_;
                    out += "],\"usage\":";
                    Writer json(out);
                    encode_usage(*usage_, json);
                    out += "}\n\n";
                }
                out += "data: [DONE]\n\n";
                return;
        }
    }

    void fail(const Error& error, std::string& out) override {
        out += "data: ";
        out += encode_error(error);
        out += "\n\n";
    }
    void keep_alive(std::string& out) override { out += ": waiting\n\n"; }

private:
    Choice& choice_of(const llm::Event& event, std::string& out) {
        if (choices_.size() <= event.choice) {
            choices_.resize(event.choice + 1);
        }
        Choice& choice = choices_[event.choice];
        if (!choice.began) {
            choice.began = true;
            open_chunk(event.choice, out);
            out += R"("role":"assistant","content":"","refusal":null)";
            close_chunk(out);
        }
        return choice;
    }
    Choice::Part& part_of(Choice& choice, std::uint32_t part) {
        if (choice.parts.size() <= part) {
            choice.parts.resize(part + 1);
        }
        return choice.parts[part];
    }
    void open_chunk(std::uint32_t choice, std::string& out) const {
        out += "data: ";
        out += head_;
        out += "{\"index\":";
        fmt::format_to(std::back_inserter(out), "{}", choice);
        out += ",\"delta\":{";
    }
    void close_chunk(std::string& out,
                     std::string_view finish = "null",
                     std::string_view logprobs = {}) const {
        if (logprobs.empty()) {
            out += "},\"logprobs\":null";
        } else {
            out += "},\"logprobs\":{\"content\":[";
            out += logprobs;
            out += "],\"refusal\":null}";
        }
        out += ",\"finish_reason\":";
        out += finish;
        out += include_usage_ ? "}],\"usage\":null}\n\n" : "}]}\n\n";
    }
    void text_chunk(std::uint32_t choice,
                    std::string_view field,
                    std::string_view text,
                    std::string& out,
                    std::string_view logprobs = {}) const {
        open_chunk(choice, out);
        out += '"';
        out += field;
        out += "\":\"";
        json::append_escaped(out, text);
        out += '"';
        close_chunk(out, "null", logprobs);
    }

    void begin(const llm::Event& event, std::string& out) {
        Choice& choice = choice_of(event, out);
        Choice::Part& part = part_of(choice, event.part);
        part.kind = event.part_kind;
        part.redacted = event.redacted;
        part.mime = event.mime;
        part.id = event.id;
        if (event.part_kind != PartKind::tool_call) {
            return;
        }
        part.call = choice.calls++;
        open_chunk(event.choice, out);
        out += "\"tool_calls\":[";
        const llm::Signature signature{.text = std::string(event.signature),
                                       .of = event.signature_of};
        Writer json(out);
        json.object().field("index", part.call).field("id", carry_in_id(event.id, signature));
        json.field("type", "function").key("function").object();
        json.field("name", event.name).field("arguments", "").end_object();
        write_google_signature(signature, json);
        json.end_object();
        out += ']';
        close_chunk(out);
    }

    void arguments_chunk(std::uint32_t choice,
                         std::int64_t call,
                         std::string_view arguments,
                         std::string& out) const {
        open_chunk(choice, out);
        fmt::format_to(std::back_inserter(out), "\"tool_calls\":[{{\"index\":{}", call);
        out += ",\"function\":{\"arguments\":\"";
        json::append_escaped(out, arguments);
        out += "\"}}]";
        close_chunk(out);
    }

    void delta(const llm::Event& event, std::string& out) {
        if (event.text.empty() && event.logprobs.empty()) {
            return;
        }
        Choice& choice = choice_of(event, out);
        Choice::Part& part = part_of(choice, event.part);
        switch (part.kind) {
            case PartKind::text:
                return text_chunk(event.choice, "content", event.text, out, event.logprobs);
            case PartKind::refusal:
                return text_chunk(event.choice, "refusal", event.text, out);
            case PartKind::reasoning:
                return text_chunk(event.choice, "reasoning_content", event.text, out);
            case PartKind::tool_call:
                part.has_arguments = true;
                return arguments_chunk(event.choice, part.call, event.text, out);
            case PartKind::media:
                part.bytes += event.text;
                return;
        }
    }

    void sign(const llm::Event& event, std::string& out) {
        Choice& choice = choice_of(event, out);
        const Choice::Part& part = part_of(choice, event.part);
        if (part.kind != PartKind::reasoning) {
            return;
        }
        open_chunk(event.choice, out);
        out += "\"reasoning_details\":[";
        Writer json(out);
        encode_reasoning_detail(
            {.signature = {.text = std::string(event.text), .of = event.signature_of},
             .redacted = part.redacted,
             .id = part.id},
            json);
        out += ']';
        close_chunk(out);
    }

    void end_part(const llm::Event& event, std::string& out) {
        Choice& choice = choice_of(event, out);
        Choice::Part& part = part_of(choice, event.part);
        if (part.kind == PartKind::tool_call && !part.has_arguments) {
            arguments_chunk(event.choice, part.call, "{}", out);
        } else if (part.kind == PartKind::media && !part.bytes.empty()) {
            open_chunk(event.choice, out);
            out += "\"images\":[{\"type\":\"image_url\",\"image_url\":{\"url\":\"data:";
            json::append_escaped(out, part.mime);
            out += ";base64,";
            json::append_escaped(out, part.bytes);
            out += "\"}}]";
            close_chunk(out);
            part.bytes = {};
        }
    }

    void finish(const llm::Event& event, std::string& out) {
        choice_of(event, out);
        open_chunk(event.choice, out);
        std::string reason = "\"";
        json::append_escaped(
            reason,
            event.reason == llm::FinishReason::other ? event.text : llm::name(event.reason));
        reason += '"';
        close_chunk(out, reason);
    }

    const bool include_usage_;
    std::string head_;  // of every chunk, up to its choices
    std::vector<Choice> choices_;
    std::optional<llm::Usage> usage_;
};

}  // namespace

std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms) {
    return std::make_unique<Encoder>(terms);
}

}  // namespace weir::dialect::openai_chat
