#include "resilience/probe.h"

namespace weir::resilience {
namespace {

// Many gateways that watch one provider shall not ask it all at once.
constexpr double kIntervalJitter = 0.1;

}  // namespace

bool Probe::begin(SteadyTime now, Random& random) {
    if (is_out_ || now < due_) {
        return false;
    }
    is_out_ = true;
    const double stretch = 1 + kIntervalJitter * (2 * random.unit() - 1);
    due_ = now + std::chrono::nanoseconds{static_cast<std::int64_t>(
                     static_cast<double>(rules_.interval.count()) * stretch)};
    return true;
}

bool Probe::record(bool is_good) {
    is_out_ = false;
    if (is_good == is_well_) {
        against_ = 0;
        return false;
    }
    if (++against_ < (is_well_ ? rules_.unhealthy_after : rules_.healthy_after)) {
        return false;
    }
    against_ = 0;
    is_well_ = is_good;
    return true;
}

}  // namespace weir::resilience
