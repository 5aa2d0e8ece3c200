// How the simulated provider fails on request (header x-sim) or at random (--fail). Pure.
#pragma once

#include <chrono>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::simulate {

struct Failure {
    int status = 0;                // answer with this status and an error body
    std::size_t after_tokens = 0;  // cut, stall, error-in-stream happen after so many
    std::chrono::milliseconds stall{0};
    bool cut = false;    // close in the middle
    bool reset = false;  // reset the connection before any answer
    bool empty = false;  // 200 and nothing
    bool error_in_stream = false;
    bool refuses = false;  // answers, but refuses in words
};

// "status=503;after=3;stall=10s;cut;reset;empty;error-in-stream;refusal"
Result<Failure> parse_failure(std::string_view text);

struct FailureRate {
    Failure failure;
    double share = 0;  // of all calls
};
// "429=0.1,reset=0.01": a status, or one of the words above
Result<std::vector<FailureRate>> parse_failure_rates(std::string_view text);

}  // namespace weir::simulate
