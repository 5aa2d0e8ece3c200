// One target, a provider's model, as all calls share it: whether it answers, how fast, how many
// calls and retries it takes, and what an operator said of it. Its state belongs to no
// configuration: a Runtime holds Targets, and the next one takes the same (TargetTable). Any
// thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "resilience/adaptive_limit.h"
#include "resilience/admission.h"
#include "resilience/breaker.h"
#include "resilience/credential.h"
#include "resilience/kept_table.h"
#include "resilience/latency.h"
#include "resilience/retry_budget.h"

namespace weir::resilience {

struct TargetRules {
    BreakerRules breaker;
    RetryBudgetRules retry_budget;
    AdmissionRules admission;  // its in_flight is not looked at where the limit is adaptive
    AdaptiveRules adaptive;
};

// What an operator said by the API. Drained and disabled targets get no new calls; who drains wants
// the running ones to end well, who disables does not ask (what happens to them is the pipeline's).
enum class Service : std::uint8_t { on, drained, disabled };

class Target {
public:
    Target(std::string identity, const TargetRules& rules, Random random);

    // A reload has taken effect.
    void change(const TargetRules& rules);

    // The first token of a call came `wait` after the call was sent there.
    void record_first_token(std::chrono::nanoseconds wait, SteadyTime now) {
        latency.record_first_token(wait, now);
        if (const auto limit = adaptive.record(wait, now, admission.in_flight())) {
            admission.set_limit(*limit);
        }
    }

    Service service() const { return service_.load(std::memory_order_relaxed); }
    void set_service(Service service) { service_.store(service, std::memory_order_relaxed); }
    // In the place of the configured one; nullopt: none.
    std::optional<std::uint32_t> weight() const {
        const std::int64_t weight = weight_.load(std::memory_order_relaxed);
        return weight < 0 ? std::nullopt : std::optional(static_cast<std::uint32_t>(weight));
    }
    void set_weight(std::optional<std::uint32_t> weight) {
        weight_.store(weight ? std::int64_t{*weight} : kAsConfigured, std::memory_order_relaxed);
    }
    // What probes say of where it runs; true where nobody probes.
    bool is_reachable() const { return is_reachable_.load(std::memory_order_relaxed); }
    void set_reachable(bool reachable) {
        is_reachable_.store(reachable, std::memory_order_relaxed);
    }
    // Whether new calls may go there at all, its breaker apart.
    bool is_in_service() const { return service() == Service::on && is_reachable(); }
    // For planning: whether a call could go there now. Takes nothing.
    bool may_admit(SteadyTime now) const { return is_in_service() && breaker.may_admit(now); }

    const std::string identity;
    Breaker breaker;
    RetryBudget retry_budget;
    Latency latency;
    AdaptiveLimit adaptive;  // drives the limit of what follows
    Admission admission;

private:
    static constexpr std::int64_t kAsConfigured = -1;
    std::atomic<Service> service_{Service::on};
    std::atomic<bool> is_reachable_{true};
    std::atomic<std::int64_t> weight_{kAsConfigured};
};

// provider + '\n' + model
std::string target_identity(std::string_view provider, std::string_view model);

class TargetTable {
public:
    // Each target's jitter comes from `seed` and its identity.
    explicit TargetTable(std::uint64_t seed) : seed_(seed) {}

    // The target that is held under this identity as it is, else a new one with `rules`. A reload
    // takes its targets while it builds and calls Target::change() once it is in force, so that one
    // that is refused changes nothing.
    std::shared_ptr<Target> take(std::string_view identity, const TargetRules& rules);
    std::shared_ptr<Target> find(std::string_view identity) const { return kept_.find(identity); }
    std::vector<std::pair<std::string, std::shared_ptr<Target>>> all() const { return kept_.all(); }

private:
    std::uint64_t seed_;
    KeptTable<Target> kept_;
};

class CredentialsTable {
public:
    struct KeyRules {
        std::string name;
        // Anything that changes when the key does, never the key: a new key under an old name is
        // not cooled.
        std::string fingerprint;
        std::uint32_t weight = 1;
    };
    // The keys of a provider, each with the state that is held of it. At most kKeysMax.
    Credentials take(std::string_view provider, std::span<const KeyRules> keys);

private:
    KeptTable<Credential> kept_;
};

}  // namespace weir::resilience
