// What the tests of this folder share: blocking sockets on the loopback, for exact bytes in both
// directions, and a Server on threads of its own. Every wait here ends after kHangGuard with a
// failed test; no test depends on how long anything takes.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "aio/reactor.h"
#include "net/http_encode.h"
#include "net/server.h"

namespace weir::net {

inline constexpr std::chrono::seconds kHangGuard{20};

inline std::string_view view_of(std::span<const char> bytes) {
    return {bytes.data(), bytes.size()};
}

// Bytes that tell where they came from, so that a lost or doubled block does not go unseen.
inline std::string pattern(std::size_t bytes) {
    std::string text(bytes, '\0');
    std::uint32_t state = 1;
    for (char& c : text) {
        state = state * 1664525 + 1013904223;
        c = static_cast<char>('!' + (state >> 24) % 90);
    }
    return text;
}

template <class Condition>
bool eventually(Condition condition) {
    const auto give_up = std::chrono::steady_clock::now() + kHangGuard;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > give_up) {
            return false;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    }
    return true;
}

// How the other side ended its half.
enum class End : std::uint8_t { open, closed, reset };

struct Answer {
    int status = 0;
    std::string head;  // with the blank line
    std::string body;
    bool says_close() const { return head.find("connection: close") != std::string::npos; }
};

// One end of a TCP connection, blocking.
class Peer {
public:
    explicit Peer(int fd) : fd_(fd) {
        const timeval guard{.tv_sec = kHangGuard.count()};
        ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &guard, sizeof guard);
        ::setsockopt(fd_, SOL_SOCKET, SO_SNDTIMEO, &guard, sizeof guard);
        const int on = 1;
        ::setsockopt(fd_, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on);
    }
    Peer(Peer&& other) noexcept
        : fd_(std::exchange(other.fd_, -1)), kept_(std::move(other.kept_)), end_(other.end_) {}
    Peer& operator=(Peer&& other) noexcept {
        reset();
        fd_ = std::exchange(other.fd_, -1);
        kept_ = std::move(other.kept_);
        end_ = other.end_;
        return *this;
    }
    // By a reset: a test's connections must not use up the machine's ports by TIME_WAIT.
    ~Peer() { reset(); }

    // `receive_buffer_bytes` > 0 makes a reader that the other side can fill up.
    static Peer connect(const SocketAddress& address, int receive_buffer_bytes = 0) {
        const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (receive_buffer_bytes > 0) {
            ::setsockopt(
                fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
        }
        EXPECT_EQ(::connect(fd, address.raw(), address.size), 0) << std::strerror(errno);
        return Peer(fd);
    }

    int fd() const { return fd_; }
    End end() const { return end_; }

    // false: the other side has gone.
    bool send(std::string_view bytes) {
        while (!bytes.empty()) {
            const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (sent < 0) {
                EXPECT_NE(errno, EAGAIN) << "nobody took the bytes";
                return false;
            }
            bytes.remove_prefix(static_cast<std::size_t>(sent));
        }
        return true;
    }

    // Up to `bytes`; fewer at the end.
    std::string read(std::size_t bytes) {
        while (kept_.size() < bytes && receive()) {
        }
        std::string taken = kept_.substr(0, bytes);
        kept_.erase(0, taken.size());
        return taken;
    }
    // With the mark; what there is where it never comes.
    std::string read_until(std::string_view mark) {
        std::size_t at = kept_.find(mark);
        while (at == std::string::npos && receive()) {
            at = kept_.find(mark);
        }
        return read(at == std::string::npos ? kept_.size() : at + mark.size());
    }
    std::string read_to_end() {
        while (receive()) {
        }
        return std::exchange(kept_, {});
    }
    // A head and the body its Content-Length tells.
    Answer read_answer() {
        Answer answer;
        answer.head = read_until("\r\n\r\n");
        if (answer.head.size() > 12) {
            answer.status = std::atoi(answer.head.c_str() + 9);
        }
        constexpr std::string_view kLength = "content-length: ";
        if (const auto at = answer.head.find(kLength); at != std::string::npos) {
            answer.body =
                read(std::strtoul(answer.head.c_str() + at + kLength.size(), nullptr, 10));
        }
        return answer;
    }

    void finish_writing() { ::shutdown(fd_, SHUT_WR); }
    void close() {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }
    void reset() {
        if (fd_ >= 0) {
            const linger discard{.l_onoff = 1, .l_linger = 0};
            ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &discard, sizeof discard);
            close();
        }
    }

private:
    bool receive() {
        if (end_ != End::open) {
            return false;
        }
        char bytes[64 << 10];
        const auto got = ::recv(fd_, bytes, sizeof bytes, 0);
        if (got > 0) {
            kept_.append(bytes, static_cast<std::size_t>(got));
            return true;
        }
        EXPECT_FALSE(got < 0 && errno == EAGAIN) << "nothing came, not even an end";
        end_ = got == 0 ? End::closed : End::reset;
        return false;
    }

    int fd_;
    std::string kept_;
    End end_ = End::open;
};

