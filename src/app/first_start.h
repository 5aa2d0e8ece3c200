// The keys that exist before anybody could make one: made at the first start and shown once, or
// preset by the environment (for containers).
#pragma once

#include <optional>
#include <string>

#include "admin/api.h"
#include "auth/authenticator.h"
#include "base/secret.h"
#include "config/document.h"
#include "store/keys.h"

namespace weir::app {

struct FirstKeys {
    std::string admin_digest;         // for auth::AdminKey
    std::optional<Secret> admin_key;  // made now: to be shown, once
    std::optional<Secret> api_key;    // the same
};

// Blocks. Errors: invalid_config (a preset key that cannot be one), storage_unavailable.
Result<FirstKeys> ensure_keys(store::Keys& keys,
                              store::Settings& settings,
                              admin::Api& api,
                              const auth::Authenticator& authenticator,
                              const config::Lookup& environment);

}  // namespace weir::app
