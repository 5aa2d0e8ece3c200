#include "net/server.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/server_connection.h"

namespace weir::net {
namespace {

constexpr int kAcceptsPerTurn = 64;
// Out of descriptors: wait for some to be freed instead of spinning on accept.
constexpr std::chrono::milliseconds kAcceptPause{50};
constexpr std::chrono::milliseconds kDrainPoll{5};
// How long a connection that is being made may take to be there when its listener closes.
constexpr std::chrono::milliseconds kHandshakeMax{100};
// The load of a thread that does not serve yet: nobody hands it a connection.
constexpr std::size_t kNotServing = std::numeric_limits<std::size_t>::max() / 2;

}  // namespace

// One socket that a thread accepts from.
struct Server::Listener {
    Listener(int fd, std::shared_ptr<ListenSockets> its_sockets, EntranceRef its_entrance)
        : descriptor(fd, aio::Holders::several),
          sockets(std::move(its_sockets)),
          entrance(std::move(its_entrance)) {}

    aio::Descriptor descriptor;
    std::shared_ptr<ListenSockets> sockets;
    EntranceRef entrance;
    aio::Channel<char> close_asked{1};  // closed when it is to close
};

// A door for one thread: its share of the sockets.
struct Server::Opening {
    std::shared_ptr<ListenSockets> sockets;
    EntranceRef entrance;
    std::vector<int> descriptors;

