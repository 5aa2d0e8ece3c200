// What the tests of the upstream side stand on: a provider whose every byte the test decides, on
// the same thread as the client, and one call to its end.
#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>

#include "net/loopback_test.h"
#include "net/upstream.h"

namespace weir::net {

inline constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
inline constexpr std::string_view kHello = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

inline Timing patient() {
    return {.connect_max = kHangGuard,
            .first_byte = aio::Deadline::in(kHangGuard),
            .idle_max = kHangGuard,
            .total = aio::Deadline::in(kHangGuard)};
}

// Lets everything that the bytes sent so far make ready run: on the loopback they are there at
// once.
inline aio::Task<void> turns(int count = 6) {
    for (int i = 0; i < count; ++i) {
        co_await aio::yield();
    }
}

// The provider's end of a connection. Test and client share one thread, so that what the client has
// seen at each step is known: the test waits by letting the client run.
class Wire {
public:
    explicit Wire(int fd) : peer_(fd) {}

    // Nobody may be there any more: the tests look at what the client makes of it.
    void send(std::string_view bytes) { (void)peer_.send(bytes); }
    // More than the sockets hold.
    aio::Task<void> send_much(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent =
                ::send(peer_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent < 0 && errno != EAGAIN) {
                co_return;
            }
            bytes.remove_prefix(sent < 0 ? 0 : static_cast<std::size_t>(sent));
            co_await aio::yield();
        }
    }
    // At least `bytes` of requests, or what came before the end.
    aio::Task<std::string> read(std::size_t bytes) {
        const auto give_up = std::chrono::steady_clock::now() + kHangGuard;
        while (kept_.size() < bytes && take() && std::chrono::steady_clock::now() < give_up) {
            co_await aio::yield();
        }
        EXPECT_TRUE(ended_ || kept_.size() >= bytes) << "nothing came, not even an end";
        co_return std::exchange(kept_, {});
    }
    // The client has closed its side, and sent nothing more.
    aio::Task<bool> ends() {
        const std::string rest = co_await read(1);
        EXPECT_EQ(rest, "");
        co_return ended_;
    }
    void close() { peer_.close(); }
    void reset() { peer_.reset(); }

private:
    bool take() {
        char bytes[64 << 10];
        const auto got = ::recv(peer_.fd(), bytes, sizeof bytes, MSG_DONTWAIT);
        if (got > 0) {
            kept_.append(bytes, static_cast<std::size_t>(got));
        }
        ended_ = ended_ || got == 0 || (got < 0 && errno != EAGAIN);
        return !ended_;
    }

    Peer peer_;
    std::string kept_;
    bool ended_ = false;
};

class Provider {
public:
    Provider() {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        address_ = parse_socket_address("127.0.0.1:0").value();
        EXPECT_EQ(::bind(fd_, address_.raw(), address_.size), 0);
        EXPECT_EQ(::listen(fd_, 100), 0);
        ::getsockname(fd_, address_.raw(), &address_.size);
    }
    ~Provider() { close(); }
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    std::uint16_t port() const { return address_.port(); }
    std::size_t accepted() const { return accepted_; }
    bool has_caller() const {
        pollfd listening{.fd = fd_, .events = POLLIN};
        return ::poll(&listening, 1, 0) == 1;
    }
    aio::Task<Wire> accept() {
        const auto give_up = std::chrono::steady_clock::now() + kHangGuard;
        while (!has_caller() && std::chrono::steady_clock::now() < give_up) {
            co_await aio::yield();
        }
        const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
        EXPECT_GE(fd, 0) << "nobody connected";
        ++accepted_;
        co_return Wire(fd);
    }

private:
    int fd_ = -1;
    SocketAddress address_;
    std::size_t accepted_ = 0;
};

struct Outcome {
    Result<void> result{};
    bool ended = false;
    int status = 0;
    std::string body;
    std::size_t reads = 0;
    bool was_sent = false;
};

// One call to its end.
inline aio::Task<void> ask(UpstreamPool& pool,
                           Outcome& outcome,
                           Timing timing,
                           std::string_view request = kGet,
                           Method method = Method::get) {
    Exchange exchange(pool);
    const std::string_view pieces[] = {request.substr(0, 4), request.substr(4)};
    outcome.result = co_await exchange.send(pieces, method, timing);
    outcome.was_sent = exchange.was_sent();
    if (outcome.result) {
        outcome.status = exchange.head().status;
        while (!exchange.is_complete()) {
            const auto bytes = co_await exchange.read_body();
            ++outcome.reads;
            if (!bytes) {
                outcome.result = std::unexpected(bytes.error());
                break;
            }
            outcome.body += *bytes;
            // Scratch is anybody's as soon as this call waits.
            std::memset(receive_scratch().data(), '~', kScratchBytes);
        }
    }
    outcome.ended = true;
}

// One upstream and one thread's pool.
struct Bench {
    explicit Bench(UpstreamOptions options)
        : upstream(std::make_shared<Upstream>(with_place(std::move(options), provider), resolver)),
          pool(upstream) {}
    static UpstreamOptions with_place(UpstreamOptions options, const Provider& provider) {
        options.port = provider.port();
        return options;
    }
    void spawn_ask(Outcome& outcome) { scope.spawn(ask(pool, outcome, patient())); }
    // A whole call on a connection that is then idle.
    aio::Task<Wire> warm_up() {
        Outcome outcome;
        spawn_ask(outcome);
        Wire wire = co_await provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        EXPECT_EQ(request, kGet);
        wire.send(kHello);
        co_await scope.join();
        EXPECT_EQ(outcome.body, "hello");
        EXPECT_EQ(upstream->connections(), 1u);
        co_return wire;
    }

    Provider provider;
    aio::BlockingPool names{"names", 1, 4};
    Resolver resolver{names};
    std::shared_ptr<Upstream> upstream;
    UpstreamPool pool;
    aio::Scope scope;
};

inline std::size_t open_descriptors() {
    DIR* folder = ::opendir("/proc/self/fd");
    std::size_t count = 0;
    while (::readdir(folder) != nullptr) {
        ++count;
    }
    ::closedir(folder);
    return count;
}

using Test = aio::Task<void> (*)(Bench&);

inline aio::Task<void> in_bench(Test test, UpstreamOptions options) {
    Bench bench(std::move(options));
    co_await test(bench);
    bench.scope.cancel();
    co_await bench.scope.join();
}

inline Code code_of(const Outcome& outcome) {
    return outcome.result ? Code::internal : outcome.result.error().code();
}

// The head of a good answer, that many bytes long.
inline std::string head_of(std::size_t bytes) {
    std::string head = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n";
    for (std::size_t i = 0; head.size() + 1100 < bytes; ++i) {
        head += fmt::format("X-{}: {}\r\n", i, std::string(1000, 'x'));
    }
    head += "X-Last: ";
    head += std::string(bytes - head.size() - 4, 'y') + "\r\n\r\n";
    return head;
}

}  // namespace weir::net
