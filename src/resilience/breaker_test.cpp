#include "resilience/breaker.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};
constexpr BreakerRules kRules{};
// Beyond open_for and its jitter.
constexpr auto kOpenMax = 37s;

Breaker make_breaker(std::uint64_t seed = 1) { return {kRules, Random(seed)}; }

// 's': a call that succeeds, 'f': one that fails, '.': nothing; one each `step`.
void play(Breaker& breaker,
          std::string_view story,
          std::chrono::nanoseconds step,
          SteadyTime& now) {
    for (const char what : story) {
        if (what != '.') {
            const Pass pass = breaker.admit(now);
            what == 's' ? breaker.succeeded(pass, now) : breaker.failed(pass, now);
        }
        now += step;
    }
}

std::string times(int count, std::string_view text) {
    std::string all;
    for (int i = 0; i < count; ++i) {
        all += text;
    }
    return all;
}

struct OpeningCase {
    std::string_view name;
    std::string story;
    std::chrono::nanoseconds step;
    BreakerState want;
};
class OpeningTest : public testing::TestWithParam<OpeningCase> {};

TEST_P(OpeningTest, OpensOnlyForWhatIsBroken) {
    Breaker breaker = make_breaker();
    SteadyTime now = kStart;
    play(breaker, GetParam().story, GetParam().step, now);
    EXPECT_EQ(breaker.state(now - GetParam().step), GetParam().want);
    EXPECT_EQ(breaker.times_opened(), GetParam().want == BreakerState::open ? 1u : 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Breaker,
    OpeningTest,
    testing::Values(
        OpeningCase{"four_in_a_row", "ffff", 1ms, BreakerState::closed},
        OpeningCase{"five_in_a_row", "fffff", 1ms, BreakerState::open},
        OpeningCase{"five_in_a_row_over_hours", "f....f....f....f....f", 30min, BreakerState::open},
        OpeningCase{"a_success_begins_the_row_anew", "ffffsffff", 1ms, BreakerState::closed},
        OpeningCase{
            "five_in_a_row_after_many_good", times(500, "s") + "fffff", 1ms, BreakerState::open},
        OpeningCase{"half_of_nineteen", times(9, "sf"), 10ms, BreakerState::closed},
        OpeningCase{"half_of_twenty", times(10, "sf"), 10ms, BreakerState::open},
        OpeningCase{"two_of_five_for_long", times(300, "sfsfs"), 10ms, BreakerState::closed},
        OpeningCase{"half_of_twenty_but_over_a_minute", times(10, "sf"), 3s, BreakerState::closed},
        OpeningCase{"a_short_row_of_one_that_fails_at_times",
                    times(40, "fss") + times(9, "f"),
                    10ms,
                    BreakerState::closed},
        OpeningCase{"a_long_row_of_one_that_fails_at_times",
                    times(40, "fss") + times(15, "f"),
                    10ms,
                    BreakerState::open}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Breaker, AdmitsNothingWhileOpenAndSaysForHowLong) {
    Breaker breaker = make_breaker();
    SteadyTime now = kStart;
    play(breaker, "fffff", 0ns, now);
    const auto wait = breaker.opens_for(now);
    EXPECT_GE(wait, 24s);
    EXPECT_LE(wait, 36s);
    EXPECT_FALSE(breaker.may_admit(now + wait - 1ns));
    EXPECT_EQ(breaker.admit(now + wait - 1ns), Pass::no);
    EXPECT_EQ(breaker.state(now + wait), BreakerState::half_open);
    EXPECT_TRUE(breaker.may_admit(now + wait));
    EXPECT_EQ(breaker.opens_for(now + wait), 0ns);
}

TEST(Breaker, OpensForATimeThatIsSpreadOverTheWholeJitter) {
    std::chrono::nanoseconds least = 1h;
    std::chrono::nanoseconds most = 0s;
    for (std::uint64_t seed = 0; seed < 500; ++seed) {
        Breaker breaker = make_breaker(seed);
        SteadyTime now = kStart;
        play(breaker, "fffff", 0ns, now);
        least = std::min(least, breaker.opens_for(now));
        most = std::max(most, breaker.opens_for(now));
    }
    EXPECT_GE(least, 24s);
    EXPECT_LT(least, 25s);
    EXPECT_LE(most, 36s);
    EXPECT_GT(most, 35s);
}

class HalfOpenTest : public testing::Test {
protected:
    HalfOpenTest() {
        play(breaker_, "fffff", 0ns, now_);
        now_ += kOpenMax;
    }
    Breaker breaker_ = make_breaker();
    SteadyTime now_ = kStart;
};

TEST_F(HalfOpenTest, LetsOneProbeGoAtATime) {
    const Pass probe = breaker_.admit(now_);
    EXPECT_EQ(probe, Pass::probe);
    EXPECT_FALSE(breaker_.may_admit(now_));
    EXPECT_EQ(breaker_.admit(now_), Pass::no);
    EXPECT_EQ(breaker_.opens_for(now_), kProbeRetryAfter);
}

TEST_F(HalfOpenTest, ClosesWithTheFirstSuccess) {
    breaker_.succeeded(breaker_.admit(now_), now_);
    EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
    EXPECT_EQ(breaker_.admit(now_), Pass::yes);
}

TEST_F(HalfOpenTest, ForgetsWhatWasBeforeWhenItCloses) {
    breaker_.succeeded(breaker_.admit(now_), now_);
    play(breaker_, "ffff", 0ns, now_);
    EXPECT_EQ(breaker_.state(now_), BreakerState::closed);
}

TEST_F(HalfOpenTest, StaysOpenWhenTheProbeFails) {
    breaker_.failed(breaker_.admit(now_), now_);
    EXPECT_EQ(breaker_.state(now_), BreakerState::open);
    EXPECT_GE(breaker_.opens_for(now_), 24s);
    EXPECT_EQ(breaker_.times_opened(), 1u);
}

TEST_F(HalfOpenTest, AProbeThatSaysNothingOfTheTargetMakesRoomForAnother) {
    breaker_.abandoned(breaker_.admit(now_));
    EXPECT_EQ(breaker_.admit(now_), Pass::probe);
}

TEST_F(HalfOpenTest, AProbeThatNeverReportsBlocksForALimitedTimeOnly) {
    const Pass lost = breaker_.admit(now_);
    EXPECT_EQ(breaker_.admit(now_ + kProbeReportMax - 1ns), Pass::no);
    const Pass second = breaker_.admit(now_ + kProbeReportMax);
    EXPECT_EQ(second, Pass::probe);
    // Whatever the lost one says now is nobody's business any more.
    breaker_.abandoned(lost);
    EXPECT_EQ(breaker_.admit(now_ + kProbeReportMax), Pass::no);
    breaker_.failed(lost, now_ + kProbeReportMax);
    EXPECT_EQ(breaker_.state(now_ + kProbeReportMax), BreakerState::half_open);
    breaker_.succeeded(second, now_ + kProbeReportMax);
    EXPECT_EQ(breaker_.state(now_ + kProbeReportMax), BreakerState::closed);
}

TEST(Breaker, WhatWasAdmittedBeforeItOpenedSaysNothingOfNow) {
    Breaker breaker = make_breaker();
    SteadyTime now = kStart;
    std::vector<Pass> slow;
    for (int i = 0; i < 100; ++i) {
        slow.push_back(breaker.admit(now));
    }
    play(breaker, "fffff", 0ns, now);
    breaker.succeeded(slow[0], now);
    EXPECT_EQ(breaker.state(now), BreakerState::open);
    now += kOpenMax;
    breaker.succeeded(breaker.admit(now), now);
    for (const Pass pass : slow) {
        breaker.failed(pass, now);
    }
    EXPECT_EQ(breaker.state(now), BreakerState::closed);
}

TEST(Breaker, TakesOtherRulesWithoutForgettingItsState) {
    Breaker breaker = make_breaker();
    SteadyTime now = kStart;
    play(breaker, "fffff", 0ns, now);
    breaker.change({.consecutive = 2, .window = 5s});
    EXPECT_EQ(breaker.state(now), BreakerState::open);
    now += kOpenMax;
    play(breaker, "sff", 0ns, now);
    EXPECT_EQ(breaker.times_opened(), 2u);
}

// An upstream that fails 30 % of its calls for three minutes and all for three, then is well: the
// breaker opens once, and closes with the first probe after the upstream came back.
TEST(Breaker, DoesNotFlap) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        Breaker breaker = make_breaker(seed);
        Random chance(seed * 77);
        int failed_after_recovery = 0;
        SteadyTime recovered_at{};
        for (SteadyTime now = kStart; now < kStart + 10min; now += 20ms) {
            const auto minute = (now - kStart) / 1min;
            const double failing = minute < 3 ? 0.3 : minute < 6 ? 1.0 : 0.0;
            const Pass pass = breaker.admit(now);
            if (pass == Pass::no) {
                failed_after_recovery += minute >= 6 + 1 ? 1 : 0;
                continue;
            }
            if (chance.unit() < failing) {
                breaker.failed(pass, now);
            } else {
                breaker.succeeded(pass, now);
                if (minute >= 6 && recovered_at == SteadyTime{}) {
                    recovered_at = now;
                }
            }
            if (minute < 3) {
                ASSERT_EQ(breaker.times_opened(), 0u) << "seed " << seed;
            }
        }
        EXPECT_EQ(breaker.times_opened(), 1u) << "seed " << seed;
        EXPECT_EQ(failed_after_recovery, 0) << "seed " << seed;
        EXPECT_LE(recovered_at, kStart + 6min + kOpenMax) << "seed " << seed;
    }
}

