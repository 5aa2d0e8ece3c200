#include "app/gateway.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <malloc.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "app/machine.h"
#include "app/sections.h"
#include "app/version.h"
#include "auth/master_key.h"
#include "auth/section.h"
#include "base/random.h"
#include "ledger/segment.h"
#include "runtime/fetch_section.h"
#include "server/operations.h"
#include "server/section.h"

namespace weir::app {
namespace {

// SQL of the admin API and key look-ups: SQLite has one writer and few readers.
constexpr unsigned kPoolThreads = 4;
constexpr std::size_t kPoolQueueMax = 4096;
// Names that clients bring: a slow name server of theirs must not hold up key look-ups. The queue
// is short, a look-up that waits longer than a fetch may take is of no use.
constexpr unsigned kFetchPoolThreads = 4;
constexpr std::size_t kFetchPoolQueueMax = 256;
// A burst worth tidying up after: about a thousand calls at once, by the tokens held for them.
constexpr std::int64_t kBurstTokens = 4'000'000;

Result<void> make_folder(const std::string& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) {
        return fail(Code::invalid_config,
                    fmt::format("Cannot make the data folder '{}': {}. Choose another with --data.",
                                folder,
                                error.message()));
    }
    ::chmod(folder.c_str(), 0700);  // where that fails, what is in it has its own mode
    return {};
}

Result<auth::MasterKey> read_master_key(const std::string& folder,
                                        const config::Lookup& environment) {
    if (const auto preset = environment("WEIR_MASTER_KEY")) {
        return auth::MasterKey::parse(Secret(*preset), "WEIR_MASTER_KEY");
    }
    return auth::MasterKey::open(folder);
}

std::uint64_t random_seed() {
    std::array<unsigned char, sizeof(std::uint64_t)> bytes{};
    secure_random(bytes);
    return std::bit_cast<std::uint64_t>(bytes);
}

}  // namespace

Result<void> check_openness(const config::Snapshot& snapshot, bool allow_open) {
    const auto& listen = snapshot.get<server::ServerSection>().listen;
    if (snapshot.get<auth::AuthSection>().mode == auth::Mode::off && !listen.ip().is_loopback() &&
        !allow_open) {
        return fail(Code::invalid_config,
                    fmt::format("auth.mode is off and {} can be reached by others: set it to "
                                "required, or start with --allow-open.",
                                net::to_text(listen)));
    }
    return {};
}

Result<std::unique_ptr<Gateway>> Gateway::start(const config::Snapshot& snapshot,
                                                const GatewayOptions& options,
                                                const config::Lookup& environment) {
    std::unique_ptr<Gateway> gateway(new Gateway);
    gateway->options_ = options;
    gateway->environment_ = environment;
    WEIR_TRY(gateway->build(snapshot, options, environment));
    return gateway;
}

