#include "pipeline/retry.h"

#include <gtest/gtest.h>

namespace weir::pipeline {
namespace {

using std::chrono::milliseconds;

struct Row {
    Code failure;
    int status;
    bool was_sent;
    Next next;
    bool is_fault;
};

TEST(Retry, EveryClassOfFailureHasItsNextStep) {
    const Row rows[] = {
        {Code::invalid_request, 400, true, Next::none, false},
        {Code::invalid_request, 422, true, Next::none, false},
        {Code::invalid_request, 0, false, Next::other_target, false},
        {Code::content_filter, 400, true, Next::none, false},
        {Code::context_length_exceeded, 400, true, Next::larger_model, false},
        {Code::upstream_error, 401, true, Next::other_key, false},
        {Code::upstream_error, 402, true, Next::other_key, false},
        {Code::upstream_error, 403, true, Next::other_key, false},
        {Code::upstream_error, 404, true, Next::other_target, false},
        {Code::rate_limited, 429, true, Next::other_key, false},
        {Code::upstream_error, 409, true, Next::any, true},
        {Code::upstream_error, 500, true, Next::any, true},
        {Code::upstream_error, 529, true, Next::any, true},
        {Code::upstream_timeout, 408, true, Next::any, true},
        {Code::upstream_timeout, 0, true, Next::any, true},
        {Code::upstream_unavailable, 0, false, Next::any, true},
        {Code::upstream_invalid_response, 200, true, Next::any, true},
        {Code::overloaded, 0, false, Next::other_target, false},
        {Code::queue_full, 0, false, Next::other_target, false},
        {Code::cancelled, 0, true, Next::none, false},
        {Code::storage_unavailable, 0, false, Next::none, false},
        {Code::internal, 0, true, Next::none, false},
        {Code::guardrail_blocked, 0, true, Next::none, false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::Message() << name(row.failure) << ' ' << row.status);
        EXPECT_EQ(next_after(row.failure, row.status, row.was_sent), row.next);
        EXPECT_EQ(is_fault_of_target(row.failure, row.status), row.is_fault);
    }
}

TEST(Retry, BackoffIsAnythingUpToALimitThatDoubles) {
    Random random(7);
    for (const auto& [retry, limit] : {std::pair{1u, milliseconds{100}},
                                       {2u, milliseconds{200}},
                                       {3u, milliseconds{400}},
                                       {9u, milliseconds{2000}},
                                       {1000u, milliseconds{2000}}}) {
        std::chrono::nanoseconds longest{0};
        for (int i = 0; i < 1000; ++i) {
            const auto wait = backoff(retry, milliseconds{100}, milliseconds{2000}, random);
            EXPECT_GE(wait.count(), 0);
            EXPECT_LE(wait, limit);
            longest = std::max(longest, wait);
        }
        EXPECT_GT(longest, limit / 2);
    }
}

}  // namespace
}  // namespace weir::pipeline
