// The configuration of everything that serves calls: the sections of all features, and what only
// shows when they are seen together.
#pragma once

#include <string>
#include <vector>

#include "config/snapshot.h"

namespace weir::runtime {

std::vector<config::Section> sections();

// Errors between sections. `file` is only for messages.
std::vector<config::Diagnostic> check(const config::Snapshot& snapshot, std::string file);

}  // namespace weir::runtime
