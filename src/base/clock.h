// Time enters here and is passed on. Steady time drives deadlines and limits, wall time is what
// people read.
#pragma once

#include <chrono>
#include <cstdint>

namespace weir {

using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;
using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::microseconds>;

// Any thread may call.
class Clock {
public:
    virtual ~Clock() = default;
    virtual SteadyTime steady_now() const = 0;
    virtual WallTime wall_now() const = 0;
};

class SystemClock final : public Clock {
public:
    SteadyTime steady_now() const override;
    WallTime wall_now() const override;
};

// For tests: stands still until told.
class ManualClock final : public Clock {
public:
    SteadyTime steady_now() const override { return steady_; }
    WallTime wall_now() const override { return wall_; }
    void advance(std::chrono::nanoseconds by) {
        steady_ += by;
        wall_ += std::chrono::duration_cast<std::chrono::microseconds>(by);
    }
    void step_wall(std::chrono::microseconds by) { wall_ += by; }

private:
    SteadyTime steady_{std::chrono::hours{1}};
    WallTime wall_{std::chrono::microseconds{1'700'000'000'000'000}};
};

// Whole microseconds; what is before its beginning (clocks read out of order) is none.
inline std::int64_t micros(std::chrono::nanoseconds span) {
    return span.count() > 0 ? span.count() / 1000 : 0;
}
inline std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
inline WallTime wall_from_micros(std::int64_t value) {
    return WallTime{std::chrono::microseconds{value}};
}

}  // namespace weir
