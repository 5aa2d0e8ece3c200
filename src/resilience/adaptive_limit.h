// Finds how many calls a target can take at the same time, from the time to the first token: while
// that is what it was without load, the limit grows; where calls queue inside the provider, it
// shrinks. Never from the total time, which the length of the answer rules.
//
// The rule is Netflix's Gradient2: limit x (tolerance x baseline / now) + sqrt(limit). The baseline
// is measured anew at times with the limit halved, as Envoy does, because a provider that became
// slower by itself looks the same as one that queues.
//
// Owned by the Target; any thread records, one of them at a time decides. Recording costs an atomic
// addition and a store.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "base/clock.h"
#include "base/random.h"

namespace weir::resilience {

struct AdaptiveRules {
    bool enabled = false;
    std::uint32_t least = 4;
    std::uint32_t most = 1024;
    std::uint32_t first = 20;  // before anything is known
    // How much slower than the baseline is still called well.
    double tolerance = 1.2;
    // Of the way to a new limit that is gone at once.
    double smoothing = 0.3;
    std::chrono::nanoseconds interval = std::chrono::seconds{1};
    std::chrono::nanoseconds remeasure = std::chrono::seconds{60};  // +-20 %
};

// What one decision looks at: at least so many first tokens, at most so many of the latest.
inline constexpr std::uint32_t kAdaptiveSamplesMin = 10;
inline constexpr std::uint32_t kAdaptiveSamplesMax = 256;
// A limit falls to no less than this share of itself in one decision, smoothed.
inline constexpr double kGradientMin = 0.5;
// What the baseline follows a faster target at once.
inline constexpr double kBaselineFollows = 0.1;
// After so many intervals without enough first tokens a measurement is given up.
inline constexpr int kMeasureIntervalsMax = 10;

class AdaptiveLimit {
public:
    AdaptiveLimit(const AdaptiveRules& rules, Random random);

    // A first token came `wait` after its call was sent (not: after it began to wait for a place).
    // The new limit, where this was the moment to decide.
    std::optional<std::uint32_t> record(std::chrono::nanoseconds wait,
                                        SteadyTime now,
                                        std::uint32_t in_flight);

    bool is_enabled() const { return enabled_.load(std::memory_order_relaxed); }
    std::uint32_t limit() const { return published_.load(std::memory_order_relaxed); }
    // In microseconds; 0: not known yet.
    double baseline_us() const;
    // A reload brought other rules. What was found out stays, within the new bounds.
    void change(const AdaptiveRules& rules);

private:
    enum class Phase : std::uint8_t { steady, draining, measuring };

    bool decide(SteadyTime now, std::uint32_t in_flight);
    void decide_steady(double median, SteadyTime now, std::uint32_t in_flight);
    void begin_measuring(double median, SteadyTime now);
    void end_measuring(SteadyTime now);
    double take_median();
    void set_limit(double limit);
    void wait(std::chrono::nanoseconds span, SteadyTime now);

    std::atomic<bool> enabled_;
    std::atomic<std::uint32_t> published_;
    std::atomic<std::int64_t> due_{INT64_MIN};  // nanoseconds of steady time
    std::atomic<std::uint32_t> samples_{0};     // recorded since the last decision
    std::array<std::atomic<std::uint32_t>, kAdaptiveSamplesMax> waits_us_{};

    mutable std::mutex
        lock_;  // guards what follows; tried, never waited for, on the path of a call
    AdaptiveRules rules_;
    Random random_;
    Phase phase_ = Phase::steady;
    double limit_;
    double baseline_us_ = 0;
    double limit_before_ = 0;  // draining, measuring: what comes back afterwards
    int intervals_measured_ = 0;
    std::optional<SteadyTime> remeasure_at_;
};

}  // namespace weir::resilience
