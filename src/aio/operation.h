// What a suspended call waits for. An Operation is an intrusive node in the awaiting frame; it is
// completed exactly once, by readiness, deadline or cancellation, and its frame is resumed through
// the reactor's ready queue, never inline. A Context is the root of one call tree: a tree waits for
// one thing at a time, so one pointer is enough to cancel it. One reactor thread owns all of this;
// nothing here is shared.
#pragma once

#include <coroutine>
#include <cstdint>

namespace weir::aio {

enum class Wake : std::uint8_t { none, ready, timed_out, cancelled };

class Context;

class Operation {
public:
    Operation() = default;
    Operation(const Operation&) = delete;
    Operation& operator=(const Operation&) = delete;

protected:
    ~Operation() = default;

    // Records who waits; false where the context is cancelled already (the caller must not suspend
    // then).
    bool begin(std::coroutine_handle<> frame, Context* context);
    Wake wake() const { return wake_; }

    // Takes the operation off whatever it waits in. Called before a completion that did not come
    // from there.
    virtual void detach() noexcept = 0;

private:
    friend class Context;
    friend class Reactor;
    friend void complete(Operation& operation, Wake wake) noexcept;

    std::coroutine_handle<> frame_;
    Context* context_ = nullptr;
    Operation* next_ready_ = nullptr;
    Wake wake_ = Wake::none;
};

// Queues the operation's frame to be resumed with `wake`. The operation must be detached already.
void complete(Operation& operation, Wake wake) noexcept;

class Context {
public:
    Context() = default;
    Context(const Context&) = delete;
    Context& operator=(const Context&) = delete;

    // What the tree waits for now ends with Wake::cancelled, and so does every later wait.
    // Idempotent.
    void cancel() noexcept;
    bool is_cancelled() const { return cancelled_; }

private:
    friend class Operation;
    friend void complete(Operation& operation, Wake wake) noexcept;
    Operation* current_ = nullptr;
    bool cancelled_ = false;
};

}  // namespace weir::aio
