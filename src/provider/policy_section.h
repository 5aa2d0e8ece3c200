// What a provider's targets are spared, as the configuration says it: when they are left alone, and
// how many calls they get at once. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "config/types.h"

namespace weir::provider {

// RELIABILITY section 2. Per target: a provider's model.
struct BreakerSection {
    bool enabled = true;
    std::int64_t consecutive = 5;  // failures in a row
    double failure_ratio = 0.5;    // of at least `volume` calls within `window`
    std::int64_t volume = 20;
    std::chrono::milliseconds window{10'000};
    std::chrono::milliseconds open{30'000};  // then one call is let through
};

// In the place of a fixed `in_flight`: what the target can take, found out from the time to the
// first token of its streams.
struct AdaptiveSection {
    bool enabled = false;
    std::int64_t least = 4;
    std::int64_t first = 20;  // before anything is known
    std::int64_t most = 1024;
};

// Per target. `in_flight` 0: no limit, nothing waits.
struct AdmissionSection {
    std::int64_t in_flight = 0;
    AdaptiveSection adaptive;
    std::int64_t queue = 0;  // calls that may wait for a place
    std::chrono::milliseconds wait{5'000};
};

// A cheap question, asked beside the calls.
struct HealthSection {
    std::chrono::milliseconds interval{10'000};
    std::chrono::milliseconds timeout{2'000};
    std::string path;  // below the base URL; empty: the kind's
    std::int64_t unhealthy_after = 3;
    std::int64_t healthy_after = 2;
};

config::Type<BreakerSection> breaker_type();
config::Type<HealthSection> health_type();
config::Type<AdmissionSection> admission_type();

}  // namespace weir::provider
