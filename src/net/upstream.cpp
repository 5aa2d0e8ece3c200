#include "net/upstream.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace weir::net {
namespace {

constexpr std::string_view kUnreachable =
    "The model provider cannot be reached; try again shortly.";
constexpr std::string_view kBroken =
    "The model provider gave an answer that cannot be used; try again.";
constexpr std::string_view kLate = "The model provider did not answer in time; try again.";
constexpr std::string_view kClientLeft = "The client left.";
// How often a thread that waits for a free connection looks again, and how long at most (then it is
// overload).
constexpr std::chrono::milliseconds kFullPoll{5};
constexpr std::size_t kInterimHeadsMax = 8;

Failure unreachable(std::string detail) {
    return fail(Code::upstream_unavailable, std::string(kUnreachable)).detail(std::move(detail));
}
Failure broken(std::string detail) {
    return fail(Code::upstream_invalid_response, std::string(kBroken)).detail(std::move(detail));
}
Failure late(std::string detail) {
    return fail(Code::upstream_timeout, std::string(kLate)).detail(std::move(detail));
}
Failure left() { return fail(Code::cancelled, std::string(kClientLeft)); }

}  // namespace

Upstream::Upstream(UpstreamOptions options, Resolver& resolver)
    : options_(std::move(options)), resolver_(resolver) {
    const bool v6 = options_.host.find(':') != std::string::npos;
    const std::string host = v6 ? "[" + options_.host + "]" : options_.host;
    const bool standard_port = options_.port == (options_.tls ? 443 : 80);
    authority_ = standard_port ? host : fmt::format("{}:{}", host, options_.port);
}

Upstream::~Upstream() { WEIR_ASSERT(connections_.load() == 0); }

UpstreamConnection::UpstreamConnection(Upstream& upstream, int fd)
    : stream(fd), upstream_(upstream) {}

UpstreamConnection::~UpstreamConnection() {
    upstream_.connections_.fetch_sub(1, std::memory_order_relaxed);
}

UpstreamPool::UpstreamPool(std::shared_ptr<Upstream> upstream) : upstream_(std::move(upstream)) {}

UpstreamPool::~UpstreamPool() = default;

UpstreamPool::Connection UpstreamPool::take_idle() {
    const SteadyTime oldest = aio::Reactor::current().now() - upstream_->options_.idle_max;
    while (!idle_.empty()) {
        Connection connection = std::move(idle_.back());
        idle_.pop_back();
        // Readable while idle means closed, or bytes nobody asked for: either way it is of no use.
        if (connection->idle_since >= oldest && connection->stream.is_idle()) {
            return connection;
        }
    }
    return nullptr;
}

void UpstreamPool::give_back(Connection connection) {
    const auto& options = upstream_->options_;
    const std::size_t idle_max = (options.connections_max + options.threads - 1) / options.threads;
    if (idle_.size() < idle_max) {
        connection->idle_since = aio::Reactor::current().now();
        idle_.push_back(std::move(connection));
    }
}

void UpstreamPool::reap(SteadyTime now) {
    const SteadyTime oldest = now - upstream_->options_.idle_max;
    std::erase_if(idle_, [oldest](const Connection& connection) {
        return connection->idle_since < oldest || !connection->stream.is_idle();
    });
}

