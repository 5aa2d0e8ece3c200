#include "resilience/retry_budget.h"

#include <algorithm>

namespace weir::resilience {

bool RetryBudget::withdraw(SteadyTime now) {
    // The floor first: it comes back by itself.
    return withdraw_from_floor(now) || withdraw_saved();
}

bool RetryBudget::withdraw_from_floor(SteadyTime now) {
    const std::int64_t interval = interval_.load(std::memory_order_relaxed);
    if (interval == 0) {
        return false;
    }
    const std::int64_t time = now.time_since_epoch().count();
    std::int64_t spent = floor_.load(std::memory_order_relaxed);
    for (;;) {
        const std::int64_t from = spent == kUnasked
                                      ? time - kFloorAtFirst.count()
                                      : std::max(spent, time - kFloorSavedMax.count());
        if (from + interval > time) {
            return false;
        }
        if (floor_.compare_exchange_weak(spent, from + interval, std::memory_order_relaxed)) {
            return true;
        }
    }
}

bool RetryBudget::withdraw_saved() {
    std::int64_t saved = saved_.load(std::memory_order_relaxed);
    while (saved >= kRetry) {
        if (saved_.compare_exchange_weak(saved, saved - kRetry, std::memory_order_relaxed)) {
            return true;
        }
    }
    return false;
}

void RetryBudget::change(const RetryBudgetRules& rules) {
    constexpr double kSecond = 1e9;
    interval_.store(
        rules.per_second > 0 ? static_cast<std::int64_t>(kSecond / rules.per_second) : 0,
        std::memory_order_relaxed);
}

}  // namespace weir::resilience
