// A non-blocking file descriptor, registered once with the reactor of the thread that made it.
// Readiness is remembered, so waiting on what is known to be ready costs nothing. The reader and
// the writer report what the system told them: after EAGAIN, or after a short read (which means
// drained), they clear the flag. Owns and closes the descriptor. Must be destroyed on its thread,
// with nobody waiting.
//
// The kernel forgets a registration when the last descriptor of a file is closed: of one that has
// duplicates, or that other processes hold too, it would go on telling of an object that is gone.
// Such a one must say so.
#pragma once

#include <cstdint>

#include "aio/deadline.h"
#include "aio/operation.h"
#include "aio/reactor.h"

namespace weir::aio {

enum class Direction : std::uint8_t { read, write };
enum class Holders : std::uint8_t { one, several };  // of the open file behind a descriptor

class Descriptor {
public:
    explicit Descriptor(int fd, Holders holders = Holders::one);
    ~Descriptor();
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int fd() const { return fd_; }
    bool is_ready(Direction direction) const { return side(direction).ready; }
    void clear_ready(Direction direction) { side(direction).ready = false; }
    // For a layer that holds bytes it has read already (TLS): the next wait returns at once.
    void mark_ready(Direction direction) { side(direction).ready = true; }
    // The other side has closed its half or the connection broke. Reading may still give what came
    // before.
    bool is_hung_up() const { return hung_up_; }

    // const Wake wake = co_await descriptor.wait(Direction::read, deadline);
    // At most one waiter per direction.
    auto wait(Direction direction, Deadline deadline) { return Wait(*this, direction, deadline); }

    // Cancels `context` when the other side hangs up (at once where it has already); nullptr ends
    // the watch.
    void cancel_on_hang_up(Context* context);

private:
    friend class Reactor;

    class Wait final : Operation {
    public:
        Wait(Descriptor& descriptor, Direction direction, Deadline deadline)
            : descriptor_(descriptor), direction_(direction), deadline_(deadline) {}
        bool await_ready() const noexcept { return descriptor_.is_ready(direction_); }
        template <class P>
        bool await_suspend(std::coroutine_handle<P> frame) noexcept {
            return begin(frame, frame.promise().context) && descriptor_.enlist(*this);
        }
        // Never suspended: ready at once.
        Wake await_resume() const noexcept { return wake() == Wake::none ? Wake::ready : wake(); }

    private:
        friend class Descriptor;
        void detach() noexcept override { descriptor_.side(direction_).waiting = nullptr; }
        Descriptor& descriptor_;
        Direction direction_;
        Deadline deadline_;
    };

    // One direction. The timer is re-armed lazily: where it is armed for an earlier time than the
    // deadline of a new wait it stays, and looks again when it fires. A stream that waits for each
    // chunk touches no list.
    struct Side : Timer {
        Side() : Timer(&fire) {}
        static void fire(Timer& timer) noexcept;
        Wait* waiting = nullptr;
        bool ready = false;
    };

    Side& side(Direction direction) { return direction == Direction::read ? read_ : write_; }
    const Side& side(Direction direction) const {
        return direction == Direction::read ? read_ : write_;
    }
    bool enlist(Wait& wait) noexcept;
    void on_events(std::uint32_t events) noexcept;
    static void on_ready(Side& side) noexcept;

    int fd_;
    Holders holders_;
    bool hung_up_ = false;
    Side read_, write_;
    Context* watching_ = nullptr;
};

}  // namespace weir::aio
