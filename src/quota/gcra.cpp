#include "quota/gcra.h"

#include <algorithm>

#include "base/limit_state.h"

namespace weir::quota {
namespace {

std::int64_t nanos(SteadyTime time) { return time.time_since_epoch().count(); }

}  // namespace

std::optional<Gcra> Gcra::make(std::uint32_t count,
                               std::chrono::nanoseconds period,
                               std::uint32_t burst) {
    if (count == 0 || count > kCountMax || burst == 0 || burst > kCountMax ||
        period <= std::chrono::nanoseconds::zero() || period > kPeriodMax) {
        return std::nullopt;
    }
    const std::int64_t interval = (period.count() - 1) / count + 1;
    if (interval > kRefillMax.count() / burst) {
        return std::nullopt;
    }
    return Gcra(interval, burst);
}

RateDecision Gcra::peek(std::int64_t cell, SteadyTime now) const {
    const std::int64_t time = nanos(now);
    const std::int64_t tolerance = interval_ * (burst_ - 1);
    // A cell in the past is a full bucket: what was not used then is not saved up.
    const std::int64_t ahead = std::max(cell, time) - time;
    RateDecision decision;
    if (ahead > tolerance) {
        decision.wait = std::chrono::nanoseconds{ahead - tolerance};
        decision.reset = std::chrono::nanoseconds{ahead};
        return decision;
    }
    decision.admitted = true;
    decision.cell = time + ahead + interval_;
    decision.remaining = static_cast<std::uint32_t>((tolerance - ahead) / interval_);
    decision.reset = std::chrono::nanoseconds{ahead + interval_};
    return decision;
}

RateDecision Gcra::take(std::int64_t& cell, SteadyTime now) const {
    const RateDecision decision = peek(cell, now);
    if (decision.admitted) {
        cell = decision.cell;
    }
    return decision;
}

RateDecision Gcra::take(std::atomic<std::int64_t>& cell, SteadyTime now) const {
    std::int64_t seen = cell.load(std::memory_order_relaxed);
    while (true) {
        const RateDecision decision = peek(seen, now);
        if (!decision.admitted ||
            cell.compare_exchange_weak(seen, decision.cell, std::memory_order_acq_rel)) {
            return decision;
        }
    }
}

void Gcra::give_back(std::int64_t& cell, std::int64_t taken, SteadyTime now) const {
    // A plain cell may have been forgotten at rest and begun anew since: nothing to give back then.
    if (cell != kRestingCell) {
        cell -= still_held(taken, now);
    }
}

void Gcra::give_back(std::atomic<std::int64_t>& cell, std::int64_t taken, SteadyTime now) const {
    cell.fetch_sub(still_held(taken, now), std::memory_order_acq_rel);
}

// Had the call never been made, the cell would stand one interval lower, except for the time in
// which it would have been at rest. That time is at most what passed since the theoretical arrival
// of this call, `taken - interval`.
std::int64_t Gcra::still_held(std::int64_t taken, SteadyTime now) const {
    return std::clamp<std::int64_t>(taken - nanos(now), 0, interval_);
}

}  // namespace weir::quota
