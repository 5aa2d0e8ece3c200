// The ledger: no served token is lost. A call is opened in the journal before a provider is asked
// and settled before its last byte goes to the client; a drain moves what is settled into the
// database. Owned by app, outlives every call. See DESIGN section 5.
//
// Several processes may have the same folder and database, as in a hand-over: each writes a journal
// of its own, and what one leaves behind that dies the others take up within seconds.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "ledger/drain.h"
#include "ledger/journal.h"
#include "ledger/open_calls.h"
#include "ledger/recovery.h"
#include "obs/log.h"
#include "store/usage.h"

namespace weir::ledger {

class Ledger {
public:
    // Recovers what earlier processes left, then opens this one's journal. Errors:
    // storage_unavailable.
    static Result<std::unique_ptr<Ledger>> open(const JournalOptions& options,
                                                store::Database& database,
                                                const Clock& clock,
                                                obs::Log& log);
    ~Ledger();  // stop()

    // On call thread `thread`. Errors: storage_unavailable (the journal is at its limit): do not
    // ask a provider then.
    Result<void> opened(unsigned thread, const Opened& record) {
        return journal_->opened(thread, record);
    }
    // Exactly once for each opened call, on the same thread. Always succeeds.
    void settled(unsigned thread, const Settled& record) { journal_->settled(thread, record); }

    // What a provider keeps for a tenant; before the client learns its id. On the call's thread.
    void kept(unsigned thread, const Kept& record) { journal_->kept(thread, record); }

    // The calls in progress of another process, as its journal says: `tell` gets them now, then a
    // few times a second, and none when the process is gone, whichever way; never after stop(). At
    // most one process, once; on this thread at first, later on the drain's.
    void follow(const std::string& journal, std::function<void(const OpenCalls&)> tell);
    const std::string& journal() const { return journal_->name(); }

    // Records in the journal that the drain has not read.
    std::uint64_t backlog() const;
    // Of the journal's limit, what holds records: 0 to 1.
    double fullness() const { return journal_->fullness(); }
    // Drains all that is there, then ends; the journal's folder is removed where nothing is left in
    // it.
    void stop();

private:
    Ledger(store::Database& database, obs::Log& log, std::string folder)
        : writer_(database), log_(log), folder_(std::move(folder)) {}
    Result<void> recover_others();
    void drain_loop();
    void look_at_others();
    bool tell_open_calls();

    store::UsageWriter writer_;
    obs::Log& log_;
    std::string folder_;  // of all journals
    std::unique_ptr<Journal> journal_;
    std::unique_ptr<Drain> drain_;
    std::mutex lock_;
    std::condition_variable wakeup_;
    bool stopping_ = false;                                // guarded by lock_
    std::string followed_;                                 // guarded by lock_; empty: none
    std::function<void(const OpenCalls&)> on_open_calls_;  // guarded by lock_
    // The drain's.
    std::chrono::steady_clock::time_point next_look_{}, next_recovery_{};
    std::thread thread_;
};

}  // namespace weir::ledger
