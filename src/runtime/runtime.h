// Everything a call needs that the configuration decides, built from one Snapshot. Immutable; all
// call threads share it; a call keeps the one it began with.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "auth/authenticator.h"
#include "config/snapshot.h"
#include "guardrail/output_filter.h"
#include "net/fetch.h"
#include "net/resolver.h"
#include "provider/provider.h"
#include "quota/limits.h"
#include "resilience/chaos.h"
#include "resilience/passed_models.h"
#include "resilience/target.h"
#include "router/catalog.h"
#include "runtime/fetch_section.h"
#include "runtime/model_state.h"
#include "runtime/stream_section.h"

namespace weir::runtime {

// What outlives every Runtime and is lent to it.
struct Surroundings {
    net::Resolver& resolver;
    quota::LimitCounters& counters;
    resilience::TargetTable& targets;
    resilience::CredentialsTable& credentials;
    unsigned threads = 1;            // that carry calls
    std::uint64_t memory_bytes = 0;  // that Weir may use
    // For names that clients bring, apart from those of providers; null: of no use, fetching is
    // off.
    net::Resolver* fetch_resolver = nullptr;
};

// How many calls the gateway has at once, and how many wait.
resilience::AdmissionRules in_flight_rules(const config::Snapshot& snapshot);

class Runtime {
public:
    // The snapshot must have passed check(). What `previous` has and the snapshot still wants is
    // carried over: connections to upstreams, models they pass through, what is known of models.
    // Errors: invalid_config.
    static Result<std::unique_ptr<const Runtime>> build(const config::Snapshot& snapshot,
                                                        const Surroundings& surroundings,
                                                        const Runtime* previous = nullptr);

    // Calls follow it from now on: what it shares with the Runtime before it takes its rules.
    // `snapshot` is the one it was built of.
    void take_effect(const config::Snapshot& snapshot) const;

    // What is known of a target that a call goes to; `asked` is the model's name there, which
    // counts where the target is a pass-through. Lives as long as this.
    resilience::Target& state_of(const router::Target& target, std::string_view asked) const;

    const auth::Mode auth_mode;
    const std::vector<std::shared_ptr<const provider::Provider>> providers;
    const router::Catalog catalog;
    // What is known of them while they run; shared with the Runtimes before and after this one.
    const std::vector<std::shared_ptr<resilience::Target>> targets;  // by Catalog::identities()
    const std::vector<std::shared_ptr<resilience::PassedModels>> passed;  // by provider, or null
    const std::vector<resilience::Credentials> credentials;               // by provider
    const std::vector<std::shared_ptr<ModelState>> models;                // by Catalog::models()
    const quota::Limits limits;
    const std::shared_ptr<const guardrail::OutputRules> output_rules;  // null: none
    const FetchSection fetch;
    const StreamSection stream;
    const resilience::ChaosSection chaos;
    const std::unique_ptr<const net::Fetcher> fetcher;  // null: fetching is off

private:
    Runtime(const config::Snapshot& snapshot,
            const Surroundings& surroundings,
            const Runtime* previous,
            std::vector<std::shared_ptr<const provider::Provider>> made,
            std::shared_ptr<const guardrail::OutputRules> rules,
            std::unique_ptr<const net::Fetcher> fetching);
};

}  // namespace weir::runtime
