// Moves settled records from the journal into the database, in batches, exactly once: how far it
// has read is written in the same transaction as the rows. A segment is taken back only after that.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "ledger/journal.h"
#include "store/usage.h"

namespace weir::ledger {

inline constexpr std::size_t kBatchRowsMax = 5000;

// Used by one thread at a time.
class Drain {
public:
    Drain(Journal& journal, store::UsageWriter& writer);

    // Takes one batch; true: more waits already. Errors: storage_unavailable, and nothing has
    // changed then: call again later.
    Result<bool> step();
    // Records read so far. Any thread.
    std::uint64_t drained() const { return drained_.load(std::memory_order_relaxed); }

    std::size_t open_calls() const { return open_.size(); }

private:
    struct Cursor {
        std::size_t at = kSegmentHeaderBytes;  // in the first segment of the chain
        std::uint64_t sequence = 0;
    };
    struct Open {
        std::string record;  // the payload, until it is in the database
        unsigned thread = 0;
        bool stored = false;
    };
    using OpenCalls = std::unordered_map<Uuid, Open, UuidHash>;  // by request id
    struct Progress;
    void read_first_segment(unsigned thread, Progress& progress);

    Journal& journal_;
    store::UsageWriter& writer_;
    std::vector<Cursor> cursors_;
    OpenCalls open_;
    std::atomic<std::uint64_t> drained_ = 0;
};

}  // namespace weir::ledger
