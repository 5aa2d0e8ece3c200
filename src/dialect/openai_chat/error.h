// OpenAI's error bodies: Weir's errors out, providers' errors in. This is the only place where a
// provider's status and words become one of our codes (API-MAPPING section 6). Pure.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::dialect::openai_chat {

// {"error":{"message":…,"type":…,"param":…,"code":…}}
std::string encode_error(const Error& error);

// What a provider's answer with this status means. `retry_after` is what its headers say, if
// anything. Its own words reach the client only where the client's request was at fault; otherwise
// they are private detail.
Error decode_error(int status,
                   std::string_view body,
                   std::optional<std::chrono::milliseconds> retry_after);

// What a provider sent cannot be used; `why` is private.
Failure unusable_answer(std::string why);

// "3" (seconds), or the milliseconds form of `retry-after-ms`; nullopt for what is neither (dates
// are not guessed at: the default cool-down applies).
std::optional<std::chrono::milliseconds> read_retry_after(std::string_view retry_after,
                                                          std::string_view retry_after_ms);

}  // namespace weir::dialect::openai_chat
