// The sections of what app itself wires up, and all sections together: the whole configuration
// file.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/snapshot.h"

namespace weir::app {

struct StorageSection {
    std::string sqlite_file = "weir.db";  // under the data folder unless absolute
};

struct LedgerSection {
    std::uint64_t journal_bytes_max = 1u << 30;
};

struct LogSection {
    std::string access = "stderr";  // stdout, stderr, off, or a file
};

// Of the whole file.
std::vector<config::Section> all_sections();

struct Configuration {
    std::shared_ptr<const config::Snapshot> snapshot;
    std::vector<config::Diagnostic> errors;  // none where there is a snapshot
};
// Reads and checks the file; empty: defaults. Errors: invalid_config (the file cannot be read).
Result<Configuration> load_configuration(const std::string& file,
                                         const config::Lookup& environment);

}  // namespace weir::app
