// How many tokens a call is before it is made: for count_tokens where the provider counts none, and
// for what was never told. Pure; bounded by the size of the call, which the caller has bounded.
#pragma once

#include <cstdint>
#include <string_view>

#include "llm/answer.h"
#include "llm/call.h"

namespace weir::tokens {

// A picture costs a model several hundred to some two thousand tokens, by its size, which is not
// looked at: OpenAI's 1024 x 1024 in high detail is 765, Anthropic's about 1,400.
inline constexpr std::int64_t kTokensPerImage = 1100;
// Of a document that is no text: Anthropic says 1,500 to 3,000 a page; a page is taken as 64 KiB of
// base64.
inline constexpr std::int64_t kTokensPerPage = 2000;
inline constexpr std::size_t kPageBytes = 64u << 10;

// `model` is the provider's name for it: OpenAI's own are counted exactly as to their texts, all
// others are estimated. Schemas of tools count as their JSON text.
std::int64_t count(const llm::Call& call, std::string_view model);

}  // namespace weir::tokens
