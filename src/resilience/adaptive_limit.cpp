#include "resilience/adaptive_limit.h"

#include <algorithm>
#include <cmath>

namespace weir::resilience {
namespace {

// Calls that were sent before the limit was halved are gone after about as many of their waits.
constexpr double kDrainWaits = 2;
// A limit that is used less than this is not what holds the calls back: it says nothing.
constexpr double kUsedMin = 0.5;
constexpr double kRemeasureJitter = 0.2;

std::int64_t nanos(SteadyTime time) { return time.time_since_epoch().count(); }

}  // namespace

AdaptiveLimit::AdaptiveLimit(const AdaptiveRules& rules, Random random)
    : enabled_(rules.enabled), published_(rules.first), rules_(rules), random_(random) {
    set_limit(rules.first);
}

std::optional<std::uint32_t> AdaptiveLimit::record(std::chrono::nanoseconds wait,
                                                   SteadyTime now,
                                                   std::uint32_t in_flight) {
    if (!is_enabled()) {
        return std::nullopt;
    }
    const std::uint32_t index = samples_.fetch_add(1, std::memory_order_relaxed);
    const std::int64_t us = std::clamp<std::int64_t>(wait.count() / 1000, 1, UINT32_MAX);
    waits_us_[index % kAdaptiveSamplesMax].store(static_cast<std::uint32_t>(us),
                                                 std::memory_order_relaxed);
    if (nanos(now) < due_.load(std::memory_order_relaxed)) {
        return std::nullopt;
    }
    const std::unique_lock guard(lock_, std::try_to_lock);
    if (!guard || nanos(now) < due_.load(std::memory_order_relaxed) || !decide(now, in_flight)) {
        return std::nullopt;
    }
    return limit();
}

double AdaptiveLimit::baseline_us() const {
    const std::lock_guard guard(lock_);
    return baseline_us_;
}

void AdaptiveLimit::change(const AdaptiveRules& rules) {
    const std::lock_guard guard(lock_);
    if (rules.enabled && !is_enabled() && baseline_us_ == 0) {
        limit_ = rules.first;  // nothing was found out yet
    }
    rules_ = rules;
    limit_before_ = std::clamp<double>(limit_before_, rules.least, rules.most);
    set_limit(limit_);
    enabled_.store(rules.enabled, std::memory_order_relaxed);
}

// Whether the limit may have changed.
bool AdaptiveLimit::decide(SteadyTime now, std::uint32_t in_flight) {
    if (!remeasure_at_) {  // the first call ever: its interval begins now
        remeasure_at_ = now + rules_.remeasure;
        wait(rules_.interval, now);
        return false;
    }
    const bool has_enough = samples_.load(std::memory_order_relaxed) >= kAdaptiveSamplesMin;
    switch (phase_) {
        case Phase::steady:
            if (!has_enough) {
                return false;  // stays due: the next first token asks again
            }
            decide_steady(take_median(), now, in_flight);
            return true;
        case Phase::draining:
            take_median();  // of calls from before
            phase_ = Phase::measuring;
            wait(rules_.interval, now);
            return false;
        case Phase::measuring:
            wait(rules_.interval, now);
            if (!has_enough && ++intervals_measured_ < kMeasureIntervalsMax) {
                return false;
            }
            if (has_enough) {
                baseline_us_ = take_median();
            }
            end_measuring(now);
            return true;
    }
    std::unreachable();
}

void AdaptiveLimit::decide_steady(double median, SteadyTime now, std::uint32_t in_flight) {
    wait(rules_.interval, now);
    if (baseline_us_ == 0) {
        baseline_us_ = median;
    }
    if (now >= *remeasure_at_) {
        begin_measuring(median, now);
        return;
    }
    if (median < baseline_us_) {
        baseline_us_ += kBaselineFollows * (median - baseline_us_);
    }
    if (in_flight < kUsedMin * limit_) {
        return;
    }
    const double gradient = std::clamp(rules_.tolerance * baseline_us_ / median, kGradientMin, 1.0);
    // The root is the room to try: what a target may queue at times, and how a limit grows at all.
    const double aim = limit_ * gradient + std::sqrt(limit_);
    set_limit(limit_ + rules_.smoothing * (aim - limit_));
}

void AdaptiveLimit::begin_measuring(double median, SteadyTime now) {
    phase_ = Phase::draining;
    intervals_measured_ = 0;
    limit_before_ = limit_;
    set_limit(limit_ / 2);
    const std::chrono::nanoseconds drained{static_cast<std::int64_t>(kDrainWaits * median * 1000)};
    wait(std::max(rules_.interval, drained), now);
}

void AdaptiveLimit::end_measuring(SteadyTime now) {
    phase_ = Phase::steady;
    set_limit(limit_before_);
    const double stretch = 1 + kRemeasureJitter * (2 * random_.unit() - 1);
    remeasure_at_ = now + std::chrono::nanoseconds{static_cast<std::int64_t>(
                              static_cast<double>(rules_.remeasure.count()) * stretch)};
}

// Of the latest waits, which are used up. What other threads write meanwhile counts for either
// side.
double AdaptiveLimit::take_median() {
    const std::uint32_t count =
        std::min(samples_.exchange(0, std::memory_order_relaxed), kAdaptiveSamplesMax);
    if (count == 0) {
        return 0;
    }
    std::array<std::uint32_t, kAdaptiveSamplesMax> waits;
    for (std::uint32_t i = 0; i < count; ++i) {
        waits[i] = waits_us_[i].load(std::memory_order_relaxed);
    }
    const auto middle = waits.begin() + count / 2;
    std::nth_element(waits.begin(), middle, waits.begin() + count);
    return *middle;
}

void AdaptiveLimit::set_limit(double limit) {
    limit_ = std::clamp<double>(limit, rules_.least, rules_.most);
    published_.store(static_cast<std::uint32_t>(std::lround(limit_)), std::memory_order_relaxed);
}

void AdaptiveLimit::wait(std::chrono::nanoseconds span, SteadyTime now) {
    due_.store(nanos(now + span), std::memory_order_relaxed);
}

}  // namespace weir::resilience
