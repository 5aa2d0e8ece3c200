// The `providers:` section of the configuration. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/secret.h"
#include "config/snapshot.h"
#include "provider/base_url.h"
#include "provider/kind.h"
#include "provider/policy_section.h"

namespace weir::provider {

inline constexpr std::size_t kNameBytesMax = 64;
inline constexpr std::size_t kKeysMax = 64;  // of one provider
inline constexpr std::int64_t kKeyWeightMax = 1'000'000;

// One of several credentials of an account or of several accounts.
struct KeySection {
    std::string name;  // for logs and metrics
    Secret key;
    std::int64_t weight = 1;  // its share of the calls
};

struct ProviderSection {
    std::string name;
    const ProviderKind* kind = nullptr;
    BaseUrl base_url;  // host empty: the kind's own
    Secret api_key;
    std::vector<KeySection> keys;  // in the place of `api_key`, where there are several
    Secret bearer_token;           // in the place of the key
    std::string api_version;       // Azure: names the deployment in the path
    // AWS
    std::string region;
    std::string access_key_id;
    Secret secret_access_key;
    Secret session_token;
    std::int64_t connections_max = 1024;
    std::vector<std::string> forward_headers;
    std::string ca_file;  // empty: the system's
    BreakerSection breaker;
    AdmissionSection admission;
    std::optional<HealthSection> health;  // none: it is not probed
    bool pass_through = false;            // `name/model` reaches any model of the provider
    bool shared_files = false;            // every caller may name any file of the account
};

struct ProvidersSection {
    std::vector<ProviderSection> providers;
};

config::Section providers_section();

// Where the provider is: what the configuration says, else the kind's default.
BaseUrl base_url_of(const ProviderSection& section);

}  // namespace weir::provider
