// Task<T>: a lazy coroutine; await it at once or give it to a Scope. Awaiting one costs a jump
// (symmetric transfer) and a frame from the per-thread pool. Maybe<T>: a value that is there
// already, or a Task: a stage that need not wait makes no frame. Both live and die on one reactor
// thread.
//
// A Task that was begun is destroyed only when it has ended (cancel it and let it unwind).
// Third-party exceptions that escape a coroutine travel to whoever awaits it.
#pragma once

#include <coroutine>
#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include "aio/frame_pool.h"
#include "aio/operation.h"
#include "base/assert.h"

namespace weir::aio {

template <class T>
class Task;

namespace detail {

struct PromiseRoot {
    std::coroutine_handle<> continuation;
    Context* context = nullptr;

    static void* operator new(std::size_t bytes) { return take_frame(bytes); }
    static void operator delete(void* frame, std::size_t bytes) noexcept {
        give_frame(frame, bytes);
    }
};

struct Promise : PromiseRoot {
    std::exception_ptr thrown;

    struct Return {
        bool await_ready() noexcept { return false; }
        template <class P>
        std::coroutine_handle<> await_suspend(std::coroutine_handle<P> ended) noexcept {
            return ended.promise().continuation;
        }
        void await_resume() noexcept {}
    };
    std::suspend_always initial_suspend() noexcept { return {}; }
    Return final_suspend() noexcept { return {}; }
    void unhandled_exception() noexcept { thrown = std::current_exception(); }
};

template <class T>
struct ValuePromise : Promise {
    std::optional<T> value;
    Task<T> get_return_object() noexcept;
    template <class U>
    void return_value(U&& result) {
        value.emplace(std::forward<U>(result));
    }
    T take() {
        if (thrown) [[unlikely]] {
            std::rethrow_exception(thrown);
        }
        return std::move(*value);
    }
};

template <>
struct ValuePromise<void> : Promise {
    Task<void> get_return_object() noexcept;
    void return_void() noexcept {}
    void take() {
        if (thrown) [[unlikely]] {
            std::rethrow_exception(thrown);
        }
    }
};

}  // namespace detail

template <class T = void>
class [[nodiscard]] Task {
public:
    using promise_type = detail::ValuePromise<T>;
    using value_type = T;

    Task() = default;
    explicit Task(std::coroutine_handle<promise_type> frame) noexcept : frame_(frame) {}
    Task(Task&& other) noexcept : frame_(std::exchange(other.frame_, {})) {}
    Task& operator=(Task&& other) noexcept {
        if (this != &other) {
            destroy();
            frame_ = std::exchange(other.frame_, {});
        }
        return *this;
    }
    ~Task() { destroy(); }

    explicit operator bool() const { return static_cast<bool>(frame_); }

    bool await_ready() const noexcept { return false; }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
        return begin(parent, parent.promise().context);
    }
    T await_resume() { return frame_.promise().take(); }

    // For awaiters that give the tree below another context (shield).
    std::coroutine_handle<> begin(std::coroutine_handle<> parent, Context* context) noexcept {
        frame_.promise().continuation = parent;
        frame_.promise().context = context;
        return frame_;
    }

private:
    void destroy() noexcept {
        if (frame_) {
            frame_.destroy();
        }
    }
    std::coroutine_handle<promise_type> frame_;
};

template <class T>
Task<T> detail::ValuePromise<T>::get_return_object() noexcept {
    return Task<T>(std::coroutine_handle<ValuePromise>::from_promise(*this));
}
inline Task<void> detail::ValuePromise<void>::get_return_object() noexcept {
    return Task<void>(std::coroutine_handle<ValuePromise>::from_promise(*this));
}

template <class T>
class [[nodiscard]] Maybe {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): `return value;` and `return slow_path();` are
    // the point
    template <class U>
        requires(std::is_constructible_v<T, U &&> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Maybe> &&
                 !std::is_same_v<std::remove_cvref_t<U>, Task<T>>)
    Maybe(U&& value) : value_(std::in_place, std::forward<U>(value)) {}
    Maybe(Task<T> task) noexcept : task_(std::move(task)) {}
    Maybe(Maybe&&) noexcept = default;

    bool await_ready() const noexcept { return value_.has_value(); }
    template <class P>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<P> parent) noexcept {
        return task_.await_suspend(parent);
    }
    T await_resume() { return value_ ? std::move(*value_) : task_.await_resume(); }

private:
    std::optional<T> value_;
    Task<T> task_;
};

// Runs a task in a context of its own: cancelling the caller's tree does not reach it. For clean-up
// that has to wait; give it a small deadline. co_await shield(task()).
template <class T>
class [[nodiscard]] Shielded {
public:
    explicit Shielded(Task<T> task) noexcept : task_(std::move(task)) {}
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> parent) noexcept {
        return task_.begin(parent, &context_);
    }
    T await_resume() { return task_.await_resume(); }

private:
    Context context_;
    Task<T> task_;
};
template <class T>
Shielded<T> shield(Task<T> task) {
    return Shielded<T>(std::move(task));
}

// The context of the running call tree: auto& context = co_await this_context();
struct ThisContext {
    Context* context = nullptr;
    bool await_ready() const noexcept { return false; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        context = frame.promise().context;
        return false;
    }
    Context& await_resume() const noexcept { return *context; }
};
inline ThisContext this_context() { return {}; }

}  // namespace weir::aio
