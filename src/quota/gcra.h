// A rate limit in one integer: the generic cell rate algorithm (ITU-T I.371), the same decisions as
// a token bucket. The cell holds the theoretical arrival time of the next call in nanoseconds of
// steady time. Values; the functions on a plain cell need the caller's lock, those on an atomic one
// are for any thread.
//
// In every window w at most burst + w / interval calls are admitted, whatever the times passed in:
// a clock that steps back only makes the wait longer.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace weir::quota {

struct RateDecision {
    bool admitted = false;
    std::uint32_t remaining = 0;        // calls that would still be admitted at this instant
    std::chrono::nanoseconds wait{0};   // refused: the exact time until a call is admitted
    std::chrono::nanoseconds reset{0};  // until the whole burst is there again
    std::int64_t cell = 0;              // admitted: the cell this call left behind, for give_back
};

class Gcra {
public:
    static constexpr std::uint32_t kCountMax = 1'000'000'000;
    static constexpr std::chrono::nanoseconds kPeriodMax = std::chrono::days{31};
    // One burst must be refilled in this time; keeps every sum far from overflow.
    static constexpr std::chrono::nanoseconds kRefillMax = std::chrono::days{366};

    // `count` calls per `period`, of which `burst` may come at once. nullopt where a number is zero
    // or above its limit. The interval is rounded up to a nanosecond: never more than asked for.
    static std::optional<Gcra> make(std::uint32_t count,
                                    std::chrono::nanoseconds period,
                                    std::uint32_t burst);

    std::uint32_t burst() const { return burst_; }
    std::chrono::nanoseconds interval() const { return std::chrono::nanoseconds{interval_}; }

    // What take() would decide; changes nothing.
    RateDecision peek(std::int64_t cell, SteadyTime now) const;

    // A refusal leaves the cell as it was.
    RateDecision take(std::int64_t& cell, SteadyTime now) const;
    RateDecision take(std::atomic<std::int64_t>& cell, SteadyTime now) const;

    // Undoes an admitted take (`taken` is its RateDecision::cell). Gives back what the call still
    // holds: all of it unless the bucket filled up in between, where it would have overflowed.
    void give_back(std::int64_t& cell, std::int64_t taken, SteadyTime now) const;
    void give_back(std::atomic<std::int64_t>& cell, std::int64_t taken, SteadyTime now) const;

private:
    Gcra(std::int64_t interval, std::uint32_t burst) : interval_(interval), burst_(burst) {}
    std::int64_t still_held(std::int64_t taken, SteadyTime now) const;

    std::int64_t interval_;  // nanoseconds between calls at the steady rate
    std::uint32_t burst_;
};

}  // namespace weir::quota
