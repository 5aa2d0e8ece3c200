// How many retries a target takes: a share of the first attempts it gets, and a few a second. Asked
// of the target that RECEIVES the retry, so that the failures of one do not drown another. The
// share is the caller's (a model's): a target that several models use has what all of them bring.
// Any thread; a deposit is one atomic addition.
//
// In every span t that begins with the first withdrawal, however calls arrive:
//   retries <= the sum of the shares of the first attempts + per_second x (t + 1 s)
// and in one that begins later, at most what both savings hold more.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace weir::resilience {

struct RetryBudgetRules {
    double per_second = 3;
};

// What a quiet time saves of the floor, so that a lone burst of failures is still retried.
inline constexpr std::chrono::nanoseconds kFloorSavedMax = std::chrono::seconds{10};
// What a budget has of the floor when it is first asked.
inline constexpr std::chrono::nanoseconds kFloorAtFirst = std::chrono::seconds{1};
// Retries that first attempts may save up: as many calls as are likely to be on their way to a
// target at the moment it dies.
inline constexpr std::int64_t kDepositedRetriesMax = 100;

class RetryBudget {
public:
    explicit RetryBudget(const RetryBudgetRules& rules) { change(rules); }

    // A first attempt goes to the target, and allows so much of a retry: 0 to 1.
    void deposit(double share) {
        if (saved_.load(std::memory_order_relaxed) < kSavedMax) {
            saved_.fetch_add(static_cast<std::int64_t>(share * kRetry), std::memory_order_relaxed);
        }
    }
    // A retry wants to go there. false: it must not.
    bool withdraw(SteadyTime now);

    // A reload brought other rules; what is saved stays.
    void change(const RetryBudgetRules& rules);

private:
    static constexpr std::int64_t kRetry = 1'000'000;  // what saved_ counts one retry as
    static constexpr std::int64_t kSavedMax = kDepositedRetriesMax * kRetry;
    static constexpr std::int64_t kUnasked = INT64_MIN;

    bool withdraw_from_floor(SteadyTime now);
    bool withdraw_saved();

    std::atomic<std::int64_t> saved_{0};
    std::atomic<std::int64_t> interval_{0};  // nanoseconds between retries of the floor; 0: none
    // Up to when the floor is spent, in nanoseconds of steady time.
    std::atomic<std::int64_t> floor_{kUnasked};
};

}  // namespace weir::resilience
