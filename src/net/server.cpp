#include "net/server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "net/server_connection.h"

namespace weir::net {
namespace {

constexpr int kBacklog = 4096;
constexpr int kAcceptsPerTurn = 64;
// Out of descriptors: wait for some to be freed instead of spinning on accept.
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr std::chrono::milliseconds kDrainPoll{5};
// Keeps the kernel from hiding a slow reader: what is unsent beyond this stays with us, where it
// brakes.
constexpr int kNotSentLowWater = 16 << 10;
// The load of a thread that does not serve yet: nobody hands it a connection.
constexpr std::size_t kNotServing = std::numeric_limits<std::size_t>::max() / 2;

}  // namespace

struct Server::Thread {
    unsigned index;
    std::optional<aio::Descriptor> listener;  // none once it drains
    Random random;
    aio::Channel<char> drain_asked{1};  // closed when the thread is to drain
    ServerConnection* first = nullptr;  // all connections of the thread
    aio::Scope connections;
};

Server::Server(ServerOptions options,
               std::vector<aio::Reactor*> reactors,
               std::vector<Handler*> handlers)
    : options_(std::move(options)),
      reactors_(std::move(reactors)),
      handlers_(std::move(handlers)),
      threads_(reactors_.size(), nullptr) {
    WEIR_ASSERT(reactors_.size() == handlers_.size());
    for (std::size_t i = 0; i < reactors_.size(); ++i) {
        loads_.push_back(std::make_unique<std::atomic<std::size_t>>(kNotServing));
    }
}

Server::~Server() {
    for (const int fd : sockets_) {
        if (fd >= 0) {
            ::close(fd);
        }
    }
}

Result<SocketAddress> Server::listen() {
    SocketAddress address = options_.listen;
    for (std::size_t i = 0; i < reactors_.size(); ++i) {
        const int fd =
            ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            return fail(Code::invalid_config,
                        fmt::format("Cannot open a socket: {}.", std::strerror(errno)));
        }
        sockets_.push_back(fd);
        const int on = 1;
        // A second process on the same port must be refused, not share the load unseen: the first
        // socket is bound without SO_REUSEPORT to find out, then all are bound with it.
        if (i == 0) {
            const int probe = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
            ::setsockopt(probe, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
            const int bound = ::bind(probe, address.raw(), address.size);
            const int error = errno;
            ::close(probe);
            if (bound != 0) {
                return fail(
                    Code::invalid_config,
                    error == EADDRINUSE
                        ? fmt::format("{} is in use by another program: stop it, or choose another "
                                      "address with server.listen.",
                                      to_text(address))
                        : fmt::format(
                              "Cannot listen on {}: {}.", to_text(address), std::strerror(error)));
            }
        }
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        ::setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
        ::setsockopt(
            fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &kNotSentLowWater, sizeof kNotSentLowWater);
        if (::bind(fd, address.raw(), address.size) != 0 || ::listen(fd, kBacklog) != 0) {
            return fail(
                Code::invalid_config,
                fmt::format("Cannot listen on {}: {}.", to_text(address), std::strerror(errno)));
        }
        if (address.port() == 0) {
            socklen_t size = sizeof address.storage;
            ::getsockname(fd, address.raw(), &size);
        }
    }
    return address;
}

aio::Task<void> Server::serve(unsigned index) {
    Thread thread{.index = index, .random = Random(index + 1)};
    thread.listener.emplace(std::exchange(sockets_[index], -1));
    threads_[index] = &thread;
    loads_[index]->store(0);
    aio::Scope accepting;
    accepting.spawn(accept_loop(thread));
    if (!is_draining()) {
        co_await thread.drain_asked.receive();
    }
    accepting.cancel();
    co_await accepting.join();
    // New clients are told at once; left in the queue they would wait for nothing.
    thread.listener.reset();
    // Idle connections have nothing to lose; the others end with their current answer.
    for (ServerConnection* connection = thread.first; connection != nullptr;
         connection = connection->next) {
        connection->leave_if_idle();
    }
    const auto deadline = aio::Deadline::in(std::chrono::nanoseconds{drain_grace_ns_.load()});
    while (thread.connections.size() > 0 && !deadline.has_passed(aio::Reactor::current().now())) {
        co_await aio::sleep(aio::Deadline::in(kDrainPoll));
    }
    thread.connections.cancel();
    co_await thread.connections.join();
    threads_[index] = nullptr;
}

void Server::drain(std::chrono::nanoseconds grace) {
    drain_grace_ns_ = grace.count();
    draining_ = true;
    for (unsigned i = 0; i < reactors_.size(); ++i) {
        reactors_[i]->post([this, i] {
            if (threads_[i] != nullptr) {
                threads_[i]->drain_asked.close();
            }
        });
    }
}

aio::Task<void> Server::accept_loop(Thread& thread) {
    const aio::Context& context = co_await aio::this_context();
    // A listener that stays ready (no descriptor left) is never waited for: cancellation is asked
    // for.
    while (!context.is_cancelled()) {
        const aio::Wake wake =
            co_await thread.listener->wait(aio::Direction::read, aio::Deadline::never());
        if (wake != aio::Wake::ready) {
            co_return;
        }
        for (int accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
            SocketAddress peer;
            peer.size = sizeof peer.storage;
            const int fd = ::accept4(
                thread.listener->fd(), peer.raw(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
            if (fd < 0) {
                if (errno == EAGAIN) {
                    thread.listener->clear_ready(aio::Direction::read);
                } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
                           errno == ENOMEM) {
                    co_await aio::sleep(aio::Deadline::in(kAcceptPause));
                }
                break;  // anything else concerns one connection that is gone already
            }
            if (connections() >= options_.limits.connections_max) {
                ::close(fd);
                continue;
            }
            unsigned target = thread.index;
            if (loads_.size() > 1) {
                const auto other = static_cast<unsigned>(
                    (thread.index + 1 + thread.random.below(loads_.size() - 1)) % loads_.size());
                if (*loads_[other] + 1 < *loads_[target]) {
                    target = other;
                }
            }
            connections_.fetch_add(1, std::memory_order_relaxed);
            loads_[target]->fetch_add(1, std::memory_order_relaxed);
            if (target == thread.index) {
                adopt(target, fd, peer);
            } else {
                reactors_[target]->post([this, target, fd, peer] { adopt(target, fd, peer); });
            }
        }
        co_await aio::yield();
    }
}

void Server::adopt(unsigned index, int fd, SocketAddress peer) {
    Thread* thread = threads_[index];
    if (thread == nullptr || is_draining()) {
        ::close(fd);
        connections_.fetch_sub(1, std::memory_order_relaxed);
        loads_[index]->fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    thread->connections.spawn(serve_connection(*thread, fd, peer));
}

aio::Task<void> Server::serve_connection(Thread& thread, int fd, SocketAddress peer) {
    {
        ServerConnection connection(
            *this, *handlers_[thread.index], fd, peer, thread.random.next());
        connection.next = thread.first;
        if (thread.first != nullptr) {
            thread.first->prev = &connection;
        }
        thread.first = &connection;
        co_await connection.run();
        (connection.prev != nullptr ? connection.prev->next : thread.first) = connection.next;
        if (connection.next != nullptr) {
            connection.next->prev = connection.prev;
        }
    }
    connections_.fetch_sub(1, std::memory_order_relaxed);
    loads_[thread.index]->fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace weir::net
