// What one pair makes of one case, as the text of its expected file.
#pragma once

#include <string>

#include "case_file.h"
#include "exchange.h"

namespace weir::conformance {

std::string report(const CaseFile& file, Pair pair);

// Where the report of that pair is kept.
std::string expected_path(const CaseFile& file, Pair pair);

}  // namespace weir::conformance
