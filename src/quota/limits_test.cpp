#include "quota/limits.h"

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

namespace weir::quota {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1h};
constexpr Address kAddress{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};
constexpr Address kOther{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 2};

// Everything that can be held, to compare before and after.
struct Held {
    std::int64_t key_cell;
    std::uint32_t key_in_flight;
    std::int64_t address_cell = kRestingCell;
    std::uint32_t address_in_flight = 0;
    std::uint64_t bytes;
    bool operator==(const Held&) const = default;
};
Held held(LimitCounters& counters, const KeyLimitState& key) {
    Held all{.key_cell = key.request_cell.load(),
             .key_in_flight = key.in_flight.load(),
             .bytes = counters.body_bytes.load()};
    counters.addresses.find(address_key(kAddress), [&](const AddressEntry& entry) {
        all.address_cell = entry.requests;
        all.address_in_flight = entry.in_flight;
    });
    return all;
}

struct RefusalCase {
    std::string_view name;
    LimitRules rules;
    KeyLimits key_limits;
    std::uint64_t bytes = 10;
    int admitted;  // slots that are held when the next one is refused
    Code code;
    std::string_view rule;
    std::optional<std::chrono::milliseconds> retry_after;
};
class RefusalTest : public testing::TestWithParam<RefusalCase> {};

TEST_P(RefusalTest, RefusesTheNextOneAndTakesNothingForIt) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, GetParam().rules);
    const Entrant entrant{.address = kAddress,
                          .key = &key,
                          .key_limits = GetParam().key_limits,
                          .body_bytes = GetParam().bytes};
    std::vector<Slot> slots;
    for (int i = 0; i < GetParam().admitted; ++i) {
        auto slot = limits.enter(entrant, kNow);
        ASSERT_TRUE(slot) << i << ": " << slot.error().message();
        slots.push_back(std::move(*slot));
    }
    const Held before = held(counters, key);
    for (int i = 0; i < 3; ++i) {
        const auto refused = limits.enter(entrant, kNow);
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), GetParam().code);
        EXPECT_EQ(refused.error().detail(), GetParam().rule);
        EXPECT_EQ(refused.error().retry_after(), GetParam().retry_after);
    }
    EXPECT_EQ(held(counters, key), before);

    slots.clear();
    const Held after = held(counters, key);
    EXPECT_EQ(after.key_in_flight, 0u);
    EXPECT_EQ(after.address_in_flight, 0u);
    EXPECT_EQ(after.bytes, 0u);
    // Waiting as told lets the next one in.
    if (GetParam().retry_after) {
        EXPECT_TRUE(limits.enter(entrant, kNow + *GetParam().retry_after));
    } else {
        EXPECT_FALSE(limits.enter(entrant, kNow + 24h));
    }
}

LimitRules with(std::optional<Gcra> requests,
                std::optional<std::uint32_t> concurrency = {},
                std::optional<std::uint64_t> bytes = {}) {
    return {.address_requests = requests,
            .address_concurrency_max = concurrency,
            .body_bytes_max = bytes};
}

