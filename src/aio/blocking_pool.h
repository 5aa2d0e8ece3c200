// A named, bounded pool of threads for work that blocks: SQL, files, name resolution, password
// hashing. The caller waits without blocking its reactor. A caller that leaves early (deadline,
// cancellation) gets its answer at once; the work runs to its end and its result is dropped. Any
// reactor thread may call run().
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <vector>

#include "aio/deadline.h"
#include "aio/operation.h"
#include "aio/reactor.h"
#include "aio/task.h"
#include "base/error.h"

namespace weir::aio {

namespace detail {
template <class T>
struct AsResult {
    using type = Result<T>;
};
template <class T>
struct AsResult<Result<T>> {
    using type = Result<T>;
};
}  // namespace detail

class BlockingPool {
public:
    // Thread names are `name-N`. A queue of `queue_max` waiting jobs is full: run() fails with
    // overloaded.
    BlockingPool(std::string name, unsigned threads, std::size_t queue_max);
    ~BlockingPool();  // stop()
    BlockingPool(const BlockingPool&) = delete;
    BlockingPool& operator=(const BlockingPool&) = delete;

    // `work` runs on a pool thread and returns T or Result<T>; it must not throw. Fails with
    // overloaded, cancelled, or request_timeout when the deadline passes first.
    template <class Work>
    auto run(Work work, Deadline deadline)
        -> Task<typename detail::AsResult<std::invoke_result_t<Work>>::type> {
        using Value = typename detail::AsResult<std::invoke_result_t<Work>>::type;
        auto job = std::make_shared<Job<Value>>();
        const bool taken =
            submit([job, home = &Reactor::current(), work = std::move(work)]() mutable {
                job->value.emplace(work());
                home->post([job] { job->finish(); });
            });
        if (!taken) {
            co_return fail(Code::overloaded, "The gateway is too busy for this; try again shortly.")
                .detail(name_ + ": queue full");
        }
        const Wake wake = co_await WaitForJob(*job, deadline);
        switch (wake) {
            case Wake::ready:
                co_return std::move(*job->value);
            case Wake::timed_out:
                co_return fail(Code::request_timeout, "The work took too long.").detail(name_);
            case Wake::cancelled:
            case Wake::none:
                break;
        }
        co_return fail(Code::cancelled, "The caller left.");
    }

    // Any thread: queues work nobody waits for; false when full or stopped.
    bool submit(std::move_only_function<void()> work);
    // Finishes what is queued, then joins. The reactors that wait must still be there.
    void stop();

private:
    class WaitForJob;
    struct JobState {
        bool done = false;  // on the home reactor's thread
        WaitForJob* waiting = nullptr;
        void finish();
    };
    template <class Value>
    struct Job : JobState {
        std::optional<Value> value;
    };

    class WaitForJob final : Operation {
    public:
        WaitForJob(JobState& job, Deadline deadline)
            : job_(job), timer_(*this), deadline_(deadline) {}
        bool await_ready() const noexcept { return job_.done; }
        template <class P>
        bool await_suspend(std::coroutine_handle<P> frame) noexcept {
            if (!begin(frame, frame.promise().context)) {
                return false;
            }
            job_.waiting = this;
            if (deadline_.time() != SteadyTime::max()) {
                Reactor::current().timers().arm(timer_, deadline_.time());
            }
            return true;
        }
        Wake await_resume() const noexcept { return wake() == Wake::none ? Wake::ready : wake(); }

    private:
        friend struct JobState;
        struct Expiry : Timer {
            explicit Expiry(WaitForJob& wait) : Timer(&fire), owner(wait) {}
            static void fire(Timer& timer) noexcept {
                WaitForJob& wait = static_cast<Expiry&>(timer).owner;
                wait.job_.waiting = nullptr;
                complete(wait, Wake::timed_out);
            }
            WaitForJob& owner;
        };
        void detach() noexcept override {
            job_.waiting = nullptr;
            timer_.disarm();
        }
        JobState& job_;
        Expiry timer_;
        Deadline deadline_;
    };

    void work_loop();

    std::string name_;
    std::size_t queue_max_;
    std::mutex lock_;
    std::condition_variable wakeup_;
    std::deque<std::move_only_function<void()>> queue_;  // guarded by lock_
    bool stopping_ = false;                              // guarded by lock_
    std::vector<std::thread> threads_;
};

}  // namespace weir::aio
