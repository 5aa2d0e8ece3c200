// How many calls may be with one target, or in the whole gateway, at the same time; what is above
// waits in a bounded queue (wait_queue.h says in which order), for a bounded time.
//
// Calls of all reactor threads share it. One that waits is woken by its own reactor's mailbox; one
// whose time is over, or whose client left, leaves the queue. Where a place is free and nobody
// waits, entering and leaving are an atomic operation each, without a lock or a frame. The lock is
// never held over a suspension. An Admission outlives its tickets and those who wait.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "aio/deadline.h"
#include "aio/task.h"
#include "base/error.h"
#include "resilience/wait_queue.h"

namespace weir::resilience {

inline constexpr std::uint32_t kInFlightUnlimited = UINT32_MAX;
inline constexpr std::uint32_t kWaitQueueMax = 1u << 20;
// What a client is told to wait: a place comes free when another call ends, nobody knows when.
inline constexpr std::chrono::milliseconds kFullRetryAfter{1000};

struct AdmissionRules {
    std::uint32_t in_flight = kInFlightUnlimited;
    std::uint32_t queue = 256;  // that may wait; 0: nobody
    std::chrono::nanoseconds wait = std::chrono::seconds{5};
};

class Admission;

// A place among the calls in flight; given back when it dies, on any thread. Default and moved-from
// ones hold nothing.
class [[nodiscard]] Ticket {
public:
    Ticket() = default;
    Ticket(Ticket&& other) noexcept : admission_(std::exchange(other.admission_, nullptr)) {}
    Ticket& operator=(Ticket&& other) noexcept {
        if (this != &other) {
            release();
            admission_ = std::exchange(other.admission_, nullptr);
        }
        return *this;
    }
    ~Ticket() { release(); }

    bool held() const { return admission_ != nullptr; }
    void release() noexcept;

private:
    friend class Admission;
    explicit Ticket(Admission& admission) : admission_(&admission) {}
    Admission* admission_ = nullptr;
};

class Admission {
public:
    explicit Admission(const AdmissionRules& rules);
    ~Admission();
    Admission(const Admission&) = delete;
    Admission& operator=(const Admission&) = delete;

    // On a reactor thread. Waits at most until `deadline` and for as long as the rules say. Errors:
    // queue_full (429; also where it had to make room for another), overloaded (503; waited in
    // vain), cancelled.
    aio::Maybe<Result<Ticket>> enter(Priority priority, TenantId tenant, aio::Deadline deadline);
    // Any thread. nullopt: there is no place now, or others wait for one.
    std::optional<Ticket> try_enter();

    // Any thread. Below what is in flight: nobody is turned out, the next ones wait.
    void set_limit(std::uint32_t in_flight);
    std::uint32_t limit() const { return limit_.load(std::memory_order_relaxed); }
    // A reload has taken effect: all of the rules, the limit too. Who waits stays.
    void change(const AdmissionRules& rules);

    // Any thread; for planning and metrics.
    std::uint32_t in_flight() const {
        return static_cast<std::uint32_t>(places_.load(std::memory_order_relaxed));
    }
    std::uint32_t queued() const { return queued_.load(std::memory_order_relaxed); }
    std::uint32_t queue_max() const { return queue_max_.load(std::memory_order_relaxed); }

private:
    friend class Ticket;
    struct Waiter;
    class WaitForTurn;
    class Place;

    // Calls in flight in the lower half; above them one bit: somebody waits.
    static constexpr std::uint64_t kWaiting = std::uint64_t{1} << 32;

    void leave() noexcept {
        if ((places_.fetch_sub(1, std::memory_order_acq_rel) & kWaiting) != 0) [[unlikely]] {
            pass_on();
        }
    }
    bool take_place(bool past_queue);
    void pass_on() noexcept;
    aio::Maybe<Result<Ticket>> queue_up(Priority priority, TenantId tenant, aio::Deadline deadline);
    static aio::Task<Result<Ticket>> wait(Place place);
    Result<Ticket> end_wait(Waiter& waiter, aio::Wake wake);
    // With lock_ held:
    void serve();
    void note_size();

    std::atomic<std::uint64_t> places_{0};
    std::atomic<std::uint32_t> limit_;
    std::atomic<std::uint32_t> queued_{0};
    std::atomic<std::uint32_t> queue_max_;

    std::mutex lock_;  // guards what follows, and the fate of those who wait
    WaitQueue queue_;
    std::chrono::nanoseconds wait_max_;
};

inline void Ticket::release() noexcept {
    if (Admission* admission = std::exchange(admission_, nullptr)) {
        admission->leave();
    }
}

}  // namespace weir::resilience
