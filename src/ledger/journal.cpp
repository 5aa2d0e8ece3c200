#include "ledger/journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sys/file.h>
#include <unistd.h>

#include <filesystem>

#include "base/assert.h"
#include "ledger/journal_folder.h"

namespace weir::ledger {
namespace {

// Spares the helper keeps ready for each thread.
constexpr std::size_t kSparesPerThread = 1;
// What is set aside for the end of a call: a settled record with one attempt and long names. The
// few that are larger (many attempts) live off the others, which are far smaller.
constexpr std::size_t kSettledReserve = 1024;

Failure full() {
    return fail(Code::storage_unavailable,
                "The gateway cannot write its records; try again shortly.")
        .detail("the journal has reached its limit or the disk is full")
        .retry_after(std::chrono::seconds{1});
}

}  // namespace

Journal::Journal(JournalOptions options, std::string name)
    : options_(std::move(options)), name_(std::move(name)), path_(options_.folder + "/" + name_) {}

Result<std::unique_ptr<Journal>> Journal::open(const JournalOptions& options, const Uuid& boot_id) {
    auto journal = std::unique_ptr<Journal>(new Journal(options, to_text(boot_id)));
    // It has its name once it is locked: other processes look for journals that nobody holds.
    std::error_code error;
    const std::string unnamed = journal->path_ + kUnfinished;
    std::filesystem::create_directories(unnamed, error);
    const std::string lock_path = unnamed + "/lock";
    journal->lock_fd_ = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->lock_fd_ < 0 || ::flock(journal->lock_fd_, LOCK_EX | LOCK_NB) != 0 ||
        ::rename(unnamed.c_str(), journal->path_.c_str()) != 0) {
        return fail(Code::storage_unavailable,
                    fmt::format("The journal folder '{}' cannot be written.", journal->path_))
            .detail(std::strerror(errno));
    }
    for (unsigned i = 0; i < options.threads; ++i) {
        journal->chains_.push_back(std::make_unique<Chain>());
        if (!journal->next_segment(*journal->chains_[i], i)) {
            return fail(Code::storage_unavailable,
                        fmt::format("There is no room for the journal in '{}': {} bytes are needed "
                                    "for each thread.",
                                    journal->path_,
                                    options.segment_bytes));
        }
    }
    journal->helper_ = std::thread([raw = journal.get()] { raw->keep_up_loop(); });
    ::pthread_setname_np(journal->helper_.native_handle(), "weir-journal");
    return journal;
}

Journal::~Journal() {
    if (helper_.joinable()) {
        {
            const std::lock_guard guard(lock_);
            stopping_ = true;
        }
        wakeup_.notify_all();
        helper_.join();
    }
    for (auto& segment : all_) {
        segment->sync();
    }
    if (lock_fd_ >= 0) {
        ::close(lock_fd_);
    }
}

Result<std::unique_ptr<Segment>> Journal::make_segment() {
    return Segment::create(fmt::format("{}/{:08}.seg", path_, next_file_.fetch_add(1)),
                           options_.segment_bytes);
}

Result<void> Journal::opened(unsigned thread, const Opened& record) {
    WEIR_UNINITIALIZED char payload[kRecordBytesMax];
    const std::size_t size = encode(record, payload);
    Chain& chain = *chains_[thread];
    const std::size_t needed = Segment::space_for(size) + (chain.unsettled + 1) * kSettledReserve;
    // Beyond what one segment holds, the ends of many open calls live in the spares that follow it.
    const std::size_t within = std::min(needed, options_.segment_bytes / 2);
    if (chain.current->space_left() < within || chain.current->is_lost()) {
        if (!next_segment(chain, thread)) {
            return full();
        }
    }
    append(thread, Kind::opened, {payload, size});
    ++chain.unsettled;
    return {};
}

void Journal::settled(unsigned thread, const Settled& record) {
    WEIR_UNINITIALIZED char payload[kRecordBytesMax];
    const std::size_t size = encode(record, payload);
    Chain& chain = *chains_[thread];
    WEIR_ASSERT(chain.unsettled > 0);
    --chain.unsettled;
    append(thread, Kind::settled, {payload, size});
}

void Journal::kept(unsigned thread, const Kept& record) {
    WEIR_UNINITIALIZED char payload[kRecordBytesMax];
    const std::size_t size = encode(record, payload);
    append(thread, Kind::kept, {payload, size});
}

