#include "resilience/admission.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <vector>

#include "aio/reactor.h"
#include "aio/scope.h"
#include "base/random.h"

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

// Waits of tests that are to end by something else.
constexpr auto kLong = 1h;
constexpr auto kShort = 20ms;

// What happened, in order: "+name" got its place, "-name code" did not.
using Story = std::vector<std::string>;

struct Visit {
    std::string name;
    Priority priority = Priority::normal;
    TenantId tenant = 1;
    aio::Deadline deadline = aio::Deadline::never();
};

aio::Task<void> visit(Admission& admission, Visit visit, Story& story) {
    auto ticket = co_await admission.enter(visit.priority, visit.tenant, visit.deadline);
    if (ticket) {
        story.push_back("+" + visit.name);
        co_await aio::yield();
    } else {
        story.push_back("-" + visit.name + " " + std::string(name(ticket.error().code())));
    }
}

aio::Task<void> settle() {
    for (int i = 0; i < 10; ++i) {
        co_await aio::yield();
    }
}

// Runs `body` with an admission whose only place is taken; `first` gives it back.
void with_full(AdmissionRules rules,
               aio::Task<void> (*body)(aio::Scope&, Admission&, Ticket&, Story&),
               const Story& want) {
    Story story;
    Admission admission(rules);
    aio::Reactor reactor;
    struct Run {
        static aio::Task<void> all(
            Admission& admission,
            aio::Task<void> (*body)(aio::Scope&, Admission&, Ticket&, Story&),
            Story& story) {
            aio::Scope scope;
            auto first = admission.try_enter();
            EXPECT_TRUE(first);
            co_await body(scope, admission, *first, story);
            first.reset();
            co_await scope.join();
        }
    };
    reactor.run(Run::all(admission, body, story));
    EXPECT_EQ(story, want);
    EXPECT_EQ(admission.in_flight(), 0u);
    EXPECT_EQ(admission.queued(), 0u);
}

TEST(Admission, LetsInAsManyAsItMay) {
    Admission admission({.in_flight = 2});
    auto first = admission.try_enter();
    auto second = admission.try_enter();
    EXPECT_TRUE(first && second);
    EXPECT_EQ(admission.in_flight(), 2u);
    EXPECT_FALSE(admission.try_enter());
    first.reset();
    EXPECT_EQ(admission.in_flight(), 1u);
    EXPECT_TRUE(admission.try_enter());
}

TEST(Admission, ATicketIsGivenBackOnce) {
    Admission admission({.in_flight = 5});
    Ticket one = std::move(*admission.try_enter());
    Ticket other = std::move(one);
    EXPECT_FALSE(one.held());  // NOLINT(bugprone-use-after-move)
    EXPECT_TRUE(other.held());
    other = std::move(*admission.try_enter());
    EXPECT_EQ(admission.in_flight(), 1u);
    other.release();
    other.release();
    EXPECT_EQ(admission.in_flight(), 0u);
}

TEST(Admission, ServesThoseWhoWaitByClassAndTenant) {
    with_full(
        {.in_flight = 1, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            scope.spawn(visit(admission, {"low", Priority::low}, story));
            scope.spawn(visit(admission, {"a1", Priority::normal, 1}, story));
            scope.spawn(visit(admission, {"a2", Priority::normal, 1}, story));
            scope.spawn(visit(admission, {"b1", Priority::normal, 2}, story));
            scope.spawn(visit(admission, {"high", Priority::high}, story));
            co_await settle();
            EXPECT_EQ(admission.queued(), 5u);
            EXPECT_FALSE(admission.try_enter());
        },
        {"+high", "+a1", "+b1", "+a2", "+low"});
}

TEST(Admission, RefusesAtOnceWhenTheQueueIsFull) {
    with_full(
        {.in_flight = 1, .queue = 1, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            scope.spawn(visit(admission, {"a"}, story));
            co_await settle();
            auto refused = co_await admission.enter(Priority::normal, 1, aio::Deadline::never());
            EXPECT_FALSE(refused);
            EXPECT_EQ(refused.error().code(), Code::queue_full);
            EXPECT_EQ(refused.error().retry_after(), kFullRetryAfter);
        },
        {"+a"});
}

TEST(Admission, WithoutAQueueNobodyWaits) {
    with_full(
        {.in_flight = 1, .queue = 0},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            scope.spawn(visit(admission, {"a", Priority::high}, story));
            co_await settle();
        },
        {"-a queue_full"});
}

TEST(Admission, AFullQueueMakesRoomForAHigherClass) {
    with_full(
        {.in_flight = 1, .queue = 2, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            scope.spawn(visit(admission, {"low1", Priority::low}, story));
            scope.spawn(visit(admission, {"low2", Priority::low}, story));
            scope.spawn(visit(admission, {"high", Priority::high}, story));
            co_await settle();
            EXPECT_EQ(admission.queued(), 2u);
        },
        {"-low2 queue_full", "+high", "+low1"});
}

