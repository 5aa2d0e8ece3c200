// A streamed answer between provider and client: what is held until the commit, what passes byte
// for byte, what is rewritten or left out, where a guardrail ends it, what it used. Sans I/O: bytes
// in, bytes out; any split of the bytes gives the same stream. One per attempt.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/openai_chat/response.h"
#include "dialect/sse/decoder.h"
#include "guardrail/output_filter.h"
#include "llm/usage.h"

namespace weir::pipeline {

// What comes before the first token: role chunks, pings. A provider that sends more has gone wrong.
inline constexpr std::size_t kHeldEventsMax = 256;
inline constexpr std::size_t kHeldBytesMax = 64u << 10;

struct StreamTerms {
    std::string_view public_model;  // what `model` is to say; empty: as it came
    bool include_usage = false;     // the client asked for the usage chunk
    std::int64_t choices = 1;       // as the request had it
    bool may_omit_done = false;     // the provider is known to leave out [DONE]
    std::int64_t input_tokens_estimate = 0;
    const guardrail::OutputRules* rules = nullptr;  // null: none
};

// Memory that all streams of a thread use in turn, within one call of feed(): it stays in the
// cache, as what each stream has of its own does not.
struct StreamScratch {
    dialect::json::Scratch json;
    dialect::openai_chat::Answer chunk;
    std::string rewritten;
};

class StreamRelay {
public:
    // The terms' views and the scratch must outlive it.
    StreamRelay(StreamTerms terms, StreamScratch& scratch);
    ~StreamRelay();
    StreamRelay(const StreamRelay&) = delete;

    // Takes the provider's next bytes and appends to `out` what the client gets now. Errors:
    // upstream_invalid_response, upstream_error and what a provider's error event means. What was
    // appended before an error still counts.
    Result<void> feed(std::string_view bytes, std::string& out);
    // The provider's answer has ended.
    Result<void> end(std::string& out);

    // The first token is there: from now on nothing is retried.
    bool is_committed() const { return committed_; }
    // The terminal event is in `out`: nothing follows.
    bool is_done() const { return done_; }

    // What the provider says it used, else what Weir counted until now.
    llm::Usage usage() const;

private:
    struct ChoiceState;
    Result<void> on_event(const dialect::sse::Event& event, std::string& out);
    Result<void> on_chunk(const dialect::sse::Event& event,
                          const dialect::openai_chat::Answer& chunk,
                          std::string& out);
    // true: the event was dealt with; false: it may pass as it is.
    Result<bool> screen(const dialect::sse::Event& event,
                        const dialect::openai_chat::Answer& chunk,
                        std::string& out);
    Result<void> emit_renamed(const dialect::sse::Event& event,
                              dialect::json::Span model,
                              std::string& out);
    Result<ChoiceState*> state_of(std::int64_t index);
    void commit(std::string& out);
    Result<void> emit(std::string_view event, std::string& out);
    Result<void> emit_data(std::string_view data, std::string& out);
    void terminate(std::string& out);

    // What every chunk touches stands first.
    StreamScratch& scratch_;
    bool finish_seen_ = false;
    bool committed_ = false;
    bool done_ = false;
    bool identity_known_ = false;
    std::int64_t text_events_ = 0;
    std::uint64_t text_bytes_ = 0;
    dialect::sse::Decoder decoder_;
    const StreamTerms terms_;
    std::string quoted_model_;                           // the public one, once it is needed
    std::vector<std::unique_ptr<ChoiceState>> choices_;  // only where there are rules
    std::string held_;
    std::size_t held_events_ = 0;
    std::optional<llm::Usage> usage_;
    dialect::openai_chat::StreamIdentity identity_;
};

// How many tokens so much text is, where nobody says: providers send about one token an event, and
// text is about four bytes a token.
std::int64_t estimate_output_tokens(std::int64_t text_events, std::uint64_t text_bytes);

}  // namespace weir::pipeline
