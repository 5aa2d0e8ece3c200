#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "aio/descriptor.h"
#include "aio/reactor.h"
#include "aio/scope.h"
#include "aio/task.h"

namespace weir::aio {
namespace {

using namespace std::chrono_literals;

struct Pair {
    int a, b;
    Pair() {
        int fds[2];
        WEIR_ASSERT(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
        a = fds[0];
        b = fds[1];
    }
};

Task<int> deep(int levels) {
    if (levels == 0) {
        co_return 0;
    }
    const int below = co_await deep(levels - 1);
    co_return below + 1;
}

Maybe<int> now_or_later(bool now) {
    if (now) {
        return 7;
    }
    return deep(7);
}

Task<void> check_tasks() {
    const int levels = co_await deep(10'000);
    EXPECT_EQ(levels, 10'000);
    const int now = co_await now_or_later(true);
    const int later = co_await now_or_later(false);
    EXPECT_EQ(now, later);
    for (int i = 0; i < 100'000; ++i) {
        const int one = co_await deep(1);
        EXPECT_EQ(one, 1);
    }
}

TEST(Task, NestsDeepAndRunsLongWithoutGrowingTheStack) {
    Reactor reactor;
    reactor.run(check_tasks());
}

Task<int> throws() {
    throw std::runtime_error("third party");
    co_return 1;
}

Task<void> check_throw(bool& caught) {
    try {
        const int value = co_await throws();
        EXPECT_EQ(value, 0);
    } catch (const std::runtime_error&) {
        caught = true;
    }
}

TEST(Task, HandsAThirdPartyExceptionToWhoAwaits) {
    Reactor reactor;
    bool caught = false;
    reactor.run(check_throw(caught));
    EXPECT_TRUE(caught);
}

Task<void> echo(int fd, int rounds) {
    Descriptor descriptor(fd);
    for (int i = 0; i < rounds; ++i) {
        char byte = 0;
        while (::read(fd, &byte, 1) != 1) {
            descriptor.clear_ready(Direction::read);
            const Wake wake = co_await descriptor.wait(Direction::read, Deadline::never());
            EXPECT_EQ(wake, Wake::ready);
        }
        EXPECT_EQ(::write(fd, &byte, 1), 1);
    }
}

Task<void> ping(int fd, int rounds, int& answered) {
    Descriptor descriptor(fd);
    for (int i = 0; i < rounds; ++i) {
        const char out = static_cast<char>(i);
        EXPECT_EQ(::write(fd, &out, 1), 1);
        char in = 0;
        while (::read(fd, &in, 1) != 1) {
            descriptor.clear_ready(Direction::read);
            const Wake wake = co_await descriptor.wait(Direction::read, Deadline::in(60s));
            EXPECT_EQ(wake, Wake::ready);
        }
        answered += in == out ? 1 : 0;
    }
}

Task<void> play(int& answered) {
    Pair pair;
    Scope scope;
    scope.spawn(echo(pair.a, 1000));
    scope.spawn(ping(pair.b, 1000, answered));
    co_await scope.join();
}

TEST(Descriptor, CarriesBytesBothWays) {
    Reactor reactor;
    int answered = 0;
    reactor.run(play(answered));
    EXPECT_EQ(answered, 1000);
}

Task<void> wait_on(int fd, Deadline deadline, Wake& wake) {
    Descriptor descriptor(fd);
    wake = co_await descriptor.wait(Direction::read, deadline);
}

Task<void> expire(Wake& wake) {
    Pair pair;
    Scope scope;
    scope.spawn(wait_on(pair.a, Deadline::in(30ms), wake));
    co_await scope.join();
    ::close(pair.b);
}

TEST(Descriptor, AWaitEndsAtItsDeadline) {
    Reactor reactor;
    Wake wake = Wake::none;
    reactor.run(expire(wake));
    EXPECT_EQ(wake, Wake::timed_out);
}

// Lazy re-arming: a later deadline on a timer armed earlier must neither fire early nor be lost.
Task<void> wait_again(int fd, Wake& first, Wake& second, bool& early) {
    Descriptor descriptor(fd);
    first = co_await descriptor.wait(Direction::read, Deadline::in(20ms));
    const SteadyTime due = Reactor::current().now() + 60ms;
    second = co_await descriptor.wait(Direction::read, Deadline::at(due));
    early = Reactor::current().now() < due;
}

Task<void> expire_twice(Wake& first, Wake& second, bool& early) {
    Pair pair;
    Scope scope;
    scope.spawn(wait_again(pair.a, first, second, early));
    co_await scope.join();
    ::close(pair.b);
}

TEST(Descriptor, ALaterDeadlineIsKept) {
    Reactor reactor;
    Wake first = Wake::none;
    Wake second = Wake::none;
    bool early = true;
    reactor.run(expire_twice(first, second, early));
    EXPECT_EQ(first, Wake::timed_out);
    EXPECT_EQ(second, Wake::timed_out);
    EXPECT_FALSE(early);
}

Task<void> cancel_waiter(Wake& wake) {
    Pair pair;
    Scope scope;
    scope.spawn(wait_on(pair.a, Deadline::never(), wake));
    co_await sleep(Deadline::in(10ms));
    scope.cancel();
    co_await scope.join();
    ::close(pair.b);
}

TEST(Scope, CancelReachesTheSuspendedLeaf) {
    Reactor reactor;
    Wake wake = Wake::none;
    reactor.run(cancel_waiter(wake));
    EXPECT_EQ(wake, Wake::cancelled);
}

// A client that leaves ends the wait for somebody else.
Task<void> serve(int client_fd, int upstream_fd, Wake& wake, Wake& after, Wake& shielded);

Task<Wake> nap() {
    const Wake wake = co_await sleep(Deadline::in(1ms));
    co_return wake;
}

Task<void> serve(int client_fd, int upstream_fd, Wake& wake, Wake& after, Wake& shielded) {
    Descriptor client(client_fd);
    Descriptor upstream(upstream_fd);
    Context& context = co_await this_context();
    client.cancel_on_hang_up(&context);
    wake = co_await upstream.wait(Direction::read, Deadline::never());
    client.cancel_on_hang_up(nullptr);
    after = co_await nap();
    shielded = co_await shield(nap());
}

Task<void> leave(Wake& wake, Wake& after, Wake& shielded) {
    Pair client;
    Pair upstream;
    Scope scope;
    scope.spawn(serve(client.a, upstream.a, wake, after, shielded));
    co_await sleep(Deadline::in(10ms));
    ::close(client.b);
    co_await scope.join();
    ::close(upstream.b);
}

TEST(Descriptor, HangUpCancelsTheWatchingTreeAndAShieldHolds) {
    Reactor reactor;
    Wake wake = Wake::none;
    Wake after = Wake::none;
    Wake shielded = Wake::none;
    reactor.run(leave(wake, after, shielded));
    EXPECT_EQ(wake, Wake::cancelled);
    EXPECT_EQ(after, Wake::cancelled);
    EXPECT_EQ(shielded, Wake::timed_out);
}

Task<void> never_ends() {
    const Wake wake = co_await sleep(Deadline::never());
    EXPECT_EQ(wake, Wake::cancelled);
}

Task<int> first_of(Scope& scope, int value) {
    scope.spawn(never_ends());
    scope.spawn(never_ends());
    co_await yield();
    co_return value;
}

Task<void> check_with_scope(int& got) { got = co_await with_scope(&first_of, 5); }

TEST(Scope, WithScopeLeavesNoChildBehind) {
    Reactor reactor;
    int got = 0;
    reactor.run(check_with_scope(got));
    EXPECT_EQ(got, 5);
}

TEST(Reactor, TakesLettersFromManyThreads) {
    Reactor reactor;
    std::atomic<int> posted = 0;
    int run = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 1000; ++i) {
                reactor.post([&run] { ++run; });
            }
            if (++posted == 4) {
                reactor.stop();
            }
        });
    }
    reactor.run();
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(run, 4000);
}

}  // namespace
}  // namespace weir::aio
