// A running gateway: everything it is made of, built in order and taken down in reverse.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "admin/api.h"
#include "aio/blocking_pool.h"
#include "app/call_threads.h"
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
    std::string data_folder;
    bool allow_open = false;  // auth.mode off on an address others can reach
};

class Gateway {
public:
    // Errors: invalid_config, storage_unavailable; in words for the operator.
    static Result<std::unique_ptr<Gateway>> start(const config::Snapshot& snapshot,
                                                  const GatewayOptions& options,
                                                  const config::Lookup& environment);
    ~Gateway();
    Gateway(const Gateway&) = delete;

    const net::SocketAddress& listen() const { return listen_; }
    const net::SocketAddress& operations() const { return operations_->address(); }
    bool has_tls() const { return has_tls_; }
    const FirstKeys& first_keys() const { return first_keys_; }
    const Surplus& surplus() const { return surplus_; }
    const router::Catalog& catalog() const { return runtime_->catalog; }
    auth::Mode auth_mode() const { return runtime_->auth_mode; }

    // Gives memory back to the system after a burst of calls. Every second, on any one thread.
    void tidy();
    // Ends every call, then everything else.
    void stop(std::chrono::nanoseconds grace);

private:
    Gateway() = default;
    Result<void> build(const config::Snapshot& snapshot,
                       const GatewayOptions& options,
                       const config::Lookup& environment);
    Result<void> open_access_log(const std::string& where, unsigned threads);
    void provide_gauges();

    SystemClock clock_;
    obs::Log log_{2};
    Surplus surplus_;
    FirstKeys first_keys_;
    net::SocketAddress listen_;
    bool has_tls_ = false;
    std::int64_t tokens_peak_ = 0;  // in flight, since memory was given back
    int access_fd_ = -1;
    quota::LimitCounters counters_;
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
    std::shared_ptr<const runtime::Runtime> runtime_;
    std::optional<pipeline::KeptIds> kept_ids_;
    std::optional<pipeline::Services> services_;
    std::unique_ptr<CallThreads> calls_;
    std::unique_ptr<SideListener> operations_;
};

}  // namespace weir::app
