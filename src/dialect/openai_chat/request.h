// The edge of OpenAI's chat, completions and embeddings requests as the client sends them: what
// Weir needs to know of a body, as spans. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "dialect/json/scanner.h"
#include "dialect/request.h"

namespace weir::dialect::openai_chat {

// Of a chat or embeddings call, as `path` says. Errors: invalid_json (byte offset), invalid_request
// naming the parameter.
Result<Request> read_request(const RequestPath& path,
                             std::string_view body,
                             json::Scratch& scratch);

}  // namespace weir::dialect::openai_chat
