// Answers of the surfaces that pass through (moderations, images, audio, rerank): what they cost,
// and where the model's name stands; all else is the client's. OpenAI's shapes, and what others
// made of them: Cohere's and Jina's rerank, OpenRouter's and Mistral's words for usage. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "dialect/json/scanner.h"
#include "dialect/sse/decoder.h"
#include "llm/names.h"
#include "llm/usage.h"

namespace weir::dialect::passing {

struct Answer {
    json::Span model;                 // a string with its quotes
    json::Span error;                 // the value of `error`, unless null
    bool is_empty = false;            // images: there are none
    std::optional<llm::Usage> usage;  // unset: it does not say what was used
};

// A whole answer in JSON. Errors: upstream_invalid_response.
Result<Answer> read_answer(llm::Surface surface,
                           llm::Operation operation,
                           std::string_view text,
                           json::Scratch& scratch);

// A stream of events that passes as it comes: what its last events say of usage. One per stream.
class StreamTap {
public:
    StreamTap(llm::Surface surface, llm::Operation operation)
        : surface_(surface), operation_(operation) {}

    // The next bytes. Errors: upstream_invalid_response, where an event is too large.
    Result<void> feed(std::string_view bytes, json::Scratch& scratch);

    // Unset: nothing was said.
    const std::optional<llm::Usage>& usage() const { return usage_; }
    bool has_error() const { return has_error_; }
    // All events are whole: one of our own may follow.
    bool is_between_events() const { return !decoder_.has_partial(); }

private:
    const llm::Surface surface_;
    const llm::Operation operation_;
    sse::Decoder decoder_;
    std::optional<llm::Usage> usage_;
    std::int64_t images_ = 0;
    bool has_error_ = false;
};

}  // namespace weir::dialect::passing
