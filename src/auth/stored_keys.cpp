#include "auth/stored_keys.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace weir::auth {
namespace {

const std::string kCheckSetting = "master_key_check";

// Below zero nothing can be meant but "none"; beyond 32 bits is beyond any rate.
std::optional<std::uint32_t> limit(std::optional<std::int64_t> value) {
    if (!value) {
        return std::nullopt;
    }
    constexpr std::int64_t kMost = std::numeric_limits<std::uint32_t>::max();
    return static_cast<std::uint32_t>(std::clamp<std::int64_t>(*value, 0, kMost));
}

}  // namespace

Result<std::optional<KeyRecord>> StoredKeys::find_by_digest(std::string_view digest_hex) {
    WEIR_TRY(auto found, keys_.find_by_digest(digest_hex));
    if (!found) {
        return std::optional<KeyRecord>();
    }
    return KeyRecord{.id = found->id,
                     .public_id = found->public_id,
                     .tenant_id = found->tenant_id,
                     .prefix = std::move(found->prefix),
                     .digest = std::move(found->digest),
                     .allowed_models = std::move(found->allowed_models),
                     .allowed_providers = std::move(found->allowed_providers),
                     .may_pin = found->may_pin,
                     .priority = found->priority,
                     .tags = std::move(found->tags),
                     .requests_per_minute = limit(found->requests_per_minute),
                     .concurrency_max = limit(found->concurrency_max),
                     .expires_at = found->expires_at,
                     .revoked_at = found->revoked_at};
}

Result<void> check_master_key(const MasterKey& key, store::Settings& settings) {
    WEIR_TRY(const auto stored, settings.get(kCheckSetting));
    if (stored) {
        return key.check(*stored);
    }
    return settings.put(kCheckSetting, key.check_value());
}

}  // namespace weir::auth
