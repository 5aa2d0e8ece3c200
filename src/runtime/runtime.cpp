#include "runtime/runtime.h"

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

}  // namespace

Runtime::Runtime(const config::Snapshot& snapshot,
                 const Surroundings& surroundings,
                 std::vector<std::shared_ptr<const provider::Provider>> made,
                 std::shared_ptr<const guardrail::OutputRules> rules)
    : auth_mode(snapshot.get<auth::AuthSection>().mode),
      providers(std::move(made)),
      catalog(snapshot.get<router::ModelsSection>(),
              snapshot.get<router::DefaultModelSection>(),
              names_of(providers)),
      limits(surroundings.counters,
             quota::rules_of(snapshot.get<quota::LimitsSection>(), surroundings.memory_bytes)),
      output_rules(std::move(rules)) {}

Result<std::unique_ptr<const Runtime>> Runtime::build(const config::Snapshot& snapshot,
                                                      const Surroundings& surroundings) {
    std::vector<std::shared_ptr<const provider::Provider>> providers;
    for (const auto& section : snapshot.get<provider::ProvidersSection>().providers) {
        WEIR_TRY(auto made,
                 provider::Provider::make(section, surroundings.threads, surroundings.resolver));
        providers.push_back(std::move(made));
    }
    return std::unique_ptr<const Runtime>(
        new Runtime(snapshot,
                    surroundings,
                    std::move(providers),
                    guardrail::OutputRules::make(snapshot.get<guardrail::GuardrailsSection>())));
}

}  // namespace weir::runtime
