// How many tokens a text is: exactly for OpenAI's models, estimated for those whose tokenizer is
// not public. Pure, and for any thread: all that is kept are the immutable tables of an encoding,
// loaded at its first use.
//
// A megabyte of English takes some 12 ms, of ideographs 120 ms, of one word without an end 280 ms,
// and cannot be interrupted: the caller bounds what it counts, and counts large texts off the
// threads that serve calls. Memory is that of the longest piece without a break (merge.h), and of a
// copy where the text is not valid UTF-8.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tokens/encoding.h"

namespace weir::tokens {

// Loads an encoding before its first use, so that no call waits for it: 2.0 MiB for cl100k, 4.1 MiB
// for o200k, and 64 KiB for both.
void load(Encoding encoding);

// What the text is as content. The text of a special token, `<|endoftext|>`, counts as the ordinary
// text it is. What is not valid UTF-8 counts as U+FFFD, as if an SDK had replaced it.
std::int64_t count(Encoding encoding, std::string_view text);

// For Claude, Gemini and others that have no public tokenizer: o200k's count and a fifth, rounded
// up. A guess, to be marked as one (llm::Usage::estimated). Measured on recorded answers of English
// prose and Markdown, providers counted 4 to 20 % more than o200k, and Claude Opus from 4.7 on
// nearly 40 %: a fifth is high for the most and within a sixth of all. Scripts other than Latin
// were not measured.
std::int64_t estimate(std::string_view text);

// A chat as OpenAI's cookbook counts it for its chat models.
inline constexpr std::int64_t kTokensPerMessage = 3;
inline constexpr std::int64_t kTokensPerName = 1;
inline constexpr std::int64_t kTokensOfReplyStart = 3;  // every answer is primed

struct ChatMessage {
    std::string_view role;
    std::string_view content;  // all text of it
    std::string_view name;     // empty: none
};
// Text only: tools, images and schemas cost more, by rules that OpenAI does not publish. Seen on
// recordings: GPT-5 charges one token less than this, o1-mini 7 and gpt-oss 64 more, for a
// preamble.
std::int64_t count_chat(Encoding encoding, std::span<const ChatMessage> messages);

}  // namespace weir::tokens
