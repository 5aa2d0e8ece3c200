// The commands that speak the admin API. Each prints its answer, for people or (Server::json) for
// programs, and returns the exit status.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/admin_client.h"

namespace weir::cli {

struct NewKey {
    std::string name;
    std::vector<std::string> allowed_models, allowed_providers, tags;
    std::optional<std::int64_t> requests_per_minute, concurrency_max;
    std::string expires_at;  // empty: never
};
int create_key(const Server& server, const NewKey& key);
int list_keys(const Server& server);
int revoke_key(const Server& server, const std::string& id);

struct UsageQuery {
    std::string request_id;  // empty: a list
    std::int64_t limit = 20;
    std::string model, provider, code, key_id, from, to;  // empty: any
};
int show_usage(const Server& server, const UsageQuery& query);

// The running gateway reads its configuration again. 1 where it is refused, with every error.
int reload(const Server& server);

}  // namespace weir::cli
