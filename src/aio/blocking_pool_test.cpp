#include "aio/blocking_pool.h"

#include <gtest/gtest.h>

#include <latch>
#include <thread>

#include "aio/scope.h"

namespace weir::aio {
namespace {

Task<void> ask(BlockingPool& pool, int& sum) {
    for (int i = 1; i <= 50; ++i) {
        const auto value = co_await pool.run([i] { return i * 2; }, Deadline::never());
        EXPECT_TRUE(value);
        sum += value.value_or(0);
    }
}

TEST(BlockingPool, AnswersEveryCallerOnItsOwnReactor) {
    BlockingPool pool("test", 2, 64);
    std::vector<std::thread> threads;
    std::atomic<int> total = 0;
    for (int t = 0; t < 3; ++t) {
        threads.emplace_back([&] {
            Reactor reactor;
            int sum = 0;
            reactor.run(ask(pool, sum));
            total += sum;
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(total, 3 * 2550);
}

Task<void> run_blocked(BlockingPool& pool, std::latch& release, Code& code) {
    auto value = co_await pool.run(
        [&release]() -> Result<int> {
            release.wait();
            return 1;
        },
        Deadline::in(std::chrono::milliseconds{20}));
    code = value ? Code::internal : value.error().code();
    release.count_down();
}

TEST(BlockingPool, ACallerWhoseDeadlinePassesLeavesTheWorkBehind) {
    std::latch release(1);
    Code code = Code::internal;
    Reactor reactor;  // outlives the pool, whose late answer goes to its mailbox
    BlockingPool pool("test", 1, 4);
    reactor.run(run_blocked(pool, release, code));
    EXPECT_EQ(code, Code::request_timeout);
}

Task<void> overfill(BlockingPool& pool, std::latch& release, Code& code) {
    std::latch is_busy(1);
    pool.submit([&] {
        is_busy.count_down();
        release.wait();
    });
    is_busy.wait();  // else its place in the queue comes free behind the last that was taken
    while (pool.submit([] {})) {
    }
    auto value = co_await pool.run([] { return 1; }, Deadline::never());
    code = value ? Code::internal : value.error().code();
    release.count_down();
}

TEST(BlockingPool, AFullQueueRefusesAtOnce) {
    std::latch release(1);
    Code code = Code::internal;
    Reactor reactor;
    BlockingPool pool("test", 1, 2);
    reactor.run(overfill(pool, release, code));
    EXPECT_EQ(code, Code::overloaded);
}

}  // namespace
}  // namespace weir::aio
