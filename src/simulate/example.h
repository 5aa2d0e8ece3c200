// A value that a JSON schema allows, for arguments and structured answers. Pure.
#pragma once

#include <string>
#include <string_view>

namespace weir::simulate {

// JSON text; the same for the same schema. Knows the keywords that applications use: type,
// properties, items, enum, const, anyOf, oneOf, $ref into $defs, minimum, minItems, default.
std::string example_of(std::string_view schema);

}  // namespace weir::simulate
