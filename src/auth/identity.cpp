#include "auth/identity.h"

#include <algorithm>

namespace weir::auth {
namespace {

bool allows(const std::vector<std::string>& list, std::string_view word) {
    return list.empty() || std::ranges::find(list, word) != list.end();
}

}  // namespace

bool KeyRecord::valid_at(WallTime now) const {
    // A revocation in the future is a rotation with overlap.
    return (!expires_at || now < *expires_at) && (!revoked_at || now < *revoked_at);
}

bool Identity::may_use_model(std::string_view model) const {
    return allows(record_.allowed_models, model);
}

bool Identity::may_use_provider(std::string_view provider) const {
    return allows(record_.allowed_providers, provider);
}

bool Identity::still_valid(WallTime now) const {
    return anonymous() ||
           (!live_->revoked.load(std::memory_order_acquire) && record_.valid_at(now));
}

}  // namespace weir::auth
