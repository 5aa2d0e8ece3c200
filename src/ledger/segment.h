// One memory-mapped file of a journal: a header page, then records on 64-byte lines, written by one
// thread and read by another. A record is published by one store of its commit word, generation and
// checksum in one; the word behind it is zeroed first, so that what an earlier use of the file left
// there is never taken for a record. Layout and figures follow the journal spike.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/error.h"
#include "ledger/record.h"

namespace weir::ledger {

inline constexpr std::size_t kSegmentBytes = 4u << 20;
inline constexpr std::size_t kSegmentHeaderBytes = 4096;

class Segment {
public:
    // Allocates the whole file, so that no append can meet a full disk, and touches its pages, so
    // that none meets a page fault. Errors: storage_unavailable.
    static Result<std::unique_ptr<Segment>> create(const std::string& path,
                                                   std::size_t bytes = kSegmentBytes);
    // For reading what a dead process left. Errors: storage_unavailable; a file that is no segment
    // gives null.
    static Result<std::unique_ptr<Segment>> open(const std::string& path);
    ~Segment();
    Segment(const Segment&) = delete;

    // What is in it is done with and must not be read again, whoever crashes when. Until begin().
    void retire();
    // Makes the file ready for new records. No system call: a call waits for it.
    void begin(std::uint32_t generation, unsigned thread, std::uint64_t first_sequence);

    // --- the writing thread ---
    static std::size_t space_for(std::size_t payload_bytes);
    std::size_t space_left() const { return bytes_ - at_; }
    // The caller has checked space_left().
    void append(Kind kind, std::uint64_t sequence, std::string_view payload);
    void seal() { sealed_.store(true, std::memory_order_release); }

    // --- any thread ---
    bool is_sealed() const { return sealed_.load(std::memory_order_acquire); }
    // The file was cut or failed under the mapping: what it held is gone (see
    // install_sigbus_guard).
    bool is_lost() const { return lost_.load(std::memory_order_acquire); }
    // Makes what was appended so far durable.
    void sync();
    // Makes the pages writable before they are written, so that an append meets no page fault. Best
    // effort.
    void prefault();
    unsigned thread() const;
    std::uint64_t first_sequence() const;
    // False: the header belongs to no finished begin().
    bool is_valid() const;

    // --- the reading thread ---
    struct View {
        Kind kind;
        std::uint64_t sequence;
        std::string_view payload;
    };
    enum class Read : unsigned char { record, end, torn };
    // The record at `at` (kSegmentHeaderBytes at first), which moves on; `end`: nothing (more) is
    // committed.
    Read read(std::size_t& at, View& view) const;

private:
    Segment(int fd, char* base, std::size_t bytes);
    int fd_;
    char* base_;
    std::size_t bytes_;
    std::size_t at_ = kSegmentHeaderBytes;  // the writer's
    std::uint32_t generation_ = 0;
    std::atomic<std::size_t> written_ = kSegmentHeaderBytes;  // what sync() may take
    std::mutex sync_lock_;    // a slow sync against the file's next use; never taken by append
    std::size_t synced_ = 0;  // guarded by sync_lock_
    std::atomic<bool> sealed_ = false;
    std::atomic<bool> lost_ = false;
};

// Installs the SIGBUS handler that keeps a file cut under us from ending the process: private
// memory takes its place, and the segment says that it is lost. Once, before the first segment.
void install_sigbus_guard();

}  // namespace weir::ledger
