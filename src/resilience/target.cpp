#include "resilience/target.h"

#include <functional>
#include <utility>

namespace weir::resilience {

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
