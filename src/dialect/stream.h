// Streamed answers at the two edges: bytes of a provider become llm::Events, Events become bytes
// for a client; and, where both speak the same dialect, what the relay must know of each event that
// passes as it came. State machines, sans I/O: any split of the bytes gives the same result. One
// per stream; never shared.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "dialect/json/scanner.h"
#include "dialect/sse/decoder.h"
#include "llm/event.h"
#include "llm/names.h"
#include "llm/usage.h"

namespace weir::dialect {

class EventSink {
public:
    virtual ~EventSink() = default;
    virtual Result<void> take(const llm::Event& event) = 0;
};

// The provider's edge.
class StreamDecoder {
public:
    virtual ~StreamDecoder() = default;
    // Takes the next bytes of the body, framing (SSE, AWS event stream) included, and tells `sink`.
    // Errors: upstream_invalid_response, what the provider's error event means, or the sink's.
    virtual Result<void> feed(std::string_view bytes, EventSink& sink) = 0;
    // The body has ended. Error where the dialect's terminal did not come (DESIGN section 4: never
    // a made-up end).
    virtual Result<void> end(EventSink& sink) = 0;
};

// The client's edge. Takes a well-formed sequence of events (llm/event.h), parts of one choice
// possibly open side by side.
class StreamEncoder {
public:
    virtual ~StreamEncoder() = default;
    // Appends to `out` what the event means in this dialect; may be nothing.
    virtual void take(const llm::Event& event, std::string& out) = 0;
    // The stream breaks off: the dialect's error event, and no terminal after it.
    virtual void fail(const Error& error, std::string& out) = 0;
    // What says that the gateway lives, without saying anything: a comment or a ping.
    virtual void keep_alive(std::string& out) = 0;
};

// What the encoders of a stream and of a whole answer must know of the call.
struct AnswerTerms {
    std::string_view model;       // what `model` is to say
    std::string_view request_id;  // ours: made into ids where the provider has none
    std::int64_t created = 0;     // seconds of Unix time, where the provider does not say
    bool include_usage = false;   // OpenAI's chat: the client asked for the usage chunk
    bool as_json_array = false;   // Gemini without alt=sse
};

// What one event of a stream, or a whole answer, means to a relay that passes it on as it came.
// Spans are into the event's data.
struct AnswerView {
    // A text of the answer, or the end of one.
    struct Output {
        std::int64_t index = 0;  // which text it continues: a choice, a content block
        json::Span text;         // a string with its quotes: what guardrails read, and may shorten
        json::Span finish;       // a word with its quotes; set where this text ends here
        json::Span logprobs;     // an object: it repeats the text
        bool has_other = false;  // a tool call, a refusal, reasoning, audio: an answer, though no
                                 // text
    };
    std::vector<Output> outputs;
    // Of what the provider keeps of the answer: strings with their quotes, perhaps repeated.
    std::vector<json::Span> ids;
    // The same of files and containers.
    std::vector<json::Span> file_ids;
    std::optional<llm::Usage> usage;  // all that is known until now
    json::Span model;                 // a string with its quotes
    json::Span error;                 // the value of `error`, unless null
    bool finished = false;            // the model is done; the terminal may still be to come
    bool is_terminal = false;         // nothing follows
    bool is_usage_only = false;       // OpenAI's extra chunk: left out where nobody asked
    bool has_data = false;            // embeddings: an answer without texts

    // Nothing was produced: no text, no call, no embedding. From a provider this is a failure.
    bool is_empty() const {
        return !has_data && !finished &&
               std::none_of(outputs.begin(), outputs.end(), [](const Output& output) {
                   return output.text.size > 2 || output.has_other || output.finish.is_set();
               });
    }
    // As new, for the next event; the memory stays.
    void clear() {
        outputs.clear();
        ids.clear();
        file_ids.clear();
        usage.reset();
        model = error = {};
        finished = is_terminal = is_usage_only = has_data = false;
    }
};

// The same dialect on both sides. Learns from each event what the events need that Weir makes
// itself when a guardrail holds text back or ends the answer.
class StreamReader {
public:
    virtual ~StreamReader() = default;
    // Errors: upstream_invalid_response.
    virtual Result<void> read(const sse::Event& event,
                              json::Scratch& scratch,
                              AnswerView& into) = 0;
    // Of what the event read last says of text `index`, only `text` passes: a guardrail held the
    // rest back. For dialects whose last events repeat what was said.
    virtual void replace_text(std::int64_t index, std::string_view text) {}
    // Whole events, appended: a piece of text that was held back; the end of text `index`, cut by a
    // guardrail for `reason`; and what ends the stream when all its texts have ended.
    virtual void append_text(std::int64_t index, std::string_view text, std::string& out) = 0;
    virtual void append_stop(std::int64_t index, llm::FinishReason reason, std::string& out) = 0;
    virtual void append_terminal(const llm::Usage& usage, std::string& out) = 0;
    // The stream breaks off after what was read last. false: nothing in its error event depends on
    // what came before, so the client's encoder writes it.
    virtual bool append_error(const Error& error, std::string& out) { return false; }
    // The end of the body, after the model finished, is the terminal (Gemini).
    virtual bool ends_with_body() const { return false; }
    // What stands in the place of Output::finish when a guardrail cut that text; empty: what is
    // there stays.
    virtual std::string_view finish_word(llm::FinishReason reason) const { return {}; }
};

}  // namespace weir::dialect
