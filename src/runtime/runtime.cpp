#include "runtime/runtime.h"

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
    if (section.admission.in_flight > 0) {
        rules.admission = {.in_flight = static_cast<std::uint32_t>(section.admission.in_flight),
                           .queue = static_cast<std::uint32_t>(section.admission.queue),
                           .wait = section.admission.wait};
    }
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

Runtime::Runtime(const config::Snapshot& snapshot,
                 const Surroundings& surroundings,
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
      credentials(credentials_of(providers, surroundings.credentials)),
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
                    std::move(providers),
                    guardrail::OutputRules::make(snapshot.get<guardrail::GuardrailsSection>()),
                    std::move(fetcher)));
}

void Runtime::take_effect(const config::Snapshot& snapshot) const {
    const auto& sections = snapshot.get<provider::ProvidersSection>().providers;
    for (std::size_t i = 0; i < targets.size(); ++i) {
        targets[i]->change(rules_of(sections[catalog.identities()[i].provider]));
    }
}

}  // namespace weir::runtime
