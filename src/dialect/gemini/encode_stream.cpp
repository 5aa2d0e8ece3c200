// A stream for a client that speaks Gemini: each chunk is a whole small answer. Text goes out as it
// comes; a call is gathered, since Gemini says calls whole; why the choices stopped and what they
// cost stand in the last chunk. There is no terminal behind it.
#include <fmt/format.h>

#include <algorithm>

#include "dialect/gemini/chunk.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/finish.h"
#include "dialect/gemini/logprobs.h"
#include "dialect/gemini/parts.h"
#include "dialect/gemini/usage.h"
#include "dialect/sequencer.h"

namespace weir::dialect::gemini {
namespace {

using json::Writer;
using Kind = llm::Event::Kind;
using llm::PartKind;

// A part that has begun and not ended.
struct OpenPart {
    std::uint32_t choice, part;
    PartKind kind;
    bool redacted;
    bool is_lost;  // larger than what may be gathered
    std::string id, name, mime, gathered;
    llm::Signature signature;
};

struct Choice {
    bool finished = false;
    Ending ending;
    Grounding grounding;
};

class Encoder : public StreamEncoder {
public:
    explicit Encoder(const AnswerTerms& terms)
        : is_array_(terms.as_json_array), request_id_(terms.request_id) {
        // What ends every chunk says whose it is.
        Writer json(identity_);
        json.field("modelVersion", terms.model).field("responseId", terms.request_id);
    }

    void take(const llm::Event& event, std::string& out) override {
        switch (event.kind) {
            case Kind::start:
                return;  // the provider's id would say who it is
            case Kind::part_begin:
                return begin(event);
            case Kind::delta:
                return delta(event, out);
            case Kind::signature:
                return sign(event, out);
            case Kind::citation:
                return choice(event.choice).grounding.add(*event.citation, {});
            case Kind::part_end:
                return end_part(event, out);
            case Kind::finish:
                return finish(event);
            case Kind::usage:
                usage_ = *event.usage;
                return;
            case Kind::end:
                return end(out);
        }
    }

    void fail(const Error& error, std::string& out) override {
        open_chunk(out);
        out += encode_error(error, request_id_);
        close_chunk(out);
        if (is_array_) {
            out += "]";  // without it the error itself could not be read
        }
    }

    // An empty line between two events: Google's own client for Python takes a comment for JSON.
    // In the array it is white space.
    void keep_alive(std::string& out) override { out += "\r\n"; }

private:
    void begin(const llm::Event& event) {
        open_.push_back(
            {.choice = event.choice,
             .part = event.part,
             .kind = event.part_kind,
             .redacted = event.redacted,
             .is_lost = false,
             .id = std::string(event.id),
             .name = std::string(event.name),
             .mime = std::string(event.mime),
             .gathered = {},
             .signature = {.text = std::string(event.signature), .of = event.signature_of}});
    }
    void delta(const llm::Event& event, std::string& out);
    void sign(const llm::Event& event, std::string& out);
    void end_part(const llm::Event& event, std::string& out);
    void end_call(const OpenPart& part, std::string& out);
    void finish(const llm::Event& event);
    void end(std::string& out);

    void open_chunk(std::string& out) {
        if (is_array_) {
            out += any_chunk_ ? ",\r\n" : "[";
        } else {
            out += "data: ";
        }
        any_chunk_ = true;
    }
    void close_chunk(std::string& out) { out += is_array_ ? "" : "\r\n\r\n"; }
    // A chunk with one part, which `write` writes.
    template <class Write>
    void chunk(std::uint32_t choice,
               std::string& out,
               Write write,
               std::string_view logprobs = {}) {
        open_chunk(out);
        out += R"({"candidates":[{"content":{"parts":[)";
        Writer json(out);
        write(json);
        out += R"(],"role":"model"},)";
        if (!logprobs.empty()) {
            Writer beside(out);
            encode_logprobs(fmt::format(R"({{"content":[{}]}})", logprobs), beside);
            out += ',';
        }
        out += R"("index":)";
        fmt::format_to(std::back_inserter(out), "{}}}],", choice);
        out += identity_;
        out += '}';
        close_chunk(out);
    }

