// What no dialect can repair and every provider would misread: checked once, on the decoded call,
// before it is translated. Pure.
#pragma once

#include "base/error.h"
#include "llm/call.h"

namespace weir::dialect {

// Errors: invalid_request naming the field: results without their calls, arguments that are no JSON
// object, media that is no base64, tools without a name, nothing to answer.
Result<void> check(const llm::Call& call);

// The field in which a dialect's clients have their messages, for errors about what is in one.
std::string_view messages_field(llm::Dialect dialect);

}  // namespace weir::dialect