aio::Task<Result<UpstreamPool::Connection>> UpstreamPool::connect(Timing timing) {
    Upstream& upstream = *upstream_;
    const aio::Deadline deadline = timing.total.at_most(timing.connect_max);
    // The cap is taken before the socket exists, so that it holds at every instant.
    while (upstream.connections_.fetch_add(1, std::memory_order_relaxed) >=
           upstream.options_.connections_max) {
        upstream.connections_.fetch_sub(1, std::memory_order_relaxed);
        if (deadline.has_passed(aio::Reactor::current().now())) {
            co_return fail(Code::overloaded,
                           "Too many calls are waiting for this model; try again shortly.")
                .retry_after(std::chrono::seconds{1})
                .detail(upstream.authority_ + ": connections_max reached");
        }
        const aio::Wake wake = co_await aio::sleep(aio::Deadline::in(kFullPoll).at_most(deadline));
        if (wake == aio::Wake::cancelled) {
            co_return left();
        }
        if (Connection freed = take_idle()) {
            co_return freed;
        }
    }
    struct Place {  // gives the place under the cap back unless a connection took it over
        Upstream* upstream;
        ~Place() {
            if (upstream != nullptr) {
                upstream->connections_.fetch_sub(1, std::memory_order_relaxed);
            }
        }
    } place{&upstream};

    Addresses addresses = upstream.options_.addresses;
    if (!addresses) {
        auto resolved = co_await upstream.resolver_.resolve(upstream.options_.host, deadline);
        if (!resolved) {
            co_return resolved.error().code() == Code::cancelled
                ? left()
                : unreachable(resolved.error().detail());
        }
        addresses = std::move(*resolved);
    }
    std::string failure = "no address";
    for (const IpAddress& ip : *addresses) {
        const SocketAddress address = SocketAddress::from(ip, upstream.options_.port);
        const int fd =
            ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            co_return fail(Code::overloaded, "The gateway is out of sockets; try again shortly.")
                .detail(std::strerror(errno));
        }
        const int started = ::connect(fd, address.raw(), address.size);
        const int start_error = started == 0 ? 0 : errno;
        place.upstream = nullptr;
        auto connection = std::make_unique<UpstreamConnection>(upstream, fd);
        if (start_error == 0 || start_error == EINPROGRESS) {
            const aio::Wake wake = co_await connection->stream.wait_writable(deadline);
            if (wake == aio::Wake::cancelled) {
                co_return left();
            }
            if (wake == aio::Wake::timed_out) {
                co_return late("connecting to " + to_text(address));
            }
        }
        int error = start_error == EINPROGRESS ? 0 : start_error;
        socklen_t size = sizeof error;
        if (error == 0) {
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
        if (error == 0 && upstream.options_.tls) {
            auto session = upstream.options_.tls->session(upstream.options_.host);
            TlsSession* tls = session.get();
            connection->stream.use_tls(std::move(session));
            const Io io = co_await connection->stream.handshake(deadline);
            if (io.status == IoStatus::cancelled) {
                co_return left();
            }
            if (io.status == IoStatus::timed_out) {
                co_return late("TLS handshake with " + to_text(address));
            }
            if (!io.is_ok()) {
                co_return unreachable("TLS handshake with " + upstream.authority_ + ": " +
                                      tls->failure());
            }
        }
        if (error == 0) {
            co_return connection;
        }
        failure = "connecting to " + to_text(address) + ": " + std::strerror(error);
        connection.reset();
        upstream.connections_.fetch_add(1, std::memory_order_relaxed);
        place.upstream = &upstream;
    }
    co_return unreachable(failure);
}

Exchange::~Exchange() {
    if (connection_ && complete_ && keep_alive_ && connection_->stream.is_idle()) {
        pool_.give_back(std::move(connection_));
    }
}

aio::Task<Result<void>> Exchange::send(Pieces request, Method method, Timing timing) {
    timing_ = timing;
    for (bool may_reuse = true;; may_reuse = false) {
        connection_ = may_reuse ? pool_.take_idle() : nullptr;
        if (!connection_) {
            auto connected = co_await pool_.connect(timing);
            if (!connected) {
                co_return std::unexpected(std::move(connected).error());
            }
            connection_ = std::move(*connected);
        }
        const bool reused = connection_->was_used();
        sent_ = true;
        Result<void> result{};
        const Io io = co_await connection_->stream.write(request, timing.idle_max, timing.total);
        // A server may refuse early and close while the request is still on its way: its answer is
        // read.
        if (io.status == IoStatus::cancelled) {
            result = left();
        } else if (io.status == IoStatus::timed_out) {
            result = late("sending the request");
        } else {
            result = co_await receive_head(method);
        }
        if (result) {
            co_return result;
        }
        connection_.reset();
        // Once, and only a connection that had been idle, that gave not one byte, and that broke
        // (not: was slow).
        if (!may_reuse || !reused || any_byte_ ||
            result.error().code() != Code::upstream_unavailable) {
            co_return result;
        }
    }
}

