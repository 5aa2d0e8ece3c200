// The edge of OpenAI's answers, whole and streamed: usage, text and finish reasons as spans, so
// that an answer is relayed byte for byte but for what has to change. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/json/scanner.h"
#include "dialect/json/splice.h"
#include "llm/names.h"
#include "llm/usage.h"

namespace weir::dialect::openai_chat {

struct Choice {
    std::int64_t index = 0;
    json::Span content;        // a string with its quotes; unset where it is null or absent
    json::Span finish_reason;  // a string with its quotes
    json::Span logprobs;       // an object: it repeats the text
    bool has_other_output =
        false;  // a tool call, a refusal, reasoning, audio: an answer, though no text
};

// A whole answer, or the payload of one SSE event.
struct Answer {
    std::vector<Choice> choices;
    std::optional<llm::Usage> usage;
    json::Span id, created, model;  // values, strings with their quotes
    json::Span error;               // the value of `error`, unless null
    bool has_data = false;          // embeddings
    bool has_choices_key = false;

    // Nothing was produced: no text, no call, no embedding. From a provider this is a failure.
    bool is_empty() const;
};

// Errors: upstream_invalid_response.
Result<Answer> decode_answer(std::string_view text, json::Scratch& scratch);
// The same into an object whose memory is used again: a stream decodes thousands.
Result<void> decode_answer(std::string_view text, json::Scratch& scratch, Answer& into);

llm::FinishReason read_finish_reason(std::string_view quoted);

// A guardrail changed choice `choice`: its text is `kept`, and the reason says why it ended there
// (none: it goes on, or ended by itself).
struct Cut {
    std::size_t choice;  // index into Answer::choices
    std::string kept;
    llm::FinishReason reason;
};
// Model name and cuts in one go; spans of all edits in the order of the text.
void rewrite_answer(const Answer& answer,
                    std::string_view text,
                    std::string_view public_model,  // empty: stays
                    const std::vector<Cut>& cuts,
                    json::Splice& splice);

// Chunks that Weir makes itself when a guardrail ends a stream. They repeat id, created and model
// of the last chunk seen; `kept` may be empty. Each is the payload of one event.
struct StreamIdentity {
    std::string id = "\"\"";  // JSON values
    std::string created = "0";
    std::string model = "\"\"";
    void learn(const Answer& chunk, std::string_view text, std::string_view public_model);
};
std::string make_text_chunk(const StreamIdentity& identity,
                            std::int64_t choice,
                            std::string_view kept);
std::string make_finish_chunk(const StreamIdentity& identity,
                              std::int64_t choice,
                              llm::FinishReason reason);
std::string make_usage_chunk(const StreamIdentity& identity, const llm::Usage& usage);
inline constexpr std::string_view kDone = "[DONE]";

}  // namespace weir::dialect::openai_chat
