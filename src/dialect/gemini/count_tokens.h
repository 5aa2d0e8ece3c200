// countTokens: how many tokens a request has. Its body is a conversation or a whole request; both
// are read by the client's edge (Surface::count_tokens). Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dialect/edge.h"

namespace weir::dialect::gemini {

// {"generateContentRequest":{"model":"models/…",…}}: asks a provider about a translated call.
// Errors: as of the provider's edge.
Result<EncodedRequest> encode_count_request(const llm::Call& call, const Target& target);
// {"totalTokens":N}
std::string encode_count(std::int64_t tokens);
// Errors: upstream_invalid_response.
Result<std::int64_t> decode_count(std::string_view body);

}  // namespace weir::dialect::gemini
