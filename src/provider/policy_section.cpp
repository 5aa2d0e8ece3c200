#include "provider/policy_section.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/types.h"

namespace weir::provider {
namespace {

constexpr std::int64_t kFailuresMost = 1'000'000;
constexpr std::int64_t kInFlightMost = 1'000'000;
constexpr std::int64_t kQueueMost = 1'000'000;
constexpr std::int64_t kProbesMost = 1'000;
constexpr std::size_t kPathBytesMax = 256;

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

namespace {

config::Type<AdaptiveSection> adaptive_type() {
    config::Object<AdaptiveSection> adaptive;
    adaptive
        .field("enabled",
               &AdaptiveSection::enabled,
               config::boolean(),
               "whether the limit is found out from the time to the first token of streams; false "
               "unless set")
        .field("least",
               &AdaptiveSection::least,
               config::integer(1, kInFlightMost),
               "the limit falls no lower; 4 unless set")
        .field("first",
               &AdaptiveSection::first,
               config::integer(1, kInFlightMost),
               "the limit before anything is known; 20 unless set")
        .field("most",
               &AdaptiveSection::most,
               config::integer(1, kInFlightMost),
               "the limit rises no higher; 1024 unless set")
        .check([](const AdaptiveSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.least > section.most) {
                const config::Node* least = at.node.find("least");
                reporter.report(
                    least != nullptr ? least->place : at.node.place,
                    at.path + ".least",
                    fmt::format("{} is above `most`, which is {}", section.least, section.most));
            }
        });
    return adaptive.type();
}

}  // namespace

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
               "how long one waits; 5s unless set")
        .field("adaptive",
               &AdmissionSection::adaptive,
               adaptive_type(),
               "in the place of in_flight: a limit that follows what the target can take")
        .check([](const AdmissionSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.adaptive.enabled && section.in_flight > 0) {
                reporter.report(at.node.find("in_flight")->place,
                                at.path + ".in_flight",
                                "adaptive finds the limit out: leave this out, or bound it by "
                                "adaptive.most");
            }
        });
    return admission.type();
}

namespace {

// Goes into a request's head as it is.
config::Type<std::string> path_type() {
    return {[](const config::Position& at, std::string& into, config::Reporter& reporter) {
                const std::string& text = at.node.text;
                const bool is_good = at.node.kind == config::Node::Kind::scalar &&
                                     text.starts_with('/') && text.size() <= kPathBytesMax &&
                                     std::all_of(text.begin(), text.end(), [](char c) {
                                         return c > ' ' && c < 0x7f;
                                     });
                if (!is_good) {
                    config::detail::report_unexpected(
                        at, "a path such as /models, of at most 256 characters", reporter);
                    return false;
                }
                into = text;
                return true;
            },
            R"({"type":"string","pattern":"^/"})"};
}

}  // namespace

config::Type<HealthSection> health_type() {
    using namespace std::chrono_literals;
    config::Object<HealthSection> health;
    health
        .field("interval",
               &HealthSection::interval,
               config::duration(100ms, 1h),
               "how often it is asked; 10s unless set")
        .field("timeout",
               &HealthSection::timeout,
               config::duration(1ms, 1min),
               "how long an answer may take; 2s unless set")
        .field("path",
               &HealthSection::path,
               path_type(),
               "what is asked for, below base_url; the list of models unless set")
        .field("unhealthy_after",
               &HealthSection::unhealthy_after,
               config::integer(1, kProbesMost),
               "bad answers in a row that take it out; 3 unless set")
        .field("healthy_after",
               &HealthSection::healthy_after,
               config::integer(1, kProbesMost),
               "good answers in a row that bring it back; 2 unless set");
    return health.type();
}

}  // namespace weir::provider
