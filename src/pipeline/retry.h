// What a failed attempt means for the next one: the retry classes of DESIGN section 10. Pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "base/random.h"

namespace weir::pipeline {

enum class Next : std::uint8_t {
    none,          // nothing helps: the request is at fault, or the client has left
    larger_model,  // too long for this model: only a larger one helps
    other_key,     // this credential is refused, there or for a while
    other_target,  // never this target
    any,           // another attempt, there or elsewhere
};

// `status`: of the provider's answer; 0 where there was none. `was_sent` false: the failure is our
// own word about the target, before anything was sent.
Next next_after(Code failure, int status, bool was_sent);

// A provider's 401, 402 or 403: it knows us not, or is not paid.
bool is_refused_credential(Code failure, int status);
// Whether the target itself is at fault, for its breaker.
bool is_fault_of_target(Code failure, int status);

// Where every target of a model is out, and nothing says when one comes back.
inline constexpr std::string_view kNowhere =
    "No provider of this model can be asked now; try again shortly.";
inline constexpr std::chrono::seconds kTryAgainAfter{1};

// How long before the same target is asked again, for the `retry`th time (from 1): anything up to
// a limit that doubles, so that callers who failed together do not return together.
std::chrono::nanoseconds backoff(unsigned retry,
                                 std::chrono::nanoseconds least,
                                 std::chrono::nanoseconds most,
                                 Random& random);

}  // namespace weir::pipeline
