// Listeners that change, are handed on or close: what the kernel has let in is served.
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <latch>

#include "net/loopback_test.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours kNever{1};

aio::Task<void> say_target(ServerCall& call, EventLog& log) {
    log.note("handling");
    co_await answer(call, 200, std::string(call.head().target));
}

// Waits for the body, so that a test decides when the call ends.
aio::Task<void> say_body(ServerCall& call, EventLog& log) {
    log.note("handling");
    const auto body = co_await call.read_body(100);
    co_await answer(call, 200, std::string(body.value_or("")));
}

std::string get(std::string_view target) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n\r\n", target);
}

RunningOptions patient(unsigned threads = 1) {
    RunningOptions options;
    options.threads = threads;
    options.limits.first_byte_max = options.limits.head_max = options.limits.keep_alive_max =
        kNever;
    return options;
}

std::shared_ptr<ListenSockets> bind_any(unsigned count = 1) {
    return ListenSockets::bind(parse_socket_address("127.0.0.1:0").value(), count, "server.listen")
        .value();
}

bool is_refused(const SocketAddress& address) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const bool refused = ::connect(fd, address.raw(), address.size) != 0 && errno == ECONNREFUSED;
    ::close(fd);
    return refused;
}

// Keeps a reactor from accepting: what connects meanwhile waits in the kernel.
class Blocked {
public:
    explicit Blocked(aio::Reactor& reactor) {
        reactor.post([this] {
            begun_.count_down();
            may_end_.wait();
            ended_.count_down();
        });
        begun_.wait();
    }
    ~Blocked() {
        may_end_.count_down();
        ended_.wait();
    }

private:
    std::latch begun_{1}, may_end_{1}, ended_{1};
};

std::vector<Peer> connect_and_ask(const SocketAddress& address, int count) {
    std::vector<Peer> clients;
    for (int i = 0; i < count; ++i) {
        clients.push_back(Peer::connect(address));
        clients.back().send(get(fmt::format("/{}", i)));
    }
    return clients;
}

void expect_answers(std::vector<Peer>& clients) {
    for (std::size_t i = 0; i < clients.size(); ++i) {
        EXPECT_EQ(clients[i].read_answer().body, fmt::format("/{}", i));
    }
}

TEST(ServerDoors, AChangedAddressServesAndTheOldOneRefuses) {
    RunningServer server(&say_body, patient());
    Peer running = server.connect();
    running.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1");
    server.log.wait_for(1);
    const auto sockets = bind_any();
    ASSERT_TRUE(server.server().change({.sockets = sockets}));
    Peer client = Peer::connect(sockets->address());
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nnew");
    const Answer first = client.read_answer();
    EXPECT_EQ(first.body, "new");
    EXPECT_FALSE(first.says_close());
    EXPECT_TRUE(eventually([&] { return is_refused(server.address()); }));
    running.send("2");
    const Answer last = running.read_answer();
    EXPECT_EQ(last.body, "12");
    EXPECT_TRUE(last.says_close());
    EXPECT_EQ(running.read_to_end(), "");
}

// Whoever is between two requests gets one more answer: he may be sending already.
TEST(ServerDoors, AnIdleConnectionOfAnOldAddressGetsOneMoreAnswer) {
    RunningServer server(&say_target, patient());
    Peer idle = server.connect();
    idle.send(get("/1"));
    EXPECT_FALSE(idle.read_answer().says_close());
    ASSERT_TRUE(server.server().change({.sockets = bind_any()}));
    EXPECT_TRUE(eventually([&] { return is_refused(server.address()); }));
    idle.send(get("/2"));
    const Answer last = idle.read_answer();
    EXPECT_EQ(last.body, "/2");
    EXPECT_TRUE(last.says_close());
}

TEST(ServerDoors, WhatWaitsInAListenerThatClosesIsServed) {
    for (const unsigned threads : {1u, 2u}) {
        RunningServer server(&say_target, patient(threads));
        std::vector<Peer> clients;
        {
            std::vector<std::unique_ptr<Blocked>> blocked;
            for (unsigned i = 0; i < threads; ++i) {
                blocked.push_back(std::make_unique<Blocked>(server.reactor(i)));
            }
            clients = connect_and_ask(server.address(), 100);
            ASSERT_TRUE(server.server().change({.sockets = bind_any(threads)}));
        }
        expect_answers(clients);
    }
}

TEST(ServerDoors, WhatWaitsWhenADrainBeginsIsServed) {
    for (const unsigned threads : {1u, 2u}) {
        RunningServer server(&say_target, patient(threads));
        std::vector<Peer> clients;
        {
            std::vector<std::unique_ptr<Blocked>> blocked;
            for (unsigned i = 0; i < threads; ++i) {
                blocked.push_back(std::make_unique<Blocked>(server.reactor(i)));
            }
            clients = connect_and_ask(server.address(), 100);
            server.drain(kNever);
        }
        expect_answers(clients);
        clients.clear();
        server.join();
    }
}