INSTANTIATE_TEST_SUITE_P(
    Limits,
    RefusalTest,
    testing::Values(RefusalCase{.name = "requests_of_a_key",
                                .key_limits = {.requests_per_minute = 3},
                                .admitted = 3,
                                .code = Code::rate_limited,
                                .rule = "key_requests",
                                .retry_after = 20s},
                    RefusalCase{.name = "waits_are_rounded_up_to_a_millisecond",
                                .key_limits = {.requests_per_minute = 7},
                                .admitted = 7,
                                .code = Code::rate_limited,
                                .rule = "key_requests",
                                .retry_after = 8572ms},
                    RefusalCase{.name = "concurrency_of_a_key",
                                .key_limits = {.concurrency_max = 2},
                                .admitted = 2,
                                .code = Code::concurrency_limited,
                                .rule = "key_concurrency",
                                .retry_after = kBusyRetryAfter},
                    RefusalCase{.name = "requests_of_an_address",
                                .rules = with(Gcra::make(60, 1min, 4)),
                                .admitted = 4,
                                .code = Code::rate_limited,
                                .rule = "address_requests",
                                .retry_after = 1s},
                    RefusalCase{.name = "concurrency_of_an_address",
                                .rules = with({}, 5),
                                .admitted = 5,
                                .code = Code::concurrency_limited,
                                .rule = "address_concurrency",
                                .retry_after = kBusyRetryAfter},
                    RefusalCase{.name = "bytes_in_flight",
                                .rules = with({}, {}, 35),
                                .admitted = 3,
                                .code = Code::overloaded,
                                .rule = "body_bytes",
                                .retry_after = kBusyRetryAfter},
                    RefusalCase{.name = "the_longest_wait_of_all_that_refuse",
                                .rules = with(Gcra::make(60, 1min, 2), 2, 20),
                                .key_limits = {.requests_per_minute = 2, .concurrency_max = 2},
                                .admitted = 2,
                                .code = Code::rate_limited,
                                .rule = "address_requests",
                                .retry_after = 30s},
                    RefusalCase{.name = "a_full_key_leaves_the_address_alone",
                                .rules = with(Gcra::make(600, 1min, 600), 100, 1000),
                                .key_limits = {.requests_per_minute = 1},
                                .admitted = 1,
                                .code = Code::rate_limited,
                                .rule = "key_requests",
                                .retry_after = 60s},
                    RefusalCase{.name = "a_full_gateway_leaves_key_and_address_alone",
                                .rules = with(Gcra::make(600, 1min, 600), 100, 15),
                                .key_limits = {.requests_per_minute = 100, .concurrency_max = 50},
                                .admitted = 1,
                                .code = Code::overloaded,
                                .rule = "body_bytes",
                                .retry_after = kBusyRetryAfter},
                    RefusalCase{.name = "zero_requests_admit_nobody",
                                .key_limits = {.requests_per_minute = 0},
                                .admitted = 0,
                                .code = Code::rate_limited,
                                .rule = "key_requests"},
                    RefusalCase{.name = "zero_slots_admit_nobody",
                                .key_limits = {.concurrency_max = 0},
                                .admitted = 0,
                                .code = Code::concurrency_limited,
                                .rule = "key_concurrency"},
                    RefusalCase{.name = "zero_slots_for_addresses_admit_nobody",
                                .rules = with({}, 0),
                                .admitted = 0,
                                .code = Code::concurrency_limited,
                                .rule = "address_concurrency"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Limits, AbsentIsUnlimited) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, {});
    std::vector<Slot> slots;
    for (int i = 0; i < 1000; ++i) {
        auto slot = limits.enter({.address = kAddress, .key = &key, .body_bytes = 1u << 30}, kNow);
        ASSERT_TRUE(slot);
        EXPECT_FALSE(slot->request_rate());
        slots.push_back(std::move(*slot));
    }
    EXPECT_EQ(key.in_flight.load(), 1000u);
    EXPECT_EQ(counters.addresses.size(), 0u) << "no rule, no table";
}

TEST(Limits, OneAddressDoesNotLimitAnother) {
    LimitCounters counters(64);
    const Limits limits(counters, with(Gcra::make(1, 1min, 1)));
    EXPECT_TRUE(limits.enter({.address = kAddress}, kNow));
    EXPECT_FALSE(limits.enter({.address = kAddress}, kNow));
    EXPECT_TRUE(limits.enter({.address = kOther}, kNow));
}

TEST(Limits, CheckAddressForeseesEnterAndTakesNothing) {
    LimitCounters counters(64);
    const Limits limits(counters, with(Gcra::make(60, 1min, 2), 3));
    for (int i = 0; i < 100; ++i) {
        EXPECT_TRUE(limits.check_address(kAddress, kNow));
    }
    EXPECT_EQ(counters.addresses.size(), 0u);
    const auto first = limits.enter({.address = kAddress}, kNow);
    EXPECT_TRUE(limits.check_address(kAddress, kNow));
    const auto second = limits.enter({.address = kAddress}, kNow);
    const auto refused = limits.check_address(kAddress, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::rate_limited);
    const auto third = limits.enter({.address = kAddress}, kNow + 1s);
    ASSERT_TRUE(third);
    const auto busy = limits.check_address(kAddress, kNow + 2s);
    ASSERT_FALSE(busy);
    EXPECT_EQ(busy.error().code(), Code::concurrency_limited);
}

