// An embeddings request in OpenAI's form, for Gemini's :batchEmbedContents, and its answer back.
// Floats pass as the numbers they came as; OpenAI's base64 form of them is made by who answers the
// client. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dialect/edge.h"

namespace weir::dialect::gemini {

// Google takes no more texts in one request.
inline constexpr std::size_t kEmbeddingsMax = 100;

// `body`: {"input": a text or a list of texts, "dimensions"}. Errors: invalid_json; invalid_request
// for lists of token ids, which are of OpenAI's tokenizer, and for too many texts.
Result<EncodedRequest> encode_embeddings(std::string_view body, const Target& target);

// Errors: upstream_invalid_response; what an error inside the answer means.
Result<Vectors> decode_embeddings(std::string_view body,
                                  std::string_view model,
                                  std::int64_t input_tokens_estimate);

}  // namespace weir::dialect::gemini
