#include "aio/channel.h"

#include <gtest/gtest.h>

#include <vector>

#include "aio/scope.h"

namespace weir::aio {
namespace {

Task<void> produce(Channel<int>& channel, int count) {
    for (int i = 0; i < count; ++i) {
        const bool taken = co_await channel.send(i);
        EXPECT_TRUE(taken);
        EXPECT_LE(channel.size(), 2u);
    }
    channel.close();
}

Task<void> pass_through(int count, std::vector<int>& got) {
    Channel<int> channel(2);
    Scope scope;
    scope.spawn(produce(channel, count));
    for (;;) {
        auto value = co_await channel.receive();
        if (!value) {
            break;
        }
        got.push_back(*value);
    }
    co_await scope.join();
}

TEST(Channel, DeliversInOrderAndNeverHoldsMoreThanItsBound) {
    Reactor reactor;
    std::vector<int> got;
    reactor.run(pass_through(100, got));
    ASSERT_EQ(got.size(), 100u);
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(got[static_cast<std::size_t>(i)], i);
    }
}

Task<void> receive_once(Channel<int>& channel, bool& ended) {
    const auto value = co_await channel.receive();
    ended = !value.has_value();
}

Task<void> cancel_a_receiver(bool& ended) {
    Channel<int> channel(1);
    Scope scope;
    scope.spawn(receive_once(channel, ended));
    co_await yield();
    co_await yield();
    scope.cancel();
    co_await scope.join();
}

TEST(Channel, ACancelledReceiverLeavesTheQueue) {
    Reactor reactor;
    bool ended = false;
    reactor.run(cancel_a_receiver(ended));
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace weir::aio