    Opening() = default;
    Opening(Opening&& other) noexcept { *this = std::move(other); }
    Opening& operator=(Opening&& other) noexcept {
        std::swap(sockets, other.sockets);
        std::swap(entrance, other.entrance);
        std::swap(descriptors, other.descriptors);
        return *this;
    }
    ~Opening() {
        for (const int fd : descriptors) {
            ::close(fd);
        }
    }
};

struct Server::Thread {
    unsigned index;
    Random random;
    aio::Channel<char> drain_asked{1};  // closed when the thread is to drain
    std::vector<std::unique_ptr<Listener>> listeners;
    ServerConnection* first = nullptr;  // all connections of the thread
    aio::Scope doors;
    aio::Scope connections;
};

Server::Server(ServerOptions options,
               std::vector<aio::Reactor*> reactors,
               std::vector<Handler*> handlers)
    : options_(std::move(options)),
      reactors_(std::move(reactors)),
      handlers_(std::move(handlers)),
      openings_(reactors_.size()),
      threads_(reactors_.size(), nullptr) {
    WEIR_ASSERT(reactors_.size() == handlers_.size());
    for (std::size_t i = 0; i < reactors_.size(); ++i) {
        loads_.push_back(std::make_unique<std::atomic<std::size_t>>(kNotServing));
    }
}

Server::~Server() = default;

Result<SocketAddress> Server::listen() {
    WEIR_TRY(auto sockets,
             ListenSockets::bind(
                 options_.listen, static_cast<unsigned>(reactors_.size()), options_.listen_key));
    const SocketAddress address = sockets->address();
    WEIR_TRY(open({std::move(sockets), options_.tls, options_.trusted_proxies}));
    return address;
}

// The descriptors are made here, before anything changes: there may be none left.
Result<std::vector<Server::Opening>> Server::make_openings(Door door) const {
    WEIR_TRY(const auto descriptors, door.sockets->duplicate());
    auto entrance = std::make_shared<Entrance>();
    entrance->tls = std::move(door.tls);
    entrance->trusted_proxies = std::move(door.trusted_proxies);
    std::vector<Opening> openings(reactors_.size());
    for (Opening& opening : openings) {
        opening.sockets = door.sockets;
        opening.entrance = entrance;
    }
    for (std::size_t i = 0; i < descriptors.size(); ++i) {
        openings[i % openings.size()].descriptors.push_back(descriptors[i]);
    }
    return openings;
}

Result<void> Server::open(Door door) {
    WEIR_TRY(auto openings, make_openings(std::move(door)));
    const std::lock_guard guard(door_lock_);
    sockets_ = openings.front().sockets;
    entrance_ = openings.front().entrance;
    for (std::size_t i = 0; i < openings.size(); ++i) {
        openings_[i].push_back(std::move(openings[i]));
    }
    return {};
}

Result<void> Server::change(Door door) {
    WEIR_TRY(auto put_in_force, prepare_change(std::move(door)));
    put_in_force();
    return {};
}

Result<std::move_only_function<void()>> Server::prepare_change(Door door) {
    WEIR_TRY(auto openings, make_openings(std::move(door)));
    return [this, openings = std::move(openings)]() mutable { put_in_force(std::move(openings)); };
}

void Server::put_in_force(std::vector<Opening> openings) {
    const std::lock_guard guard(door_lock_);
    if (is_draining()) {
        return;  // nobody is let in any more
    }
    const Opening& next = openings.front();
    // A connection keeps the certificate it was made with, and is as good as before.
    if (next.sockets != sockets_ ||
        (next.entrance->tls != nullptr) != (entrance_->tls != nullptr)) {
        entrance_->is_closed = true;
    }
    sockets_ = next.sockets;
    entrance_ = next.entrance;
    for (unsigned i = 0; i < reactors_.size(); ++i) {
        reactors_[i]->post([this, i, opening = std::move(openings[i])]() mutable {
            if (threads_[i] != nullptr) {
                take_door(*threads_[i], std::move(opening));
            } else {
                openings_[i].push_back(std::move(opening));  // it has not begun to serve yet
            }
        });
    }
}

std::shared_ptr<ListenSockets> Server::sockets() const {
    const std::lock_guard guard(door_lock_);
    return sockets_;
}

// What is new is open before what is old closes.
void Server::take_door(Thread& thread, Opening opening) {
    bool is_there = false;
    for (const auto& listener : thread.listeners) {
        if (listener->sockets == opening.sockets) {
            accept_what_waits(thread, *listener);  // it came through the door of before
            listener->entrance = opening.entrance;
            is_there = true;
        } else {
            listener->close_asked.close();
        }
    }
    if (is_there) {
        return;
    }
    for (const int fd : std::exchange(opening.descriptors, {})) {
        thread.listeners.push_back(
            std::make_unique<Listener>(fd, opening.sockets, opening.entrance));
        ++listeners_;
        thread.doors.spawn(tend(&thread, thread.listeners.back().get()));
    }
}

// One listening socket, from its first connection to its last.
aio::Task<void> Server::tend(Thread* thread, Listener* listener) {
    aio::Scope accepting;
    accepting.spawn(accept_loop(*thread, *listener));
    co_await listener->close_asked.receive();
    accepting.cancel();
    co_await accepting.join();
    if (!listener->sockets->is_shared()) {
        stop_connecting(listener->descriptor.fd());
        accept_what_waits(*thread, *listener);
        co_await aio::sleep(aio::Deadline::in(kHandshakeMax));
        accept_what_waits(*thread, *listener);
    }
    std::erase_if(thread->listeners, [listener](const auto& one) { return one.get() == listener; });
    --listeners_;
}

bool Server::has_work(unsigned index) const {
    // A listener of another thread may hand over a connection still.
    return *loads_[index] > 0 || listeners_ > 0;
}

aio::Task<void> Server::serve(unsigned index) {
    Thread thread{.index = index, .random = Random(index + 1)};
    threads_[index] = &thread;
    loads_[index]->store(0);
    for (Opening& opening : std::exchange(openings_[index], {})) {
        take_door(thread, std::move(opening));
    }
    if (!is_draining()) {
        co_await thread.drain_asked.receive();
    }
    for (const auto& listener : thread.listeners) {
        listener->close_asked.close();
    }
    const std::chrono::nanoseconds grace{drain_grace_ns_.load()};
    const auto deadline = aio::Deadline::in(grace);
    const auto idle_deadline = deadline.at_most(options_.limits.last_request_max);
    const aio::Reactor& reactor = aio::Reactor::current();
    while (has_work(index) && !idle_deadline.has_passed(reactor.now())) {
        co_await aio::sleep(aio::Deadline::in(kDrainPoll));
    }
    for (ServerConnection* connection = thread.first; connection != nullptr;
         connection = connection->next) {
        connection->leave_if_idle();
    }
    while (has_work(index) && !deadline.has_passed(reactor.now())) {
        co_await aio::sleep(aio::Deadline::in(kDrainPoll));
    }
    thread.doors.cancel();
    co_await thread.doors.join();
    thread.connections.cancel();
    co_await thread.connections.join();
    threads_[index] = nullptr;
}

void Server::drain(std::chrono::nanoseconds grace) {
    {
        const std::lock_guard guard(door_lock_);
        drain_grace_ns_ = grace.count();
        draining_ = true;
        sockets_.reset();  // closed when the last thread has let in what waited
    }
    for (unsigned i = 0; i < reactors_.size(); ++i) {
        reactors_[i]->post([this, i] {
            if (threads_[i] != nullptr) {
                threads_[i]->drain_asked.close();
            }
        });
    }
}

aio::Task<void> Server::accept_loop(Thread& thread, Listener& listener) {
    const aio::Context& context = co_await aio::this_context();
    // A listener that stays ready (no descriptor left) is never waited for: cancellation is asked
    // for.
    while (!context.is_cancelled()) {
        const aio::Wake wake =
            co_await listener.descriptor.wait(aio::Direction::read, aio::Deadline::never());
        if (wake != aio::Wake::ready) {
            co_return;
        }
        const Accepted accepted = accept_some(thread, listener);
        if (accepted == Accepted::none_possible) {
            co_await aio::sleep(aio::Deadline::in(kAcceptPause));
        }
        co_await aio::yield();
    }
}

Server::Accepted Server::accept_some(Thread& thread, Listener& listener) {
    for (int accepted = 0; accepted < kAcceptsPerTurn; ++accepted) {
        SocketAddress peer;
        peer.size = sizeof peer.storage;
        const int fd = ::accept4(
            listener.descriptor.fd(), peer.raw(), &peer.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (errno == EAGAIN) {
                listener.descriptor.clear_ready(aio::Direction::read);
                return Accepted::none_waits;
            }
            const bool exhausted =
                errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
            // Anything else concerns one connection that is gone already.
            return exhausted ? Accepted::none_possible : Accepted::some;
        }
        if (connections() >= options_.limits.connections_max) {
            ::close(fd);
            continue;
        }
        const unsigned target = choose_thread(thread, listener);
        connections_.fetch_add(1, std::memory_order_relaxed);
        loads_[target]->fetch_add(1, std::memory_order_relaxed);
        if (target == thread.index) {
            adopt(target, fd, peer, listener.entrance);
        } else {
            reactors_[target]->post([this, target, fd, peer, entrance = listener.entrance] {
                adopt(target, fd, peer, entrance);
            });
        }
    }
    return Accepted::some;
}

void Server::accept_what_waits(Thread& thread, Listener& listener) {
    while (accept_some(thread, listener) == Accepted::some) {
    }
}

// The less loaded of two: this one and another, or, where not every thread has a socket of its own,
// any two.
unsigned Server::choose_thread(Thread& thread, const Listener& listener) {
    const std::size_t count = loads_.size();
    if (count == 1) {
        return thread.index;
    }
    const auto one = listener.sockets->descriptors().size() >= count
                         ? thread.index
                         : static_cast<unsigned>(thread.random.below(count));
    const auto other = static_cast<unsigned>((one + 1 + thread.random.below(count - 1)) % count);
    const unsigned target = *loads_[other] + 1 < *loads_[one] ? other : one;
    return *loads_[target] < kNotServing ? target : thread.index;
}

void Server::adopt(unsigned index, int fd, SocketAddress peer, EntranceRef entrance) {
    Thread* thread = threads_[index];
    if (thread == nullptr) {
        ::close(fd);
        connections_.fetch_sub(1, std::memory_order_relaxed);
        loads_[index]->fetch_sub(1, std::memory_order_relaxed);
        return;
    }
    thread->connections.spawn(serve_connection(*thread, fd, peer, std::move(entrance)));
}

aio::Task<void> Server::serve_connection(Thread& thread,
                                         int fd,
                                         SocketAddress peer,
                                         EntranceRef entrance) {
    {
        ServerConnection connection(
            *this, *handlers_[thread.index], fd, peer, std::move(entrance), thread.random.next());
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