// As in a hand-over: two processes hold the socket, and one leaves.
TEST(ServerDoors, WhatWaitsInASharedListenerIsLeftToTheOthers) {
    const auto sockets = bind_any();
    std::vector<Peer> clients;
    {
        RunningOptions options = patient();
        options.sockets = ListenSockets::adopt(sockets->duplicate().value(), "api").value();
        options.sockets->share();
        RunningServer leaving(&say_target, std::move(options));
        const Blocked blocked(leaving.reactor(0));
        leaving.drain(kNever);
        clients = connect_and_ask(sockets->address(), 20);
    }
    EXPECT_FALSE(is_refused(sockets->address()));
    RunningOptions options = patient();
    options.sockets = sockets;
    RunningServer next(&say_target, std::move(options));
    expect_answers(clients);
}

// The kernel goes on telling of a registered socket that others hold: nobody may be told then.
TEST(ServerDoors, AThreadServesOnAfterItsSharedListenerIsReplaced) {
    const auto kept = bind_any();
    RunningOptions options = patient();
    options.sockets = ListenSockets::adopt(kept->duplicate().value(), "api").value();
    options.sockets->share();
    RunningServer server(&say_target, std::move(options));
    const auto sockets = bind_any();
    ASSERT_TRUE(server.server().change({.sockets = sockets}));
    for (int i = 0; i < 20; ++i) {
        Peer nobody = Peer::connect(kept->address());
        auto clients = connect_and_ask(sockets->address(), 1);
        expect_answers(clients);
    }
}

TEST(ServerDoors, OneSocketServesSeveralThreads) {
    RunningOptions options = patient(3);
    options.sockets = bind_any();
    RunningServer server(&say_target, std::move(options));
    EXPECT_TRUE(eventually([&] {  // a thread that has not begun takes none
        auto clients = connect_and_ask(server.address(), 30);
        expect_answers(clients);
        return server.handled(0) >= 10 && server.handled(1) >= 10 && server.handled(2) >= 10;
    }));
}

TEST(ServerDoors, TheSameSocketsUnderOtherTermsKeepTheirConnections) {
    RunningOptions options = patient();
    options.sockets = bind_any();
    const auto sockets = options.sockets;
    RunningServer server(&say_target, std::move(options));
    Peer client = server.connect();
    client.send(get("/1"));
    EXPECT_FALSE(client.read_answer().says_close());
    ASSERT_TRUE(server.server().change(
        {.sockets = sockets, .trusted_proxies = {*parse_network("127.0.0.0/8")}}));
    client.send(get("/2"));
    EXPECT_FALSE(client.read_answer().says_close());
}

TEST(ServerDoors, ManyChangesUnderLoadFailNoCall) {
    RunningServer server(&say_target, patient(2));
    std::mutex lock;
    SocketAddress address = server.address();
    std::atomic<bool> is_over = false;
    std::atomic<int> failed = 0, refused = 0, served = 0;
    std::vector<std::thread> clients;
    for (int t = 0; t < 3; ++t) {
        clients.emplace_back([&] {
            while (!is_over) {
                SocketAddress to;
                {
                    const std::lock_guard guard(lock);
                    to = address;
                }
                const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
                // To be refused is to be told; what counts is that nobody let in is lost. A port
                // that nobody has may become the client's own, which then talks to itself.
                SocketAddress own;
                own.size = sizeof own.storage;
                if (::connect(fd, to.raw(), to.size) != 0 ||
                    ::getsockname(fd, own.raw(), &own.size) != 0 || own.port() == to.port()) {
                    ++refused;
                    ::close(fd);
                    continue;
                }
                Peer client(fd);
                client.send(get("/x"));
                ++(client.read_answer().body == "/x" ? served : failed);
            }
        });
    }
    for (int i = 0; i < 30; ++i) {
        const auto sockets = bind_any(2);
        const int before = served;
        ASSERT_TRUE(server.server().change({.sockets = sockets}));
        {
            const std::lock_guard guard(lock);
            address = sockets->address();
        }
        EXPECT_TRUE(eventually([&] { return served > before + 10; }));
    }
    is_over = true;
    for (auto& client : clients) {
        client.join();
    }
    EXPECT_EQ(failed, 0);
}

TEST(ListenSockets, AnAddressOfAnotherProgramIsRefusedInWords) {
    const auto taken = bind_any();
    const auto again = ListenSockets::bind(taken->address(), 1, "server.operations");
    ASSERT_FALSE(again.has_value());
    EXPECT_EQ(again.error().message(),
              to_text(taken->address()) +
                  " is in use by another program: stop it, or choose another address with "
                  "server.operations.");
}

TEST(ListenSockets, OneMayGoFromOneAddressToAllOnTheSamePort) {
    const auto one = bind_any(2);
    const auto all = SocketAddress::from(parse_ip("0.0.0.0").value(), one->address().port());
    EXPECT_FALSE(ListenSockets::bind(all, 2, "server.listen"));
    EXPECT_TRUE(ListenSockets::bind(all, 2, "server.listen", one.get()));
}

TEST(ListenSockets, WhatDoesNotListenIsNoListener) {
    for (const int type : {SOCK_STREAM, SOCK_DGRAM}) {
        const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
        const auto adopted = ListenSockets::adopt({fd}, "api");
        ASSERT_FALSE(adopted.has_value());
        EXPECT_EQ(adopted.error().message(),
                  fmt::format("Descriptor {}, given as 'api', is no listening TCP socket.", fd));
        EXPECT_EQ(::close(fd), -1);  // it was taken
    }
}

}  // namespace
}  // namespace weir::net
