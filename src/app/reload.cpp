// Hot reload: a changed configuration becomes a Runtime beside the one in force; calls that begin
// from then on follow it, running ones end with what they began with. Breakers, connections and
// counters are carried over by identity.
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "app/gateway.h"
#include "app/machine.h"
#include "app/sections.h"
#include "runtime/fetch_section.h"
#include "server/section.h"

namespace weir::app {
namespace {

// Configurations that calls still run under, this one among them.
constexpr std::size_t kRuntimesMax = 8;
// How long a reload waits for the calls of the oldest to end.
constexpr std::chrono::seconds kOldRuntimeMax{5};
constexpr std::chrono::milliseconds kOldRuntimePoll{20};

}  // namespace

std::shared_ptr<const runtime::Runtime> Gateway::runtime() const {
    const std::lock_guard guard(runtime_lock_);
    return runtime_;
}

void Gateway::note_change(std::string_view event, std::string_view what) {
    log_.info(event, {{"what", what}});
}

runtime::Surroundings Gateway::surroundings() {
    return {.resolver = *resolver_,
            .counters = counters_,
            .targets = *targets_,
            .credentials = credentials_,
            .threads = threads_,
            .memory_bytes = memory_.limit(),
            .fetch_resolver = fetch_resolver_ ? &*fetch_resolver_ : nullptr};
}

Result<admin::Reloaded> Gateway::reload() {
    const std::lock_guard guard(reload_lock_);
    return read_and_adopt();
}

void Gateway::reload_if_changed() {
    if (options_.config_file.empty()) {
        return;
    }
    const auto content = hash_of_file(options_.config_file);
    if (!content) {
        return;  // being replaced this very moment, or gone: what is in force stays
    }
    const std::lock_guard guard(reload_lock_);
    // A certificate is renewed under the name it has.
    const std::size_t certificate = hash_of_certificate(doors_.section).value_or(0);
    if (*content != seen_content_ || certificate != seen_certificate_) {
        const auto outcome = read_and_adopt();
        static_cast<void>(outcome);  // the log has said it
    }
}

// Under reload_lock_.
Result<admin::Reloaded> Gateway::read_and_adopt() {
    const auto count = [this](std::string_view result) {
        metrics_->shard(threads_).add(metrics_->series(obs::kReload, {result}));
    };
    if (!options_.config_file.empty()) {
        seen_content_ = hash_of_file(options_.config_file).value_or(0);
    }
    seen_certificate_ = hash_of_certificate(doors_.section).value_or(0);
    auto loaded = load_configuration(options_.config_file, environment_);
    if (!loaded) {
        count("refused");
        log_.warn("config.refused", {{"detail", loaded.error().message()}});
        return std::unexpected(std::move(loaded).error());
    }
    admin::Reloaded outcome;
    for (const config::Diagnostic& error : loaded->errors) {
        outcome.errors.push_back(config::to_text(error));
        log_.warn("config.refused", {{"detail", outcome.errors.back()}});
    }
    if (!outcome.errors.empty()) {
        count("refused");
        return outcome;
    }
    auto adopted = adopt(*loaded->snapshot);
    if (!adopted) {
        count("refused");
        log_.warn("config.refused", {{"detail", adopted.error().message()}});
        if (adopted.error().code() == Code::invalid_config) {
            outcome.errors.emplace_back(adopted.error().message());  // the file is at fault
            return outcome;
        }
        return std::unexpected(std::move(adopted).error());
    }
    outcome.needs_restart = std::move(*adopted);
    count("in_force");
    log_.info("config.in_force", {{"needs_restart", fmt::to_string(outcome.needs_restart.size())}});
    return outcome;
}

// Names what only a restart changes.
Result<std::vector<std::string>> Gateway::adopt(const config::Snapshot& snapshot) {
    if (handing_over_) {
        return fail(Code::conflict,
                    "Another process is taking this one's place: reload that one, or once more.");
    }
    const auto is_gone = [](const std::weak_ptr<const runtime::Runtime>& old) {
        return old.expired();
    };
    const SteadyTime until = clock_.steady_now() + kOldRuntimeMax;
    while (std::erase_if(old_runtimes_, is_gone), old_runtimes_.size() + 1 >= kRuntimesMax) {
        if (clock_.steady_now() >= until) {
            return fail(Code::overloaded,
                        fmt::format("Calls still run under {} configurations; reload again when "
                                    "some have ended.",
                                    kRuntimesMax));
        }
        std::this_thread::sleep_for(kOldRuntimePoll);
    }
    WEIR_TRY(auto surplus, complete(snapshot, environment_, surplus_.simulator));
    const auto previous = runtime();
    WEIR_TRY(std::shared_ptr<const runtime::Runtime> next,
             runtime::Runtime::build(*surplus.snapshot, surroundings(), previous.get()));
    // The same file with its doors: what cannot be opened refuses all of it.
    WEIR_TRY(check_openness(snapshot, options_.allow_open));
    WEIR_TRY(auto doors, change_doors(doors_, snapshot.get<server::ServerSection>(), threads_));
    WEIR_TRY(auto change_api, calls_->server().prepare_change(doors.api_door()));
    WEIR_TRY(auto change_operations, operations_->server().prepare_change(doors.operations_door()));
    auto changed = restart_keys(snapshot);
    if (!calls_->adopt(next)) {
        return fail(Code::overloaded, "The gateway is too busy or stopping; reload again.");
    }
    change_api();
    change_operations();
    doors_ = std::move(doors);
    seen_certificate_ = doors_.tls_content;
    next->take_effect(*surplus.snapshot);
    in_flight_->change(runtime::in_flight_rules(*surplus.snapshot));
    old_runtimes_.push_back(previous);
    {
        const std::lock_guard guard(runtime_lock_);
        runtime_ = std::move(next);
    }
    provide_target_gauges();
    surplus_ = std::move(surplus);
    snapshot_ = snapshot;
    return changed;
}

std::vector<std::string> Gateway::restart_keys(const config::Snapshot& snapshot) const {
    std::vector<std::string> keys;
    const auto note = [&keys](bool is_same, std::string_view key) {
        if (!is_same) {
            keys.emplace_back(key);
        }
    };
    const auto& now = snapshot_.get<server::ServerSection>();
    const auto& then = snapshot.get<server::ServerSection>();
    note(now.threads == then.threads, "server.threads");
    note(snapshot_.get<StorageSection>().sqlite_file == snapshot.get<StorageSection>().sqlite_file,
         "storage.url");
    note(snapshot_.get<LedgerSection>().journal_bytes_max ==
             snapshot.get<LedgerSection>().journal_bytes_max,
         "ledger.max_bytes");
    note(snapshot_.get<LogSection>().access == snapshot.get<LogSection>().access, "log.access");
    return keys;
}

}  // namespace weir::app
