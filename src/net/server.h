// The HTTP/1.1 server: an accept loop per listening socket, which the reactor threads share out,
// one coroutine per connection. It knows bytes, framing, limits and time; what a request means is
// the Handler's business.
//
// A new connection is handed, before its first byte, to the less loaded of two threads, else a few
// long streams would sit on one core. Pipelined requests are answered in order. While a request is
// handled, a client that hangs up cancels the handler's call tree at once.
//
// Where it listens may change while it serves, and at its end it may leave its sockets to others:
// no connection that the kernel has made is lost by either.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "aio/channel.h"
#include "aio/scope.h"
#include "base/error.h"
#include "base/random.h"
#include "net/address.h"
#include "net/buffers.h"
#include "net/http_body.h"
#include "net/http_head.h"
#include "net/listen_sockets.h"
#include "net/stream.h"
#include "net/tls.h"

namespace weir::net {

// RELIABILITY section 2.
struct ServerLimits {
    HeadLimits head;
    std::chrono::seconds first_byte_max{10};
    std::chrono::seconds head_max{10};
    std::chrono::seconds body_grace{20};  // then the body must come at …
    std::size_t body_bytes_per_second_min = 500;
    std::chrono::seconds keep_alive_max{75};
    std::chrono::seconds write_stall_max{30};  // a reader that takes nothing for so long is dropped
    // Who is about to send a request while a drain begins shall have its answer, which says that it
    // was the connection's last: a client must not retry what may have been served. What is idle
    // for longer is closed.
    std::chrono::seconds last_request_max{1};
    std::size_t requests_per_connection_max = 10'000;
    std::chrono::seconds connection_age_max{3600};  // +-10 %
    std::size_t connections_max = 50'000;
    std::chrono::seconds linger_max{1};  // after an early error, so that the answer arrives
    std::size_t linger_bytes_max = 1u << 20;
};

struct ServerOptions {
    SocketAddress listen;
    std::string_view listen_key = "server.listen";  // names the address in messages
    std::shared_ptr<TlsContext> tls;                // null: plain
    std::vector<Network> trusted_proxies;
    ServerLimits limits;
};

// Where connections come in, and how they are met.
struct Door {
    std::shared_ptr<ListenSockets> sockets;
    std::shared_ptr<TlsContext> tls;  // null: plain
    std::vector<Network> trusted_proxies;
};

class ServerConnection;

// One request and its answer, as the handler sees it. Lives in the connection's frame.
class ServerCall {
public:
    // Valid until release_request().
    const RequestHead& head() const;
    // The client's address: the peer's, or what a trusted proxy says.
    const IpAddress& client() const { return client_; }
    SteadyTime received_at() const { return received_at_; }

    // The whole body, contiguous, de-chunked; valid until release_request(). At most once. Errors:
    // payload_too_large, request_timeout (too slow), invalid_framing, cancelled. Answers Expect:
    // 100-continue, so call it only when the request has passed every check that needs no body.
    aio::Maybe<Result<std::string_view>> read_body(std::size_t bytes_max);

    // The body piece by piece, for what is too large to be held: the next bytes, de-chunked, in the
    // thread's scratch and valid until the caller suspends. Empty only at the end
    // (body_is_complete() is true then, and may be with the last bytes). How much may come is the
    // caller's to judge. Instead of read_body(), with its errors but payload_too_large.
    aio::Task<Result<std::string_view>> read_body_part();
    bool body_is_complete() const { return body_read_; }

    // The request is no longer needed: a stream that runs for minutes should not hold it.
    void release_request();

    // Bytes of the answer, head first. Both stop at the write stall limit.
    aio::Maybe<Io> write(Pieces pieces);          // the pieces stay until it returns
    aio::Maybe<Io> write_copying(Pieces pieces);  // the pieces may lie in scratch
    // The answer is whole. Without it the connection is cut, which tells the client so.
    void finish() { finished_ = true; }
    bool was_begun() const { return begun_; }
    // The client has not hung up: where a call is cancelled all the same, the server is stopping.
    bool has_client() const;

    // What the answer's Connection field should say. What was said holds: where a drain begins
    // behind the head, the client may use the connection once more.
    bool keeps_alive();
    // This answer is the connection's last.
    void close_after() { close_ = true; }

private:
    friend class ServerConnection;
    explicit ServerCall(ServerConnection& connection) : connection_(connection) {}
    bool has_body_at_hand() const;
    aio::Task<Result<std::string_view>> read_sized_body(std::size_t size);
    aio::Task<Result<std::string_view>> read_chunked_body(std::size_t bytes_max);
    aio::Maybe<bool> ask_for_body();
    aio::Task<bool> say_continue();
    Result<std::string_view> take_part(std::span<char> bytes, bool from_input);
    aio::Deadline body_deadline(SteadyTime begun, std::size_t received) const;

