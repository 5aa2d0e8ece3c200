// Failures that all dialects share: an answer that cannot be used, and what a provider's status
// means once its words have been read (API-MAPPING 6.2). Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace weir::dialect {

// Of a provider's words, in a message or a detail.
inline constexpr std::size_t kWordsMax = 512;

// What a provider sent cannot be used; `why` is private.
Failure unusable_answer(std::string why);

// At most kWordsMax bytes, cut between characters.
std::string bounded(std::string text);

// What a refusal said, in the terms that decide what it means.
struct Verdict {
    enum class Cause : std::uint8_t {
        request,         // the client's request is at fault
        context_length,  // … because it is too long
        content_filter,  // … because the provider's filter refused it
        credential,      // ours was refused, or its account is spent
        target,          // there is no such model or deployment: our configuration
        rate,            // too much at once: later
        timeout,
        failure,  // all else: the provider failed
    };
    Cause cause = Cause::failure;
    std::string code;       // the provider's own, for the detail
    std::string message;    // its words
    std::string parameter;  // the field it names
};

// What a status alone says.
Verdict::Cause cause_of_status(int status);

Error make_error(int status, Verdict verdict, std::optional<std::chrono::milliseconds> retry_after);

// The wait that a provider's headers name: seconds, an HTTP date, milliseconds, OpenAI's durations
// ("6m0s", "120ms"), RFC 3339 times and Unix times of `x-ratelimit-reset*`. nullopt where none says
// anything.
struct RetryHeaders {
    std::string_view retry_after;
    std::string_view retry_after_ms;
    std::string_view reset;  // of the limit that is spent
};
std::optional<std::chrono::milliseconds> read_retry_after(const RetryHeaders& headers,
                                                          WallTime now);

}  // namespace weir::dialect
