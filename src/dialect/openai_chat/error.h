// OpenAI's error bodies: Weir's errors out, providers' errors in. This is the only place where a
// provider's status and words become one of our codes (API-MAPPING section 6). Pure.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "dialect/edge.h"

namespace weir::dialect::openai_chat {

// {"error":{"message":…,"type":…,"param":…,"code":…}}
std::string encode_error(const Error& error);

// What a provider's refusal means. Its own words reach the client only where the client's request
// was at fault; otherwise they are private detail.
Error decode_error(const Refusal& refusal);

}  // namespace weir::dialect::openai_chat