Result<void> Gateway::build(const config::Snapshot& snapshot,
                            const GatewayOptions& options,
                            const config::Lookup& environment) {
    raise_descriptor_limit();
    ledger::install_sigbus_guard();
    const auto& server = snapshot.get<server::ServerSection>();
    const unsigned threads = server.threads.value_or(processors());
    WEIR_TRY(check_openness(snapshot, options.allow_open));

    // What is durable: the folder, the master key, the database under it.
    WEIR_TRY(make_folder(options.data_folder));
    WEIR_TRY(const auto master_key, read_master_key(options.data_folder, environment));
    const std::filesystem::path file = snapshot.get<StorageSection>().sqlite_file;
    const std::filesystem::path folder = options.data_folder;
    WEIR_TRY(database_,
             store::Database::open_sqlite((file.is_absolute() ? file : folder / file).string()));
    store::Settings settings(*database_);
    WEIR_TRY(auth::check_master_key(master_key, settings));
    keys_.emplace(*database_);
    usage_.emplace(*database_);

    // Who may call.
    pool_.emplace("weir-pool", kPoolThreads, kPoolQueueMax);
    key_records_.emplace(*keys_);
    authenticator_.emplace(clock_, *key_records_, *pool_, master_key.derive(auth::kPepperLabel));
    api_.emplace(*keys_, *usage_, *authenticator_, static_cast<admin::Controls&>(*this), clock_);
    WEIR_TRY(first_keys_, ensure_keys(*keys_, settings, *api_, *authenticator_, environment));
    admin_key_.emplace(first_keys_.admin_digest);

    // What is seen of it.
    metrics_.emplace(obs::families(), threads + 1);  // the last one is of all other threads
    WEIR_TRY(open_access_log(snapshot.get<LogSection>().access, threads));

    // What it is made of.
    targets_.emplace(random_seed());
    resolver_.emplace(*pool_);
    if (snapshot.get<runtime::FetchSection>().enabled) {
        fetch_pool_.emplace("weir-names", kFetchPoolThreads, kFetchPoolQueueMax);
        fetch_resolver_.emplace(*fetch_pool_);
    }
    WEIR_TRY(surplus_, complete(snapshot, environment, nullptr));
    threads_ = threads;
    snapshot_ = snapshot;
    seen_content_ = hash_of_file(options.config_file).value_or(0);
    WEIR_TRY(runtime_, runtime::Runtime::build(*surplus_.snapshot, surroundings()));
    WEIR_TRY(ledger_,
             ledger::Ledger::open({.folder = (folder / "journal").string(),
                                   .threads = threads,
                                   .bytes_max = static_cast<std::size_t>(
                                       snapshot.get<LedgerSection>().journal_bytes_max)},
                                  *database_,
                                  clock_,
                                  log_));
    provide_gauges();

    // The doors, last.
    in_flight_.emplace(runtime::in_flight_rules(snapshot));
    kept_ids_.emplace(*database_, *pool_, clock_);
    services_.emplace(pipeline::Services{.clock = clock_,
                                         .authenticator = *authenticator_,
                                         .ledger = *ledger_,
                                         .metrics = *metrics_,
                                         .access_log = *access_log_,
                                         .log = log_,
                                         .pool = *pool_,
                                         .kept_ids = *kept_ids_,
                                         .prefixes = prefixes_,
                                         .pressure = pressure_,
                                         .in_flight = *in_flight_,
                                         .started_at = clock_.wall_now()});
    WEIR_TRY(doors_, open_doors(server, threads, options.sockets));
    seen_certificate_ = doors_.tls_content;
    options_.sockets = {};
    auto why_not_ready = [this]() -> std::optional<std::string> {
        if (calls_ == nullptr || calls_->is_draining()) {
            return "draining";
        }
        return std::nullopt;
    };
    calls_ =
        std::make_unique<CallThreads>(threads, runtime_, *services_, *api_, *admin_key_, *pool_);
    WEIR_TRY(calls_->open(doors_.api_door()));
    WEIR_TRY(operations_,
             SideListener::make(
                 doors_.operations_door(),
                 std::make_unique<server::Operations>(*metrics_, std::move(why_not_ready))));
    return {};
}

void Gateway::open() {
    calls_->start();
    operations_->run("weir-operations");
}

Doors Gateway::doors() {
    const std::lock_guard guard(reload_lock_);
    return doors_;
}

Result<void> Gateway::open_access_log(const std::string& where, unsigned threads) {
    if (where == "stderr") {
        access_fd_ = 2;
    } else if (where == "stdout") {
        access_fd_ = 1;
    } else if (where != "off") {
        access_fd_ =
            ::open(where.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, S_IRUSR | S_IWUSR);
        if (access_fd_ < 0) {
            return fail(Code::invalid_config,
                        fmt::format("Cannot open the access log '{}': {}. Change log.access.",
                                    where,
                                    std::strerror(errno)));
        }
    }
    access_log_ = std::make_unique<obs::AccessLog>(access_fd_, threads);
    return {};
}

void Gateway::provide_gauges() {
    metrics_->provide(
        obs::kLedgerBacklog, {}, [this] { return static_cast<double>(ledger_->backlog()); });
    metrics_->provide(
        obs::kLogDropped, {}, [this] { return static_cast<double>(access_log_->dropped()); });
    provide_saturation();
    provide_target_gauges();
    metrics_->provide(obs::kBuildInfo, {std::string(kVersion)}, [] { return 1.0; });
}

// Whatever has a limit of its own. What has none set is never full.
void Gateway::provide_saturation() {
    const auto provide = [this](std::string_view resource, std::function<double()> read) {
        metrics_->provide(obs::kSaturation, {std::string(resource)}, std::move(read));
    };
    const auto ratio = [](auto used, auto most) {
        return most == 0 ? 0 : static_cast<double>(used) / static_cast<double>(most);
    };
    provide("memory", [this, ratio] {
        const auto use = memory_.read();
        return ratio(use.used, use.limit);
    });
    provide("in_flight", [this, ratio] {
        return in_flight_ ? ratio(in_flight_->in_flight(), in_flight_->limit()) : 0;
    });
    provide("queue", [this, ratio] {
        return in_flight_ ? ratio(in_flight_->queued(), in_flight_->queue_max()) : 0;
    });
    provide("connections", [this, ratio] {
        return calls_ ? ratio(calls_->connections(), net::ServerLimits{}.connections_max) : 0;
    });
    provide("body_bytes", [this, ratio] {
        return ratio(counters_.body_bytes.load(std::memory_order_relaxed),
                     runtime()->limits.rules().body_bytes_max.value_or(0));
    });
    provide("tokens", [this, ratio] {
        return ratio(counters_.tokens.load(std::memory_order_relaxed),
                     runtime()->limits.rules().tokens_max.value_or(0));
    });
    provide("journal", [this] { return ledger_->fullness(); });
}

