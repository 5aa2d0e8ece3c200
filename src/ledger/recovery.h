// What dead processes left behind: every journal whose lock can be had is drained to its end, each
// call once, and calls that were open are settled as interrupted. Safe to be killed at any point
// and begun again.
#pragma once

#include <string>

#include "store/usage.h"

namespace weir::ledger {

struct Recovered {
    std::size_t journals = 0;
    std::size_t calls = 0;        // rows that had not reached the database
    std::size_t interrupted = 0;  // calls without an end
    std::size_t torn = 0;         // records whose checksum was wrong
};
// `folder` holds the journals. Errors: storage_unavailable.
Result<Recovered> recover(const std::string& folder, store::UsageWriter& writer);

}  // namespace weir::ledger
