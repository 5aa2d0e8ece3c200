#include "resilience/latency.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace weir::resilience {
namespace {

struct Figure {
    float value = 0;
    std::uint32_t at_ms = 0;  // comes round after 49 days
};

// A nanosecond: what is faster is not, and 0 means unknown.
constexpr float kLeast = 0.001f;
// How far behind a figure's time another thread's clock may be; what is more is 49 days of rest.
constexpr std::uint32_t kBehindMaxMs = 60'000;

std::uint32_t ms_of(SteadyTime now) {
    constexpr std::int64_t kMillisecond = 1'000'000;
    return static_cast<std::uint32_t>(now.time_since_epoch().count() / kMillisecond);
}

Figure unpack(std::uint64_t word) {
    return {.value = std::bit_cast<float>(static_cast<std::uint32_t>(word)),
            .at_ms = static_cast<std::uint32_t>(word >> 32)};
}

std::uint64_t pack(Figure figure) {
    return std::uint64_t{figure.at_ms} << 32 | std::bit_cast<std::uint32_t>(figure.value);
}

// What is left of an old value. A time before the figure's own (two threads' clocks) is none.
float left_after(std::uint32_t now_ms, std::uint32_t at_ms) {
    constexpr auto kTauMs = static_cast<float>(
        std::chrono::duration_cast<std::chrono::milliseconds>(kLatencyTau).count());
    if (at_ms - now_ms <= kBehindMaxMs) {
        return 1;
    }
    return std::exp(-static_cast<float>(now_ms - at_ms) / kTauMs);
}

}  // namespace

void PeakEwma::record(double value, SteadyTime now) {
    const float fresh = std::max(static_cast<float>(value), kLeast);
    const std::uint32_t now_ms = ms_of(now);
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
        Figure figure = unpack(word);
        if (fresh < figure.value) {
            const float left = left_after(now_ms, figure.at_ms);
            if (left == 1.0f) {
                return;
            }
            figure.value = figure.value * left + fresh * (1 - left);
        } else {
            figure.value = fresh;
        }
        figure.at_ms = now_ms;
        if (word_.compare_exchange_weak(word, pack(figure), std::memory_order_relaxed)) {
            return;
        }
    }
}

double PeakEwma::read(SteadyTime now) const {
    const std::uint64_t word = word_.load(std::memory_order_relaxed);
    const Figure figure = unpack(word);
    return word == 0 ? 0 : static_cast<double>(figure.value * left_after(ms_of(now), figure.at_ms));
}

void FirstTokens::record(std::chrono::nanoseconds wait) {
    const std::uint32_t index = count_.fetch_add(1, std::memory_order_relaxed);
    const std::int64_t us = std::clamp<std::int64_t>(wait.count() / 1000, 0, UINT32_MAX);
    waits_us_[index % kFirstTokensKept].store(static_cast<std::uint32_t>(us),
                                              std::memory_order_relaxed);
}

std::optional<std::chrono::microseconds> FirstTokens::p95() const {
    // A count that has gone round says too few for a moment, once in four thousand million.
    const std::uint32_t count = std::min(count_.load(std::memory_order_relaxed), kFirstTokensKept);
    if (count < kFirstTokensMin) {
        return std::nullopt;
    }
    std::array<std::uint32_t, kFirstTokensKept> waits;
    for (std::uint32_t i = 0; i < count; ++i) {
        waits[i] = waits_us_[i].load(std::memory_order_relaxed);
    }
    const auto rank = static_cast<std::ptrdiff_t>(count - 1 - count / 20);
    std::nth_element(waits.begin(), waits.begin() + rank, waits.begin() + count);
    return std::chrono::microseconds{waits[static_cast<std::size_t>(rank)]};
}

}  // namespace weir::resilience
