// The edge of OpenAI's chat and embeddings requests: what Weir needs to know of a body, as spans,
// and the few bytes it changes on the way to a provider. Unknown fields are neither read nor
// touched. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/json/scanner.h"
#include "dialect/json/splice.h"
#include "llm/names.h"

namespace weir::dialect::openai_chat {

struct Request {
    llm::Surface surface = llm::Surface::chat;
    std::string model;      // empty: none was named
    json::Span model_span;  // with quotes
    bool stream = false;
    bool include_usage = false;  // the client wants the usage chunk
    std::optional<std::int64_t> max_output_tokens;
    std::int64_t choices = 1;

    // Where the splice goes in.
    json::Span include_usage_span;   // its value
    json::Span stream_options_span;  // the whole value: an object, or null
    bool stream_options_is_object = false;
    bool stream_options_is_empty = true;
    std::size_t body_begin = 0;  // behind the opening brace
    bool body_is_empty = true;
};

// Errors: invalid_json (byte offset), invalid_request naming the parameter.
Result<Request> decode_chat(std::string_view body, json::Scratch& scratch);
Result<Request> decode_embeddings(std::string_view body, json::Scratch& scratch);

// Rewrites `model` to the provider's name and asks for usage where the answer is a stream; nothing
// else.
void rewrite(const Request& request, std::string_view upstream_model, json::Splice& body);

}  // namespace weir::dialect::openai_chat
