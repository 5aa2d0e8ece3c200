// A running gateway: everything it is made of, built in order and taken down in reverse.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "admin/api.h"
#include "aio/blocking_pool.h"
#include "app/call_threads.h"
#include "app/doors.h"
#include "app/environment.h"
#include "app/first_start.h"
#include "auth/stored_keys.h"
#include "config/snapshot.h"
#include "ledger/ledger.h"
#include "obs/access_log.h"
#include "obs/log.h"
#include "obs/metrics.h"
#include "quota/limits.h"
#include "runtime/runtime.h"

namespace weir::app {

struct GatewayOptions {
    std::string config_file;  // empty: defaults, which never change
    std::string data_folder;
    bool allow_open = false;  // auth.mode off on an address others can reach
    Inherited sockets;        // in the place of new ones
};

// What another process needs to take this one's place.
struct Estate {
    NamedSockets api, operations;
    std::string journal;
};
struct TakenDoors {
    bool api = false, operations = false;
};

// auth.mode off needs an address of this machine, or the operator's word. Errors: invalid_config.
Result<void> check_openness(const config::Snapshot& snapshot, bool allow_open);

class Gateway : private admin::Controls {
public:
    // Everything is built, and connections are made, but nobody is let in until open().
    // `environment` is asked again at every reload. Errors: invalid_config, storage_unavailable; in
    // words for the operator.
    static Result<std::unique_ptr<Gateway>> start(const config::Snapshot& snapshot,
                                                  const GatewayOptions& options,
                                                  const config::Lookup& environment);
    ~Gateway() override;
    Gateway(const Gateway&) = delete;

    void open();
    Doors doors();  // as they are now
    const FirstKeys& first_keys() const { return first_keys_; }
    const Surplus& surplus() const { return surplus_; }
    std::shared_ptr<const runtime::Runtime> runtime() const override;

    // Gives memory back to the system after a burst of calls. Every second, on any one thread.
    void tidy();
    // Looks at how much memory is used. Ten times a second, on that thread.
    void watch_memory() { pressure_.update(memory_.read()); }
    // The configuration is read again and put in force, for calls that begin from then on; a bad
    // one changes nothing. Says in the log what came of it. Any thread; blocks.
    Result<admin::Reloaded> reload() override;
    void note_change(std::string_view event, std::string_view what) override;
    // The same where the file is not what it was when it was last read. Every few seconds.
    void reload_if_changed();
    // Ends every call, within `server.drain`, then everything else.
    void stop();

    // Hand-over. While another process may have our sockets, reloads are refused.
    Estate estate();
    void set_handing_over(bool is_handing_over);
    // These doors are another process's now: who waits in them is not let in here any more. stop()
    // comes next.
    void leave_doors(TakenDoors taken);
    // The other side: calls that the process of this journal still carries hold their places here,
    // until they have ended there.
    void follow(const std::string& journal);

private:
    Gateway() = default;
    Result<void> build(const config::Snapshot& snapshot,
                       const GatewayOptions& options,
                       const config::Lookup& environment);
    void stop_within(std::chrono::nanoseconds grace);
    Result<admin::Reloaded> read_and_adopt();
    Result<std::vector<std::string>> adopt(const config::Snapshot& snapshot);
    std::vector<std::string> restart_keys(const config::Snapshot& snapshot) const;
    runtime::Surroundings surroundings();
    Result<void> open_access_log(const std::string& where, unsigned threads);
    void provide_gauges();
    void provide_saturation();
    void provide_target_gauges();

    SystemClock clock_;
    obs::Log log_{2};
    GatewayOptions options_;
    config::Lookup environment_;
    Surplus surplus_;
    FirstKeys first_keys_;
    std::int64_t tokens_peak_ = 0;  // in flight, since memory was given back
    int access_fd_ = -1;
    unsigned threads_ = 1;  // that carry calls
    quota::LimitCounters counters_;
    std::optional<resilience::TargetTable> targets_;
    resilience::CredentialsTable credentials_;
    router::PrefixTable prefixes_;
    resilience::MemoryReader memory_;
    resilience::Pressure pressure_;
    std::optional<resilience::Admission> in_flight_;  // calls
    std::optional<aio::BlockingPool> pool_;
    std::optional<net::Resolver> resolver_;
    std::optional<aio::BlockingPool> fetch_pool_;  // none: fetching is off
    std::optional<net::Resolver> fetch_resolver_;
    std::unique_ptr<store::Database> database_;
    std::optional<store::Keys> keys_;
    std::optional<store::Usage> usage_;
    std::optional<auth::StoredKeys> key_records_;
    std::optional<auth::Authenticator> authenticator_;
    std::optional<admin::Api> api_;
    std::optional<auth::AdminKey> admin_key_;
    std::optional<obs::Metrics> metrics_;
    std::unique_ptr<obs::AccessLog> access_log_;
    std::unique_ptr<ledger::Ledger> ledger_;
    std::int64_t tokens_elsewhere_ = 0;  // held for calls of another process; its follower's
    TakenDoors taken_;                   // main thread
    std::mutex reload_lock_;             // one reload at a time; guards what follows
    config::Snapshot snapshot_;          // in force
    Doors doors_;
    bool handing_over_ = false;
    std::size_t seen_content_ = 0;      // hash of the file as it was last read
    std::size_t seen_certificate_ = 0;  // the same, of the certificate's
    std::vector<std::weak_ptr<const runtime::Runtime>> old_runtimes_;  // with calls perhaps
    mutable std::mutex runtime_lock_;                                  // guards runtime_
    std::shared_ptr<const runtime::Runtime> runtime_;
    std::optional<pipeline::KeptIds> kept_ids_;
    std::optional<pipeline::Services> services_;
    std::unique_ptr<CallThreads> calls_;
    std::unique_ptr<SideListener> operations_;
};

}  // namespace weir::app
