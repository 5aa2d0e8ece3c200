#include "ledger/ledger.h"

#include <pthread.h>

namespace weir::ledger {
namespace {

// How long a settled call may wait for its row. Longer means larger batches and less work a row.
constexpr std::chrono::milliseconds kDrainInterval{200};
constexpr std::chrono::milliseconds kRetryMax{5000};
// Other processes with the same folder: how often the calls of one that is followed are looked at,
// and how often for journals whose process died.
constexpr std::chrono::milliseconds kFollowInterval{200};
constexpr std::chrono::seconds kRecoveryInterval{2};
// At the end the database gets this long; what is left then is recovered at the next start.
constexpr int kLastTries = 10;

}  // namespace

Result<std::unique_ptr<Ledger>> Ledger::open(const JournalOptions& options,
                                             store::Database& database,
                                             const Clock& clock,
                                             obs::Log& log) {
    auto ledger = std::unique_ptr<Ledger>(new Ledger(database, log, options.folder));
    WEIR_TRY(ledger->recover_others());
    WEIR_TRY(ledger->journal_, Journal::open(options, make_uuid_v7(clock.wall_now())));
    ledger->drain_ = std::make_unique<Drain>(*ledger->journal_, ledger->writer_);
    ledger->thread_ = std::thread([raw = ledger.get()] { raw->drain_loop(); });
    ::pthread_setname_np(ledger->thread_.native_handle(), "weir-drain");
    return ledger;
}

Ledger::~Ledger() { stop(); }

Result<void> Ledger::recover_others() {
    WEIR_TRY(const Recovered recovered, recover(folder_, writer_));
    if (recovered.journals > 0) {
        log_.warn("ledger.recovered",
                  {{"journals", recovered.journals},
                   {"calls", recovered.calls},
                   {"interrupted", recovered.interrupted},
                   {"torn", recovered.torn}});
    }
    return {};
}

void Ledger::follow(const std::string& journal, std::function<void(const OpenCalls&)> tell) {
    {
        const std::lock_guard guard(lock_);
        on_open_calls_ = std::move(tell);
        followed_ = journal;
    }
    tell_open_calls();
}

// False: nobody is followed any more.
bool Ledger::tell_open_calls() {
    const std::lock_guard guard(lock_);
    if (followed_.empty()) {
        return false;
    }
    // A journal that cannot be read now may be readable next time: what was told last holds.
    if (auto open = read_open_calls(folder_, followed_, writer_)) {
        on_open_calls_(*open);
        if (!open->is_alive) {
            followed_.clear();
        }
    }
    return !followed_.empty();
}

// On the drain's thread.
void Ledger::look_at_others() {
    const auto now = std::chrono::steady_clock::now();
    if (now >= next_look_ && tell_open_calls()) {
        next_look_ = now + kFollowInterval;
    }
    if (now >= next_recovery_) {
        next_recovery_ = now + kRecoveryInterval;
        if (const auto recovered = recover_others(); !recovered) {
            log_.error("ledger.recovery_failed", {{"detail", recovered.error().detail()}});
        }
    }
}

std::uint64_t Ledger::backlog() const {
    std::uint64_t appended = 0;
    for (unsigned i = 0; i < journal_->threads(); ++i) {
        appended += journal_->appended(i);
    }
    const std::uint64_t drained = drain_->drained();
    return appended > drained ? appended - drained : 0;
}

void Ledger::drain_loop() {
    auto pause = kDrainInterval;
    for (;;) {
        {
            std::unique_lock guard(lock_);
            wakeup_.wait_for(guard, pause, [this] { return stopping_; });
            if (stopping_) {
                return;
            }
        }
        look_at_others();
        const auto more = drain_->step();
        if (more) {
            pause = *more ? std::chrono::milliseconds{0} : kDrainInterval;
        } else {
            if (pause <= kDrainInterval) {
                log_.error("ledger.drain_failed", {{"detail", more.error().detail()}});
            }
            pause = std::clamp(pause * 2, kDrainInterval, kRetryMax);
        }
    }
}

void Ledger::stop() {
    if (!thread_.joinable()) {
        return;
    }
    {
        const std::lock_guard guard(lock_);
        stopping_ = true;
    }
    wakeup_.notify_all();
    thread_.join();
    int failures = 0;
    for (;;) {
        const auto more = drain_->step();
        if (more && !*more) {
            break;
        }
        if (!more && ++failures == kLastTries) {
            log_.error("ledger.left_for_recovery",
                       {{"records", backlog()}, {"detail", more.error().detail()}});
            return;
        }
        if (!more) {
            std::this_thread::sleep_for(kDrainInterval);
        }
    }
    // Nothing is open and nothing waits: the next start need not read this journal.
    if (drain_->open_calls() == 0) {
        journal_->take_away();
        static_cast<void>(writer_.forget(journal_->name()));
        journal_->remove();
    }
}

}  // namespace weir::ledger
