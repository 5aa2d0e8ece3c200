#include "dialect/gemini/chunk.h"

#include <fmt/format.h>

#include <algorithm>

#include "dialect/edge.h"
#include "dialect/failure.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/fields.h"
#include "dialect/gemini/finish.h"
#include "dialect/gemini/logprobs.h"
#include "dialect/gemini/usage.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;
using Kind = llm::Event::Kind;
using llm::PartKind;

// Beside what a part holds: how it was looked at, or a client's own notes.
bool is_aside(std::string_view key) {
    return key == "videoMetadata" || key == "mediaResolution" || key == "mediaProcessing" ||
           key == "partMetadata";
}

// Ids of calls go through clients that take letters, digits, '-' and '_' only.
std::string id_letters(std::string_view id) {
    std::string letters(id);
    for (char& c : letters) {
        const bool fits = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                          (c >= 'A' && c <= 'Z') || c == '-' || c == '_';
        c = fits ? c : '_';
    }
    return letters;
}

}  // namespace

Result<void> ChunkReader::read(Value chunk, EventSink& sink) {
    if (!chunk.is_object()) {
        return unusable_answer("the answer is no JSON object");
    }
    if (chunk["error"].has_value()) {
        return std::unexpected(decode_error({.status = kServerError, .body = chunk.json()}));
    }
    WEIR_TRY(start(chunk, sink));
    for (const Value candidate : chunk["candidates"]) {
        WEIR_TRY(read_candidate(candidate, sink));
    }
    const Value block = chunk["promptFeedback"]["blockReason"];
    blocked_ = blocked_ || (block.is_string() && !block.equals("BLOCK_REASON_UNSPECIFIED"));
    return read_usage(chunk["usageMetadata"], sink);
}

Result<void> ChunkReader::start(Value chunk, EventSink& sink) {
    if (started_) {
        return {};
    }
    started_ = true;
    const std::string id = chunk["responseId"].string_or("");
    const std::string model = chunk["modelVersion"].string_or("");
    id_ = id_letters(id);
    return sink.take({.kind = Kind::start, .id = id, .model = model});
}

Result<void> ChunkReader::read_candidate(Value candidate, EventSink& sink) {
    const std::int64_t index = candidate["index"].integer().value_or(0);
    if (index < 0 || index >= kCandidatesMax) {
        return unusable_answer("a candidate with an impossible index");
    }
    const auto choice = static_cast<std::uint32_t>(index);
    if (choices_.size() <= choice) {
        choices_.resize(choice + 1);
    }
    choices_[choice].seen = true;
    if (opaque_ == nullptr) {
        append_logprobs(candidate["logprobsResult"], choices_[choice].logprobs);
    }
    Value grounding, citations;
    for (const Value member : candidate) {
        const std::string_view key = member.key();
        if (key == "content") {
            for (const Value part : member["parts"]) {
                WEIR_TRY(read_part(part, choice, sink));
            }
        } else if (key == "finishReason") {
            choices_[choice].word = member.string_or("");
            choices_[choice].reason = finish_reason_of(choices_[choice].word);
        } else if (key == "finishMessage") {
            choices_[choice].message = member.string_or("");
        } else if (key == "groundingMetadata") {
            grounding = member;
        } else if (key == "citationMetadata") {
            citations = member;
        }
    }
    // They belong to the text, wherever they stand.
    WEIR_TRY(read_grounding(grounding, choice, sink));
    return read_citations(citations, choice, sink);
}

Result<void> ChunkReader::read_part(Value part, std::uint32_t choice, EventSink& sink) {
    Value text, call, data, other;
    bool is_thought = false;
    std::string_view signature;
    for (const Value member : part) {
        const std::string_view key = member.key();
        if (key == "text") {
            text = member;
        } else if (key == "thought") {
            is_thought = member.boolean().value_or(false);
        } else if (key == "thoughtSignature") {
            signature = member.view(signature_);
        } else if (key == "functionCall") {
            call = member;
        } else if (key == "inlineData") {
            data = member;
        } else if (!is_aside(key)) {
            other = member;
        }
    }
    if (call) {
        return read_call(call, signature, choice, sink);
    }
    if (data) {
        return read_media(data, choice, sink);
    }
    if (other) {
        WEIR_TRY(close(choice, sink));
        if (opaque_ != nullptr) {
            opaque_->take_opaque(choice, other.key(), part);
        }
        return {};
    }
    return read_text(text.view(text_), is_thought, signature, choice, sink);
}

Result<void> ChunkReader::read_text(std::string_view text,
                                    bool is_thought,
                                    std::string_view signature,
                                    std::uint32_t choice,
                                    EventSink& sink) {
    const PartKind kind = is_thought ? PartKind::reasoning : PartKind::text;
    if (!text.empty()) {
        const Choice& state = choices_[choice];
        if (!state.has_open || state.open_kind != kind) {
            WEIR_TRY(begin(choice, kind, sink, {.is_summary = is_thought}));
        }
        WEIR_TRY(give_text(text, kind, choice, sink));
    }
    // The signature of a text may trail in an empty part: it belongs to what was said before.
    const Choice& state = choices_[choice];
    if (signature.empty() || !state.has_open) {
        return {};
    }
    return sink.take({.kind = Kind::signature,
                      .choice = choice,
                      .part = state.open_part,
                      .part_kind = state.open_kind,
                      .text = signature,
                      .signature_of = llm::Dialect::gemini});
}

