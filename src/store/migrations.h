// The tables and how they came to be. Each step runs once, in its own transaction; steps are only
// ever added.
#pragma once

#include <string>

#include "base/error.h"

namespace soci {
class session;
}

namespace weir::store {

// Errors: invalid_config where the database was made by a newer program. Throws what SOCI throws.
Result<void> migrate(soci::session& sql, const std::string& path);

}  // namespace weir::store
