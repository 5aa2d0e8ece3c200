// A byte stream over a connected socket, plain or TLS on one seam. try_* never wait; wait_* wait
// for readiness; read and write do both. The awaited write is the only brake there is. Lives on the
// reactor thread that made it; owns the socket.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "aio/descriptor.h"
#include "aio/task.h"
#include "net/address.h"

namespace weir::net {

class TlsSession;
struct TlsBio;

enum class IoStatus : std::uint8_t { ok, end, would_block, timed_out, cancelled, failed };

struct Io {
    IoStatus status = IoStatus::ok;
    std::size_t bytes = 0;
    bool is_ok() const { return status == IoStatus::ok; }
};
IoStatus to_status(aio::Wake wake);

// Bytes to send, in order, gathered without copying.
using Pieces = std::span<const std::string_view>;
std::size_t total_size(Pieces pieces);

class Stream {
public:
    explicit Stream(int connected_socket);
    ~Stream();
    Stream(Stream&&) = delete;

    // Takes the handshake's place in front of all bytes; see tls.h. Await `handshake` before
    // anything else.
    void use_tls(std::unique_ptr<TlsSession> session);
    aio::Task<Io> handshake(aio::Deadline deadline);
    bool is_tls() const { return tls_ != nullptr; }

    // ok with at least one byte, end, would_block or failed.
    Io try_read(std::span<char> into);
    // Writes from byte `skip` of the pieces on. ok with the bytes taken (fewer than offered, even
    // 0: the socket is full) or failed. What was not taken must be offered again unchanged.
    Io try_write(Pieces pieces, std::size_t skip = 0);

    auto wait_readable(aio::Deadline deadline) {
        return descriptor_.wait(aio::Direction::read, deadline);
    }
    auto wait_writable(aio::Deadline deadline) {
        return descriptor_.wait(aio::Direction::write, deadline);
    }

    aio::Maybe<Io> read(std::span<char> into, aio::Deadline deadline);

    // Writes everything. `write` needs the pieces to stay until it returns; `write_copying` copies
    // what the socket does not take at once, so that they may lie in a thread's scratch buffer. The
    // stall limit counts from the last progress; where it passes, what is unsent is discarded when
    // the stream closes.
    aio::Maybe<Io> write(Pieces pieces, std::chrono::nanoseconds stall_max, aio::Deadline deadline);
    aio::Maybe<Io> write_copying(Pieces pieces, std::chrono::nanoseconds stall_max);

    // Readable now, as far as is known without a system call.
    bool is_readable() const { return descriptor_.is_ready(aio::Direction::read); }
    bool is_hung_up() const { return descriptor_.is_hung_up(); }
    // Open, with nothing to read: between two messages it can be used again. Asks the system where
    // is_readable() may be left over from a read that took exactly what was there.
    bool is_idle();
    void cancel_on_hang_up(aio::Context* context) { descriptor_.cancel_on_hang_up(context); }
    int fd() const { return descriptor_.fd(); }

    // Sends FIN (and TLS close_notify) after what was written; reading goes on.
    void shut_down_write();
    // The close that follows discards what is unsent and resets the connection.
    void reset_on_close();

private:
    friend class TlsSession;
    friend struct TlsBio;
    Io receive(std::span<char> into);
    Io send(Pieces pieces, std::size_t skip);
    aio::Task<Io> read_slowly(std::span<char> into, aio::Deadline deadline);
    aio::Task<Io> write_rest(Pieces pieces,
                             std::size_t sent,
                             std::chrono::nanoseconds stall_max,
                             aio::Deadline deadline);
    aio::Task<Io> write_owned(std::string rest, std::chrono::nanoseconds stall_max);

    aio::Descriptor descriptor_;
    std::unique_ptr<TlsSession> tls_;
};

}  // namespace weir::net