TEST(OutcomeWindow, ForgetsWhatIsOlderThanItself) {
    OutcomeWindow window(10s);
    for (int second = 0; second < 25; ++second) {
        window.add_success(kStart + second * 1s);
        window.add_failure(kStart + second * 1s);
    }
    EXPECT_EQ(window.read(kStart + 24s).all(), 20u);
    EXPECT_EQ(window.read(kStart + 30s).all(), 8u);
    EXPECT_EQ(window.read(kStart + 10h).all(), 0u);
    // A thread whose clock is far behind does not disturb.
    window.add_failure(kStart);
    EXPECT_EQ(window.read(kStart + 24s).all(), 20u);
}

TEST(OutcomeWindow, CountsNoFurtherThanItsFieldsHold) {
    OutcomeWindow window(10s);
    for (std::uint64_t i = 0; i < OutcomeWindow::kCountMax + 10; ++i) {
        window.add_success(kStart);
    }
    EXPECT_EQ(window.read(kStart).successes, OutcomeWindow::kCountMax);
    EXPECT_EQ(window.read(kStart).failures, 0u);
}

// Threads fail, succeed, abandon and forget to report: never two probes at once, and at the end it
// works.
TEST(Breaker, KeepsOneProbeAtATimeOverAllThreads) {
    Breaker breaker({.open_for = 1us}, Random(1));
    std::atomic<int> probes_out = 0;
    std::atomic<std::int64_t> clock = kStart.time_since_epoch().count();
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            Random chance(t);
            for (int i = 0; i < 20'000; ++i) {
                const SteadyTime now{std::chrono::nanoseconds{clock.fetch_add(100)}};
                const Pass pass = breaker.admit(now);
                if (pass == Pass::no) {
                    continue;
                }
                if (pass == Pass::probe) {
                    EXPECT_EQ(probes_out.fetch_add(1), 0);
                    std::this_thread::yield();
                    probes_out.fetch_sub(1);
                }
                switch (chance.below(3)) {
                    case 0:
                        breaker.succeeded(pass, now);
                        break;
                    case 1:
                        breaker.failed(pass, now);
                        break;
                    default:
                        breaker.abandoned(pass);
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    const SteadyTime later{std::chrono::nanoseconds{clock.load()} + 1h};
    const Pass pass = breaker.admit(later);
    ASSERT_NE(pass, Pass::no);
    breaker.succeeded(pass, later);
    EXPECT_EQ(breaker.state(later), BreakerState::closed);
}

TEST(Breaker, LetsItsOneCallThroughAtOnceWhereItIsHurried) {
    Breaker breaker({.consecutive = 1, .open_for = 1h}, Random(1));
    const SteadyTime now{1h};
    breaker.hurry(now);  // closed: nothing
    EXPECT_EQ(breaker.state(now), BreakerState::closed);
    breaker.failed(breaker.admit(now), now);
    ASSERT_EQ(breaker.state(now), BreakerState::open);
    breaker.hurry(now);
    EXPECT_EQ(breaker.state(now), BreakerState::half_open);
    const Pass probe = breaker.admit(now);
    EXPECT_EQ(probe, Pass::probe);
    EXPECT_EQ(breaker.admit(now), Pass::no);
    breaker.failed(probe, now);
    EXPECT_EQ(breaker.state(now), BreakerState::open) << "it does not answer after all";
}

}  // namespace
}  // namespace weir::resilience
