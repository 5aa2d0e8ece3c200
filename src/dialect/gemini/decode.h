// The pieces of a client's request, taken apart: a file for its conversation, one for all else.
#pragma once

#include <string_view>

#include "base/error.h"
#include "dialect/json/document.h"
#include "llm/call.h"

namespace weir::dialect::gemini {

// "'contents[0].role' must be …", with the parameter's path.
Failure wrong(json::Value value, std::string_view expected);

// Appends messages. Calls without an id get one ("call_<n>", n counts the conversation's calls),
// results without one that of the first call of their name that has no result yet.
Result<void> decode_contents(json::Value contents, llm::Call& call);
Result<void> decode_system(json::Value instruction, llm::Call& call);

}  // namespace weir::dialect::gemini
