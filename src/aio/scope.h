// Structured concurrency: what is spawned belongs to a scope, is cancelled through it and has ended
// before the scope does. A long-lived scope is the last data member of its owner. One reactor
// thread.
#pragma once

#include <coroutine>
#include <cstddef>

#include "aio/operation.h"
#include "aio/reactor.h"
#include "aio/task.h"

namespace weir::aio {

class Scope {
public:
    Scope() = default;
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;
    ~Scope() { WEIR_ASSERT(size_ == 0); }

    // The task begins at the next turn of the loop. It must not throw.
    void spawn(Task<void> task);
    // Cancels every child of now.
    void cancel() noexcept;
    std::size_t size() const { return size_; }

    // co_await scope.join(): until no child is left. Not ended by cancellation; one waiter.
    auto join() { return Join(*this); }

    // A child's place in its scope; it lives in the child's root frame.
    struct Child {
        Context context;
        Child* prev = nullptr;
        Child* next = nullptr;
    };
    void enter(Child& child) noexcept;
    void leave(Child& child) noexcept;

private:
    class Join final : Operation {
    public:
        explicit Join(Scope& scope) : scope_(scope) {}
        bool await_ready() const noexcept { return scope_.size_ == 0; }
        bool await_suspend(std::coroutine_handle<> frame) noexcept {
            begin(frame, &own_);
            scope_.joining_ = this;
            return true;
        }
        void await_resume() const noexcept {}

    private:
        friend class Scope;
        void detach() noexcept override { scope_.joining_ = nullptr; }
        Scope& scope_;
        Context own_;  // a join is clean-up: cancelling the caller must not leave children behind
    };

    Child* first_ = nullptr;
    std::size_t size_ = 0;
    Join* joining_ = nullptr;
};

// Runs `body(scope)`, then cancels what is left in the scope and waits for it: on every way out.
//   co_await with_scope([&](Scope& scope) -> Task<void> {…})  is a capturing lambda, hence not
//   offered:
// pass a function and its arguments by value.
template <class T, class... Parameters, class... Arguments>
Task<T> with_scope(Task<T> (*body)(Scope&, Parameters...), Arguments... arguments) {
    Scope scope;
    std::exception_ptr thrown;
    if constexpr (std::is_void_v<T>) {
        try {
            co_await body(scope, std::move(arguments)...);
        } catch (...) {
            thrown = std::current_exception();
        }
        scope.cancel();
        co_await scope.join();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
    } else {
        std::optional<T> value;
        try {
            value.emplace(co_await body(scope, std::move(arguments)...));
        } catch (...) {
            thrown = std::current_exception();
        }
        scope.cancel();
        co_await scope.join();
        if (thrown) {
            std::rethrow_exception(thrown);
        }
        co_return std::move(*value);
    }
}

}  // namespace weir::aio