Result<bool> Exchange::took_it(const Io& io) {
    switch (io.status) {
        case IoStatus::ok:
            return true;
        case IoStatus::cancelled:
            return left();
        case IoStatus::timed_out:
            return late("sending the request");
        case IoStatus::end:
        case IoStatus::would_block:
        case IoStatus::failed:
            return false;
    }
    std::unreachable();
}

aio::Task<Result<bool>> Exchange::begin(Pieces request, Timing timing) {
    timing_ = timing;
    auto connected = co_await pool_.connect(timing);
    if (!connected) {
        co_return std::unexpected(std::move(connected).error());
    }
    connection_ = std::move(*connected);
    sent_ = true;
    const Io io = co_await connection_->stream.write(request, timing.idle_max, timing.total);
    const auto taken = took_it(io);
    cut_short_ = !taken || !*taken;
    co_return taken;
}

aio::Task<Result<bool>> Exchange::send_more(Pieces pieces) {
    if (cut_short_) {
        co_return false;
    }
    const Io io = co_await connection_->stream.write_copying(pieces, timing_.idle_max);
    const auto taken = took_it(io);
    cut_short_ = !taken || !*taken;
    co_return taken;
}

aio::Task<Result<void>> Exchange::finish(Method method) {
    auto received = co_await receive_head(method);
    keep_alive_ = keep_alive_ && !cut_short_;
    co_return received;
}

aio::Task<Result<void>> Exchange::receive_head(Method method) {
    parser_ = aio::make_pooled<ResponseHeadParser>();
    parser_->reset(method);
    head_bytes_.release();
    const aio::Deadline deadline = timing_.first_byte.at_most(timing_.total);
    std::size_t interim = 0;
    for (;;) {
        std::span<char> bytes;
        // A head in one read is parsed where it lies; only a split one is gathered.
        if (head_bytes_.size() == 0) {
            const aio::Wake wake = co_await connection_->stream.wait_readable(deadline);
            if (wake == aio::Wake::cancelled) {
                co_return left();
            }
            if (wake == aio::Wake::timed_out) {
                co_return late("waiting for the answer's head");
            }
            const Io io = connection_->stream.try_read(receive_scratch());
            if (io.status == IoStatus::would_block) {
                continue;
            }
            if (!io.is_ok()) {
                co_return any_byte_ ? broken("connection lost inside the head")
                                    : unreachable("connection closed before an answer");
            }
            bytes = receive_scratch().first(io.bytes);
        } else {
            head_bytes_.reserve(head_bytes_.size() + kBufferBytes);
            const Io io = co_await connection_->stream.read(head_bytes_.room(), deadline);
            if (!io.is_ok()) {
                co_return io.status == IoStatus::cancelled ? left()
                : io.status == IoStatus::timed_out         ? late("waiting for the answer's head")
                                                   : broken("connection lost inside the head");
            }
            head_bytes_.grow_by(io.bytes);
            bytes = {head_bytes_.data(), head_bytes_.size()};
        }
        any_byte_ = true;
        for (;;) {
            const auto parsed = parser_->parse({bytes.data(), bytes.size()});
            if (!parsed) {
                co_return std::unexpected(parsed.error());
            }
            if (!*parsed) {
                if (head_bytes_.size() == 0) {
                    head_bytes_.append({bytes.data(), bytes.size()});
                } else if (bytes.size() != head_bytes_.size()) {
                    Buffer rest;
                    rest.append({bytes.data(), bytes.size()});
                    head_bytes_ = std::move(rest);
                }
                break;
            }
            const ResponseHead& head = parser_->head();
            std::span<char> rest = bytes.subspan(parser_->size());
            if (head.status >= 200) {
                leftover_ = rest;
                begin_body(head);
                // As behind a body: bytes that nobody asked for are not to be trusted.
                keep_alive_ = head.keep_alive && (!complete_ || rest.empty());
                co_return Result<void>{};
            }
            if (head.status == 101 || ++interim > kInterimHeadsMax) {
                co_return broken("unexpected 1xx");
            }
            parser_->reset(method);
            bytes = rest;
            if (bytes.empty()) {
                head_bytes_.release();
                break;
            }
        }
    }
}

