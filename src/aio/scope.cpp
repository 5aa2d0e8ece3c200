#include "aio/scope.h"

#include <exception>

namespace weir::aio {
namespace {

// A child's root coroutine: its frame holds the context of the whole tree and frees itself at the
// end.
struct Root {
    struct promise_type;

    // The first step is queued like every other, so that spawning is safe from anywhere in a turn.
    class Start final : Operation {
    public:
        bool await_ready() const noexcept { return false; }
        void await_suspend(std::coroutine_handle<> frame) noexcept {
            begin(frame, &own_);
            complete(*this, Wake::ready);
        }
        void await_resume() const noexcept {}

    private:
        void detach() noexcept override {}
        Context
            own_;  // a child cancelled before its first step takes it all the same, and finds out
    };

    struct promise_type : detail::PromiseRoot {
        promise_type(Scope& owner, Task<void>&) : scope(owner) {
            context = &child.context;
            scope.enter(child);
        }
        Root get_return_object() noexcept { return {}; }
        Start initial_suspend() noexcept { return {}; }
        std::suspend_never final_suspend() noexcept {
            scope.leave(child);
            return {};
        }
        void return_void() noexcept {}
        void unhandled_exception() noexcept { std::terminate(); }

        Scope& scope;
        Scope::Child child;
    };
};

Root run_child(Scope& scope, Task<void> task) {
    // Awaited out of a block, so that the tree's frames are gone before the scope is told.
    {
        Task<void> body = std::move(task);
        co_await body;
    }
}

}  // namespace

void Scope::spawn(Task<void> task) { run_child(*this, std::move(task)); }

void Scope::cancel() noexcept {
    for (Child* child = first_; child != nullptr; child = child->next) {
        child->context.cancel();
    }
}

void Scope::enter(Child& child) noexcept {
    child.next = first_;
    if (first_ != nullptr) {
        first_->prev = &child;
    }
    first_ = &child;
    ++size_;
}

void Scope::leave(Child& child) noexcept {
    (child.prev != nullptr ? child.prev->next : first_) = child.next;
    if (child.next != nullptr) {
        child.next->prev = child.prev;
    }
    --size_;
    if (size_ == 0 && joining_ != nullptr) {
        Join* join = joining_;
        joining_ = nullptr;
        complete(*join, Wake::ready);
    }
}

}  // namespace weir::aio
