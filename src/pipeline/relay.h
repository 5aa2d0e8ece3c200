// A streamed answer between provider and client. Sans I/O: bytes in, bytes out; any split of the
// bytes gives the same stream. One per attempt. Two kinds: PassRelay where both sides speak the
// same dialect, TranslatingRelay where they do not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "guardrail/output_filter.h"
#include "llm/usage.h"

namespace weir::pipeline {

// What comes before the first token: role chunks, pings. A provider that sends more has gone wrong.
inline constexpr std::size_t kHeldEventsMax = 256;
inline constexpr std::size_t kHeldBytesMax = 64u << 10;

// Ids of what the provider keeps of an answer.
struct MadeIds {
    std::vector<std::string> kept;   // the response, its items
    std::vector<std::string> files;  // and containers
};
// Of one answer, of each kind: beyond it they are not written down, and cannot be named later.
inline constexpr std::size_t kMadeIdsMax = 1024;
void add_made_id(std::string id, std::vector<std::string>& into);

class Relay {
public:
    virtual ~Relay() = default;

    // Takes the provider's next bytes and appends to `out` what the client gets now. Errors:
    // upstream_invalid_response, upstream_error and what a provider's error event means. What was
    // appended before an error still counts.
    virtual Result<void> feed(std::string_view bytes, std::string& out) = 0;
    // The provider's answer has ended.
    virtual Result<void> end(std::string& out) = 0;
    // The stream breaks off, after its first token: the client's dialect says why.
    virtual void fail(const Error& error, std::string& out) = 0;

    // The first token is there: from now on nothing is retried.
    bool is_committed() const { return committed_; }
    // The terminal event is in `out`: nothing follows.
    bool is_done() const { return done_; }
    // What the provider says it used, else what Weir counted until now.
    virtual llm::Usage usage() const = 0;
    // Known until now.
    virtual const MadeIds& made_ids() const { return no_ids_; }

protected:
    bool committed_ = false;
    bool done_ = false;

private:
    static inline const MadeIds no_ids_;
};

// Of text that a provider did not count itself: at least a token an event.
std::int64_t estimate_output_tokens(std::int64_t text_events, std::uint64_t text_bytes);

}  // namespace weir::pipeline
