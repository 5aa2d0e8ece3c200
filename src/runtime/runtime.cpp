#include "runtime/runtime.h"

#include <algorithm>
#include <limits>

#include "auth/section.h"
#include "guardrail/section.h"
#include "provider/section.h"
#include "quota/section.h"
#include "router/section.h"

namespace weir::runtime {
namespace {

std::vector<router::ProviderName> names_of(
    const std::vector<std::shared_ptr<const provider::Provider>>& providers) {
    std::vector<router::ProviderName> names;
    for (const auto& provider : providers) {
        names.push_back({.name = provider->name(),
                         .pass_through = provider->has_pass_through(),
                         .kind = std::string(provider->kind().name)});
    }
    return names;
}

resilience::TargetRules rules_of(const provider::ProviderSection& section) {
    const provider::BreakerSection& breaker = section.breaker;
    resilience::TargetRules rules;
    constexpr auto kNever = std::numeric_limits<std::uint32_t>::max();
    rules.breaker = {
        .consecutive = breaker.enabled ? static_cast<std::uint32_t>(breaker.consecutive) : kNever,
        .failure_ratio = breaker.failure_ratio,
        .volume_min = breaker.enabled ? static_cast<std::uint32_t>(breaker.volume) : kNever,
        .window = breaker.window,
        .open_for = breaker.open};
    const provider::AdmissionSection& admission = section.admission;
    const provider::AdaptiveSection& adaptive = admission.adaptive;
    if (admission.in_flight > 0 || adaptive.enabled) {
        rules.admission = {.in_flight = static_cast<std::uint32_t>(admission.in_flight),
                           .queue = static_cast<std::uint32_t>(admission.queue),
                           .wait = admission.wait};
    }
    rules.adaptive = {.enabled = adaptive.enabled,
                      .least = static_cast<std::uint32_t>(adaptive.least),
                      .most = static_cast<std::uint32_t>(adaptive.most),
                      .first = static_cast<std::uint32_t>(
                          std::clamp(adaptive.first, adaptive.least, adaptive.most))};
    return rules;
}

std::vector<std::shared_ptr<resilience::Target>> targets_of(
    const router::Catalog& catalog,
    const provider::ProvidersSection& providers,
    resilience::TargetTable& table) {
    std::vector<std::shared_ptr<resilience::Target>> targets;
    for (const router::Identity& identity : catalog.identities()) {
        const provider::ProviderSection& section = providers.providers[identity.provider];
        targets.push_back(table.take(resilience::target_identity(section.name, identity.model),
                                     rules_of(section)));
    }
    return targets;
}

// What the Runtime before knew of a provider's models is known here too.
std::vector<std::shared_ptr<resilience::PassedModels>> passed_of(
    const router::Catalog& catalog,
    const provider::ProvidersSection& providers,
    resilience::TargetTable& table,
    const Runtime* previous) {
    std::vector<std::shared_ptr<resilience::PassedModels>> passed;
    for (const provider::ProviderSection& section : providers.providers) {
        auto& models = passed.emplace_back();
        if (!section.pass_through) {
            continue;
        }
        if (previous != nullptr) {
            for (const auto& known : previous->passed) {
                models = known != nullptr && known->provider() == section.name ? known : models;
            }
        }
        if (models == nullptr) {
            models =
                std::make_shared<resilience::PassedModels>(section.name, table, rules_of(section));
        }
    }
    for (const router::Identity& identity : catalog.identities()) {
        if (passed[identity.provider] != nullptr) {
            passed[identity.provider]->learn(identity.model);
        }
    }
    return passed;
}

std::vector<std::shared_ptr<ModelState>> models_of(const router::Catalog& catalog,
                                                   const Runtime* previous) {
    std::vector<std::shared_ptr<ModelState>> states;
    for (const router::Model& model : catalog.models()) {
        auto& state = states.emplace_back();
        if (previous != nullptr && !model.name.empty()) {
            for (const router::Model& known : previous->catalog.models()) {
                if (known.name == model.name) {
                    state = previous->models[known.index];
                }
            }
        }
        if (state == nullptr) {
            state = std::make_shared<ModelState>();
        }
    }
    return states;
}

std::vector<resilience::Credentials> credentials_of(
    const std::vector<std::shared_ptr<const provider::Provider>>& providers,
    resilience::CredentialsTable& table) {
    std::vector<resilience::Credentials> credentials;
    for (const auto& provider : providers) {
        std::vector<resilience::CredentialsTable::KeyRules> keys;
        for (const auto& credential : provider->credentials()) {
            keys.push_back({.name = credential.name,
                            .fingerprint = credential.fingerprint,
                            .weight = credential.weight});
        }
        credentials.push_back(table.take(provider->name(), keys));
    }
    return credentials;
}

// Null: fetching is off.
Result<std::unique_ptr<const net::Fetcher>> make_fetcher(const FetchSection& section,
                                                         const Surroundings& surroundings) {
    if (!section.enabled) {
        return nullptr;
    }
    WEIR_ASSERT(surroundings.fetch_resolver != nullptr);
    WEIR_TRY(auto tls, net::TlsContext::client(section.ca_file));
    return std::make_unique<const net::Fetcher>(
        net::FetchOptions{
            .rules = {.allow_http = section.allow_http, .allowed = section.allow_private},
            .tls = std::move(tls),
            .bytes_max = static_cast<std::size_t>(section.bytes_max),
            .types = section.types},
        *surroundings.fetch_resolver);
}

}  // namespace

resilience::AdmissionRules in_flight_rules(const config::Snapshot& snapshot) {
    const quota::InFlightLimits& limits = snapshot.get<quota::LimitsSection>().in_flight;
    return {.in_flight = static_cast<std::uint32_t>(limits.calls),
            .queue = static_cast<std::uint32_t>(limits.queue),
            .wait = limits.wait};
}

Runtime::Runtime(const config::Snapshot& snapshot,
                 const Surroundings& surroundings,
                 const Runtime* previous,
                 std::vector<std::shared_ptr<const provider::Provider>> made,
                 std::shared_ptr<const guardrail::OutputRules> rules,
                 std::unique_ptr<const net::Fetcher> fetching)
    : auth_mode(snapshot.get<auth::AuthSection>().mode),
      providers(std::move(made)),
      catalog(snapshot.get<router::ModelsSection>(),
              snapshot.get<router::DefaultModelSection>(),
              names_of(providers)),
      targets(
          targets_of(catalog, snapshot.get<provider::ProvidersSection>(), surroundings.targets)),
      passed(passed_of(
          catalog, snapshot.get<provider::ProvidersSection>(), surroundings.targets, previous)),
      credentials(credentials_of(providers, surroundings.credentials)),
      models(models_of(catalog, previous)),
      limits(surroundings.counters,
             quota::rules_of(snapshot.get<quota::LimitsSection>(), surroundings.memory_bytes)),
      output_rules(std::move(rules)),
      fetch(snapshot.get<FetchSection>()),
      stream(snapshot.get<StreamSection>()),
      chaos(snapshot.get<resilience::ChaosSection>()),
      fetcher(std::move(fetching)) {}

Result<std::unique_ptr<const Runtime>> Runtime::build(const config::Snapshot& snapshot,
                                                      const Surroundings& surroundings,
                                                      const Runtime* previous) {
    std::span<const std::shared_ptr<const provider::Provider>> lenders;
    if (previous != nullptr) {
        lenders = previous->providers;
    }
    std::vector<std::shared_ptr<const provider::Provider>> providers;
    for (const auto& section : snapshot.get<provider::ProvidersSection>().providers) {
        WEIR_TRY(auto made,
                 provider::Provider::make(
                     section, surroundings.threads, surroundings.resolver, lenders));
        providers.push_back(std::move(made));
    }
    WEIR_TRY(auto fetcher, make_fetcher(snapshot.get<FetchSection>(), surroundings));
    return std::unique_ptr<const Runtime>(
        new Runtime(snapshot,
                    surroundings,
                    previous,
                    std::move(providers),
                    guardrail::OutputRules::make(snapshot.get<guardrail::GuardrailsSection>()),
                    std::move(fetcher)));
}

void Runtime::take_effect(const config::Snapshot& snapshot) const {
    const auto& sections = snapshot.get<provider::ProvidersSection>().providers;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        const provider::ProviderSection& section = sections[catalog.identities()[i].provider];
        targets[i]->change(rules_of(section));
        if (!section.health) {
            targets[i]->set_reachable(true);  // nobody would ever say so
        }
    }
    for (std::size_t i = 0; i < passed.size(); ++i) {
        if (passed[i] != nullptr) {
            passed[i]->change(rules_of(sections[i]));
            if (!sections[i].health) {
                for (const auto& known : passed[i]->all()) {
                    known.target->set_reachable(true);
                }
            }
        }
    }
}

resilience::Target& Runtime::state_of(const router::Target& target, std::string_view asked) const {
    if (target.model.empty() && passed[target.provider] != nullptr) {
        if (resilience::Target* const known = passed[target.provider]->find(asked)) {
            return *known;
        }
    }
    return *targets[target.identity];
}

}  // namespace weir::runtime
