// The journal of one process: for each call thread a chain of segments, kept under `journal/<boot
// id>/` and held by a lock file. Several processes may have theirs side by side. Call threads
// append without a lock or a system call; a helper thread prepares segments ahead, makes what was
// written durable every 100 ms and takes drained segments back.
//
// Space for the end of a call is set aside when it is opened, so that a call that was let in can
// always be settled. When the drain cannot keep up (the database is away) the journal grows to its
// limit; then new calls are refused with storage_unavailable. Nothing is dropped.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "ledger/segment.h"

namespace weir::ledger {

struct JournalOptions {
    std::string folder;  // of all journals
    unsigned threads = 1;
    std::size_t bytes_max = 1u << 30;
    std::size_t segment_bytes = kSegmentBytes;
    std::chrono::milliseconds sync_interval{100};  // what a power cut may cost
};

class Journal {
public:
    // Errors: storage_unavailable.
    static Result<std::unique_ptr<Journal>> open(const JournalOptions& options,
                                                 const Uuid& boot_id);
    ~Journal();
    Journal(const Journal&) = delete;

    const std::string& name() const { return name_; }

    // Call thread `thread` only. Errors: storage_unavailable.
    Result<void> opened(unsigned thread, const Opened& record);
    void settled(unsigned thread, const Settled& record);
    void kept(unsigned thread, const Kept& record);

    // The drain's thread only: the segments of a thread, oldest first.
    std::vector<Segment*> chain(unsigned thread);
    // The oldest segment of the thread is drained and that is durable.
    void recycle_first(unsigned thread);
    unsigned threads() const { return static_cast<unsigned>(chains_.size()); }

    // Records appended and not yet recycled or drained are counted by the drain; this counts
    // appends.
    std::uint64_t appended(unsigned thread) const {
        return chains_[thread]->sequence.load(std::memory_order_acquire);
    }
    // Of bytes_max, what is not free to be written over: 0 to 1. Any thread.
    double fullness() const {
        const std::lock_guard guard(lock_);
        const std::size_t free = (spare_.size() + recycled_.size()) * options_.segment_bytes;
        return static_cast<double>(bytes_ - std::min(free, bytes_)) /
               static_cast<double>(options_.bytes_max);
    }
    // Removes the folder, for the ledger's `forget` in between: once the journal has lost its name
    // nobody reads it any more. Everything must be drained; it is of no use afterwards.
    void take_away();
    void remove();

private:
    struct Chain {
        Segment* current = nullptr;  // the call thread's
        std::size_t unsettled =
            0;  // the call thread's: opened calls whose end has its space set aside
        std::atomic<std::uint64_t> sequence = 0;
        std::mutex lock;                // taken when a segment changes hands, not per record
        std::deque<Segment*> segments;  // guarded by lock; the last one is `current`
    };

    Journal(JournalOptions options, std::string name);
    Result<std::unique_ptr<Segment>> make_segment();
    bool next_segment(Chain& chain, unsigned thread);
    void append(unsigned thread, Kind kind, std::string_view payload);
    void keep_up_loop();

    JournalOptions options_;
    std::string name_, path_;
    int lock_fd_ = -1;
    std::atomic<std::uint32_t> next_generation_ = 1;
    std::atomic<std::uint64_t> next_file_ = 0;
    std::vector<std::unique_ptr<Chain>> chains_;

    mutable std::mutex lock_;
    std::condition_variable wakeup_;
    std::vector<std::unique_ptr<Segment>> all_;  // guarded by lock_
    std::vector<Segment*> spare_;                // begun by whoever takes one; guarded by lock_
    std::vector<Segment*> recycled_;             // to be made ready again; guarded by lock_
    std::size_t bytes_ = 0;                      // allocated, guarded by lock_
    bool stopping_ = false;                      // guarded by lock_
    std::thread helper_;
};

}  // namespace weir::ledger
