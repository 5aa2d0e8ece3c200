// Schemas of Gemini's older form, a subset of OpenAPI's, as JSON Schema: what every other dialect
// takes. Pure.
#pragma once

#include <string>

#include "dialect/json/document.h"

namespace weir::dialect::gemini {

// Types in lower case, "nullable" as a type of its own, counts as numbers; what JSON Schema does
// not know (propertyOrdering) is left out, all else stays as it is.
std::string json_schema_of(json::Value schema);

}  // namespace weir::dialect::gemini
