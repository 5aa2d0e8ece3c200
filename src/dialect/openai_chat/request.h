// The edge of OpenAI's chat and embeddings requests as the client sends them: what Weir needs to
// know of a body, as spans. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "dialect/json/scanner.h"
#include "dialect/request.h"

namespace weir::dialect::openai_chat {

// Errors: invalid_json (byte offset), invalid_request naming the parameter.
Result<Request> read_chat(std::string_view body, json::Scratch& scratch);
Result<Request> read_embeddings(std::string_view body, json::Scratch& scratch);

}  // namespace weir::dialect::openai_chat
