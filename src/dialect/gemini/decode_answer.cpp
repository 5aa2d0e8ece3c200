// A whole answer of a provider. It has the shape of a stream's only chunk, and is read as one.
#include "base/timestamp.h"
#include "dialect/failure.h"
#include "dialect/gemini/chunk.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/fields.h"
#include "dialect/gemini/logprobs.h"
#include "dialect/gemini/media.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

// The number of code points in bytes [0, end) of a text; nullopt where that is no border.
std::optional<std::int64_t> code_points(std::string_view text, std::int64_t end) {
    if (end < 0 || static_cast<std::uint64_t>(end) > text.size()) {
        return std::nullopt;
    }
    const auto is_inner = [](char c) { return (static_cast<unsigned char>(c) & 0xc0) == 0x80; };
    const auto at = static_cast<std::size_t>(end);
    if (at < text.size() && is_inner(text[at])) {
        return std::nullopt;
    }
    std::int64_t count = 0;
    for (const char c : text.substr(0, at)) {
        count += is_inner(c) ? 0 : 1;
    }
    return count;
}

// Gemini counts bytes, the vocabulary code points. Offsets that do not fit the text are left out:
// a wrong place is worse than none.
llm::Citation with_code_points(llm::Citation citation, std::string_view text) {
    const auto start = code_points(text, citation.start.value_or(-1));
    const auto end = code_points(text, citation.end.value_or(-1));
    const bool is_range = start && end && *start <= *end;
    const bool fits =
        is_range && (citation.cited_text.empty() ||
                     text.substr(static_cast<std::size_t>(*citation.start),
                                 static_cast<std::size_t>(*citation.end - *citation.start)) ==
                         citation.cited_text);
    citation.start = fits ? start : std::nullopt;
    citation.end = fits ? end : std::nullopt;
    return citation;
}

class Builder : public EventSink, public OpaqueSink {
public:
    Result<void> take(const llm::Event& event) override {
        switch (event.kind) {
            case Kind::start:
                answer.id = event.id;
                answer.model = event.model;
                return {};
            case Kind::part_begin:
                begin(event);
                return {};
            case Kind::delta:
                append(event.text);
                return {};
            case Kind::signature:
                sign({.text = std::string(event.text), .of = event.signature_of});
                return {};
            case Kind::citation:
                cite(event.choice, *event.citation);
                return {};
            case Kind::finish:
                choice(event.choice).finish = event.reason;
                choice(event.choice).finish_word = event.text;
                return {};
            case Kind::usage:
                answer.usage = *event.usage;
                return {};
            case Kind::part_end:
            case Kind::end:
                return {};
        }
        std::unreachable();
    }

    void take_opaque(std::uint32_t index, std::string_view type, Value part) override {
        choice(index).parts.push_back({.body = llm::Opaque{.of = llm::Dialect::gemini,
                                                           .type = std::string(type),
                                                           .json = std::string(part.json())}});
    }

    llm::Choice& choice(std::uint32_t index) {
        if (answer.choices.size() <= index) {
            answer.choices.resize(index + 1);
        }
        return answer.choices[index];
    }

    llm::Answer answer;

private:
    void begin(const llm::Event& event) {
        auto& parts = choice(event.choice).parts;
        switch (event.part_kind) {
            case PartKind::text:
            case PartKind::refusal:
                parts.push_back({.body = llm::Text{}});
                break;
            case PartKind::reasoning:
                parts.push_back({.body = llm::Reasoning{.is_summary = event.is_summary}});
                break;
            case PartKind::tool_call:
                parts.push_back(
                    {.body = llm::ToolCall{.id = std::string(event.id),
                                           .name = std::string(event.name),
                                           .arguments = {},
                                           .signature = {.text = std::string(event.signature),
                                                         .of = event.signature_of}}});
                break;
            case PartKind::media:
                parts.push_back({.body = llm::Media{.kind = media_kind_of(event.mime),
                                                    .mime = std::string(event.mime)}});
                break;
        }
        open_ = &parts.back();  // the next part begins only after this one has ended
    }
    void append(std::string_view text) {
        if (auto* words = std::get_if<llm::Text>(&open_->body)) {
            words->text += text;
        } else if (auto* thought = std::get_if<llm::Reasoning>(&open_->body)) {
            thought->text += text;
        } else if (auto* call = std::get_if<llm::ToolCall>(&open_->body)) {
            call->arguments += text;
        } else if (auto* media = std::get_if<llm::Media>(&open_->body)) {
            media->data = standard_base64(std::string(text));
        }
    }
    void sign(llm::Signature signature) {
        if (auto* words = std::get_if<llm::Text>(&open_->body)) {
            words->signature = std::move(signature);
        } else if (auto* thought = std::get_if<llm::Reasoning>(&open_->body)) {
            thought->signature = std::move(signature);
        }
    }
    // To the text that its place fits; else to the last one.
    void cite(std::uint32_t index, const llm::Citation& citation) {
        llm::Text* last = nullptr;
        for (llm::Part& part : choice(index).parts) {
            auto* const words = std::get_if<llm::Text>(&part.body);
            if (words == nullptr) {
                continue;
            }
            last = words;
            llm::Citation placed = with_code_points(citation, words->text);
            if (placed.start && !citation.cited_text.empty()) {
                words->citations.push_back(std::move(placed));
                return;
            }
        }
        if (last != nullptr) {
            last->citations.push_back(with_code_points(citation, last->text));
        }
    }

    llm::Part* open_ = nullptr;
};

}  // namespace

Result<llm::Answer> decode_answer(std::string_view body) {
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (!root) {
        return unusable_answer(root.error().message());
    }
    Builder builder;
    ChunkReader reader(&builder);
    WEIR_TRY(reader.read(*root, builder));
    WEIR_TRY(reader.finish(builder));
    for (const Value candidate : (*root)["candidates"]) {
        const auto index = static_cast<std::uint32_t>(candidate["index"].integer().value_or(0));
        builder.choice(index).logprobs_json = decode_logprobs(candidate["logprobsResult"]);
    }
    if (const auto time = parse_rfc3339((*root)["createTime"].string_or(""))) {
        builder.answer.created = micros(*time) / 1'000'000;
    }
    builder.answer.service_tier = (*root)["usageMetadata"]["serviceTier"].string_or("");
    return std::move(builder.answer);
}

}  // namespace weir::dialect::gemini