void Journal::append(unsigned thread, Kind kind, std::string_view payload) {
    Chain& chain = *chains_[thread];
    const std::size_t needed = Segment::space_for(payload.size());
    while (chain.current->space_left() < needed) {
        // A call that was let in must be settled: wait for room rather than lose it. Only reached
        // when more calls were open at once than half a segment reserves for, and the disk is full
        // as well.
        if (!next_segment(chain, thread)) {
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
        }
    }
    const std::uint64_t sequence = chain.sequence.load(std::memory_order_relaxed) + 1;
    chain.current->append(kind, sequence, payload);
    if (chain.current->is_lost() && next_segment(chain, thread)) {
        chain.current->append(
            kind, sequence, payload);  // the file was cut under us: once more, elsewhere
    }
    chain.sequence.store(sequence, std::memory_order_release);
}

bool Journal::next_segment(Chain& chain, unsigned thread) {
    Segment* next = nullptr;
    {
        const std::lock_guard guard(lock_);
        auto& from = !spare_.empty() ? spare_ : recycled_;
        if (!from.empty()) {
            next = from.back();
            from.pop_back();
        } else if (bytes_ + options_.segment_bytes > options_.bytes_max) {
            return false;
        } else {
            bytes_ += options_.segment_bytes;
        }
    }
    if (next == nullptr) {  // the helper was not fast enough
        auto made = make_segment();
        const std::lock_guard guard(lock_);
        if (!made) {
            bytes_ -= options_.segment_bytes;
            return false;
        }
        next = made->get();
        all_.push_back(std::move(*made));
    }
    const std::uint64_t first = chain.sequence.load(std::memory_order_relaxed) + 1;
    next->begin(next_generation_.fetch_add(1), thread, first);
    {
        const std::lock_guard guard(chain.lock);
        if (chain.current != nullptr) {
            chain.current->seal();
        }
        chain.segments.push_back(next);
        chain.current = next;
    }
    wakeup_.notify_one();  // a spare is wanted
    return true;
}

std::vector<Segment*> Journal::chain(unsigned thread) {
    Chain& chain = *chains_[thread];
    const std::lock_guard guard(chain.lock);
    return {chain.segments.begin(), chain.segments.end()};
}

void Journal::recycle_first(unsigned thread) {
    Chain& chain = *chains_[thread];
    Segment* segment = nullptr;
    {
        const std::lock_guard guard(chain.lock);
        WEIR_ASSERT(chain.segments.size() > 1);
        segment = chain.segments.front();
        chain.segments.pop_front();
    }
    segment->retire();
    const std::lock_guard guard(lock_);
    if (segment->is_lost()) {
        return;  // private memory by now; it stays mapped and unused
    }
    recycled_.push_back(segment);
}

void Journal::keep_up_loop() {
    std::unique_lock guard(lock_);
    auto sync_due = std::chrono::steady_clock::now() + options_.sync_interval;
    while (!stopping_) {
        wakeup_.wait_until(guard, sync_due);
        // Syncing has made the pages of a used segment read-only: they are made writable here, so
        // that no append meets the fault.
        while (!stopping_ && !recycled_.empty()) {
            Segment* const segment = recycled_.back();
            recycled_.pop_back();
            guard.unlock();
            segment->prefault();
            guard.lock();
            spare_.push_back(segment);
        }
        while (!stopping_ && spare_.size() < kSparesPerThread * chains_.size() &&
               bytes_ + options_.segment_bytes <= options_.bytes_max) {
            bytes_ += options_.segment_bytes;
            guard.unlock();
            auto made = make_segment();
            guard.lock();
            if (!made) {
                bytes_ -= options_.segment_bytes;
                break;  // a full disk: the next round tries again
            }
            spare_.push_back(made->get());
            all_.push_back(std::move(*made));
        }
        if (std::chrono::steady_clock::now() < sync_due && !stopping_) {
            continue;  // woken for a spare
        }
        sync_due = std::chrono::steady_clock::now() + options_.sync_interval;
        std::vector<Segment*> active;
        for (auto& chain : chains_) {
            const std::lock_guard chain_guard(chain->lock);
            active.insert(active.end(), chain->segments.begin(), chain->segments.end());
        }
        guard.unlock();
        for (Segment* segment : active) {
            segment->sync();
        }
        guard.lock();
    }
}

void Journal::take_away() {
    const std::string gone = path_ + kFinished;
    if (::rename(path_.c_str(), gone.c_str()) == 0) {
        path_ = gone;
    }
}

void Journal::remove() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
}

}  // namespace weir::ledger
