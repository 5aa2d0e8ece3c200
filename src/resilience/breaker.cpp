#include "resilience/breaker.h"

#include <algorithm>
#include <cmath>

namespace weir::resilience {
namespace {

std::int64_t nanos(SteadyTime time) { return time.time_since_epoch().count(); }

}  // namespace

Breaker::Breaker(const BreakerRules& rules, Random random)
    : window_(rules.window), rules_(rules), random_(random) {}

bool Breaker::may_admit(SteadyTime now) const {
    return is_closed() || (nanos(now) >= open_until_.load(std::memory_order_relaxed) &&
                           nanos(now) >= probe_until_.load(std::memory_order_relaxed));
}

Pass Breaker::admit(SteadyTime now) {
    const std::uint32_t phase = phase_.load(std::memory_order_acquire);
    if (phase % 2 == 0) {
        return {Pass::yes, phase};
    }
    if (!may_admit(now)) {
        return Pass::no;
    }
    const std::lock_guard guard(lock_);
    if (is_closed()) {
        return {Pass::yes, phase_.load(std::memory_order_relaxed)};
    }
    if (!may_admit(now)) {
        return Pass::no;  // another thread was first
    }
    probe_until_.store(nanos(now + kProbeReportMax), std::memory_order_relaxed);
    return {Pass::probe, ++probe_};
}

void Breaker::succeeded(Pass pass, SteadyTime now) {
    if (pass == Pass::yes) {
        if (pass.of_ == phase_.load(std::memory_order_acquire)) {
            if (run_.load(std::memory_order_relaxed) != 0) {
                run_.store(0, std::memory_order_relaxed);
            }
            window_.add_success(now);
        }
        return;
    }
    const std::lock_guard guard(lock_);
    if (pass != Pass::probe || pass.of_ != probe_ || is_closed()) {
        return;
    }
    end_probe();
    run_.store(0, std::memory_order_relaxed);
    window_.clear();
    phase_.fetch_add(1, std::memory_order_release);
}

void Breaker::failed(Pass pass, SteadyTime now) {
    const std::lock_guard guard(lock_);
    const std::uint32_t phase = phase_.load(std::memory_order_relaxed);
    if (pass == Pass::yes && pass.of_ == phase) {
        run_.fetch_add(1, std::memory_order_relaxed);
        window_.add_failure(now);
        if (has_failed_enough(now)) {
            open(now);
            phase_.store(phase + 1, std::memory_order_release);
        }
    } else if (pass == Pass::probe && pass.of_ == probe_ && !is_closed()) {
        end_probe();
        open(now);
    }
}

void Breaker::abandoned(Pass pass) {
    if (pass != Pass::probe) {
        return;
    }
    const std::lock_guard guard(lock_);
    if (pass.of_ == probe_) {
        end_probe();
    }
}

BreakerState Breaker::state(SteadyTime now) const {
    if (is_closed()) {
        return BreakerState::closed;
    }
    return nanos(now) < open_until_.load(std::memory_order_relaxed) ? BreakerState::open
                                                                    : BreakerState::half_open;
}

std::chrono::nanoseconds Breaker::opens_for(SteadyTime now) const {
    if (is_closed()) {
        return {};
    }
    const std::int64_t open_left = open_until_.load(std::memory_order_relaxed) - nanos(now);
    if (open_left > 0) {
        return std::chrono::nanoseconds{open_left};
    }
    const std::int64_t probe_left = probe_until_.load(std::memory_order_relaxed) - nanos(now);
    return std::clamp(std::chrono::nanoseconds{probe_left}, {}, kProbeRetryAfter);
}

void Breaker::hurry(SteadyTime now) {
    const std::lock_guard guard(lock_);
    if (!is_closed() && open_until_.load(std::memory_order_relaxed) > nanos(now)) {
        open_until_.store(nanos(now), std::memory_order_relaxed);
    }
}

void Breaker::change(const BreakerRules& rules) {
    const std::lock_guard guard(lock_);
    if (rules.window != rules_.window) {
        window_.set_length(rules.window);
    }
    rules_ = rules;
}

// Asked after a failure only: a success cannot make it true.
bool Breaker::has_failed_enough(SteadyTime now) const {
    const Outcomes outcomes = window_.read(now);
    const auto failures = static_cast<double>(outcomes.failures);
    if (outcomes.all() >= rules_.volume_min &&
        failures >= rules_.failure_ratio * static_cast<double>(outcomes.all())) {
        return true;
    }
    const std::uint32_t run = run_.load(std::memory_order_relaxed);
    if (run < rules_.consecutive) {
        return false;
    }
    // What the window says of the target apart from this run, if that is enough to say anything.
    const std::uint64_t run_in_window = std::min<std::uint64_t>(run, outcomes.failures);
    const std::uint64_t others = outcomes.all() - run_in_window;
    if (others < rules_.volume_min) {
        return true;
    }
    // One more failure than was seen: none seen of 20 is not the promise that there are none.
    const double ratio = static_cast<double>(outcomes.failures - run_in_window + 1) /
                         static_cast<double>(others + 1);
    return ratio >= 1 || run >= std::ceil(std::log(kRunByChanceMax) / std::log(ratio));
}

void Breaker::open(SteadyTime now) {
    const double stretch = 1 + rules_.jitter * (2 * random_.unit() - 1);
    const auto span = std::chrono::nanoseconds{static_cast<std::int64_t>(
        static_cast<double>(rules_.open_for.count()) * std::max(stretch, 0.0))};
    open_until_.store(nanos(now + span), std::memory_order_relaxed);
}

void Breaker::end_probe() { probe_until_.store(0, std::memory_order_relaxed); }

}  // namespace weir::resilience
