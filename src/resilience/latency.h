// How fast a target answers: peak-EWMA of the time to the first token and of the time per output
// token. A slow answer counts at once and whole, fast ones make up for it over seconds; and what
// nobody measures any more fades, so that a target that was slow once is tried again. Any thread.
//
// Value and time of a figure share one word, so that two threads never mix theirs. Time is kept in
// milliseconds: of what comes within one, only a new peak counts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace weir::resilience {

// After this long without anything new a figure has faded to 37 %.
inline constexpr std::chrono::nanoseconds kLatencyTau = std::chrono::seconds{10};

class PeakEwma {
public:
    void record(double value, SteadyTime now);
    // 0: nothing is known.
    double read(SteadyTime now) const;

private:
    std::atomic<std::uint64_t> word_{0};  // milliseconds of steady time, then a float
};

// What is long for a first token: nobody knows before so many, and of more the latest count.
inline constexpr std::uint32_t kFirstTokensMin = 20;
inline constexpr std::uint32_t kFirstTokensKept = 128;

// The latest first tokens, for a question that is seldom asked.
class FirstTokens {
public:
    void record(std::chrono::nanoseconds wait);
    // Nineteen of twenty came within this time; nullopt: too few are known.
    std::optional<std::chrono::microseconds> p95() const;

private:
    std::atomic<std::uint32_t> count_{0};
    std::array<std::atomic<std::uint32_t>, kFirstTokensKept> waits_us_{};
};

class Latency {
public:
    void record_first_token(std::chrono::nanoseconds wait, SteadyTime now) {
        first_token_.record(to_us(wait), now);
        first_tokens_.record(wait);
    }
    std::optional<std::chrono::microseconds> first_token_p95() const { return first_tokens_.p95(); }
    // `count` output tokens came within `span`, the first one apart.
    void record_tokens(std::uint64_t count, std::chrono::nanoseconds span, SteadyTime now) {
        if (count > 0) {
            token_.record(to_us(span) / static_cast<double>(count), now);
        }
    }
    double first_token_us(SteadyTime now) const { return first_token_.read(now); }
    double token_us(SteadyTime now) const { return token_.read(now); }

private:
    static double to_us(std::chrono::nanoseconds span) {
        return static_cast<double>(span.count()) / 1000;
    }
    PeakEwma first_token_;
    PeakEwma token_;
    FirstTokens first_tokens_;
};

}  // namespace weir::resilience
