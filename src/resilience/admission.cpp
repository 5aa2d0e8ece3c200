#include "resilience/admission.h"

#include "aio/operation.h"
#include "aio/reactor.h"
#include "base/assert.h"

namespace weir::resilience {

// One call that waits: held by its own frame and, once its fate is known, by the letter to its
// reactor, whichever lives longer.
struct Admission::Waiter : WaitQueue::Entry, std::enable_shared_from_this<Waiter> {
    enum class Fate : std::uint8_t { waits, served, displaced, left };

    Waiter(Priority priority, TenantId tenant, aio::Deadline ends)
        : Entry(priority, tenant), home(aio::Reactor::current()), until(ends) {}

    // Its admission's lock is held: the frame cannot end meanwhile, nor its reactor.
    void decide(Fate decided) {
        fate = decided;
        home.post([self = shared_from_this()] { self->wake(); });
    }
    void wake();

    aio::Reactor& home;
    const aio::Deadline until;
    Fate fate = Fate::waits;         // guarded by the admission's lock
    WaitForTurn* waiting = nullptr;  // its reactor's thread only, as is what follows
    bool is_decided = false;
};

// Ends with Wake::ready when the fate is known; what it is stands in the waiter.
class Admission::WaitForTurn final : aio::Operation {
public:
    explicit WaitForTurn(Waiter& waiter) : waiter_(waiter), timer_(*this) {}
    bool await_ready() const noexcept { return waiter_.is_decided; }
    template <class P>
    bool await_suspend(std::coroutine_handle<P> frame) noexcept {
        if (!begin(frame, frame.promise().context)) {
            return false;
        }
        waiter_.waiting = this;
        if (waiter_.until.time() != SteadyTime::max()) {
            aio::Reactor::current().timers().arm(timer_, waiter_.until.time());
        }
        return true;
    }
    aio::Wake await_resume() const noexcept {
        return wake() == aio::Wake::none ? aio::Wake::ready : wake();
    }

private:
    friend struct Waiter;
    struct Expiry : aio::Timer {
        explicit Expiry(WaitForTurn& wait) : Timer(&fire), owner(wait) {}
        static void fire(Timer& timer) noexcept {
            WaitForTurn& wait = static_cast<Expiry&>(timer).owner;
            wait.waiter_.waiting = nullptr;
            complete(wait, aio::Wake::timed_out);
        }
        WaitForTurn& owner;
    };
    void detach() noexcept override {
        waiter_.waiting = nullptr;
        timer_.disarm();
    }
    Waiter& waiter_;
    Expiry timer_;
};

void Admission::Waiter::wake() {
    is_decided = true;
    if (WaitForTurn* wait = std::exchange(waiting, nullptr)) {
        wait->timer_.disarm();
        complete(*wait, aio::Wake::ready);
    }
}

// Keeps a waiter's place in the queue, however the frame ends that has it.
class Admission::Place {
public:
    Place(Admission& admission, std::shared_ptr<Waiter> waiter)
        : admission_(admission), waiter_(std::move(waiter)) {}
    Place(Place&&) noexcept = default;
    ~Place() {
        if (waiter_) {
            std::ignore = admission_.end_wait(*waiter_, aio::Wake::cancelled);
        }
    }
    Waiter& waiter() { return *waiter_; }
    Result<Ticket> end(aio::Wake wake) {
        const auto waiter = std::exchange(waiter_, nullptr);
        return admission_.end_wait(*waiter, wake);
    }

private:
    Admission& admission_;
    std::shared_ptr<Waiter> waiter_;
};

namespace {

std::unexpected<Error> queue_is_full() {
    return fail(Code::queue_full, "Too many requests are waiting already; try again shortly.")
        .retry_after(kFullRetryAfter);
}
std::unexpected<Error> waited_in_vain() {
    return fail(Code::overloaded, "The gateway is too busy for this request; try again shortly.")
        .retry_after(kFullRetryAfter);
}

}  // namespace

Admission::Admission(const AdmissionRules& rules)
    : limit_(rules.in_flight), queue_max_(rules.queue), wait_max_(rules.wait) {}

Admission::~Admission() { WEIR_ASSERT(queue_.size() == 0 && in_flight() == 0); }

aio::Maybe<Result<Ticket>> Admission::enter(Priority priority,
                                            TenantId tenant,
                                            aio::Deadline deadline) {
    if (take_place(false)) [[likely]] {
        return Result<Ticket>(Ticket(*this));
    }
    return queue_up(priority, tenant, deadline);
}

std::optional<Ticket> Admission::try_enter() {
    return take_place(false) ? std::optional(Ticket(*this)) : std::nullopt;
}

bool Admission::take_place(bool past_queue) {
    std::uint64_t places = places_.load(std::memory_order_relaxed);
    do {
        if (static_cast<std::uint32_t>(places) >= limit_.load(std::memory_order_relaxed) ||
            (!past_queue && (places & kWaiting) != 0)) {
            return false;
        }
    } while (!places_.compare_exchange_weak(
        places, places + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
}

aio::Maybe<Result<Ticket>> Admission::queue_up(Priority priority,
                                               TenantId tenant,
                                               aio::Deadline deadline) {
    const SteadyTime now = aio::Reactor::current().now();
    std::shared_ptr<Waiter> waiter;
    {
        const std::lock_guard guard(lock_);
        const aio::Deadline until = deadline.at_most(wait_max_);
        if (until.has_passed(now)) {
            return Result<Ticket>(waited_in_vain());
        }
        if (queue_.size() >= queue_max()) {
            auto* victim = queue_max() == 0
                               ? nullptr
                               : static_cast<Waiter*>(queue_.displace_for(priority, tenant));
            if (victim == nullptr) {
                return Result<Ticket>(queue_is_full());
            }
            victim->decide(Waiter::Fate::displaced);
        }
        waiter = std::make_shared<Waiter>(priority, tenant, until);
        queue_.push(*waiter);
        note_size();
        // A place that came free before the others could see that somebody waits is taken here.
        serve();
    }
    return wait(Place(*this, std::move(waiter)));
}

aio::Task<Result<Ticket>> Admission::wait(Place place) {
    const aio::Wake wake = co_await WaitForTurn(place.waiter());
    co_return place.end(wake);
}

// A place may have been given to who leaves at this very moment: it is used, or goes to the next.
Result<Ticket> Admission::end_wait(Waiter& waiter, aio::Wake wake) {
    Waiter::Fate fate;
    {
        const std::lock_guard guard(lock_);
        fate = std::exchange(waiter.fate, Waiter::Fate::left);
        if (fate == Waiter::Fate::waits) {
            queue_.remove(waiter);
            note_size();
        }
    }
    Ticket ticket = fate == Waiter::Fate::served ? Ticket(*this) : Ticket();
    if (wake == aio::Wake::cancelled) {
        return fail(Code::cancelled, "The client left.");
    }
    switch (fate) {
        case Waiter::Fate::served:
            if (waiter.until.has_passed(waiter.home.now())) {
                return waited_in_vain();
            }
            return ticket;
        case Waiter::Fate::displaced:
            return queue_is_full();
        case Waiter::Fate::waits:
        case Waiter::Fate::left:
            return waited_in_vain();
    }
    std::unreachable();
}

void Admission::pass_on() noexcept {
    const std::lock_guard guard(lock_);
    serve();
}

void Admission::set_limit(std::uint32_t in_flight) {
    limit_.store(in_flight, std::memory_order_relaxed);
    pass_on();
}

void Admission::change(const AdmissionRules& rules) {
    {
        const std::lock_guard guard(lock_);
        queue_max_.store(rules.queue, std::memory_order_relaxed);
        wait_max_ = rules.wait;
    }
    set_limit(rules.in_flight);
}

void Admission::serve() {
    while (queue_.size() > 0 && take_place(true)) {
        static_cast<Waiter*>(queue_.pop())->decide(Waiter::Fate::served);
        note_size();
    }
}

// Whoever leaves after the bit is set comes here for the lock; whoever left before made a place
// that serve() sees. So the bit is set before serve(), and no wake-up is lost.
void Admission::note_size() {
    queued_.store(static_cast<std::uint32_t>(queue_.size()), std::memory_order_relaxed);
    if (queue_.size() > 0) {
        places_.fetch_or(kWaiting, std::memory_order_acq_rel);
    } else {
        places_.fetch_and(~kWaiting, std::memory_order_acq_rel);
    }
}

}  // namespace weir::resilience
