// Embeddings for clients that asked for base64, of providers that give numbers: OpenAI's SDKs ask
// for base64 unless told otherwise, and cannot read anything else. Pure.
#pragma once

#include <string_view>

#include "base/error.h"
#include "dialect/json/splice.h"

namespace weir::dialect::openai_chat {

// Each vector of numbers in an answer becomes base64 of its floats, four bytes each, the lowest
// first; what is no such vector stays. The model's name becomes `public_model` (empty: stays).
// Errors: upstream_invalid_response for a number that no float can hold.
Result<void> encode_vectors(std::string_view answer,
                            std::string_view public_model,
                            json::Scratch& scratch,
                            json::Splice& splice);

}  // namespace weir::dialect::openai_chat