Result<void> ChunkReader::give_text(std::string_view text,
                                    PartKind kind,
                                    std::uint32_t choice,
                                    EventSink& sink) {
    Choice& state = choices_[choice];
    const bool has_logprobs = kind == PartKind::text && !state.logprobs.empty();
    WEIR_TRY(sink.take(
        {.kind = Kind::delta,
         .choice = choice,
         .part = state.open_part,
         .part_kind = kind,
         .text = text,
         .logprobs = has_logprobs ? std::string_view(state.logprobs) : std::string_view{}}));
    if (has_logprobs) {
        state.logprobs.clear();
    }
    return {};
}

Result<void> ChunkReader::read_call(Value call,
                                    std::string_view signature,
                                    std::uint32_t choice,
                                    EventSink& sink) {
    const std::string name = call["name"].string_or("");
    const Value arguments = call["args"];
    if (name.empty() || call["partialArgs"] || (arguments.has_value() && !arguments.is_object())) {
        // Calls in pieces come only where they were asked for, and Weir never asks.
        return unusable_answer("a function call that is not whole");
    }
    std::string id = call["id"].string_or("");
    if (id.empty()) {
        id = fmt::format("call_{}{}{}", calls_, id_.empty() ? "" : "_", id_);
    }
    ++calls_;
    choices_[choice].has_calls = true;
    WEIR_TRY(begin(
        choice,
        PartKind::tool_call,
        sink,
        {.id = id, .name = name, .signature = signature, .signature_of = llm::Dialect::gemini}));
    if (arguments.is_object()) {
        const std::string text = json::compacted(arguments.json());
        WEIR_TRY(sink.take({.kind = Kind::delta,
                            .choice = choice,
                            .part = choices_[choice].open_part,
                            .part_kind = PartKind::tool_call,
                            .text = text}));
    }
    return close(choice, sink);
}

Result<void> ChunkReader::read_media(Value data, std::uint32_t choice, EventSink& sink) {
    const std::string mime = data["mimeType"].string_or("");
    WEIR_TRY(begin(choice, PartKind::media, sink, {.mime = mime}));
    WEIR_TRY(sink.take({.kind = Kind::delta,
                        .choice = choice,
                        .part = choices_[choice].open_part,
                        .part_kind = PartKind::media,
                        .text = data["data"].view(text_)}));
    return close(choice, sink);
}

Result<void> ChunkReader::read_usage(Value metadata, EventSink& sink) {
    auto usage = decode_usage(metadata);
    if (!usage) {
        return {};
    }
    usage->searches = searches_;
    return sink.take({.kind = Kind::usage, .usage = &*usage});
}

Result<void> ChunkReader::begin(std::uint32_t choice,
                                PartKind kind,
                                EventSink& sink,
                                llm::Event event) {
    WEIR_TRY(close(choice, sink));
    Choice& state = choices_[choice];
    state.has_open = true;
    state.open_kind = kind;
    state.open_part = state.parts++;
    event.kind = Kind::part_begin;
    event.choice = choice;
    event.part = state.open_part;
    event.part_kind = kind;
    return sink.take(event);
}

Result<void> ChunkReader::close(std::uint32_t choice, EventSink& sink) {
    Choice& state = choices_[choice];
    if (!state.has_open) {
        return {};
    }
    if (state.open_kind == PartKind::text && !state.logprobs.empty()) {
        WEIR_TRY(give_text({}, PartKind::text, choice, sink));
    }
    if (state.open_kind == PartKind::text && !state.sources.empty()) {
        WEIR_TRY(cite_sources(choice, sink));
    }
    state.has_open = false;
    return sink.take({.kind = Kind::part_end,
                      .choice = choice,
                      .part = state.open_part,
                      .part_kind = state.open_kind});
}

Result<void> ChunkReader::finish(EventSink& sink) {
    const bool any = std::any_of(
        choices_.begin(), choices_.end(), [](const Choice& choice) { return choice.seen; });
    if (!any && !blocked_) {
        return unusable_answer("an answer without candidates");
    }
    if (!any) {
        choices_.resize(1);
        choices_[0].seen = true;
    }
    for (std::uint32_t choice = 0; choice < choices_.size(); ++choice) {
        if (choices_[choice].seen) {
            WEIR_TRY(finish_choice(choice, sink));
        }
    }
    return sink.take({.kind = Kind::end});
}

Result<void> ChunkReader::finish_choice(std::uint32_t choice, EventSink& sink) {
    WEIR_TRY(close(choice, sink));
    Choice& state = choices_[choice];
    if (state.reason == llm::FinishReason::none) {
        if (!blocked_) {
            return unusable_answer("the answer ended without a finishReason");
        }
        state.reason = llm::FinishReason::content_filter;
    }
    if (state.reason == llm::FinishReason::error) {
        // It failed and said so in an answer: nothing of it may pass for a good one.
        return std::unexpected(make_error(kServerError,
                                          {.cause = Verdict::Cause::failure,
                                           .code = state.word,
                                           .message = state.message,
                                           .parameter = {}},
                                          std::nullopt));
    }
    if (state.reason == llm::FinishReason::stop && state.has_calls) {
        state.reason = llm::FinishReason::tool_calls;
    }
    const bool is_other = state.reason == llm::FinishReason::other;
    const std::string word = is_other ? lower_case(state.word) : std::string{};
    return sink.take(
        {.kind = Kind::finish, .choice = choice, .text = word, .reason = state.reason});
}

}  // namespace weir::dialect::gemini