// What happened in a handler, in order. Any thread.
class EventLog {
public:
    void note(std::string event) {
        const std::lock_guard guard(lock_);
        events_.push_back(std::move(event));
        changed_.notify_all();
    }
    std::vector<std::string> wait_for(std::size_t count) {
        std::unique_lock guard(lock_);
        EXPECT_TRUE(changed_.wait_for(guard, kHangGuard, [&] { return events_.size() >= count; }));
        return events_;
    }
    std::vector<std::string> all() { return wait_for(0); }

private:
    std::mutex lock_;
    std::condition_variable changed_;
    std::vector<std::string> events_;
};

using Events = std::vector<std::string>;

inline aio::Task<void> answer(ServerCall& call, int status, std::string body) {
    std::string head;
    append_status_line(head, status);
    append_field(head, "content-length", std::uint64_t{body.size()});
    if (!call.keeps_alive()) {
        append_field(head, "connection", "close");
    }
    head += "\r\n";
    const std::string_view pieces[] = {head, body};
    const Io io = co_await call.write(pieces);
    if (io.is_ok()) {
        call.finish();
    }
}

using Serve = aio::Task<void> (*)(ServerCall&, EventLog&);

class ScriptedHandler final : public Handler {
public:
    ScriptedHandler(Serve serve, EventLog& log) : serve_(serve), log_(log) {}
    aio::Task<void> handle(ServerCall& call) override {
        handled.fetch_add(1);
        co_await serve_(call, log_);
    }
    aio::Task<void> refuse(ServerCall& call, const Error& error) override {
        log_.note("refused " + std::string(name(error.code())));
        co_await answer(call, info(error.code()).status, std::string(name(error.code())));
    }
    std::atomic<std::size_t> handled = 0;

private:
    Serve serve_;
    EventLog& log_;
};

struct RunningOptions {
    ServerLimits limits{};
    unsigned threads = 1;
    std::shared_ptr<TlsContext> tls = nullptr;
    bool starts_last_thread = true;
    std::shared_ptr<ListenSockets> sockets = nullptr;  // instead of new ones
};

class RunningServer {
public:
    explicit RunningServer(Serve serve, RunningOptions options = {}) {
        std::vector<aio::Reactor*> reactors;
        std::vector<Handler*> handlers;
        for (unsigned i = 0; i < options.threads; ++i) {
            workers_.push_back(std::make_unique<Worker>(serve, log));
            reactors.push_back(&workers_.back()->reactor);
            handlers.push_back(&workers_.back()->handler);
        }
        server_.emplace(ServerOptions{.listen = parse_socket_address("127.0.0.1:0").value(),
                                      .tls = std::move(options.tls),
                                      .limits = options.limits},
                        reactors,
                        handlers);
        if (options.sockets) {
            address_ = options.sockets->address();
            EXPECT_TRUE(server_->open({.sockets = std::move(options.sockets)}));
        } else {
            address_ = server_->listen().value();
        }
        for (unsigned i = 0; i < options.threads; ++i) {
            if (i + 1 < options.threads || options.starts_last_thread) {
                start(i);
            }
        }
    }
    ~RunningServer() {
        if (!drained_) {
            drain(std::chrono::nanoseconds{0});
        }
        join();
        EXPECT_EQ(server_->connections(), 0u);
    }

    void start(unsigned thread) {
        Worker& worker = *workers_[thread];
        worker.thread =
            std::thread([this, thread, &worker] { worker.reactor.run(server_->serve(thread)); });
    }
    void drain(std::chrono::nanoseconds grace) {
        drained_ = true;
        server_->drain(grace);
    }
    // Until every serve() has returned.
    void join() {
        for (const auto& worker : workers_) {
            if (worker->thread.joinable()) {
                worker->thread.join();
            }
        }
    }
    Peer connect(int receive_buffer_bytes = 0) const {
        return Peer::connect(address_, receive_buffer_bytes);
    }
    const SocketAddress& address() const { return address_; }
    std::size_t connections() const { return server_->connections(); }
    std::size_t handled(unsigned thread) const { return workers_[thread]->handler.handled; }
    aio::Reactor& reactor(unsigned thread) { return workers_[thread]->reactor; }
    Server& server() { return *server_; }

    EventLog log;

private:
    struct Worker {
        Worker(Serve serve, EventLog& events) : handler(serve, events) {}
        aio::Reactor reactor;
        ScriptedHandler handler;
        std::thread thread;
    };
    std::vector<std::unique_ptr<Worker>> workers_;
    std::optional<Server> server_;
    SocketAddress address_;
    bool drained_ = false;
};

}  // namespace weir::net
