#include "aio/timer_wheel.h"

#include <gtest/gtest.h>

#include <deque>
#include <vector>

#include "base/random.h"

namespace weir::aio {
namespace {

using namespace std::chrono_literals;

struct Recorded : Timer {
    Recorded() : Timer(&fire) {}
    static void fire(Timer& timer) noexcept { ++static_cast<Recorded&>(timer).fired; }
    int fired = 0;
};

TEST(TimerWheel, FiresNeverEarlyAndWithinATick) {
    const SteadyTime start{100s};
    for (const auto delay : {0ms, 1ms, 8ms, 9ms, 1000ms, 8191ms, 8192ms, 8200ms, 60'000ms}) {
        TimerWheel wheel(start);
        Recorded timer;
        wheel.arm(timer, start + delay);
        for (auto at = start; at < start + delay; at += 4ms) {
            wheel.advance(at);
            ASSERT_EQ(timer.fired, 0) << delay.count() << " ms";
        }
        wheel.advance(start + delay + 2 * TimerWheel::kTick);
        EXPECT_EQ(timer.fired, 1) << delay.count() << " ms";
        EXPECT_FALSE(timer.is_armed());
    }
}

TEST(TimerWheel, SaysHowLongNothingHappens) {
    const SteadyTime start{50s};
    TimerWheel wheel(start);
    EXPECT_EQ(wheel.until_next(start), std::nullopt);
    Recorded timer;
    wheel.arm(timer, start + 500ms);
    const auto until = wheel.until_next(start);
    ASSERT_TRUE(until);
    EXPECT_GE(*until, 500ms);
    EXPECT_LE(*until, 500ms + 2 * TimerWheel::kTick);
    timer.disarm();
    EXPECT_EQ(wheel.until_next(start), std::nullopt);
}

TEST(TimerWheel, AgreesWithAModelOverRandomArmsAndSleeps) {
    Random random(7);
    SteadyTime now{1000s};
    TimerWheel wheel(now);
    std::deque<Recorded> timers(200);
    std::vector<SteadyTime> due(timers.size());
    for (int round = 0; round < 2000; ++round) {
        const auto which = random.below(timers.size());
        if (!timers[which].is_armed()) {
            due[which] = now + std::chrono::milliseconds{random.below(20'000)};
            timers[which].fired = 0;
            wheel.arm(timers[which], due[which]);
        }
        now += std::chrono::milliseconds{random.below(random.below(50) == 0 ? 30'000 : 40)};
        wheel.advance(now);
        for (std::size_t i = 0; i < timers.size(); ++i) {
            if (timers[i].fired != 0) {
                ASSERT_LE(due[i], now);
                ASSERT_EQ(timers[i].fired, 1);
            } else if (timers[i].is_armed()) {
                ASSERT_GT(due[i] + 2 * TimerWheel::kTick, now);
            }
        }
    }
}

}  // namespace
}  // namespace weir::aio
