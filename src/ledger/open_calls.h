// The calls in progress of a process that lives, as its journal says: what it holds of the limits
// of keys while it hands over to another one. Looked at from outside, so a moment old.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "store/usage.h"

namespace weir::ledger {

struct OpenCalls {
    bool is_alive = false;  // false: the process is gone, and holds nothing
    std::unordered_map<std::int64_t, std::uint32_t> by_key;  // 0: calls without a key
    std::int64_t tokens = 0;                                 // held for all of them
};

// Blocks. Errors: storage_unavailable.
Result<OpenCalls> read_open_calls(const std::string& folder,
                                  const std::string& journal,
                                  store::UsageWriter& writer);

}  // namespace weir::ledger
