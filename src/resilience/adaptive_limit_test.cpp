#include "resilience/adaptive_limit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <functional>
#include <queue>
#include <thread>
#include <vector>

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

// A provider with slots, a queue in front of them, and more clients than it can serve: as many
// calls are with it as the limit allows. Time jumps from event to event.
class Simulation {
public:
    struct Provider {
        std::size_t slots = 50;
        double first_token_s = 0.2;  // after a slot is free
        double whole_s = 1;          // how long the slot is taken
    };
    Simulation(const AdaptiveRules& rules, Provider provider, std::uint64_t seed)
        : provider(provider), limit_(rules, Random(seed)), random_(seed + 1) {}

    // The average limit and how many calls a second ended in the last half.
    struct Seen {
        double limit, goodput;
    };
    Seen run(std::chrono::nanoseconds span) {
        const SteadyTime end = now_ + span;
        const SteadyTime half = now_ + span / 2;
        double limits = 0;
        int looks = 0;
        int ended = 0;
        send();
        while (events_.top().at < end) {
            const Event event = events_.top();
            events_.pop();
            now_ = event.at;
            if (event.is_first_token) {
                limit_.record(now_ - event.sent, now_, in_flight_);
            } else {
                --in_flight_;
                --busy_;
                ended += now_ >= half ? 1 : 0;
            }
            if (now_ >= half) {
                limits += limit_.limit();
                ++looks;
            }
            send();
        }
        now_ = end;
        return {limits / looks, ended / std::chrono::duration<double>(span / 2).count()};
    }
    double peak() const { return static_cast<double>(provider.slots) / provider.whole_s; }
    const AdaptiveLimit& limit() const { return limit_; }

    Provider provider;
    std::uint32_t clients = 1000;

private:
    struct Event {
        SteadyTime at, sent;
        bool is_first_token;
        bool operator<(const Event& other) const { return at > other.at; }
    };
    void send() {
        while (in_flight_ < std::min(limit_.limit(), clients)) {
            ++in_flight_;
            waiting_.push_back(now_);
        }
        while (busy_ < provider.slots && !waiting_.empty()) {
            const double spread = 0.7 + 0.6 * random_.unit();
            events_.push({now_ + seconds(provider.first_token_s * spread), waiting_.front(), true});
            events_.push({now_ + seconds(provider.whole_s * spread), waiting_.front(), false});
            waiting_.pop_front();
            ++busy_;
        }
    }
    static std::chrono::nanoseconds seconds(double value) {
        return std::chrono::nanoseconds{static_cast<std::int64_t>(value * 1e9)};
    }

    AdaptiveLimit limit_;
    Random random_;
    SteadyTime now_ = kStart;
    std::uint32_t in_flight_ = 0;
    std::size_t busy_ = 0;
    std::deque<SteadyTime> waiting_;
    std::priority_queue<Event> events_;
};

constexpr AdaptiveRules kRules{.enabled = true};

struct ConvergeCase {
    std::string_view name;
    Simulation::Provider provider;
    std::uint32_t first;
};
class ConvergeTest : public testing::TestWithParam<ConvergeCase> {};

TEST_P(ConvergeTest, FindsTheSlotsOfAProviderWithoutKeepingItsQueueFull) {
    AdaptiveRules rules = kRules;
    rules.first = GetParam().first;
    for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        Simulation simulation(rules, GetParam().provider, seed);
        const auto seen = simulation.run(5min);
        EXPECT_GE(seen.limit, 48) << "seed " << seed;
        EXPECT_LE(seen.limit, 75) << "seed " << seed;
        EXPECT_GE(seen.goodput, 0.9 * simulation.peak()) << "seed " << seed;
    }
}