TEST(Limits, TellTheRateOfTheKeyBeforeThatOfTheAddress) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, with(Gcra::make(60, 1min, 50)));
    const auto anonymous = limits.enter({.address = kAddress}, kNow);
    ASSERT_TRUE(anonymous);
    ASSERT_TRUE(anonymous->request_rate());
    EXPECT_EQ(anonymous->request_rate()->limit, 50u);
    EXPECT_EQ(anonymous->request_rate()->remaining, 49u);
    EXPECT_EQ(anonymous->request_rate()->reset, 1s);
    const auto known = limits.enter(
        {.address = kAddress, .key = &key, .key_limits = {.requests_per_minute = 10}}, kNow);
    ASSERT_TRUE(known);
    ASSERT_TRUE(known->request_rate());
    EXPECT_EQ(known->request_rate()->limit, 10u);
    EXPECT_EQ(known->request_rate()->remaining, 9u);
    EXPECT_EQ(known->request_rate()->reset, 6s);
}

TEST(Slot, ReleasesOnceHoweverItIsMoved) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, with({}, 9));
    const auto in_flight = [&] { return held(counters, key).address_in_flight; };
    const Entrant entrant{.address = kAddress, .key = &key, .body_bytes = 7};
    {
        auto a = limits.enter(entrant, kNow);
        auto b = limits.enter(entrant, kNow);
        ASSERT_TRUE(a && b);
        Slot c = std::move(*a);
        EXPECT_FALSE(a->held());  // NOLINT(bugprone-use-after-move): it is the claim
        c = std::move(*b);
        EXPECT_EQ(key.in_flight.load(), 1u);
        EXPECT_EQ(in_flight(), 1u);
        EXPECT_EQ(counters.body_bytes.load(), 7u);
        Slot& self = c;
        c = std::move(self);
        EXPECT_TRUE(c.held());
        std::jthread([taken = std::move(c)]() mutable { const Slot last = std::move(taken); });
    }
    EXPECT_EQ(key.in_flight.load(), 0u);
    EXPECT_EQ(in_flight(), 0u);
    EXPECT_EQ(counters.body_bytes.load(), 0u);
}

TEST(Slot, HoldsMoreBytesOnlyWhileTheyFit) {
    LimitCounters counters(64);
    const Limits limits(counters, with({}, {}, 100));
    auto one = limits.enter({.address = kAddress, .body_bytes = 10}, kNow);
    auto two = limits.enter({.address = kAddress}, kNow);
    ASSERT_TRUE(one && two);
    EXPECT_TRUE(two->hold_bytes(90));
    const auto refused = one->hold_bytes(11);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::overloaded);
    EXPECT_EQ(one->bytes(), 10u);
    EXPECT_TRUE(two->hold_bytes(20));
    EXPECT_TRUE(one->hold_bytes(80));
    EXPECT_FALSE(one->hold_bytes(~std::uint64_t{0}));
    EXPECT_EQ(counters.body_bytes.load(), 100u);
}

TEST(Slot, ARefundGivesTheRateBackToo) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, with(Gcra::make(1, 1min, 1), 1));
    const Entrant entrant{
        .address = kAddress, .key = &key, .key_limits = {.requests_per_minute = 1}};
    for (int i = 0; i < 5; ++i) {
        auto slot = limits.enter(entrant, kNow);
        ASSERT_TRUE(slot) << i;
        std::move(*slot).refund(kNow);
        EXPECT_FALSE(slot->held());
    }
    EXPECT_TRUE(limits.enter(entrant, kNow));
    EXPECT_FALSE(limits.enter(entrant, kNow));
}

TEST(Guesses, OnlyFailuresCount) {
    LimitCounters counters(64);
    const Limits limits(counters, {});
    for (int i = 0; i < 1000; ++i) {
        EXPECT_TRUE(limits.check_guesses(kAddress, kNow));
        EXPECT_TRUE(limits.enter({.address = kAddress}, kNow));
    }
    for (std::uint32_t i = 0; i < kGuessesPerMinute; ++i) {
        EXPECT_TRUE(limits.check_guesses(kAddress, kNow)) << i;
        limits.count_guess(kAddress, kNow);
    }
    const auto refused = limits.check_guesses(kAddress, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::rate_limited);
    EXPECT_EQ(refused.error().detail(), "guesses");
    EXPECT_EQ(refused.error().retry_after(), 3s);
    EXPECT_TRUE(limits.check_guesses(kOther, kNow));
    EXPECT_TRUE(limits.enter({.address = kAddress}, kNow)) << "a known key still enters";
    EXPECT_TRUE(limits.check_guesses(kAddress, kNow + 3s));
}

