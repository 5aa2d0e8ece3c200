// Ids that a provider made and a client may send back (stored responses and their items): whose
// they are, and which provider keeps what they name. Written by the ledger's drain (Batch::kept),
// read here. Blocking: on the pool.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "store/database.h"

namespace weir::store {

// As long as OpenAI keeps a response.
inline constexpr std::chrono::hours kKeptFor{24 * 30};

struct Keeper {
    std::int64_t tenant_id = 0;
    std::string provider;
    // The name of the provider's key that it was made with: another key may be another account's.
    // Empty where the provider had one alone.
    std::string credential;
};

class KeptIds {
public:
    explicit KeptIds(Database& database) : database_(database) {}
    // nullopt: nobody's, or too old. Errors: storage_unavailable.
    Result<std::optional<Keeper>> find(const std::string& id, WallTime now);
    // The client had it deleted.
    Result<void> forget(const std::string& id);
    // Removes what is too old; returns how many.
    Result<std::int64_t> sweep(WallTime now);

private:
    Database& database_;
};

}  // namespace weir::store