void Exchange::begin_body(const ResponseHead& head) {
    body_ = BodyScanner::of_response(head);
    complete_ = body_.is_done();
    if (complete_) {
        return;  // nothing is nothing, however it is called
    }
    auto coding = read_coding(head.find(KnownHeader::content_encoding));
    if (!coding) {
        coding_fault_ = std::move(coding).error();
    } else if (*coding) {
        inflater_ = std::make_unique<Inflater>(**coding);
    }
}

aio::Maybe<Result<std::string_view>> Exchange::read_body() {
    parser_.reset();
    if (is_compressed()) [[unlikely]] {
        return read_inflated();
    }
    return read_payload();
}

aio::Task<Result<std::string_view>> Exchange::read_inflated() {
    if (coding_fault_) {
        co_return std::unexpected(*coding_fault_);
    }
    for (;;) {
        const auto plain = inflater_->next();
        if (!plain || !plain->empty()) {
            co_return plain;
        }
        if (complete_) {
            const auto ended = inflater_->finish();
            if (!ended) {
                co_return std::unexpected(ended.error());
            }
            inflated_ = true;
            co_return std::string_view{};
        }
        const auto payload = co_await read_payload();
        if (!payload) {
            co_return payload;
        }
        inflater_->feed(*payload);
    }
}

aio::Maybe<Result<std::string_view>> Exchange::read_payload() {
    if (complete_) {
        return Result<std::string_view>(std::string_view{});
    }
    if (!leftover_.empty()) {
        const auto bytes = std::exchange(leftover_, {});
        auto payload = take_payload(bytes);
        // A chunk head alone is no payload: go on and wait for some.
        if (!payload || !payload->empty() || complete_) {
            return payload;
        }
    }
    return read_body_slowly();
}

aio::Task<Result<std::string_view>> Exchange::read_body_slowly() {
    for (;;) {
        const aio::Deadline deadline = timing_.total.at_most(timing_.idle_max);
        // Every chunk of a stream waits here: waiting and reading by hand saves it a frame.
        const aio::Wake wake = co_await connection_->stream.wait_readable(deadline);
        if (wake == aio::Wake::cancelled) {
            co_return left();
        }
        if (wake == aio::Wake::timed_out) {
            co_return late("waiting for more of the answer");
        }
        const Io io = connection_->stream.try_read(receive_scratch());
        switch (io.status) {
            case IoStatus::ok:
                break;
            case IoStatus::would_block:
                continue;
            case IoStatus::end:
                if (body_.ends_with_connection()) {
                    complete_ = true;
                    keep_alive_ = false;
                    co_return std::string_view{};
                }
                co_return broken("connection closed inside the answer");
            case IoStatus::cancelled:
            case IoStatus::timed_out:
            case IoStatus::failed:
                co_return broken("connection lost inside the answer");
        }
        auto payload = take_payload(receive_scratch().first(io.bytes));
        if (!payload || !payload->empty() || complete_) {
            co_return payload;
        }
    }
}

Result<std::string_view> Exchange::take_payload(std::span<char> bytes) {
    // Chunk framing is squeezed out in place: payload spans only ever move towards the front.
    char* end = bytes.data();
    WEIR_TRY(const auto step,
             body_.scan({bytes.data(), bytes.size()}, [&end](std::string_view span) {
                 if (end != span.data()) {
                     std::memmove(end, span.data(), span.size());
                 }
                 end += span.size();
             }));
    if (step.done) {
        complete_ = true;
        keep_alive_ =
            keep_alive_ && step.used == bytes.size();  // bytes after the answer: not to be trusted
    }
    return std::string_view{bytes.data(), static_cast<std::size_t>(end - bytes.data())};
}

}  // namespace weir::net
