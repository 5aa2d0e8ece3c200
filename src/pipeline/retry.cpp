#include "pipeline/retry.h"

#include <algorithm>

namespace weir::pipeline {
namespace {

constexpr unsigned kDoublingsMax = 20;  // of the backoff's limit; beyond, a shift would overflow

}  // namespace

bool is_refused_credential(Code failure, int status) {
    return failure == Code::upstream_error && (status == 401 || status == 402 || status == 403);
}

Next next_after(Code failure, int status, bool was_sent) {
    switch (failure) {
        case Code::context_length_exceeded:
            return Next::larger_model;
        case Code::rate_limited:
            return Next::other_key;
        case Code::upstream_error:
            if (is_refused_credential(failure, status)) {
                return Next::other_key;
            }
            return status == 404 ? Next::other_target : Next::any;
        case Code::upstream_invalid_response:
        case Code::upstream_timeout:
        case Code::upstream_unavailable:
            return Next::any;
        case Code::overloaded:  // no room at this target: its connections, its queue
        case Code::queue_full:
            return Next::other_target;
        case Code::invalid_request:
            // Something this target cannot honour; another may. What a provider refused is
            // refused.
            return was_sent ? Next::none : Next::other_target;
        default:
            return Next::none;
    }
}

bool is_fault_of_target(Code failure, int status) {
    switch (failure) {
        case Code::upstream_error:
            return !is_refused_credential(failure, status) && status != 404;
        case Code::upstream_invalid_response:
        case Code::upstream_timeout:
        case Code::upstream_unavailable:
            return true;
        default:
            return false;
    }
}

std::chrono::nanoseconds backoff(unsigned retry,
                                 std::chrono::nanoseconds least,
                                 std::chrono::nanoseconds most,
                                 Random& random) {
    const unsigned doublings = std::min(retry == 0 ? 0 : retry - 1, kDoublingsMax);
    const std::int64_t limit = std::min(most.count(), least.count() << doublings);
    return std::chrono::nanoseconds{static_cast<std::int64_t>(
        random.below(static_cast<std::uint64_t>(std::max<std::int64_t>(limit, 0)) + 1))};
}

}  // namespace weir::pipeline
