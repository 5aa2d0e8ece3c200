// How many calls went well and how many did not in the last seconds: ten buckets in a ring, one
// word each, so that counting is one atomic addition. Any thread.
//
// The window is as long as told, give or take a tenth: the bucket in use is younger than its span.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>

#include "base/clock.h"

namespace weir::resilience {

struct Outcomes {
    std::uint64_t successes = 0;
    std::uint64_t failures = 0;
    std::uint64_t all() const { return successes + failures; }
};

class OutcomeWindow {
public:
    // More buckets would make the edge sharper and reading dearer; only failures read.
    static constexpr std::int64_t kBuckets = 10;
    // What one bucket counts of a kind; a second with more calls than this keeps its ratio no
    // longer, and no process answers a million calls a second.
    static constexpr std::uint64_t kCountMax = (1u << 20) - 1;

    explicit OutcomeWindow(std::chrono::nanoseconds length) { set_length(length); }

    void add_success(SteadyTime now) { add(now, kSuccess, kCountMax); }
    void add_failure(SteadyTime now) { add(now, kFailure, kCountMax << kFailureShift); }

    Outcomes read(SteadyTime now) const {
        const std::uint64_t turn = turn_of(now);
        Outcomes sum;
        for (const auto& bucket : buckets_) {
            const std::uint64_t word = bucket.load(std::memory_order_relaxed);
            const std::uint64_t age = (turn - (word >> kTurnShift)) & kTurnMask;
            if (age < kBuckets) {
                sum.successes += word & kCountMax;
                sum.failures += (word >> kFailureShift) & kCountMax;
            }
        }
        return sum;
    }

    // Forgets all. A call counted at the same time may be forgotten or not.
    void clear() {
        for (auto& bucket : buckets_) {
            bucket.store(0, std::memory_order_relaxed);
        }
    }
    // Forgets all.
    void set_length(std::chrono::nanoseconds length) {
        span_.store(std::max<std::int64_t>(length.count() / kBuckets, 1),
                    std::memory_order_relaxed);
        clear();
    }

private:
    // A bucket: 24 bits that say which turn of the clock it counts, 20 of failures, 20 of
    // successes. The turn comes round after five years at a second a bucket.
    static constexpr unsigned kFailureShift = 20;
    static constexpr unsigned kTurnShift = 40;
    static constexpr std::uint64_t kTurnMask = (1u << 24) - 1;
    static constexpr std::uint64_t kSuccess = 1;
    static constexpr std::uint64_t kFailure = 1u << kFailureShift;

    std::uint64_t turn_of(SteadyTime now) const {
        const std::int64_t time = std::max<std::int64_t>(now.time_since_epoch().count(), 0);
        return static_cast<std::uint64_t>(time / span_.load(std::memory_order_relaxed)) & kTurnMask;
    }

    void add(SteadyTime now, std::uint64_t one, std::uint64_t field) {
        const std::uint64_t turn = turn_of(now);
        auto& bucket = buckets_[turn % kBuckets];
        std::uint64_t word = bucket.load(std::memory_order_relaxed);
        while (word >> kTurnShift != turn) {
            const std::uint64_t behind = (turn - (word >> kTurnShift)) & kTurnMask;
            if (behind > kTurnMask / 2) {
                return;  // another thread's clock is a round ahead: too old to count
            }
            if (bucket.compare_exchange_weak(
                    word, turn << kTurnShift | one, std::memory_order_relaxed)) {
                return;
            }
        }
        if ((word & field) != field) {
            bucket.fetch_add(one, std::memory_order_relaxed);
        }
    }

    std::atomic<std::int64_t> span_{1};  // nanoseconds of one bucket
    std::array<std::atomic<std::uint64_t>, kBuckets> buckets_{};
};

}  // namespace weir::resilience
