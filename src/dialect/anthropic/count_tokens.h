// /v1/messages/count_tokens: how large a message would be. Its request is one of /v1/messages but
// for what says how to answer; its answer {"input_tokens":N}. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "dialect/edge.h"

namespace weir::dialect::anthropic {

// Errors: as of the provider's edge.
Result<EncodedRequest> encode_count_request(const llm::Call& call, const Target& target);
std::string encode_token_count(std::int64_t input_tokens);
// Errors: upstream_invalid_response, or what an error inside the answer means.
Result<std::int64_t> decode_token_count(std::string_view body);

}  // namespace weir::dialect::anthropic
