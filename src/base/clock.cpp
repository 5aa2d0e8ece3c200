#include "base/clock.h"

namespace weir {

SteadyTime SystemClock::steady_now() const { return std::chrono::steady_clock::now(); }

WallTime SystemClock::wall_now() const {
    return std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::system_clock::now());
}

}  // namespace weir