TEST(Hold, IsGivenBackOnceSettledOrDropped) {
    LimitCounters counters(64);
    const Limits limits(counters, {});
    const HoldEstimate estimate{.input_tokens = 40, .output_tokens = 60};
    {
        auto dropped = limits.hold(estimate);
        auto settled = limits.hold(estimate);
        ASSERT_TRUE(dropped && settled);
        EXPECT_EQ(counters.tokens.load(), 200);
        EXPECT_EQ(std::move(*settled).settle(130), 30);
        EXPECT_EQ(counters.tokens.load(), 100);
        Hold moved = std::move(*dropped);
        EXPECT_EQ(moved.estimate().tokens(), 100);
    }
    EXPECT_EQ(counters.tokens.load(), 0);
    auto under = limits.hold(estimate);
    ASSERT_TRUE(under);
    EXPECT_EQ(std::move(*under).settle(99), 0);
}

TEST(Hold, IsRefusedAboveTheMostButNeverWhenNothingElseIsHeld) {
    LimitCounters counters(64);
    const Limits limits(counters, {.tokens_max = 100});
    {
        const auto alone = limits.hold({.input_tokens = 1000});
        EXPECT_TRUE(alone);
        const auto refused = limits.hold({.input_tokens = 1});
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().code(), Code::overloaded);
        EXPECT_TRUE(refused.error().retry_after());
    }
    const auto first = limits.hold({.input_tokens = 60});
    const auto second = limits.hold({.input_tokens = 40});
    EXPECT_TRUE(first && second);
    EXPECT_FALSE(limits.hold({.input_tokens = 1}));
}

// The invariants, with every rule near its end and threads that race for the last places.
TEST(Limits, NeverAdmitTooManyAndReturnEverything) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, with(Gcra::make(1, 1h, 500), 6, 70));
    const KeyLimits key_limits{.requests_per_minute = 1'000'000, .concurrency_max = 5};
    std::atomic<int> admitted{0};
    std::atomic<int> inside{0};
    std::atomic<int> most_inside{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&, t] {
                for (int i = 0; i < 5000; ++i) {
                    auto slot = limits.enter({.address = kAddress,
                                              .key = &key,
                                              .key_limits = key_limits,
                                              .body_bytes = 10},
                                             kNow);
                    if (!slot) {
                        std::this_thread::yield();
                        continue;
                    }
                    const int now_inside = ++inside;
                    int seen = most_inside.load();
                    while (seen < now_inside &&
                           !most_inside.compare_exchange_weak(seen, now_inside)) {
                    }
                    --inside;
                    if ((i + t) % 3 == 0) {
                        std::move(*slot).refund(kNow);
                    } else {
                        ++admitted;
                    }
                }
            });
        }
    }
    EXPECT_EQ(admitted.load(), 500) << "the burst exactly: refunds and refusals cost nothing";
    EXPECT_LE(most_inside.load(), 5);
    const Held after = held(counters, key);
    EXPECT_EQ(after.key_in_flight, 0u);
    EXPECT_EQ(after.address_in_flight, 0u);
    EXPECT_EQ(after.bytes, 0u);
}

TEST(HeldElsewhere, CountsAgainstTheKeyUntilItEndsThere) {
    LimitCounters counters(64);
    KeyLimitState key;
    const Limits limits(counters, {});
    const Entrant entrant{
        .address = kAddress, .key = &key, .key_limits = {.concurrency_max = 3}, .key_id = 7};
    counters.elsewhere.set({{7, 2}, {8, 100}});
    auto one = limits.enter(entrant, kNow);
    ASSERT_TRUE(one);
    const auto refused = limits.enter(entrant, kNow);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::concurrency_limited);
    EXPECT_EQ(key.in_flight.load(), 1u);
    counters.elsewhere.set({{7, 1}});
    auto two = limits.enter(entrant, kNow);
    EXPECT_TRUE(two);
    EXPECT_FALSE(limits.enter(entrant, kNow));
    counters.elsewhere.set({});
    EXPECT_TRUE(limits.enter(entrant, kNow));
}

}  // namespace
}  // namespace weir::quota