TEST(Admission, WaitsForALimitedTimeOnly) {
    with_full(
        {.in_flight = 1, .wait = kShort},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            auto late = co_await admission.enter(Priority::normal, 1, aio::Deadline::never());
            EXPECT_FALSE(late);
            EXPECT_EQ(late.error().code(), Code::overloaded);
            EXPECT_EQ(late.error().retry_after(), kFullRetryAfter);
            EXPECT_EQ(admission.queued(), 0u);
        },
        {});
}

TEST(Admission, WaitsNoLongerThanTheCallMay) {
    with_full(
        {.in_flight = 1, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            auto late = co_await admission.enter(Priority::normal, 1, aio::Deadline::in(kShort));
            EXPECT_FALSE(late);
            EXPECT_EQ(late.error().code(), Code::overloaded);
            // Already over: does not even queue.
            auto dead = co_await admission.enter(
                Priority::normal, 1, aio::Deadline::at(aio::Reactor::current().now()));
            EXPECT_FALSE(dead);
        },
        {});
}

TEST(Admission, AClientThatLeavesLeavesTheQueue) {
    with_full(
        {.in_flight = 1, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            aio::Scope leaving;
            leaving.spawn(visit(admission, {"gone"}, story));
            co_await settle();
            scope.spawn(visit(admission, {"stays"}, story));
            co_await settle();
            EXPECT_EQ(admission.queued(), 2u);
            leaving.cancel();
            co_await leaving.join();
            EXPECT_EQ(admission.queued(), 1u);
        },
        {"-gone cancelled", "+stays"});
}

// The place is handed over and the letter is on its way when the client leaves.
TEST(Admission, APlaceGivenToWhoLeavesGoesToTheNext) {
    with_full({.in_flight = 1, .wait = kLong},
              [](aio::Scope& scope, Admission& admission, Ticket& first, Story& story)
                  -> aio::Task<void> {
                  aio::Scope leaving;
                  leaving.spawn(visit(admission, {"gone"}, story));
                  co_await settle();
                  scope.spawn(visit(admission, {"next"}, story));
                  co_await settle();
                  first.release();
                  leaving.cancel();
                  co_await leaving.join();
              },
              {"-gone cancelled", "+next"});
}

// The same where its time is over: the reactor was busy for longer than the call may wait.
TEST(Admission, APlaceGivenTooLateGoesToTheNext) {
    with_full({.in_flight = 1, .wait = kLong},
              [](aio::Scope& scope, Admission& admission, Ticket& first, Story& story)
                  -> aio::Task<void> {
                  scope.spawn(visit(
                      admission, {.name = "late", .deadline = aio::Deadline::in(kShort)}, story));
                  co_await settle();
                  scope.spawn(visit(admission, {"next"}, story));
                  co_await settle();
                  first.release();
                  std::this_thread::sleep_for(3 * kShort);
              },
              {"-late overloaded", "+next"});
}

TEST(Admission, ARaisedLimitWakesThoseWhoWait) {
    with_full(
        {.in_flight = 1, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            scope.spawn(visit(admission, {"a"}, story));
            scope.spawn(visit(admission, {"b"}, story));
            co_await settle();
            EXPECT_TRUE(story.empty());
            admission.set_limit(3);
            co_await settle();
            EXPECT_EQ(story.size(), 2u);
            // Lowered below what is in flight: nobody is turned out, nobody comes in.
            admission.set_limit(1);
            EXPECT_EQ(admission.in_flight(), 1u);
            EXPECT_FALSE(admission.try_enter());
        },
        {"+a", "+b"});
}

TEST(Admission, AReloadKeepsThoseWhoWait) {
    with_full(
        {.in_flight = 1, .wait = kLong},
        [](aio::Scope& scope, Admission& admission, Ticket&, Story& story) -> aio::Task<void> {
            scope.spawn(visit(admission, {"a"}, story));
            co_await settle();
            admission.change({.in_flight = 1, .queue = 0, .wait = kShort});
            EXPECT_EQ(admission.queued(), 1u);
            scope.spawn(visit(admission, {"b"}, story));
            co_await settle();
        },
        {"-b queue_full", "+a"});
}

// ---- over threads ----

struct Crowd {
    explicit Crowd(const AdmissionRules& rules) : admission(rules) {}
    Admission admission;
    std::atomic<std::uint32_t> inside = 0, most = 0, served = 0, ended = 0;
};