    OpenPart* find(const llm::Event& event) {
        const auto found = std::find_if(open_.rbegin(), open_.rend(), [&](const OpenPart& part) {
            return part.choice == event.choice && part.part == event.part;
        });
        return found == open_.rend() ? nullptr : &*found;
    }
    Choice& choice(std::uint32_t index) {
        if (choices_.size() <= index) {
            choices_.resize(index + 1);
        }
        return choices_[index];
    }

    const bool is_array_;
    const std::string request_id_;
    std::string identity_;
    bool any_chunk_ = false;
    int calls_ = 0;
    std::vector<OpenPart> open_;
    std::vector<Choice> choices_;
    std::optional<llm::Usage> usage_;
    json::Document document_;
};

void Encoder::delta(const llm::Event& event, std::string& out) {
    OpenPart* const part = find(event);
    if (part == nullptr || (event.text.empty() && event.logprobs.empty())) {
        return;
    }
    const auto write = [&](Writer& json) {
        write_text(event.text, part->kind == PartKind::reasoning, {}, json);
    };
    switch (part->kind) {
        case PartKind::refusal:
            choice(event.choice).ending.has_refusal = true;
            [[fallthrough]];
        case PartKind::text:
        case PartKind::reasoning:
            return chunk(event.choice, out, write, event.logprobs);
        case PartKind::tool_call:
        case PartKind::media:
            part->is_lost =
                part->is_lost || part->gathered.size() + event.text.size() > kSequencedBytesMax;
            if (!part->is_lost) {
                part->gathered += event.text;
            }
            return;
    }
}

// A text's signature trails in a part without text, as Gemini itself does it.
void Encoder::sign(const llm::Event& event, std::string& out) {
    OpenPart* const part = find(event);
    if (part == nullptr) {
        return;
    }
    llm::Signature signature{.text = std::string(event.text), .of = event.signature_of};
    if (part->kind != PartKind::text && part->kind != PartKind::reasoning) {
        part->signature = std::move(signature);
        return;
    }
    if (const std::string carried = carry(signature, part->redacted); !carried.empty()) {
        chunk(event.choice, out, [&](Writer& json) {
            write_text({}, part->kind == PartKind::reasoning, carried, json);
        });
    }
}

void Encoder::end_part(const llm::Event& event, std::string& out) {
    OpenPart* const part = find(event);
    if (part == nullptr) {
        return;
    }
    if (part->kind == PartKind::tool_call) {
        end_call(*part, out);
    } else if (part->kind == PartKind::media && !part->gathered.empty() && !part->is_lost) {
        chunk(
            event.choice, out, [&](Writer& json) { write_data(part->mime, part->gathered, json); });
    }
    open_.erase(open_.begin() + (part - open_.data()));
}

void Encoder::end_call(const OpenPart& part, std::string& out) {
    if (part.is_lost || !is_object(part.gathered, document_)) {
        choice(part.choice).ending.has_malformed_call = true;
        return;
    }
    const std::string made = part.id.empty() ? fmt::format("call_{}_{}", calls_, request_id_) : "";
    ++calls_;
    chunk(part.choice, out, [&](Writer& json) {
        write_call(made.empty() ? part.id : made,
                   part.name,
                   part.gathered,
                   carry(part.signature, false),
                   json);
    });
}

void Encoder::finish(const llm::Event& event) {
    Choice& ended = choice(event.choice);
    ended.finished = true;
    ended.ending.reason = event.reason;
    ended.ending.word = event.reason == llm::FinishReason::other ? event.text : std::string_view{};
}

void Encoder::end(std::string& out) {
    open_chunk(out);
    Writer json(out);
    json.object().key("candidates").array();
    for (std::size_t i = 0; i < choices_.size(); ++i) {
        if (!choices_[i].finished) {
            continue;
        }
        json.object().key("content").object().key("parts").array();
        write_text({}, false, {}, json);
        json.end_array().field("role", "model").end_object();
        write_ending(choices_[i].ending, json);
        json.field("index", static_cast<std::int64_t>(i));
        choices_[i].grounding.write(json);
        json.end_object();
    }
    json.end_array();
    if (usage_) {
        json.key("usageMetadata");
        encode_usage(*usage_, json);
    }
    out += ',';
    out += identity_;
    out += '}';
    close_chunk(out);
    if (is_array_) {
        out += "]";
    }
}

}  // namespace

std::unique_ptr<StreamEncoder> encode_stream(const AnswerTerms& terms) {
    return std::make_unique<Encoder>(terms);
}

}  // namespace weir::dialect::gemini