// Of the targets of the configuration in force.
void Gateway::provide_target_gauges() {
    const auto runtime = this->runtime();
    std::vector<obs::Metrics::Provided> healthy;
    std::vector<obs::Metrics::Provided> states;
    for (std::size_t i = 0; i < runtime->targets.size(); ++i) {
        const router::Identity& identity = runtime->catalog.identities()[i];
        const std::vector<std::string> labels{runtime->providers[identity.provider]->name(),
                                              identity.model.empty() ? "other" : identity.model};
        healthy.push_back({labels, [this, target = runtime->targets[i]] {
                               return target->may_admit(clock_.steady_now()) ? 1.0 : 0.0;
                           }});
        states.push_back({labels, [this, target = runtime->targets[i]] {
                              switch (target->breaker.state(clock_.steady_now())) {
                                  case resilience::BreakerState::closed:
                                      return 0.0;
                                  case resilience::BreakerState::half_open:
                                      return 1.0;
                                  case resilience::BreakerState::open:
                                      return 2.0;
                              }
                              std::unreachable();
                          }});
    }
    metrics_->provide_all(obs::kTargetHealthy, std::move(healthy));
    metrics_->provide_all(obs::kBreakerState, std::move(states));
}

// What a burst used lies free between what lives on, and would stay resident.
void Gateway::tidy() {
    const std::int64_t tokens = counters_.tokens.load(std::memory_order_relaxed);
    tokens_peak_ = std::max(tokens_peak_, tokens);
    if (tokens_peak_ >= kBurstTokens && tokens < tokens_peak_ / 4) {
        ::malloc_trim(0);
        tokens_peak_ = tokens;
    }
}

Estate Gateway::estate() {
    const std::lock_guard guard(reload_lock_);
    return {.api = doors_.api, .operations = doors_.operations, .journal = ledger_->journal()};
}

void Gateway::set_handing_over(bool is_handing_over) {
    const std::lock_guard guard(reload_lock_);
    handing_over_ = is_handing_over;
}

void Gateway::leave_doors(TakenDoors taken) {
    taken_ = taken;
    const std::lock_guard guard(reload_lock_);
    if (taken.api) {
        doors_.api.sockets->share();
    }
    if (taken.operations) {
        doors_.operations.sockets->share();
    }
}

void Gateway::follow(const std::string& journal) {
    ledger_->follow(journal, [this](const ledger::OpenCalls& open) {
        counters_.tokens.fetch_add(open.tokens - std::exchange(tokens_elsewhere_, open.tokens),
                                   std::memory_order_acq_rel);
        auto calls = open.by_key;
        calls.erase(0);  // anonymous calls have no key that limits them
        counters_.elsewhere.set(std::move(calls));
        if (!open.is_alive) {
            log_.info("hand_over.done", {});
        }
    });
}

Gateway::~Gateway() { stop_within(std::chrono::nanoseconds{0}); }

void Gateway::stop() {
    std::chrono::nanoseconds grace{};
    {
        const std::lock_guard guard(reload_lock_);
        grace = snapshot_.get<server::ServerSection>().drain;
        handing_over_ = true;  // what is being taken down is not reloaded
        doors_ = {};           // or the sockets would stay open
    }
    stop_within(grace);
}

// In reverse: no more calls, then what they write into, then what that stands on.
void Gateway::stop_within(std::chrono::nanoseconds grace) {
    if (taken_.operations) {
        operations_.reset();  // who asks is to be told by the one that stays
    }
    if (calls_) {
        calls_->stop(grace);
    }
    // Jobs of the pool report back to the reactors: it ends while they are there.
    if (pool_) {
        pool_->stop();
    }
    if (fetch_pool_) {
        fetch_pool_->stop();
    }
    operations_.reset();
    calls_.reset();
    if (ledger_) {
        ledger_->stop();
    }
    if (access_log_) {
        access_log_->stop();
    }
    if (access_fd_ > 2) {
        ::close(std::exchange(access_fd_, -1));
    }
    surplus_.simulator.reset();
}

}  // namespace weir::app
