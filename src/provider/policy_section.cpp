#include "provider/policy_section.h"

#include "config/types.h"

namespace weir::provider {
namespace {

constexpr std::int64_t kFailuresMost = 1'000'000;
constexpr std::int64_t kInFlightMost = 1'000'000;
constexpr std::int64_t kQueueMost = 1'000'000;

}  // namespace

config::Type<BreakerSection> breaker_type() {
    using namespace std::chrono_literals;
    config::Object<BreakerSection> breaker;
    breaker
        .field("enabled",
               &BreakerSection::enabled,
               config::boolean(),
               "whether a target that fails is left alone for a while; true unless set")
        .field("consecutive",
               &BreakerSection::consecutive,
               config::integer(1, kFailuresMost),
               "failures in a row that open it; 5 unless set")
        .field("failure_ratio",
               &BreakerSection::failure_ratio,
               config::percent(),
               "the share of failures that opens it; 50% unless set")
        .field("volume",
               &BreakerSection::volume,
               config::integer(1, kFailuresMost),
               "the share counts from so many calls in the window on; 20 unless set")
        .field("window",
               &BreakerSection::window,
               config::duration(100ms, 1h),
               "the time that the share is taken over; 10s unless set")
        .field("open",
               &BreakerSection::open,
               config::duration(100ms, 24h),
               "how long the target gets nothing, then one call to try it; 30s unless set");
    return breaker.type();
}

config::Type<AdmissionSection> admission_type() {
    using namespace std::chrono_literals;
    config::Object<AdmissionSection> admission;
    admission
        .field("in_flight",
               &AdmissionSection::in_flight,
               config::integer(1, kInFlightMost),
               "calls that a target gets at once; no limit unless set")
        .field("queue",
               &AdmissionSection::queue,
               config::integer(0, kQueueMost),
               "calls that wait while it has that many; more are refused; 0 unless set")
        .field("wait",
               &AdmissionSection::wait,
               config::duration(1ms, 1h),
               "how long one waits; 5s unless set");
    return admission.type();
}

}  // namespace weir::provider
