// The circuit breaker of one target: stops asking what does not answer, and finds out by one call
// at a time when it does again. Owned by the Target; any thread may call; times are passed in.
//
//   const Pass pass = breaker.admit(now);
//   if (pass == Pass::no) …                     // try elsewhere, or 503 with opens_for()
//   …  breaker.succeeded(pass, now) | failed(pass, now) | abandoned(pass)     exactly one of them
//
// A failure is the target's: a connection refused, a reset, a 5xx, a timeout. 429 and other 4xx are
// not. It opens for a sole target too. Passing a healthy target costs a load; its success one
// atomic addition.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>

#include "base/clock.h"
#include "base/random.h"
#include "resilience/outcome_window.h"

namespace weir::resilience {

// RELIABILITY section 2.
struct BreakerRules {
    std::uint32_t consecutive = 5;  // failures in a row
    double failure_ratio = 0.5;     // of at least `volume_min` calls within `window`
    std::uint32_t volume_min = 20;
    std::chrono::nanoseconds window = std::chrono::seconds{10};
    std::chrono::nanoseconds open_for = std::chrono::seconds{30};
    double jitter = 0.2;  // of open_for, to both sides: many gateways shall not come back at once
};

// A probe that does not report within this time is given up, and another may go: longer than a
// reasoning model needs for its first token.
inline constexpr std::chrono::nanoseconds kProbeReportMax = std::chrono::minutes{3};
// What a client is told to wait while a probe is on its way.
inline constexpr std::chrono::nanoseconds kProbeRetryAfter = std::chrono::seconds{1};
// A target that fails now and then has runs of failures by chance alone. Where the window knows its
// ratio, a run opens only if chance makes one at most once in so many calls: 30 % of failures need
// 12 in a row, below 6 % it is `consecutive`.
inline constexpr double kRunByChanceMax = 1e-6;

enum class BreakerState : std::uint8_t { closed, open, half_open };

// Whether a call may go, and which state of the breaker it speaks of when it reports: one that was
// admitted before the breaker opened says nothing about the target of now.
class Pass {
public:
    enum Kind : std::uint8_t { no, yes, probe };
    constexpr Pass(Kind kind) : kind_(kind) {}  // NOLINT(google-explicit-constructor)
    constexpr operator Kind() const { return kind_; }

private:
    friend class Breaker;
    constexpr Pass(Kind kind, std::uint32_t of) : kind_(kind), of_(of) {}
    Kind kind_;
    std::uint32_t of_ = 0;  // yes: the phase it was admitted in; probe: its number
};

class Breaker {
public:
    Breaker(const BreakerRules& rules, Random random);

    // For planning: whether admit() would let a call pass now. Takes nothing.
    bool may_admit(SteadyTime now) const;
    // `no` while open, or while another probe is out.
    Pass admit(SteadyTime now);

    void succeeded(Pass pass, SteadyTime now);
    void failed(Pass pass, SteadyTime now);
    // Neither: the client left, or the failure was the client's. Frees the probe's place.
    void abandoned(Pass pass);

    // It is known by other means that the target answers again: where it is open, the one call that
    // tries it may go at once.
    void hurry(SteadyTime now);

    BreakerState state(SteadyTime now) const;
    // Retry-After: how long until a call may pass; 0 where one may now.
    std::chrono::nanoseconds opens_for(SteadyTime now) const;
    // From closed; a probe that fails does not count again.
    std::uint64_t times_opened() const { return (phase_.load(std::memory_order_relaxed) + 1) / 2; }

    // A reload brought other rules. The state stays; the window begins anew where its length
    // changed.
    void change(const BreakerRules& rules);

private:
    bool is_closed() const { return phase_.load(std::memory_order_acquire) % 2 == 0; }
    bool has_failed_enough(SteadyTime now) const;
    void open(SteadyTime now);
    void end_probe();

    OutcomeWindow window_;
    std::atomic<std::uint32_t> run_{0};  // failures since the last success
    // Even: closed. Odd: open or half open. Goes up at every change.
    std::atomic<std::uint32_t> phase_{0};
    std::atomic<std::int64_t> open_until_{0};   // nanoseconds; of an odd phase
    std::atomic<std::int64_t> probe_until_{0};  // 0: no probe is out

    std::mutex lock_;  // guards what follows, and every change of what stands above but the counts
    BreakerRules rules_;
    Random random_;
    std::uint32_t probe_ = 0;  // the number of the last one
};

}  // namespace weir::resilience
