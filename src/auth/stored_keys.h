// The authenticator's view of the store: its key records, and the proof that the database was
// written under this master key.
#pragma once

#include "auth/authenticator.h"
#include "auth/master_key.h"
#include "store/keys.h"

namespace weir::auth {

class StoredKeys final : public KeyRecords {
public:
    explicit StoredKeys(store::Keys& keys) : keys_(keys) {}
    Result<std::optional<KeyRecord>> find_by_digest(std::string_view digest_hex) override;

private:
    store::Keys& keys_;
};

// At the first start leaves the master key's check value in the database, at every later one
// compares it. Fails with invalid_config where the database was written under another key. Blocks.
Result<void> check_master_key(const MasterKey& key, store::Settings& settings);

}  // namespace weir::auth
