#include "resilience/target.h"

#include <functional>
#include <utility>

namespace weir::resilience {

namespace {

AdmissionRules with_limit(AdmissionRules rules, const AdaptiveLimit& adaptive) {
    rules.in_flight = adaptive.is_enabled() ? adaptive.limit() : rules.in_flight;
    return rules;
}

}  // namespace

Target::Target(std::string identity_, const TargetRules& rules, Random random)
    : identity(std::move(identity_)),
      breaker(rules.breaker, Random(random.next())),
      retry_budget(rules.retry_budget),
      adaptive(rules.adaptive, Random(random.next())),
      admission(with_limit(rules.admission, adaptive)) {}

void Target::change(const TargetRules& rules) {
    breaker.change(rules.breaker);
    retry_budget.change(rules.retry_budget);
    adaptive.change(rules.adaptive);
    admission.change(with_limit(rules.admission, adaptive));
}

std::string target_identity(std::string_view provider, std::string_view model) {
    std::string identity;
    identity.reserve(provider.size() + 1 + model.size());
    identity += provider;
    identity += '\n';
    identity += model;
    return identity;
}

std::shared_ptr<Target> TargetTable::take(std::string_view identity, const TargetRules& rules) {
    return kept_.take(identity, [&] {
        const Random random(seed_ ^ std::hash<std::string_view>{}(identity));
        return std::make_shared<Target>(std::string(identity), rules, random);
    });
}

Credentials CredentialsTable::take(std::string_view provider, std::span<const KeyRules> keys) {
    std::vector<Credentials::Key> taken;
    taken.reserve(keys.size());
    for (const KeyRules& key : keys) {
        const std::string identity = target_identity(provider, key.name) + '\n' + key.fingerprint;
        taken.push_back(
            {.name = key.name,
             .credential = kept_.take(identity, [] { return std::make_shared<Credential>(); }),
             .weight = key.weight});
    }
    return Credentials(std::move(taken));
}

}  // namespace weir::resilience
