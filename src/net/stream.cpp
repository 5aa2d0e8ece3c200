#include "net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cerrno>

#include "base/assert.h"
#include "net/tls.h"

namespace weir::net {
namespace {

// Beyond it a gathering write is cheaper than the copy.
constexpr std::size_t kCopiedBytesMax = 4096;

constexpr std::size_t kPiecesPerCall = 64;

// The pieces from byte `skip` on, as iovecs.
std::size_t gather(Pieces pieces, std::size_t skip, std::span<iovec> into, std::size_t& bytes) {
    std::size_t count = 0;
    bytes = 0;
    for (const std::string_view piece : pieces) {
        if (skip >= piece.size()) {
            skip -= piece.size();
            continue;
        }
        if (count == into.size()) {
            break;
        }
        into[count++] = {const_cast<char*>(piece.data() + skip), piece.size() - skip};
        bytes += piece.size() - skip;
        skip = 0;
    }
    return count;
}

}  // namespace

IoStatus to_status(aio::Wake wake) {
    switch (wake) {
        case aio::Wake::none:
        case aio::Wake::ready:
            return IoStatus::ok;
        case aio::Wake::timed_out:
            return IoStatus::timed_out;
        case aio::Wake::cancelled:
            return IoStatus::cancelled;
    }
    std::unreachable();
}

std::size_t total_size(Pieces pieces) {
    std::size_t size = 0;
    for (const auto piece : pieces) {
        size += piece.size();
    }
    return size;
}

Stream::Stream(int connected_socket) : descriptor_(connected_socket) {
    const int on = 1;
    ::setsockopt(connected_socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

Stream::~Stream() = default;

void Stream::use_tls(std::unique_ptr<TlsSession> session) {
    tls_ = std::move(session);
    tls_->attach(*this);
}

aio::Task<Io> Stream::handshake(aio::Deadline deadline) {
    WEIR_ASSERT(tls_ != nullptr);
    for (;;) {
        const auto step = tls_->try_handshake();
        if (step == TlsSession::Step::done) {
            co_return Io{};
        }
        if (step == TlsSession::Step::failed) {
            co_return Io{IoStatus::failed};
        }
        const auto direction =
            step == TlsSession::Step::wants_write ? aio::Direction::write : aio::Direction::read;
        const aio::Wake wake = co_await descriptor_.wait(direction, deadline);
        if (wake != aio::Wake::ready) {
            co_return Io{to_status(wake)};
        }
    }
}

Io Stream::try_read(std::span<char> into) { return tls_ ? tls_->try_read(into) : receive(into); }

Io Stream::try_write(Pieces pieces, std::size_t skip) {
    return tls_ ? tls_->try_write(pieces, skip) : send(pieces, skip);
}

Io Stream::receive(std::span<char> into) {
    for (;;) {
        const auto got = ::recv(descriptor_.fd(), into.data(), into.size(), 0);
        if (got > 0) {
            const auto bytes = static_cast<std::size_t>(got);
            // A short read means drained: the recv that would only say EAGAIN is saved. Not after a
            // hang-up, whose end-of-file would otherwise never be read.
            if (bytes < into.size() && !descriptor_.is_hung_up()) {
                descriptor_.clear_ready(aio::Direction::read);
            }
            return {IoStatus::ok, bytes};
        }
        if (got == 0) {
            return {IoStatus::end};
        }
        if (errno == EAGAIN) {
            descriptor_.clear_ready(aio::Direction::read);
            return {IoStatus::would_block};
        }
        if (errno != EINTR) {
            return {IoStatus::failed};
        }
    }
}

Io Stream::send(Pieces pieces, std::size_t skip) {
    std::size_t sent = 0;
    // A small message is copied together: that costs less than the kernel's walk over its pieces.
    const std::size_t size = skip == 0 ? total_size(pieces) : 0;
    if (size > 0 && size <= kCopiedBytesMax) {
        WEIR_UNINITIALIZED char together[kCopiedBytesMax];
        char* end = together;
        for (const std::string_view piece : pieces) {
            end = std::copy(piece.begin(), piece.end(), end);
        }
        const auto got = ::send(descriptor_.fd(), together, size, MSG_NOSIGNAL);
        if (got >= 0) {
            sent = static_cast<std::size_t>(got);
            if (sent < size) {
                descriptor_.clear_ready(aio::Direction::write);
            }
            return {IoStatus::ok, sent};
        }
        if (errno != EAGAIN && errno != EINTR) {
            return {IoStatus::failed, 0};
        }
        // What came in between is told by the way below.
    }
    for (;;) {
        WEIR_UNINITIALIZED iovec vectors[kPiecesPerCall];
        std::size_t offered = 0;
        msghdr message{};
        message.msg_iov = vectors;
        message.msg_iovlen = gather(pieces, skip + sent, vectors, offered);
        if (offered == 0) {
            return {IoStatus::ok, sent};
        }
        const auto got = ::sendmsg(descriptor_.fd(), &message, MSG_NOSIGNAL);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0 && errno != EAGAIN) {
            return {IoStatus::failed, sent};
        }
        const auto bytes = got < 0 ? 0 : static_cast<std::size_t>(got);
        sent += bytes;
        if (bytes < offered) {
            descriptor_.clear_ready(aio::Direction::write);
            return {IoStatus::ok, sent};
        }
    }
}

aio::Maybe<Io> Stream::read(std::span<char> into, aio::Deadline deadline) {
    if (is_readable()) {
        const Io io = try_read(into);
        if (io.status != IoStatus::would_block) {
            return io;
        }
    }
    return read_slowly(into, deadline);
}

aio::Task<Io> Stream::read_slowly(std::span<char> into, aio::Deadline deadline) {
    for (;;) {
        const aio::Wake wake = co_await wait_readable(deadline);
        if (wake != aio::Wake::ready) {
            co_return Io{to_status(wake)};
        }
        const Io io = try_read(into);
        if (io.status != IoStatus::would_block) {
            co_return io;
        }
    }
}

aio::Maybe<Io> Stream::write(Pieces pieces,
                             std::chrono::nanoseconds stall_max,
                             aio::Deadline deadline) {
    const Io io = try_write(pieces);
    if (!io.is_ok() || io.bytes == total_size(pieces)) {
        return io;
    }
    return write_rest(pieces, io.bytes, stall_max, deadline);
}

aio::Maybe<Io> Stream::write_copying(Pieces pieces, std::chrono::nanoseconds stall_max) {
    const Io io = try_write(pieces);
    const std::size_t size = total_size(pieces);
    if (!io.is_ok() || io.bytes == size) {
        return io;
    }
    std::string rest;
    rest.reserve(size - io.bytes);
    std::size_t skip = io.bytes;
    for (const auto piece : pieces) {
        const std::size_t skipped = std::min(skip, piece.size());
        rest.append(piece.substr(skipped));
        skip -= skipped;
    }
    return write_owned(std::move(rest), stall_max);
}

aio::Task<Io> Stream::write_owned(std::string rest, std::chrono::nanoseconds stall_max) {
    const std::string_view pieces[] = {rest};
    const Io io = co_await write_rest(pieces, 0, stall_max, aio::Deadline::never());
    co_return io;
}

aio::Task<Io> Stream::write_rest(Pieces pieces,
                                 std::size_t sent,
                                 std::chrono::nanoseconds stall_max,
                                 aio::Deadline deadline) {
    const std::size_t size = total_size(pieces);
    while (sent < size) {
        const aio::Wake wake = co_await wait_writable(deadline.at_most(stall_max));
        if (wake == aio::Wake::timed_out) {
            // Else the kernel would go on offering the rest to a reader that takes nothing, for as
            // long as that one likes.
            reset_on_close();
        }
        if (wake != aio::Wake::ready) {
            co_return Io{to_status(wake), sent};
        }
        const Io io = try_write(pieces, sent);
        if (!io.is_ok()) {
            co_return Io{io.status, sent};
        }
        sent += io.bytes;
    }
    co_return Io{IoStatus::ok, sent};
}

bool Stream::is_idle() {
    if (is_hung_up()) {
        return false;
    }
    if (!is_readable()) {
        return true;
    }
    char byte = 0;
    if (::recv(descriptor_.fd(), &byte, 1, MSG_PEEK) >= 0 || errno != EAGAIN) {
        return false;
    }
    descriptor_.clear_ready(aio::Direction::read);
    return !tls_ || !tls_->holds_bytes();
}

void Stream::shut_down_write() {
    if (tls_) {
        tls_->close_notify();
    }
    ::shutdown(descriptor_.fd(), SHUT_WR);
}

void Stream::reset_on_close() {
    const linger discard{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(descriptor_.fd(), SOL_SOCKET, SO_LINGER, &discard, sizeof discard);
}

}  // namespace weir::net