aio::Task<void> one_of(Crowd& crowd, Priority priority, TenantId tenant, aio::Deadline deadline) {
    auto ticket = co_await crowd.admission.enter(priority, tenant, deadline);
    if (ticket) {
        const std::uint32_t inside = crowd.inside.fetch_add(1) + 1;
        std::uint32_t most = crowd.most.load();
        while (most < inside && !crowd.most.compare_exchange_weak(most, inside)) {
        }
        crowd.served.fetch_add(1);
        co_await aio::yield();
        crowd.inside.fetch_sub(1);
    }
    crowd.ended.fetch_add(1);
}

aio::Task<void> patient_crowd(Crowd& crowd, std::uint64_t seed, int calls) {
    aio::Scope scope;
    Random random(seed);
    for (int i = 0; i < calls; ++i) {
        scope.spawn(one_of(crowd,
                           static_cast<Priority>(random.below(kPriorities)),
                           static_cast<TenantId>(random.below(5)),
                           aio::Deadline::never()));
        if (random.below(8) == 0) {
            co_await aio::yield();
        }
    }
    co_await scope.join();
}

// A lost wake-up is a call that waits for ever.
TEST(AdmissionRace, EveryCallThatIsPatientIsServed) {
    constexpr int kThreads = 4;
    constexpr int kCalls = 3'000;
    Crowd crowd({.in_flight = 3, .queue = kThreads * kCalls, .wait = kLong});
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&crowd, t] {
            aio::Reactor reactor;
            reactor.run(patient_crowd(crowd, t, kCalls));
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(crowd.served, kThreads * kCalls);
    EXPECT_LE(crowd.most, 3u);
    EXPECT_EQ(crowd.admission.in_flight(), 0u);
    EXPECT_EQ(crowd.admission.queued(), 0u);
}

// Two calls and one place, again and again: the one that leaves may be the only one who could wake
// the other, just while that one lies down.
aio::Task<void> pair_up(Crowd& crowd, std::atomic<int>& arrived, std::uint64_t seed, int rounds) {
    Random random(seed);
    for (int round = 1; round <= rounds; ++round) {
        arrived.fetch_add(1);
        while (arrived.load() < 2 * round) {
            std::this_thread::yield();
        }
        auto ticket = co_await crowd.admission.enter(Priority::normal, 1, aio::Deadline::never());
        EXPECT_TRUE(ticket);
        for (std::uint64_t i = random.below(512); i > 0; --i) {
            crowd.inside.load();
        }
        crowd.served.fetch_add(1);
    }
}

TEST(AdmissionRace, TheLastOneIsWokenToo) {
    constexpr int kRounds = 100'000;
    Crowd crowd({.in_flight = 1, .wait = kLong});
    std::atomic<int> arrived = 0;
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 2; ++t) {
        threads.emplace_back([&, t] {
            aio::Reactor reactor;
            reactor.run(pair_up(crowd, arrived, t, kRounds));
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(crowd.served, 2u * kRounds);
}

// Deadlines that race with the hand-over, scopes that are cancelled, limits that move.
aio::Task<void> restless_crowd(Crowd& crowd, std::uint64_t seed, int rounds) {
    Random random(seed);
    for (int round = 0; round < rounds; ++round) {
        aio::Scope scope;
        for (int i = 0; i < 20; ++i) {
            const auto patience = std::chrono::milliseconds{random.below(12)};
            scope.spawn(one_of(crowd,
                               static_cast<Priority>(random.below(kPriorities)),
                               static_cast<TenantId>(random.below(5)),
                               aio::Deadline::in(patience)));
        }
        for (std::uint64_t i = random.below(4); i > 0; --i) {
            co_await aio::yield();
        }
        if (random.below(3) == 0) {
            scope.cancel();
        }
        if (random.below(4) == 0) {
            crowd.admission.set_limit(1 + static_cast<std::uint32_t>(random.below(4)));
        }
        co_await scope.join();
    }
}

TEST(AdmissionRace, NoPlaceIsLostToThoseWhoLeave) {
    constexpr int kThreads = 4;
    constexpr int kRounds = 150;
    Crowd crowd({.in_flight = 2, .queue = 30, .wait = 5ms});
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < kThreads; ++t) {
        threads.emplace_back([&crowd, t] {
            aio::Reactor reactor;
            reactor.run(restless_crowd(crowd, t, kRounds));
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(crowd.ended, kThreads * kRounds * 20);
    EXPECT_GT(crowd.served, 0u);
    EXPECT_LE(crowd.most, 4u);
    EXPECT_EQ(crowd.admission.in_flight(), 0u);
    EXPECT_EQ(crowd.admission.queued(), 0u);
    // And whoever comes now is let in without a wait: nothing says that somebody is waiting still.
    EXPECT_TRUE(crowd.admission.try_enter());
}

}  // namespace
}  // namespace weir::resilience
