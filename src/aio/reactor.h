// One thread's event loop: edge-triggered epoll, a ready queue, a timer wheel and a mailbox. A
// descriptor is registered once, for everything, and never touched again (no epoll_ctl per
// request).
//
// A turn of the loop: wait for events; note them (this only sets flags and queues frames); fire
// timers; run the mailbox; resume what is ready. Because frames are resumed only after all events
// of a turn are noted, an object may be destroyed by any of them without leaving a stale event
// behind.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "aio/deadline.h"
#include "aio/operation.h"
#include "aio/task.h"
#include "aio/timer_wheel.h"
#include "base/clock.h"

namespace weir::aio {

class Descriptor;

class Reactor {
public:
    Reactor();
    ~Reactor();
    Reactor(const Reactor&) = delete;
    Reactor& operator=(const Reactor&) = delete;

    // The reactor whose run() is on this thread's stack. Aborts where there is none.
    static Reactor& current();

    // Runs until stop(). Call once, on the thread that is to own everything made within.
    void run();
    // Runs the task to its end, then returns: for programs and tests that live in one coroutine.
    void run(Task<void> root);

    // Any thread. The letter runs on the reactor's thread, in order. Letters left at stop() are
    // dropped unrun.
    void post(std::move_only_function<void()> letter);
    void stop();

    // This thread only.
    SteadyTime now() const { return now_; }  // taken once a turn
    TimerWheel& timers() { return timers_; }

private:
    friend class Descriptor;
    friend void complete(Operation& operation, Wake wake) noexcept;

    void add(int fd, Descriptor& descriptor);
    void remove(int fd);
    void turn();
    void run_mailbox();
    void run_ready();
    void push_ready(Operation& operation) noexcept;

    int epoll_ = -1;
    int wakeup_ = -1;  // eventfd: there are letters
    SteadyTime now_;
    TimerWheel timers_;
    Operation* ready_head_ = nullptr;
    Operation* ready_tail_ = nullptr;
    bool stopped_ = false;

    std::mutex mailbox_lock_;  // guards mailbox_
    std::vector<std::move_only_function<void()>> mailbox_;
};

// co_await yield(): lets everything that is ready run first.
class Yield final : Operation {
public:
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!begin(frame, frame.promise().context)) {
            return false;
        }
        complete(*this, Wake::ready);
        return true;
    }
    void await_resume() const noexcept {}

private:
    void detach() noexcept override {}
};
inline Yield yield() { return {}; }

// const Wake wake = co_await sleep(deadline);   timed_out as it should, or cancelled
class Sleep final : Operation {
public:
    explicit Sleep(Deadline deadline) : deadline_(deadline) {}
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!begin(frame, frame.promise().context)) {
            return false;
        }
        node_.owner = this;
        Reactor::current().timers().arm(node_, deadline_.time());
        return true;
    }
    Wake await_resume() const noexcept { return wake(); }

private:
    struct Node : Timer {
        Node() : Timer(&fire) {}
        static void fire(Timer& timer) noexcept {
            complete(*static_cast<Node&>(timer).owner, Wake::timed_out);
        }
        Sleep* owner = nullptr;
    };
    void detach() noexcept override { node_.disarm(); }
    Deadline deadline_;
    Node node_;
};
inline Sleep sleep(Deadline deadline) { return Sleep(deadline); }

}  // namespace weir::aio
