#include "quota/gcra.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <thread>
#include <vector>

#include "base/limit_state.h"
#include "base/random.h"

namespace weir::quota {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

struct Step {
    std::chrono::nanoseconds at;
    bool admitted;
    std::uint32_t remaining = 0;
    std::chrono::nanoseconds wait{0};
};
struct GcraCase {
    std::string_view name;
    std::uint32_t count;
    std::chrono::nanoseconds period;
    std::uint32_t burst;
    std::vector<Step> steps;
};
class GcraTest : public testing::TestWithParam<GcraCase> {};

TEST_P(GcraTest, Decides) {
    const auto rule = Gcra::make(GetParam().count, GetParam().period, GetParam().burst);
    ASSERT_TRUE(rule);
    std::int64_t plain = kRestingCell;
    std::atomic<std::int64_t> shared{kRestingCell};
    for (const Step& step : GetParam().steps) {
        for (const RateDecision& got : {rule->peek(plain, kStart + step.at),
                                        rule->take(plain, kStart + step.at),
                                        rule->take(shared, kStart + step.at)}) {
            EXPECT_EQ(got.admitted, step.admitted) << step.at;
            EXPECT_EQ(got.remaining, step.remaining) << step.at;
            EXPECT_EQ(got.wait, step.wait) << step.at;
        }
        EXPECT_EQ(plain, shared.load());
    }
}

INSTANTIATE_TEST_SUITE_P(
    Gcra,
    GcraTest,
    testing::Values(
        GcraCase{"a_burst_then_the_steady_rate",
                 60,
                 60s,
                 3,
                 {{0s, true, 2},
                  {0s, true, 1},
                  {0s, true, 0},
                  {0s, false, 0, 1s},
                  {999ms, false, 0, 1ms},
                  {1s, true, 0},
                  {1s, false, 0, 1s}}},
        GcraCase{"no_burst", 2, 1s, 1, {{0s, true, 0}, {499ms, false, 0, 1ms}, {500ms, true, 0}}},
        GcraCase{"what_was_not_used_is_not_saved_beyond_the_burst",
                 60,
                 60s,
                 2,
                 {{0s, true, 1}, {1h, true, 1}, {1h, true, 0}, {1h, false, 0, 1s}}},
        GcraCase{"the_exact_wait_is_the_first_instant_that_admits",
                 7,
                 60s,
                 1,
                 // 60 s / 7 does not divide: rounded up, never a nanosecond early.
                 {{0s, true, 0}, {8571428571ns, false, 0, 1ns}, {8571428572ns, true, 0}}},
        GcraCase{"a_clock_that_steps_back_lengthens_the_wait",
                 60,
                 60s,
                 2,
                 {{0s, true, 1}, {0s, true, 0}, {-10min, false, 0, 601s}, {1s, true, 0}}}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Gcra, RefusesNumbersThatMeanNothing) {
    EXPECT_FALSE(Gcra::make(0, 1s, 1));
    EXPECT_FALSE(Gcra::make(1, 0s, 1));
    EXPECT_FALSE(Gcra::make(1, -1s, 1));
    EXPECT_FALSE(Gcra::make(1, 1s, 0));
    EXPECT_FALSE(Gcra::make(Gcra::kCountMax + 1, 1s, 1));
    EXPECT_FALSE(Gcra::make(1, Gcra::kPeriodMax + 1ns, 1));
    EXPECT_FALSE(Gcra::make(1, 24h, 367));
    EXPECT_TRUE(Gcra::make(Gcra::kCountMax, 1ns, Gcra::kCountMax));
    EXPECT_TRUE(Gcra::make(1, Gcra::kPeriodMax, 11));
}

// The bound in the header, for any order of times: in every window the clock shows, at most
// burst + window / interval calls, and none more for steps back.
TEST(Gcra, NeverAdmitsMoreThanTheBoundInAnyWindow) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        const auto burst = static_cast<std::uint32_t>(1 + random.below(20));
        const auto rule = Gcra::make(static_cast<std::uint32_t>(1 + random.below(1000)), 1s, burst);
        std::int64_t cell = kRestingCell;
        SteadyTime now = kStart;
        std::vector<SteadyTime> admitted;
        for (int i = 0; i < 2000; ++i) {
            now += std::chrono::nanoseconds{random.below(3'000'000)};
            if (random.below(10) == 0) {
                now -= std::chrono::nanoseconds{random.below(50'000'000)};
            }
            if (rule->take(cell, now).admitted) {
                admitted.push_back(now);
            }
        }
        std::ranges::sort(admitted);
        for (std::size_t first = 0; first < admitted.size(); ++first) {
            const std::size_t last = std::min(admitted.size() - 1, first + random.below(500));
            const auto window = admitted[last] - admitted[first];
            ASSERT_LE(static_cast<std::int64_t>(last - first + 1),
                      burst + window / rule->interval())
                << "seed " << seed;
        }
    }
}

