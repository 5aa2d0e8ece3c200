// An absolute steady time that every wait takes, without a default, and that is only ever narrowed.
#pragma once

#include <algorithm>
#include <chrono>
#include <limits>

#include "base/clock.h"

namespace weir::aio {

class Deadline {
public:
    static constexpr Deadline never() { return Deadline(SteadyTime::max()); }
    static constexpr Deadline at(SteadyTime time) { return Deadline(time); }
    // Counted from the running reactor's cached time (at most one turn of the loop old).
    static Deadline in(std::chrono::nanoseconds delay);

    Deadline at_most(Deadline other) const { return Deadline(std::min(time_, other.time_)); }
    Deadline at_most(std::chrono::nanoseconds delay) const { return at_most(in(delay)); }
    SteadyTime time() const { return time_; }
    bool has_passed(SteadyTime now) const { return now >= time_; }

private:
    constexpr explicit Deadline(SteadyTime time) : time_(time) {}
    SteadyTime time_;
};

}  // namespace weir::aio
