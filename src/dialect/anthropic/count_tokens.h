// The answer of /v1/messages/count_tokens: {"input_tokens":N}. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::dialect::anthropic {

std::string encode_token_count(std::int64_t input_tokens);
// Errors: upstream_invalid_response, or what an error inside the answer means.
Result<std::int64_t> decode_token_count(std::string_view body);

}  // namespace weir::dialect::anthropic
