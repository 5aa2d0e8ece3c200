#include "net/server_connection.h"

#include <exception>

namespace weir::net {
namespace {

constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

Failure too_slow(std::string_view what) {
    return fail(Code::request_timeout,
                fmt::format("The request's {} took too long to arrive; send it faster.", what));
}

}  // namespace

ServerConnection::ServerConnection(Server& server,
                                   Handler& handler,
                                   int fd,
                                   const SocketAddress& peer,
                                   std::shared_ptr<Server::Entrance> entrance,
                                   std::uint64_t jitter)
    : server_(server),
      entrance_(std::move(entrance)),
      limits_(server.options_.limits),
      handler_(handler),
      stream_(fd),
      peer_(peer.ip()) {
    // +-10 %, so that connections made together do not all end together.
    const auto age =
        std::chrono::duration_cast<std::chrono::milliseconds>(limits_.connection_age_max);
    const auto spread = static_cast<std::uint64_t>(age.count() / 5 + 1);
    age_limit_ =
        aio::Reactor::current().now() + age * 9 / 10 + std::chrono::milliseconds{jitter % spread};
    if (entrance_->tls) {
        stream_.use_tls(entrance_->tls->session({}));
    }
}

void ServerConnection::leave_if_idle() {
    if (idle_context_ != nullptr && !is_last_wait_) {
        leaves_ = true;  // even where its next request is noted already, in this turn of the loop
        idle_context_->cancel();
    }
}

bool ServerConnection::may_keep_alive() const {
    return requests_ < limits_.requests_per_connection_max && !is_to_leave() &&
           aio::Reactor::current().now() < age_limit_;
}

aio::Task<void> ServerConnection::run() {
    // The one catch-all of a connection: what arrives here is a bug or a third party's exception.
    try {
        if (stream_.is_tls()) {
            const Io io = co_await stream_.handshake(aio::Deadline::in(limits_.first_byte_max));
            if (!io.is_ok()) {
                co_return;
            }
        }
        for (;;) {
            const Next request = co_await await_request();
            if (request == Next::close) {
                co_return;
            }
            const Next following = co_await serve_request();
            if (following == Next::close) {
                co_return;
            }
        }
    } catch (const std::exception&) {
        stream_.reset_on_close();
    }
}

// Waits for a complete head in input_.
aio::Task<ServerConnection::Next> ServerConnection::await_request() {
    parser_.reset();
    is_last_wait_ = requests_ > 0 && server_.is_draining();
    const auto patience = aio::Deadline::in(is_last_wait_    ? limits_.last_request_max
                                            : requests_ == 0 ? limits_.first_byte_max
                                                             : limits_.keep_alive_max);
    // Idle: no buffer is held until there is something to put into it. Readiness alone is no sign
    // of that: a read that took exactly what it asked for, as of a body, leaves it behind.
    while (input_.size() == 0) {
        idle_context_ = &co_await aio::this_context();
        const aio::Wake wake = co_await stream_.wait_readable(patience);
        idle_context_ = nullptr;
        if (wake != aio::Wake::ready || leaves_) {
            co_return Next::close;
        }
        input_.reserve(kBufferBytes);
        const Io io = stream_.try_read(input_.room());
        if (io.is_ok()) {
            input_.grow_by(io.bytes);
        } else if (io.status == IoStatus::would_block) {
            input_.release();
        } else {
            co_return Next::close;
        }
    }
    const auto deadline = aio::Deadline::in(limits_.head_max);
    parser_ = aio::make_pooled<RequestHeadParser>(limits_.head);
    for (;;) {
        const auto parsed = parser_->parse(input_.view());
        if (!parsed) {
            co_await refuse(parsed.error());
            co_return Next::close;
        }
        if (*parsed) {
            co_return Next::serve;
        }
        input_.reserve(std::max(kBufferBytes, input_.size() + kBufferBytes / 4));
        const Io io = co_await stream_.read(input_.room(), deadline);
        if (io.status == IoStatus::timed_out) {
            co_await refuse(too_slow("head").error());
        }
        if (!io.is_ok()) {
            co_return Next::close;
        }
        input_.grow_by(io.bytes);
    }
}

aio::Task<void> ServerConnection::refuse(const Error& error) {
    ServerCall call(*this);
    call.client_ = peer_;
    call.received_at_ = aio::Reactor::current().now();
    call.close_ = true;
    co_await handler_.refuse(call, error);
    co_await close_lingering();
}

aio::Task<ServerConnection::Next> ServerConnection::serve_request() {
    ++requests_;
    ServerCall call(*this);
    const RequestHead& head = parser_->head();
    call.received_at_ = aio::Reactor::current().now();
    call.request_bytes_ = parser_->size();
    call.close_ = !head.keep_alive || !may_keep_alive();
    call.client_ =
        entrance_->trusted_proxies.empty()
            ? peer_
            : client_address(
                  peer_, head.find(KnownHeader::x_forwarded_for), entrance_->trusted_proxies);

    aio::Context& context = co_await aio::this_context();
    stream_.cancel_on_hang_up(&context);
    co_await handler_.handle(call);
    stream_.cancel_on_hang_up(nullptr);

    if (!call.finished_) {
        co_return Next::close;
    }
    if (call.close_ || !call.has_body_at_hand()) {
        co_await close_lingering();
        co_return Next::close;
    }
    if (!call.released_) {
        call.release_request();
    }
    co_return Next::serve;
}

// The answer was sent, but the client may still be sending: closing now would reset the connection
// and could destroy the answer on its way. FIN first, then read a little, then close.
aio::Task<void> ServerConnection::close_lingering() {
    stream_.shut_down_write();
    input_.release();
    const auto deadline = aio::Deadline::in(limits_.linger_max);
    std::size_t drained = 0;
    while (drained < limits_.linger_bytes_max) {
        const Io io = co_await stream_.read(receive_scratch(), deadline);
        if (!io.is_ok()) {
            co_return;
        }
        drained += io.bytes;
    }
}

const RequestHead& ServerCall::head() const {
    WEIR_ASSERT(!released_);
    return connection_.parser_->head();
}

bool ServerCall::has_body_at_hand() const {
    if (body_read_ || released_) {
        return true;
    }
    const RequestHead& head = connection_.parser_->head();
    return !head.is_chunked && connection_.input_.size() >=
                                   connection_.parser_->size() + head.content_length.value_or(0);
}

bool ServerCall::keeps_alive() {
    // A drain that began during the request ends the connection behind its answer.
    close_ = close_ || connection_.is_to_leave() || !has_body_at_hand();
    return !close_;
}

aio::Deadline ServerCall::body_deadline(SteadyTime begun, std::size_t received) const {
    const ServerLimits& limits = connection_.limits_;
    const std::chrono::seconds earned{received / limits.body_bytes_per_second_min};
    return aio::Deadline::at(begun + limits.body_grace + earned);
}

aio::Maybe<Result<std::string_view>> ServerCall::read_body(std::size_t bytes_max) {
    WEIR_ASSERT(!body_read_ && !released_);
    const RequestHead& head = connection_.parser_->head();
    if (head.is_chunked) {
        return read_chunked_body(bytes_max);
    }
    const std::uint64_t size = head.content_length.value_or(0);
    if (size > bytes_max) {
        return Result<std::string_view>(
            fail(Code::payload_too_large,
                 fmt::format("The body is larger than the {} bytes allowed here.", bytes_max)));
    }
    if (!has_body_at_hand()) {
        return read_sized_body(size);
    }
    body_read_ = true;
    request_bytes_ = connection_.parser_->size() + size;
    return Result<std::string_view>(
        connection_.input_.view().substr(connection_.parser_->size(), size));
}

// Who waits to be asked is asked; false: nobody is there.
aio::Maybe<bool> ServerCall::ask_for_body() {
    if (!connection_.parser_->head().expects_continue ||
        connection_.input_.size() > connection_.parser_->size()) {
        return true;
    }
    return say_continue();
}

aio::Task<bool> ServerCall::say_continue() {
    const std::string_view pieces[] = {kContinue};
    const Io io = co_await connection_.stream_.write(
        pieces, connection_.limits_.write_stall_max, aio::Deadline::never());
    co_return io.is_ok();
}

aio::Task<Result<std::string_view>> ServerCall::read_sized_body(std::size_t size) {
    Buffer& input = connection_.input_;
    Stream& stream = connection_.stream_;
    const std::size_t head_size = connection_.parser_->size();
    const SteadyTime begun = aio::Reactor::current().now();
    const bool asked = co_await ask_for_body();
    if (!asked) {
        co_return fail(Code::cancelled, "The client left.");
    }
    // One buffer of the right size, filled by as few reads as the network allows. The head's views
    // move with it.
    input.reserve(head_size + size);
    connection_.parser_->rebase(input.view());
    while (input.size() < head_size + size) {
        const std::size_t received = input.size() - head_size;
        const Io io = co_await stream.read(input.room().first(head_size + size - input.size()),
                                           body_deadline(begun, received));
        if (io.status == IoStatus::timed_out) {
            co_return too_slow("body");
        }
        if (!io.is_ok()) {
            co_return fail(Code::cancelled, "The client left.");
        }
        input.grow_by(io.bytes);
    }
    body_read_ = true;
    request_bytes_ = head_size + size;
    co_return input.view().substr(head_size, size);
}

aio::Task<Result<std::string_view>> ServerCall::read_chunked_body(std::size_t bytes_max) {
    Buffer& input = connection_.input_;
    Stream& stream = connection_.stream_;
    const SteadyTime begun = aio::Reactor::current().now();
    const bool asked = co_await ask_for_body();
    if (!asked) {
        co_return fail(Code::cancelled, "The client left.");
    }
    BodyScanner scanner = BodyScanner::of_request(connection_.parser_->head());
    const auto collect = [this](std::string_view span) { chunked_body_.append(span); };
    // What came with the head stays in input_ behind it; the rest passes through scratch, so that
    // the head's views stay where they are. Bytes of a pipelined request that end up in scratch go
    // back to input_.
    std::string_view bytes = input.view().substr(connection_.parser_->size());
    bool from_input = true;
    for (;;) {
        WEIR_CO_TRY(const auto step, scanner.scan(bytes, collect));
        if (chunked_body_.size() > bytes_max) {
            co_return fail(
                Code::payload_too_large,
                fmt::format("The body is larger than the {} bytes allowed here.", bytes_max));
        }
        if (step.done) {
            body_read_ = true;
            if (from_input) {
                request_bytes_ = connection_.parser_->size() + step.used;
            } else {
                request_bytes_ = input.size();
                input.append(bytes.substr(step.used));
                connection_.parser_->rebase(input.view());
            }
            co_return chunked_body_.view();
        }
        const Io io =
            co_await stream.read(receive_scratch(), body_deadline(begun, chunked_body_.size()));
        if (io.status == IoStatus::timed_out) {
            co_return too_slow("body");
        }
        if (!io.is_ok()) {
            co_return fail(Code::cancelled, "The client left.");
        }
        bytes = {receive_scratch().data(), io.bytes};
        from_input = false;
    }
}

aio::Task<Result<std::string_view>> ServerCall::read_body_part() {
    WEIR_ASSERT(!released_);
    if (body_read_) {
        co_return std::string_view{};
    }
    Buffer& input = connection_.input_;
    if (input_taken_ == 0) {
        input_taken_ = connection_.parser_->size();
        part_scanner_ = BodyScanner::of_request(connection_.parser_->head());
        parts_begun_ = aio::Reactor::current().now();
        const bool asked = co_await ask_for_body();
        if (!asked) {
            co_return fail(Code::cancelled, "The client left.");
        }
    }
    for (;;) {
        std::span<char> bytes = receive_scratch();
        const bool from_input = input_taken_ < input.size() || part_scanner_.is_done();
        if (from_input) {  // what came with the head stays there: its views must not move
            const auto taken = input.view().substr(input_taken_, bytes.size());
            std::copy(taken.begin(), taken.end(), bytes.begin());
            bytes = bytes.first(taken.size());
        } else {
            const Io io =
                co_await connection_.stream_.read(bytes, body_deadline(parts_begun_, parts_bytes_));
            if (io.status == IoStatus::timed_out) {
                co_return too_slow("body");
            }
            if (!io.is_ok()) {
                co_return fail(Code::cancelled, "The client left.");
            }
            bytes = bytes.first(io.bytes);
        }
        WEIR_CO_TRY(const auto payload, take_part(bytes, from_input));
        if (!payload.empty() || body_read_) {
            co_return payload;
        }
    }
}

// The framing of chunks is squeezed out in place; what belongs to the next request goes back.
Result<std::string_view> ServerCall::take_part(std::span<char> bytes, bool from_input) {
    Buffer& input = connection_.input_;
    char* end = bytes.data();
    WEIR_TRY(const auto step,
             part_scanner_.scan({bytes.data(), bytes.size()}, [&end](std::string_view span) {
                 if (end != span.data()) {
                     std::memmove(end, span.data(), span.size());
                 }
                 end += span.size();
             }));
    const auto payload = static_cast<std::size_t>(end - bytes.data());
    parts_bytes_ += payload;
    if (from_input) {
        input_taken_ += step.used;
    }
    if (step.done) {
        body_read_ = true;
        request_bytes_ = from_input ? input_taken_ : input.size();
        if (!from_input && step.used < bytes.size()) {
            input.append({bytes.data() + step.used, bytes.size() - step.used});
            connection_.parser_->rebase(input.view());
        }
    }
    return std::string_view{bytes.data(), payload};
}

void ServerCall::release_request() {
    WEIR_ASSERT(!released_);
    const RequestHead& head = connection_.parser_->head();
    if (!body_read_ && !head.is_chunked) {
        // Never asked for but here in full: skipped, the connection can serve on.
        request_bytes_ =
            connection_.parser_->size() +
            std::min<std::size_t>(head.content_length.value_or(0),
                                  connection_.input_.size() - connection_.parser_->size());
    }
    close_ = close_ || !has_body_at_hand();
    released_ = true;
    chunked_body_.release();
    connection_.input_.consume(request_bytes_);
    connection_.parser_.reset();
}

bool ServerCall::has_client() const { return !connection_.stream_.is_hung_up(); }

aio::Maybe<Io> ServerCall::write(Pieces pieces) {
    begun_ = true;
    return connection_.stream_.write(
        pieces, connection_.limits_.write_stall_max, aio::Deadline::never());
}

aio::Maybe<Io> ServerCall::write_copying(Pieces pieces) {
    begun_ = true;
    return connection_.stream_.write_copying(pieces, connection_.limits_.write_stall_max);
}

}  // namespace weir::net
