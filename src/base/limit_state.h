// The counters of one API key: what is shared by all calls that carry it. The identity owns one for
// as long as the key is known to this process, the limits count on a reference to it; neither
// knows the other. Atomics only: any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>

#include "base/clock.h"

namespace weir {

// A rate cell that was never used: earlier than every time there is.
inline constexpr std::int64_t kRestingCell = std::numeric_limits<std::int64_t>::min();

// A cache line of its own, so that two busy keys do not slow each other down.
struct alignas(64) KeyLimitState {
    // The theoretical arrival time of GCRA, in nanoseconds of steady time.
    std::atomic<std::int64_t> request_cell{kRestingCell};
    // Calls that hold a slot now.
    std::atomic<std::uint32_t> in_flight{0};

    // Whether a fresh state would decide the same from now on: only then may it be forgotten.
    bool at_rest(SteadyTime now) const {
        return in_flight.load(std::memory_order_acquire) == 0 &&
               request_cell.load(std::memory_order_acquire) <= now.time_since_epoch().count();
    }
};

}  // namespace weir
