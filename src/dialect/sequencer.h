// Puts the parts of a choice one after the other, for dialects in which they never overlap
// (Anthropic's blocks, the Responses' items): events of the part that is open pass at once, those
// of parts that began meanwhile wait until it ends. Pure; one per stream and choice.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "dialect/stream.h"
#include "llm/event.h"

namespace weir::dialect {

// What may wait. Arguments of tool calls are small; a provider that sends more has gone wrong.
inline constexpr std::size_t kSequencedBytesMax = 16u << 20;

class Sequencer {
public:
    // Takes an event of one choice and gives `sink` what is due now. `finish` ends what is open.
    // Errors: upstream_invalid_response where too much waits; the sink's.
    Result<void> take(const llm::Event& event, EventSink& sink);

private:
    struct Waiting {
        llm::Event event;  // its views point into `words`
        std::string words;
        llm::Citation citation;
    };
    Result<void> pass(const llm::Event& event, EventSink& sink);
    Result<void> hold(const llm::Event& event);
    Result<void> release(EventSink& sink);

    bool has_open_ = false;
    std::uint32_t open_part_ = 0;
    std::size_t waiting_bytes_ = 0;
    std::vector<std::unique_ptr<Waiting>> waiting_;
};

}  // namespace weir::dialect
