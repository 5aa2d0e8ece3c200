// API keys as records: never the key itself, only its keyed digest and the prefix a person knows it
// by.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "store/database.h"

namespace weir::store {

struct Key {
    std::int64_t id = 0;  // given by insert
    Uuid public_id;
    std::int64_t tenant_id = 1;
    std::string name, prefix;
    std::string digest;                                          // lower-case hexadecimal
    std::vector<std::string> allowed_models, allowed_providers;  // empty: all
    bool may_pin = false;
    std::int64_t priority = 0;
    std::vector<std::string> tags;
    std::optional<std::int64_t> requests_per_minute, concurrency_max;  // absent: unlimited
    WallTime created_at{};
    std::optional<WallTime> expires_at, revoked_at;
};

class Keys {
public:
    explicit Keys(Database& database) : database_(database) {}
    // Errors of all: storage_unavailable.
    Result<Key> insert(Key key);
    Result<std::optional<Key>> find_by_digest(std::string_view digest);
    Result<std::optional<Key>> find(const Uuid& public_id);
    // Oldest first, those after `after_id`.
    Result<std::vector<Key>> list(std::int64_t after_id, std::size_t limit);
    // false: there is no such key. A revoked one stays revoked at its first time.
    Result<bool> revoke(const Uuid& public_id, WallTime now);
    Result<std::int64_t> count();

private:
    Database& database_;
};

// One value per name, for what must survive a restart (the master key's check value).
class Settings {
public:
    explicit Settings(Database& database) : database_(database) {}
    Result<std::optional<std::string>> get(const std::string& key);
    Result<void> put(const std::string& key, const std::string& value);

private:
    Database& database_;
};

}  // namespace weir::store
