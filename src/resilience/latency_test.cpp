#include "resilience/latency.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

TEST(Latency, KnowsNothingAtFirst) {
    const Latency latency;
    EXPECT_EQ(latency.first_token_us(kStart), 0);
    EXPECT_EQ(latency.token_us(kStart), 0);
}

TEST(Latency, TakesAPeakAtOnceAndWhole) {
    Latency latency;
    latency.record_first_token(100ms, kStart);
    EXPECT_NEAR(latency.first_token_us(kStart), 100'000, 1);
    latency.record_first_token(900ms, kStart + 1ms);
    EXPECT_NEAR(latency.first_token_us(kStart + 1ms), 900'000, 1);
}

TEST(Latency, ForgivesOverSeconds) {
    Latency latency;
    latency.record_first_token(1s, kStart);
    SteadyTime now = kStart;
    for (; now < kStart + 10s; now += 100ms) {
        latency.record_first_token(100ms, now);
    }
    EXPECT_NEAR(latency.first_token_us(now), 431'000, 10'000);  // 100 ms + 900 ms / e
    for (; now < kStart + 100s; now += 100ms) {
        latency.record_first_token(100ms, now);
    }
    EXPECT_NEAR(latency.first_token_us(now), 100'000, 2'000);
}

TEST(Latency, FadesWhereNobodyCalls) {
    Latency latency;
    latency.record_first_token(1s, kStart);
    EXPECT_NEAR(latency.first_token_us(kStart + kLatencyTau), 367'879, 100);
    EXPECT_LT(latency.first_token_us(kStart + 2min), 10);
    // Also after longer than its clock goes round, and what comes then counts anew.
    const SteadyTime late = kStart + 49 * 24h;
    EXPECT_LT(latency.first_token_us(late), 10);
    latency.record_first_token(50ms, late);
    EXPECT_NEAR(latency.first_token_us(late), 50'000, 1);
}

TEST(Latency, KnowsWhatIsLongOnceItHasSeenEnough) {
    Latency latency;
    for (int i = 1; i <= 19; ++i) {
        latency.record_first_token(i * 1ms, kStart);
        EXPECT_EQ(latency.first_token_p95(), std::nullopt);
    }
    latency.record_first_token(20ms, kStart);
    EXPECT_EQ(latency.first_token_p95(), 19ms);
    // The latest 128 count, whatever was before.
    for (int i = 1; i <= 128; ++i) {
        latency.record_first_token(i * 1ms, kStart);
    }
    EXPECT_EQ(latency.first_token_p95(), 122ms);
    for (int i = 0; i < 128; ++i) {
        latency.record_first_token(3ms, kStart);
    }
    EXPECT_EQ(latency.first_token_p95(), 3ms);
}

TEST(Latency, MeasuresTokensApart) {
    Latency latency;
    latency.record_tokens(100, 2s, kStart);
    EXPECT_NEAR(latency.token_us(kStart), 20'000, 1);
    EXPECT_EQ(latency.first_token_us(kStart), 0);
    latency.record_tokens(0, 2s, kStart + 1s);
    EXPECT_NEAR(latency.token_us(kStart), 20'000, 1);
}

TEST(Latency, DoesNotMindAClockThatIsBehind) {
    Latency latency;
    latency.record_first_token(500ms, kStart);
    latency.record_first_token(100ms, kStart - 5ms);
    EXPECT_NEAR(latency.first_token_us(kStart), 500'000, 1);
    EXPECT_NEAR(latency.first_token_us(kStart - 5ms), 500'000, 1);
}

TEST(Latency, StaysWithinWhatWasMeasuredOverThreads) {
    Latency latency;
    std::vector<std::thread> threads;
    for (int t = 1; t <= 4; ++t) {
        threads.emplace_back([&latency, t] {
            for (int i = 0; i < 50'000; ++i) {
                const SteadyTime now = kStart + i * 100us;
                latency.record_first_token(t * 100ms, now);
                const double seen = latency.first_token_us(now);
                EXPECT_LE(seen, 400'001);
                EXPECT_GE(seen, 50'000);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace weir::resilience