INSTANTIATE_TEST_SUITE_P(
    AdaptiveLimit,
    ConvergeTest,
    testing::Values(ConvergeCase{"from_below", {}, 4},
                    ConvergeCase{"from_above", {}, 400},
                    ConvergeCase{"short_answers", {.first_token_s = 0.2, .whole_s = 0.2}, 20},
                    ConvergeCase{"long_answers", {.first_token_s = 0.3, .whole_s = 6}, 20}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(AdaptiveLimit, FollowsAProviderThatLosesSlotsAndGetsThemBack) {
    Simulation simulation(kRules, {.first_token_s = 0.2, .whole_s = 0.5}, 1);
    simulation.run(3min);
    simulation.provider.slots = 20;
    auto seen = simulation.run(3min);
    EXPECT_GE(seen.limit, 18);
    EXPECT_LE(seen.limit, 32);
    EXPECT_GE(seen.goodput, 0.9 * simulation.peak());
    simulation.provider.slots = 50;
    seen = simulation.run(3min);
    EXPECT_GE(seen.limit, 48);
    EXPECT_LE(seen.limit, 75);
    EXPECT_GE(seen.goodput, 0.9 * simulation.peak());
}

// Prompts became longer: the same slots, but nothing answers as soon as it did. The limit falls, as
// if calls queued, until the baseline is measured anew.
TEST(AdaptiveLimit, ForgivesAProviderThatIsSlowerByItself) {
    Simulation simulation(kRules, {.first_token_s = 0.2, .whole_s = 0.5}, 1);
    simulation.run(3min);
    simulation.provider = {.slots = 50, .first_token_s = 0.6, .whole_s = 1};
    simulation.run(2min);
    const auto seen = simulation.run(4min);
    EXPECT_GE(seen.limit, 45);
    EXPECT_LE(seen.limit, 80);
    EXPECT_GE(seen.goodput, 0.85 * simulation.peak());
}

TEST(AdaptiveLimit, DoesNotGrowWhileNobodyNeedsIt) {
    Simulation simulation(kRules, {}, 1);
    simulation.clients = 5;
    simulation.run(10min);
    EXPECT_LE(simulation.limit().limit(), kRules.first);
}

TEST(AdaptiveLimit, StaysWithinItsBounds) {
    AdaptiveRules rules = kRules;
    rules.most = 30;
    Simulation wide(rules, {}, 1);
    EXPECT_LE(wide.run(3min).limit, 30);
    rules.most = 1024;
    rules.least = 80;
    Simulation narrow(rules, {}, 1);
    EXPECT_GE(narrow.run(3min).limit, 80);
}

TEST(AdaptiveLimit, SaysNothingWhileItIsOff) {
    AdaptiveLimit limit({.enabled = false}, Random(1));
    for (int i = 0; i < 1000; ++i) {
        EXPECT_FALSE(limit.record(100ms, kStart + i * 1s, 20));
    }
    limit.change(kRules);
    int decisions = 0;
    for (int i = 0; i < 1000; ++i) {
        decisions += limit.record(100ms, kStart + i * 100ms, 20) ? 1 : 0;
    }
    EXPECT_GT(decisions, 50);
}

TEST(AdaptiveLimit, KeepsWhatItFoundOutOverAReload) {
    AdaptiveLimit limit(kRules, Random(1));
    for (int i = 0; i < 400; ++i) {
        limit.record(100ms, kStart + i * 100ms, 1000);
    }
    const std::uint32_t before = limit.limit();
    ASSERT_GT(before, 40u);
    limit.change(kRules);
    EXPECT_EQ(limit.limit(), before);
    AdaptiveRules narrower = kRules;
    narrower.most = 30;
    limit.change(narrower);
    EXPECT_EQ(limit.limit(), 30u);
}

TEST(AdaptiveLimit, TakesFirstTokensOfAllThreads) {
    AdaptiveLimit limit(kRules, Random(1));
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&limit, t] {
            Random random(t);
            for (int i = 0; i < 20'000; ++i) {
                const auto wait = std::chrono::milliseconds{50 + random.below(100)};
                if (const auto now = limit.record(wait, kStart + i * 10ms, 500)) {
                    EXPECT_GE(*now, kRules.least);
                    EXPECT_LE(*now, kRules.most);
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_GT(limit.baseline_us(), 50'000);
    EXPECT_LT(limit.baseline_us(), 150'000);
}

}  // namespace
}  // namespace weir::resilience
