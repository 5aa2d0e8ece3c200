#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "router/strategy.h"
#include "router/target_section.h"

namespace weir::router {
namespace {

constexpr Strategy kAll[] = {Strategy::weighted,
                             Strategy::pinned,
                             Strategy::least_inflight,
                             Strategy::latency,
                             Strategy::cost,
                             Strategy::priority,
                             Strategy::conditional,
                             Strategy::prefix_affinity};

std::vector<int> ordered(Strategy strategy,
                         const std::vector<Option>& options,
                         const Question& question) {
    std::vector<std::uint16_t> out(options.size());
    out.resize(order(strategy, options, question, out));
    return {out.begin(), out.end()};
}

// Orders that chance has no part in.
struct OrderCase {
    std::string_view name;
    Strategy strategy;
    std::vector<Option> options;
    std::vector<int> want;
    std::uint64_t first_block = 0;
    std::uint32_t output_tokens = 0;
};
class StrategyOrder : public testing::TestWithParam<OrderCase> {};
TEST_P(StrategyOrder, IsWhatItSays) {
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        Random random(seed);
        EXPECT_EQ(ordered(GetParam().strategy,
                          GetParam().options,
                          {.first_block = GetParam().first_block,
                           .output_tokens = GetParam().output_tokens,
                           .random = random}),
                  GetParam().want);
    }
}
Option busy(std::uint32_t in_flight, std::uint32_t weight = 1) {
    return {.weight = weight, .load = {.in_flight = in_flight}};
}
Option timed(double first_token_us, double token_us, std::uint32_t in_flight = 0) {
    return {
        .load = {.in_flight = in_flight, .first_token_us = first_token_us, .token_us = token_us}};
}
Option priced(std::optional<std::int64_t> price) { return {.price = price}; }
Option warm(std::uint32_t bytes, std::uint32_t in_flight = 0) {
    return {.load = {.in_flight = in_flight}, .cached_prefix_bytes = bytes};
}
const Option kAway{.load = {.is_available = false}};
const Option kFull{.load = {.in_flight = 3, .in_flight_max = 3}};
const Option kDrained{.weight = 0};
using enum Strategy;

INSTANTIATE_TEST_SUITE_P(
    Table,
    StrategyOrder,
    testing::Values(
        OrderCase{"nothing", weighted, {}, {}},
        OrderCase{"only_drained", weighted, {kDrained}, {}},
        OrderCase{"ready_then_full_then_away", weighted, {kAway, kDrained, kFull, {}}, {3, 2, 0}},
        OrderCase{"full_where_there_is_no_more_room",
                  weighted,
                  {{.load = {.in_flight = 3, .in_flight_max = 3}},
                   {.load = {.in_flight = 3, .in_flight_max = 4}}},
                  {1, 0}},
        OrderCase{"least_inflight", least_inflight, {busy(5), busy(2), busy(7)}, {1, 0, 2}},
        OrderCase{"least_inflight_by_weight",
                  least_inflight,
                  {busy(5), busy(8, 2), busy(9, 3)},
                  {2, 1, 0}},
        OrderCase{"least_inflight_of_those_that_are_away",
                  least_inflight,
                  {{.load = {.is_available = false, .in_flight = 2}}, kAway, busy(9)},
                  {2, 1, 0}},
        OrderCase{
            "cost", cost, {priced(5), priced(3), priced(std::nullopt), priced(0)}, {3, 1, 0, 2}},
        OrderCase{"cost_of_those_that_are_there",
                  cost,
                  {{.load = {.is_available = false}, .price = 1}, priced(9), priced(std::nullopt)},
                  {1, 2, 0}},
        OrderCase{"tiers", priority, {{.tier = 2}, {.tier = 0}, {.tier = 1}}, {1, 2, 0}},
        OrderCase{"a_tier_that_is_away",
                  priority,
                  {{.tier = 0, .load = {.is_available = false}}, {.tier = 3}, {.tier = 1}},
                  {2, 1, 0}},
        OrderCase{"pinned_as_written_without_a_caller", pinned, {{}, {}, {}}, {0, 1, 2}},
        OrderCase{"pinned_as_written_of_those_that_are_there", pinned, {kAway, {}, {}}, {1, 2, 0}},
        OrderCase{"latency_of_two", latency, {timed(300, 0), timed(100, 0)}, {1, 0}},
        OrderCase{
            "latency_of_a_long_answer", latency, {timed(300, 1), timed(100, 10)}, {0, 1}, 0, 1000},
        OrderCase{"latency_where_many_wait", latency, {timed(300, 0), timed(100, 0, 5)}, {0, 1}},
        OrderCase{"one_that_nobody_knows_first",
                  latency,
                  {timed(300, 0), timed(100, 0), timed(0, 0)},
                  {2, 1, 0}},
        OrderCase{
            "one_that_nobody_knows_only_once", latency, {timed(300, 0), timed(0, 0, 1)}, {0, 1}},
        OrderCase{"nobody_is_known", latency, {timed(0, 0, 3), timed(0, 0, 1)}, {1, 0}},
        OrderCase{
            "longest_prefix", prefix_affinity, {warm(512), warm(2048), warm(1024)}, {1, 2, 0}, 7},
        OrderCase{"longest_prefix_within_its_share",
                  prefix_affinity,
                  {warm(2048, 6), warm(0, 4), warm(0, 4)},
                  {0, 1, 2},
                  1},
        OrderCase{"longest_prefix_beyond_its_share",
                  prefix_affinity,
                  {warm(2048, 9), warm(512, 4), warm(0, 4)},
                  {1, 2, 0},
                  7},
        OrderCase{"a_share_by_weight",
                  prefix_affinity,
                  {{.weight = 3, .load = {.in_flight = 9}, .cached_prefix_bytes = 2048},
                   {.weight = 1, .load = {.in_flight = 4}, .cached_prefix_bytes = 512}},
                  {0, 1},
                  7},
        OrderCase{
            "too_short_to_know", prefix_affinity, {warm(0, 3), warm(0, 1), warm(0, 2)}, {1, 2, 0}}),
    [](const auto& info) { return std::string(info.param.name); });

// How often each is first where chance decides.
struct ShareCase {
    std::string_view name;
    Strategy strategy;
    std::vector<Option> options;
    std::vector<double> want;
};
class StrategyShares : public testing::TestWithParam<ShareCase> {};
TEST_P(StrategyShares, ComeOutInTheLongRun) {
    constexpr int kCalls = 40'000;
    Random random(4711);
    std::vector<double> shares(GetParam().options.size());
    for (int i = 0; i < kCalls; ++i) {
        shares[ordered(GetParam().strategy, GetParam().options, {.random = random}).front()] +=
            1.0 / kCalls;
    }
    for (std::size_t i = 0; i < shares.size(); ++i) {
        EXPECT_NEAR(shares[i], GetParam().want[i], 0.01) << i;
    }
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    StrategyShares,
    testing::Values(
        ShareCase{"weighted",
                  weighted,
                  {{.weight = 70}, {.weight = 20}, {.weight = 10}, kDrained},
                  {0.7, 0.2, 0.1, 0}},
        ShareCase{"weighted_among_those_that_are_there",
                  weighted,
                  {{.weight = 70, .load = {.is_available = false}}, {.weight = 3}, {.weight = 1}},
                  {0, 0.75, 0.25}},
        ShareCase{"conditional_where_no_rule_matched",
                  conditional,
                  {{.weight = 3}, {.weight = 1}},
                  {0.75, 0.25}},
        ShareCase{"inside_a_tier",
                  priority,
                  {{.weight = 3, .tier = 1}, {.weight = 1, .tier = 1}, {.weight = 9, .tier = 2}},
                  {0.75, 0.25, 0}},
        ShareCase{"equally_busy", least_inflight, {busy(2), busy(2), busy(3)}, {0.5, 0.5, 0}},
        ShareCase{"idle_by_weight", least_inflight, {busy(0, 3), busy(0, 1)}, {0.75, 0.25}},
        ShareCase{"equally_cheap", cost, {priced(4), priced(4), priced(5)}, {0.5, 0.5, 0}},
        // Of four the best is among two in half of all pairs, the second in a third.
        ShareCase{"better_of_two",
                  latency,
                  {timed(100, 0), timed(200, 0), timed(300, 0), timed(400, 0)},
                  {0.5, 1.0 / 3, 1.0 / 6, 0}},
        ShareCase{"any_that_nobody_knows",
                  latency,
                  {timed(0, 0), timed(0, 0), timed(1, 0), timed(0, 0, 1)},
                  {0.5, 0.5, 0, 0}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(Weighted, DrawsTheSecondByWeightAmongTheRest) {
    const std::vector<Option> options{{.weight = 2}, {.weight = 1}, {.weight = 1}};
    Random random(1);
    double second_is_heaviest = 0;
    for (int i = 0; i < 40'000; ++i) {
        second_is_heaviest += ordered(weighted, options, {.random = random})[1] == 0 ? 1 : 0;
    }
    // 1/2 that another came first; then 2 of 3 parts.
    EXPECT_NEAR(second_is_heaviest / 40'000, 1.0 / 3, 0.01);
}

std::vector<Option> places(std::size_t count) {
    std::vector<Option> options(count);
    for (std::size_t i = 0; i < count; ++i) {
        options[i].identity = 1000 + i;
    }
    return options;
}

struct CallerCase {
    std::string_view name;
    Strategy strategy;
};
// What `pinned` does for callers, `prefix_affinity` does for beginnings that nobody has cached.
class SameForTheSame : public testing::TestWithParam<CallerCase> {
protected:
    std::vector<int> order_of(const std::vector<Option>& options, std::uint64_t caller) {
        return ordered(GetParam().strategy,
                       options,
                       {.sticky = caller, .first_block = caller, .random = random_});
    }
    Random random_{9};
};
TEST_P(SameForTheSame, MovesOnlyThoseOfOneThatGoesAway) {
    const auto before = places(10);
    auto after = before;
    after[3].load.is_available = false;
    int moved = 0;
    for (std::uint64_t caller = 1; caller <= 10'000; ++caller) {
        const auto first = order_of(before, caller);
        EXPECT_EQ(first, order_of(before, caller));
        const auto then = order_of(after, caller);
        EXPECT_EQ(then.front(), first.front() == 3 ? first[1] : first.front());
        moved += first.front() == 3 ? 1 : 0;
    }
    EXPECT_NEAR(moved, 1000, 100);
}
TEST_P(SameForTheSame, GivesEachItsWeight) {
    auto options = places(3);
    options[0].weight = 2;
    std::map<int, int> count;
    for (std::uint64_t caller = 1; caller <= 40'000; ++caller) {
        ++count[order_of(options, caller).front()];
    }
    EXPECT_NEAR(count[0], 20'000, 400);
    EXPECT_NEAR(count[1], 10'000, 400);
}
INSTANTIATE_TEST_SUITE_P(Table,
                         SameForTheSame,
                         testing::Values(CallerCase{"pinned", pinned},
                                         CallerCase{"prefix_affinity", prefix_affinity}),
                         [](const auto& info) { return std::string(info.param.name); });

// Whatever comes in: all with a weight come out once, those that can take a call before the others.
TEST(Strategies, PutAnythingInAnOrder) {
    Random random(77);
    for (int round = 0; round < 3000; ++round) {
        std::vector<Option> options(random.below(kTargetsMax + 1));
        for (Option& option : options) {
            option = {.weight = static_cast<std::uint32_t>(random.below(4)),
                      .tier = static_cast<std::uint32_t>(random.below(3)),
                      .load = {.is_available = random.below(4) > 0,
                               .in_flight = static_cast<std::uint32_t>(random.below(5)),
                               .in_flight_max = static_cast<std::uint32_t>(random.below(5)),
                               .first_token_us = static_cast<double>(random.below(3)) * 1e5,
                               .token_us = static_cast<double>(random.below(2)) * 1e4},
                      .identity = random.below(8),
                      .cached_prefix_bytes = static_cast<std::uint32_t>(random.below(3) * 512)};
            if (random.below(2) > 0) {
                option.price = random.below(3);
            }
        }
        const auto standing = [&](int index) {
            const Load& load = options[index].load;
            const bool is_full = load.in_flight_max > 0 && load.in_flight >= load.in_flight_max;
            return !load.is_available ? 2 : is_full ? 1 : 0;
        };
        for (const Strategy strategy : kAll) {
            const auto out = ordered(strategy,
                                     options,
                                     {.sticky = random.below(3),
                                      .first_block = random.below(3),
                                      .output_tokens = 10,
                                      .random = random});
            EXPECT_TRUE(std::is_sorted(
                out.begin(), out.end(), [&](int a, int b) { return standing(a) < standing(b); }));
            auto sorted = out;
            std::sort(sorted.begin(), sorted.end());
            std::vector<int> all;
            for (std::size_t i = 0; i < options.size(); ++i) {
                if (options[i].weight > 0) {
                    all.push_back(static_cast<int>(i));
                }
            }
            EXPECT_EQ(sorted, all);
        }
    }
}

// Ten clients at a time of a fleet where one is slow: it is not starved, and not overrun.
TEST(Latency, SettlesOnWhoAnswers) {
    std::vector<Option> options(4);
    Random random(3);
    std::vector<int> calls(4);
    const double real_us[] = {100, 100, 100, 1000};
    std::vector<std::pair<std::size_t, double>> running;
    double now = 0;
    for (int i = 0; i < 4000; ++i) {
        const auto first =
            static_cast<std::size_t>(ordered(latency, options, {.random = random}).front());
        ++calls[first];
        ++options[first].load.in_flight;
        running.emplace_back(first, now + real_us[first]);
        if (running.size() == 10) {
            const auto done =
                std::min_element(running.begin(), running.end(), [](const auto& a, const auto& b) {
                    return a.second < b.second;
                });
            now = done->second;
            --options[done->first].load.in_flight;
            options[done->first].load.first_token_us = real_us[done->first];
            running.erase(done);
        }
    }
    EXPECT_GT(calls[3], 0);
    EXPECT_LT(calls[3], 4000 / 20);
    for (const int fast : {0, 1, 2}) {
        EXPECT_NEAR(calls[fast], 4000 / 3, 200);
    }
}

}  // namespace
}  // namespace weir::router
