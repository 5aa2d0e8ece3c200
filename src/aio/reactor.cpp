#include "aio/reactor.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>

#include "aio/descriptor.h"
#include "aio/scope.h"
#include "base/assert.h"

namespace weir::aio {
namespace {

constexpr int kPrefetchAhead = 4;
constexpr std::size_t kCacheLine = 64;
constexpr int kEventsPerTurn = 512;
constinit thread_local Reactor* current_reactor = nullptr;

SteadyTime read_clock() { return std::chrono::steady_clock::now(); }

}  // namespace

Deadline Deadline::in(std::chrono::nanoseconds delay) {
    const SteadyTime now = Reactor::current().now();
    return delay >= SteadyTime::max() - now ? never() : at(now + delay);
}

bool Operation::begin(std::coroutine_handle<> frame, Context* context) {
    frame_ = frame;
    context_ = context;
    if (context->cancelled_) {
        wake_ = Wake::cancelled;
        return false;
    }
    WEIR_ASSERT(context->current_ == nullptr);  // a call tree waits for one thing at a time
    wake_ = Wake::none;
    context->current_ = this;
    return true;
}

void complete(Operation& operation, Wake wake) noexcept {
    WEIR_ASSERT(operation.wake_ == Wake::none);
    operation.wake_ = wake;
    operation.context_->current_ = nullptr;
    Reactor::current().push_ready(operation);
}

void Context::cancel() noexcept {
    cancelled_ = true;
    if (Operation* operation = current_) {
        operation->detach();
        complete(*operation, Wake::cancelled);
    }
}

Reactor::Reactor() : now_(read_clock()), timers_(now_) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    wakeup_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    WEIR_ASSERT(epoll_ >= 0 && wakeup_ >= 0);
    epoll_event event{.events = EPOLLIN | EPOLLET, .data = {.ptr = nullptr}};
    WEIR_ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_ADD, wakeup_, &event) == 0);
}

Reactor::~Reactor() {
    ::close(wakeup_);
    ::close(epoll_);
}

Reactor& Reactor::current() {
    WEIR_ASSERT(current_reactor != nullptr);
    return *current_reactor;
}

void Reactor::run() {
    WEIR_ASSERT(current_reactor == nullptr);
    current_reactor = this;
    stopped_ = false;
    run_mailbox();
    run_ready();
    while (!stopped_) {
        turn();
    }
    current_reactor = nullptr;
}

namespace {
Task<void> run_and_stop(Task<void> root) {
    co_await root;
    Reactor::current().stop();
}
}  // namespace

void Reactor::run(Task<void> root) {
    Scope scope;
    post(
        [&scope, task = run_and_stop(std::move(root))]() mutable { scope.spawn(std::move(task)); });
    run();
    WEIR_ASSERT(scope.size() == 0);
}

void Reactor::turn() {
    WEIR_UNINITIALIZED epoll_event events[kEventsPerTurn];
    int timeout_ms = -1;
    if (ready_head_ != nullptr) {
        timeout_ms = 0;
    } else if (const auto until = timers_.until_next(now_)) {
        timeout_ms = static_cast<int>(std::min<std::int64_t>(until->count(), 60'000));
    }
    const int count = ::epoll_wait(epoll_, events, kEventsPerTurn, timeout_ms);
    WEIR_ASSERT(count >= 0 || errno == EINTR);
    now_ = read_clock();
    bool letters = false;
    for (int i = 0; i < count; ++i) {
        // Thousands of streams do not fit into the cache: what comes soon is fetched meanwhile.
        if (i + kPrefetchAhead < count) {
            __builtin_prefetch(events[i + kPrefetchAhead].data.ptr);
        }
        if (events[i].data.ptr == nullptr) {
            letters = true;
        } else {
            static_cast<Descriptor*>(events[i].data.ptr)->on_events(events[i].events);
        }
    }
    timers_.advance(now_);
    if (letters) {
        run_mailbox();
    }
    run_ready();
}

void Reactor::run_ready() {
    // Only what is ready now: what these frames make ready waits for the next turn, so that sockets
    // are looked at in between and no frame can keep the loop to itself.
    Operation* operation = ready_head_;
    ready_head_ = ready_tail_ = nullptr;
    while (operation != nullptr) {
        Operation* following = operation->next_ready_;
        if (following != nullptr) {
            const char* const frame = static_cast<const char*>(following->frame_.address());
            __builtin_prefetch(frame);
            __builtin_prefetch(frame + kCacheLine);
            __builtin_prefetch(frame + 2 * kCacheLine);
            __builtin_prefetch(following->next_ready_);
        }
        operation->frame_.resume();
        operation = following;
    }
}

void Reactor::push_ready(Operation& operation) noexcept {
    operation.next_ready_ = nullptr;
    if (ready_tail_ != nullptr) {
        ready_tail_->next_ready_ = &operation;
    } else {
        ready_head_ = &operation;
    }
    ready_tail_ = &operation;
}

void Reactor::post(std::move_only_function<void()> letter) {
    bool was_empty = false;
    {
        const std::lock_guard guard(mailbox_lock_);
        was_empty = mailbox_.empty();
        mailbox_.push_back(std::move(letter));
    }
    if (was_empty) {
        const std::uint64_t one = 1;
        [[maybe_unused]] const auto written = ::write(wakeup_, &one, sizeof one);
    }
}

void Reactor::stop() {
    post([this] { stopped_ = true; });
}

void Reactor::run_mailbox() {
    std::uint64_t count = 0;
    [[maybe_unused]] const auto got = ::read(wakeup_, &count, sizeof count);
    std::vector<std::move_only_function<void()>> letters;
    {
        const std::lock_guard guard(mailbox_lock_);
        letters.swap(mailbox_);
    }
    for (auto& letter : letters) {
        letter();
    }
}

void Reactor::add(int fd, Descriptor& descriptor) {
    epoll_event event{.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                      .data = {.ptr = &descriptor}};
    WEIR_ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0);
}

void Reactor::remove(int fd) { WEIR_ASSERT(::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr) == 0); }

}  // namespace weir::aio
