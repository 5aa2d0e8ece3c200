// What a model of Gemini's said, as events: one reader for a whole answer and for the chunks of a
// stream, which have the same shape. Parts never overlap, a call comes whole, and neighbouring
// pieces of text are one part. Why a choice stopped is told when the body ends, since some models
// say STOP in every chunk.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/json/document.h"
#include "dialect/stream.h"
#include "llm/event.h"

namespace weir::dialect::gemini {

// More candidates than Gemini ever gives.
inline constexpr std::int64_t kCandidatesMax = 128;
// Web pages that one answer leans on.
inline constexpr std::size_t kSourcesMax = 1024;

// Takes what has no event: a whole answer keeps it.
class OpaqueSink {
public:
    virtual ~OpaqueSink() = default;
    virtual void take_opaque(std::uint32_t choice, std::string_view type, json::Value part) = 0;
};

class ChunkReader {
public:
    // With `opaque` set, a whole answer is read: citations come with offsets in bytes, as Gemini
    // counts them, and also behind the end of their text. Else offsets are left out: who has not
    // the text cannot convert them.
    explicit ChunkReader(OpaqueSink* opaque) : opaque_(opaque) {}

    // Errors: what an error inside means; upstream_invalid_response; the sink's.
    Result<void> read(json::Value chunk, EventSink& sink);
    // All has been read. Errors: upstream_invalid_response where no reason to stop came,
    // upstream_error where the reason is that the model failed.
    Result<void> finish(EventSink& sink);

private:
    struct Source {
        std::string url, title;
    };
    struct Choice {
        bool seen = false;
        bool has_open = false;
        llm::PartKind open_kind = llm::PartKind::text;
        std::uint32_t open_part = 0;
        std::uint32_t parts = 0;  // begun
        bool has_calls = false;
        bool has_citations = false;
        llm::FinishReason reason = llm::FinishReason::none;
        std::string word, message;  // of the reason
        std::vector<Source> sources;
        std::string logprobs;  // of a stream, until their text is told: members of OpenAI's array
    };

    Result<void> start(json::Value chunk, EventSink& sink);
    Result<void> read_candidate(json::Value candidate, EventSink& sink);
    Result<void> read_part(json::Value part, std::uint32_t choice, EventSink& sink);
    Result<void> read_text(std::string_view text,
                           bool is_thought,
                           std::string_view signature,
                           std::uint32_t choice,
                           EventSink& sink);
    Result<void> give_text(std::string_view text,
                           llm::PartKind kind,
                           std::uint32_t choice,
                           EventSink& sink);
    Result<void> read_call(json::Value call,
                           std::string_view signature,
                           std::uint32_t choice,
                           EventSink& sink);
    Result<void> read_media(json::Value data, std::uint32_t choice, EventSink& sink);
    Result<void> read_grounding(json::Value metadata, std::uint32_t choice, EventSink& sink);
    Result<void> read_citations(json::Value metadata, std::uint32_t choice, EventSink& sink);
    Result<void> cite(llm::Citation citation, std::uint32_t choice, EventSink& sink);
    Result<void> cite_sources(std::uint32_t choice, EventSink& sink);
    Result<void> read_usage(json::Value metadata, EventSink& sink);
    Result<void> begin(std::uint32_t choice,
                       llm::PartKind kind,
                       EventSink& sink,
                       llm::Event event = {});
    Result<void> close(std::uint32_t choice, EventSink& sink);
    Result<void> finish_choice(std::uint32_t choice, EventSink& sink);

    OpaqueSink* opaque_;
    bool started_ = false;
    bool blocked_ = false;
    std::string id_;  // of the answer, in letters that ids of calls may have
    std::uint32_t calls_ = 0;
    std::int64_t searches_ = 0;
    std::vector<Choice> choices_;
    std::string text_, signature_;  // unescaped, where that takes a copy
};

}  // namespace weir::dialect::gemini
