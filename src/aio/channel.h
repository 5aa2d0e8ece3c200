// A bounded queue between coroutines of one reactor. Full: send waits. Closed: send fails, receive
// gives what is left and then nothing. Waiters are served in order.
#pragma once

#include <deque>
#include <optional>
#include <utility>

#include "aio/operation.h"
#include "aio/reactor.h"
#include "aio/task.h"
#include "base/assert.h"

namespace weir::aio {

template <class T>
class Channel {
public:
    explicit Channel(std::size_t capacity) : capacity_(capacity) { WEIR_ASSERT(capacity > 0); }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;
    ~Channel() { WEIR_ASSERT(senders_.empty() && receivers_.empty()); }

    // true: taken. false: the channel is closed, or the caller was cancelled while it waited.
    Task<bool> send(T value) {
        while (!closed_ && queue_.size() >= capacity_) {
            const Wake wake = co_await Wait(senders_);
            if (wake != Wake::ready) {
                co_return false;
            }
        }
        if (closed_) {
            co_return false;
        }
        queue_.push_back(std::move(value));
        wake_one(receivers_);
        co_return true;
    }

    // nullopt: closed and empty, or the caller was cancelled.
    Task<std::optional<T>> receive() {
        while (queue_.empty() && !closed_) {
            const Wake wake = co_await Wait(receivers_);
            if (wake != Wake::ready) {
                co_return std::nullopt;
            }
        }
        if (queue_.empty()) {
            co_return std::nullopt;
        }
        std::optional<T> value(std::move(queue_.front()));
        queue_.pop_front();
        wake_one(senders_);
        co_return value;
    }

    void close() {
        closed_ = true;
        while (wake_one(senders_) || wake_one(receivers_)) {
        }
    }
    std::size_t size() const { return queue_.size(); }

private:
    class Wait;
    using Waiters = std::deque<Wait*>;

    class Wait final : Operation {
    public:
        explicit Wait(Waiters& waiters) : waiters_(waiters) {}
        bool await_ready() const noexcept { return false; }
        template <class P>
        bool await_suspend(std::coroutine_handle<P> frame) noexcept {
            if (!this->begin(frame, frame.promise().context)) {
                return false;
            }
            waiters_.push_back(this);
            return true;
        }
        Wake await_resume() const noexcept { return this->wake(); }

    private:
        friend class Channel;
        void detach() noexcept override { std::erase(waiters_, this); }
        Waiters& waiters_;
    };

    static bool wake_one(Waiters& waiters) {
        if (waiters.empty()) {
            return false;
        }
        Wait* wait = waiters.front();
        waiters.pop_front();
        complete(*wait, Wake::ready);
        return true;
    }

    std::size_t capacity_;
    bool closed_ = false;
    std::deque<T> queue_;
    Waiters senders_, receivers_;
};

}  // namespace weir::aio
