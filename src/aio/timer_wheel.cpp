#include "aio/timer_wheel.h"

#include <algorithm>
#include <bit>

namespace weir::aio {

TimerWheel::TimerWheel(SteadyTime now) : done_tick_(tick_of(now)) {}

void TimerWheel::arm(Timer& timer, SteadyTime expiry) {
    timer.disarm();
    timer.expiry_ = expiry;
    // Rounded up: a timer must not fire early. What is due already goes into the next tick.
    const auto tick = std::max(tick_of(expiry - std::chrono::nanoseconds{1}) + 1, done_tick_ + 1);
    const auto index = static_cast<std::size_t>(tick) % kBuckets;
    Timer& head = buckets_[index].head;
    timer.prev_ = head.prev_;
    timer.next_ = &head;
    head.prev_->next_ = &timer;
    head.prev_ = &timer;
    occupied_[index / 64] |= std::uint64_t{1} << (index % 64);
}

void TimerWheel::advance(SteadyTime now) {
    const std::int64_t last = tick_of(now);
    // After a long sleep one round visits every bucket; more would visit them again.
    std::int64_t tick = std::max(done_tick_ + 1, last - static_cast<std::int64_t>(kBuckets) + 1);
    for (; tick <= last; ++tick) {
        done_tick_ = tick;
        const auto index = static_cast<std::size_t>(tick) % kBuckets;
        if ((occupied_[index / 64] >> (index % 64) & 1) == 0) {
            continue;
        }
        // Taken out as a whole first, so that firing may arm into the same bucket.
        Timer due{nullptr};
        Timer& head = buckets_[index].head;
        if (head.is_armed()) {
            due.next_ = head.next_;
            due.prev_ = head.prev_;
            due.next_->prev_ = &due;
            due.prev_->next_ = &due;
            head.prev_ = head.next_ = &head;
        }
        occupied_[index / 64] &= ~(std::uint64_t{1} << (index % 64));
        while (due.is_armed()) {
            Timer& timer = *due.next_;
            timer.disarm();
            if (timer.expiry_ <= now) {
                timer.fire_(timer);
            } else {
                arm(timer, timer.expiry_);  // a later round
            }
        }
    }
    done_tick_ = std::max(done_tick_, last);
}

std::optional<std::chrono::milliseconds> TimerWheel::until_next(SteadyTime now) {
    const auto first = static_cast<std::size_t>(done_tick_ + 1) % kBuckets;
    for (std::size_t step = 0; step < kBuckets;) {
        const std::size_t index = (first + step) % kBuckets;
        const std::uint64_t word = occupied_[index / 64] >> (index % 64);
        if (word == 0) {
            step += 64 - index % 64;
            continue;
        }
        const auto skip = static_cast<std::size_t>(std::countr_zero(word));
        const std::size_t found = index + skip;
        step += skip;
        if (step >= kBuckets) {
            break;
        }
        if (!buckets_[found].head.is_armed()) {  // disarmed since
            occupied_[found / 64] &= ~(std::uint64_t{1} << (found % 64));
            ++step;
            continue;
        }
        const SteadyTime at{kTick * (done_tick_ + 1 + static_cast<std::int64_t>(step))};
        return std::max(std::chrono::ceil<std::chrono::milliseconds>(at - now),
                        std::chrono::milliseconds{0});
    }
    return std::nullopt;
}

}  // namespace weir::aio