TEST(Gcra, WaitingAsToldIsAlwaysEnoughAndNeverTooMuch) {
    Random random(7);
    const auto rule = Gcra::make(333, 1s, 5);
    std::int64_t cell = kRestingCell;
    SteadyTime now = kStart;
    for (int i = 0; i < 10'000; ++i) {
        now += std::chrono::nanoseconds{random.below(4'000'000)};
        const auto decision = rule->take(cell, now);
        if (!decision.admitted) {
            EXPECT_TRUE(rule->peek(cell, now + decision.wait).admitted);
            EXPECT_FALSE(rule->peek(cell, now + decision.wait - 1ns).admitted);
        }
    }
}

TEST(Gcra, RemainingIsWhatIsStillAdmitted) {
    const auto rule = Gcra::make(10, 1s, 10);
    std::int64_t cell = kRestingCell;
    SteadyTime now = kStart;
    Random random(3);
    for (int i = 0; i < 200; ++i) {
        now += std::chrono::nanoseconds{random.below(300'000'000)};
        const auto decision = rule->take(cell, now);
        std::int64_t copy = cell;
        std::uint32_t more = 0;
        while (rule->take(copy, now).admitted) {
            ++more;
        }
        EXPECT_EQ(decision.remaining, more);
        EXPECT_TRUE(rule->peek(cell, now + decision.reset).remaining == rule->burst() - 1);
    }
}

// Against the same history without the calls that were given back: never ahead of it.
TEST(Gcra, GivingBackNeverYieldsMoreThanNotHavingTaken) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        Random random(seed);
        const auto rule = Gcra::make(100, 1s, 5);
        std::int64_t with = kRestingCell;
        std::int64_t without = kRestingCell;
        SteadyTime now = kStart;
        std::optional<std::int64_t> pending;
        for (int i = 0; i < 500; ++i) {
            now += std::chrono::nanoseconds{random.below(15'000'000)};
            if (pending && random.below(3) == 0) {
                rule->give_back(with, *pending, now);
                pending.reset();
            } else if (!pending && random.below(4) == 0) {
                if (const auto taken = rule->take(with, now); taken.admitted) {
                    pending = taken.cell;
                }
            } else if (rule->take(with, now).admitted) {
                rule->take(without, now);
            }
            const std::int64_t time = now.time_since_epoch().count();
            ASSERT_GE(std::max(with, time), std::max(without, time)) << "seed " << seed;
        }
    }
}

TEST(Gcra, GivingBackAtOnceCostsNothing) {
    const auto rule = Gcra::make(60, 60s, 3);
    std::atomic<std::int64_t> cell{kRestingCell};
    for (int i = 0; i < 10; ++i) {
        const auto taken = rule->take(cell, kStart);
        ASSERT_TRUE(taken.admitted);
        EXPECT_EQ(taken.remaining, 2u);
        rule->give_back(cell, taken.cell, kStart);
    }
}

TEST(Gcra, ManyThreadsTogetherGetExactlyTheBurst) {
    const auto rule = Gcra::make(1, 24h, 300);
    std::atomic<std::int64_t> cell{kRestingCell};
    std::atomic<int> admitted{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 500; ++i) {
                    admitted += rule->take(cell, kStart).admitted ? 1 : 0;
                }
            });
        }
    }
    EXPECT_EQ(admitted.load(), 300);
}

}  // namespace
}  // namespace weir::quota
