#include "app/first_start.h"

#include "auth/key.h"

namespace weir::app {
namespace {

constexpr const char* kAdminSetting = "admin_key_digest";
// 128 bits in hexadecimal: the admin key opens everything.
constexpr std::size_t kAdminKeyBytesMin = 32;

}  // namespace

Result<FirstKeys> ensure_keys(store::Keys& keys,
                              store::Settings& settings,
                              admin::Api& api,
                              const auth::Authenticator& authenticator,
                              const config::Lookup& environment) {
    FirstKeys first;
    const auto preset_admin = environment("WEIR_BOOTSTRAP_ADMIN_KEY");
    const auto preset_key = environment("WEIR_BOOTSTRAP_API_KEY");
    if (preset_admin && preset_admin->size() < kAdminKeyBytesMin) {
        return fail(Code::invalid_config,
                    "WEIR_BOOTSTRAP_ADMIN_KEY is too short: use at least 32 random characters.");
    }
    if (preset_key && !auth::has_key_shape(*preset_key)) {
        return fail(Code::invalid_config,
                    "WEIR_BOOTSTRAP_API_KEY must be 'sk-weir-' and 32 random letters and digits.");
    }

    WEIR_TRY(const auto stored, settings.get(kAdminSetting));
    if (preset_admin) {
        first.admin_digest = authenticator.stored_digest(*preset_admin);
    } else if (stored) {
        first.admin_digest = *stored;
    } else {
        first.admin_key = auth::make_key();
        first.admin_digest = authenticator.stored_digest(first.admin_key->reveal());
    }
    if (stored != first.admin_digest) {
        WEIR_TRY(settings.put(kAdminSetting, first.admin_digest));
    }

    WEIR_TRY(const std::int64_t existing, keys.count());
    store::Key facts{.name = "bootstrap"};
    if (preset_key) {
        WEIR_TRY(const auto known, keys.find_by_digest(authenticator.stored_digest(*preset_key)));
        if (!known) {
            WEIR_TRY(api.make_key(std::move(facts), Secret(*preset_key)));
        }
    } else if (existing == 0) {
        WEIR_TRY(auto made, api.make_key(std::move(facts), auth::make_key()));
        first.api_key = std::move(made.secret);
    }
    return first;
}

}  // namespace weir::app