    ServerConnection& connection_;
    IpAddress client_;
    SteadyTime received_at_{};
    Buffer chunked_body_;
    std::size_t request_bytes_ =
        0;  // of the connection's input, head and body, that belong to this request
    // Of a body that is read in parts.
    BodyScanner part_scanner_;
    SteadyTime parts_begun_{};
    std::size_t parts_bytes_ = 0;
    std::size_t input_taken_ = 0;  // of the connection's input; 0: none was asked for yet
    bool body_read_ = false;
    bool released_ = false;
    bool begun_ = false;
    bool finished_ = false;
    bool close_ = false;
};

// One per reactor thread; must outlive the server's threads.
class Handler {
public:
    virtual ~Handler() = default;
    virtual aio::Task<void> handle(ServerCall& call) = 0;
    // Bytes that are no acceptable request: answer `error` (head() must not be used) and return;
    // the connection then closes lingering.
    virtual aio::Task<void> refuse(ServerCall& call, const Error& error) = 0;
};

class Server {
public:
    // `reactors[i]` runs serve(i) with `handlers[i]`. Both must outlive the server.
    Server(ServerOptions options,
           std::vector<aio::Reactor*> reactors,
           std::vector<Handler*> handlers);
    ~Server();
    Server(const Server&) = delete;

    // Binds one socket per thread, as the options say, and says the address (port 0 is resolved).
    // Errors: invalid_config.
    Result<SocketAddress> listen();
    // The same with a door that is there. Before the first serve(). Errors: overloaded.
    Result<void> open(Door door);
    // Any thread. Connections that come from now on come through this door. Those of the one before
    // go on; where its sockets are others, or it was plain and this one is not, they end with their
    // current answer. Sockets that are left take what waits in them along. Errors: overloaded.
    Result<void> change(Door door);
    // The same in two steps: calling what it returns, while the server lives, cannot fail.
    Result<std::move_only_function<void()>> prepare_change(Door door);
    // Accepts and serves until drained. On reactor `thread`.
    aio::Task<void> serve(unsigned thread);
    // Any thread, once: accept no more, let running calls end, cut what is left after `grace`.
    void drain(std::chrono::nanoseconds grace);

    // The sockets in use; null once it drains. Any thread.
    std::shared_ptr<ListenSockets> sockets() const;
    std::size_t connections() const { return connections_.load(std::memory_order_relaxed); }
    bool is_draining() const { return draining_.load(std::memory_order_relaxed); }

private:
    friend class ServerConnection;
    friend class ServerCall;
    struct Thread;
    struct Listener;
    struct Opening;
    enum class Accepted : std::uint8_t { some, none_waits, none_possible };

    // What the connections of one door share; they may outlive it.
    struct Entrance {
        std::shared_ptr<TlsContext> tls;
        std::vector<Network> trusted_proxies;
        std::atomic<bool> is_closed = false;  // its connections end with their current answer
    };
    using EntranceRef = std::shared_ptr<Entrance>;

    Result<std::vector<Opening>> make_openings(Door door) const;
    void put_in_force(std::vector<Opening> openings);
    void take_door(Thread& thread, Opening opening);
    aio::Task<void> tend(Thread* thread, Listener* listener);
    aio::Task<void> accept_loop(Thread& thread, Listener& listener);
    Accepted accept_some(Thread& thread, Listener& listener);
    void accept_what_waits(Thread& thread, Listener& listener);
    unsigned choose_thread(Thread& thread, const Listener& listener);
    bool has_work(unsigned index) const;
    void adopt(unsigned thread, int fd, SocketAddress peer, EntranceRef entrance);
    aio::Task<void> serve_connection(Thread& thread,
                                     int fd,
                                     SocketAddress peer,
                                     EntranceRef entrance);

    ServerOptions options_;
    std::vector<aio::Reactor*> reactors_;
    std::vector<Handler*> handlers_;
    mutable std::mutex door_lock_;
    std::shared_ptr<ListenSockets> sockets_;      // guarded by door_lock_; null: it drains
    std::shared_ptr<Entrance> entrance_;          // guarded by door_lock_
    std::vector<std::vector<Opening>> openings_;  // [i]: what thread i begins with, its own
    std::vector<std::unique_ptr<std::atomic<std::size_t>>> loads_;  // connections per thread
    std::vector<Thread*> threads_;  // [i] is touched by thread i only
    std::atomic<std::size_t> connections_ = 0;
    std::atomic<std::size_t> listeners_ = 0;  // that may still accept, of all threads
    std::atomic<bool> draining_ = false;
    std::atomic<std::int64_t> drain_grace_ns_ = 0;
};

}  // namespace weir::net
