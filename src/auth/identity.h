// Who calls, and what that caller may do: immutable facts from the database, and the live state
// that all calls of the key share. Calls pin an Identity for their whole life; the facts may then
// be a few seconds old, the live state never is. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/limit_state.h"

namespace weir::auth {

// The tenant that every database begins with, and the one anonymous calls belong to.
inline constexpr std::int64_t kDefaultTenantId = 1;

// A row of the key table, as the authenticator needs it.
struct KeyRecord {
    std::int64_t id = 0;
    Uuid public_id;
    std::int64_t tenant_id = kDefaultTenantId;
    std::string prefix;
    std::string digest;  // HMAC-SHA-256 under the pepper, lower-case hexadecimal
    std::vector<std::string> allowed_models;     // empty: all
    std::vector<std::string> allowed_providers;  // empty: all
    bool may_pin = false;                        // may name the provider itself
    std::int64_t priority = 0;
    std::vector<std::string> tags;
    std::optional<std::uint32_t> requests_per_minute;  // absent: unlimited; 0 admits nothing
    std::optional<std::uint32_t> concurrency_max;      // the same
    std::optional<WallTime> expires_at;
    std::optional<WallTime> revoked_at;

    bool operator==(const KeyRecord&) const = default;
    // Neither expired nor revoked at that time.
    bool valid_at(WallTime now) const;
};

// What all identities of one key share for as long as the process knows the key.
struct LiveKey {
    KeyLimitState limits;
    std::atomic<bool> revoked{false};
};

class Identity {
public:
    // Without a key (auth.mode optional or off).
    Identity() = default;
    Identity(KeyRecord record, std::shared_ptr<LiveKey> live)
        : record_(std::move(record)), live_(std::move(live)) {}

    bool anonymous() const { return live_ == nullptr; }
    // Anonymous: of the default tenant, with a key id and priority of zero and empty lists.
    const KeyRecord& key() const { return record_; }
    bool may_use_model(std::string_view model) const;
    bool may_use_provider(std::string_view provider) const;

    // Null where anonymous. Shared, hence not const.
    KeyLimitState* limits() const { return live_ ? &live_->limits : nullptr; }
    // Turns false while a call runs: for streams that shall end with their key.
    bool still_valid(WallTime now) const;

private:
    KeyRecord record_;
    std::shared_ptr<LiveKey> live_;
};

using IdentityRef = std::shared_ptr<const Identity>;

}  // namespace weir::auth
