#include "resilience/retry_budget.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};
constexpr RetryBudgetRules kRules{};
constexpr double kShare = 0.2;

int withdraw_all(RetryBudget& budget, SteadyTime now) {
    int count = 0;
    while (budget.withdraw(now)) {
        ++count;
    }
    return count;
}

TEST(RetryBudget, HasASecondsWorthOfTheFloorAtFirst) {
    RetryBudget budget(kRules);
    EXPECT_EQ(withdraw_all(budget, kStart), 3);
}

TEST(RetryBudget, SavesTenSecondsOfTheFloorAtMost) {
    RetryBudget budget(kRules);
    withdraw_all(budget, kStart);
    EXPECT_EQ(withdraw_all(budget, kStart + 1s), 3);
    EXPECT_EQ(withdraw_all(budget, kStart + 10h), 30);
}

TEST(RetryBudget, SavesAFifthOfTheFirstAttemptsUpToALimit) {
    RetryBudget budget({.per_second = 0});
    EXPECT_EQ(withdraw_all(budget, kStart), 0);
    for (int i = 0; i < 50; ++i) {
        budget.deposit(kShare);
    }
    EXPECT_EQ(withdraw_all(budget, kStart), 10);
    for (int i = 0; i < 100'000; ++i) {
        budget.deposit(kShare);
    }
    EXPECT_EQ(withdraw_all(budget, kStart), kDepositedRetriesMax);
}

// Two models with shares of their own at one target.
TEST(RetryBudget, HoldsWhatEachCallBrings) {
    RetryBudget budget({.per_second = 0});
    for (int i = 0; i < 100; ++i) {
        budget.deposit(0.5);
        budget.deposit(0);
    }
    EXPECT_EQ(withdraw_all(budget, kStart), 50);
}

TEST(RetryBudget, TakesOtherRules) {
    RetryBudget budget(kRules);
    withdraw_all(budget, kStart);
    budget.change({.per_second = 10});
    budget.deposit(1);
    EXPECT_EQ(withdraw_all(budget, kStart + 1s), 1 + 10);  // the span since then, at the new rate
}

// All calls fail and each asks for two retries more, whatever the order in which they arrive.
TEST(RetryBudget, BoundsTheAmplificationWhateverTheArrivals) {
    enum class Arrivals { steady, bursts, random, one_then_many };
    for (const auto arrivals :
         {Arrivals::steady, Arrivals::bursts, Arrivals::random, Arrivals::one_then_many}) {
        for (std::uint64_t seed = 1; seed <= 10; ++seed) {
            RetryBudget budget(kRules);
            Random chance(seed);
            std::int64_t firsts = 0;
            std::int64_t retries = 0;
            for (auto passed = 0ms; passed < 60s; passed += 10ms) {
                int calls = 0;
                switch (arrivals) {
                    case Arrivals::steady:
                        calls = 1;
                        break;
                    case Arrivals::bursts:
                        calls = passed % 5s == 0ms ? 500 : 0;
                        break;
                    case Arrivals::random:
                        calls = chance.below(50) == 0 ? static_cast<int>(chance.below(200)) : 0;
                        break;
                    case Arrivals::one_then_many:
                        calls = passed == 0ms || passed > 40s ? 3 : 0;
                        break;
                }
                for (int i = 0; i < calls; ++i) {
                    ++firsts;
                    budget.deposit(kShare);
                    for (int again = 0; again < 2 && budget.withdraw(kStart + passed); ++again) {
                        ++retries;
                    }
                }
                const double seconds = std::chrono::duration<double>(passed).count();
                ASSERT_LE(static_cast<double>(retries),
                          kShare * static_cast<double>(firsts) + kRules.per_second * (seconds + 1));
            }
            EXPECT_GE(retries, firsts / 10);  // and is no refusal of all
        }
    }
}

TEST(RetryBudget, KeepsItsBoundOverThreads) {
    RetryBudget budget(kRules);
    constexpr int kCalls = 20'000;
    std::atomic<std::int64_t> retries = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < kCalls; ++i) {
                budget.deposit(kShare);
                retries += budget.withdraw(kStart + i * 10us) ? 1 : 0;
                retries += budget.withdraw(kStart + i * 10us) ? 1 : 0;
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_LE(retries, 4 * kCalls / 5 + 3 + 1);
    EXPECT_GE(retries, 4 * kCalls / 5 - kDepositedRetriesMax);
}

}  // namespace
}  // namespace weir::resilience
