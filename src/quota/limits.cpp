#include "quota/limits.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "base/assert.h"

namespace weir::quota {

// The first rule that refuses names the error; the longest wait of all that refuse is the one after
// which the call can succeed.
class Refusals {
public:
    // `wait` is nullopt where no waiting helps. The rule's name goes to the private detail.
    void add(Code code,
             std::string_view rule,
             std::string message,
             std::optional<std::chrono::milliseconds> wait) {
        if (!first_) {
            first_ = fail(code, std::move(message)).detail(std::string(rule)).error();
        }
        hopeless_ = hopeless_ || !wait;
        wait_ = std::max(wait_, wait.value_or(std::chrono::milliseconds::zero()));
    }
    Result<void> verdict() && {
        if (!first_) {
            return {};
        }
        if (hopeless_) {
            return std::unexpected(std::move(*first_));
        }
        return std::unexpected(std::move(*first_).with_retry_after(wait_));
    }

private:
    std::optional<Error> first_;
    std::chrono::milliseconds wait_{0};
    bool hopeless_ = false;
};

namespace {

std::chrono::milliseconds rounded_up(std::chrono::nanoseconds wait) {
    return std::chrono::ceil<std::chrono::milliseconds>(wait);
}

void refuse_address_rate(Refusals& into, const RateDecision& decision) {
    into.add(Code::rate_limited,
             "address_requests",
             "Too many requests from this address; wait before the next one.",
             rounded_up(decision.wait));
}

void refuse_address_concurrency(Refusals& into, std::uint32_t most) {
    into.add(
        Code::concurrency_limited,
        "address_concurrency",
        fmt::format("This address may have {} requests in progress; wait for one to end.", most),
        most == 0 ? std::nullopt : std::optional{kBusyRetryAfter});
}

void refuse_key_rate(Refusals& into, std::uint32_t per_minute, std::chrono::nanoseconds wait) {
    into.add(Code::rate_limited,
             "key_requests",
             fmt::format("This API key may make {} requests per minute; wait before the next one.",
                         per_minute),
             per_minute == 0 ? std::nullopt : std::optional{rounded_up(wait)});
}

void refuse_key_concurrency(Refusals& into, std::uint32_t most) {
    into.add(
        Code::concurrency_limited,
        "key_concurrency",
        fmt::format("This API key may have {} requests in progress; wait for one to end.", most),
        most == 0 ? std::nullopt : std::optional{kBusyRetryAfter});
}

void refuse_bytes(Refusals& into) {
    into.add(Code::overloaded,
             "body_bytes",
             "The gateway has too much data in flight; try again shortly.",
             kBusyRetryAfter);
}

// nullopt for zero, which admits nobody and is decided before.
std::optional<Gcra> minute_rule(std::uint32_t per_minute) {
    const std::uint32_t count = std::min(per_minute, Gcra::kCountMax);
    return Gcra::make(count, std::chrono::minutes{1}, count);
}

bool fits(std::uint64_t held, std::uint64_t more, std::optional<std::uint64_t> most) {
    return !most || more == 0 || (held <= *most && more <= *most - held);
}

bool take_bytes(std::atomic<std::uint64_t>& held,
                std::uint64_t more,
                std::optional<std::uint64_t> most) {
    std::uint64_t seen = held.load(std::memory_order_relaxed);
    do {
        if (!fits(seen, more, most)) {
            return false;
        }
    } while (!held.compare_exchange_weak(seen, seen + more, std::memory_order_acq_rel));
    return true;
}

bool take_place(std::atomic<std::uint32_t>& in_flight,
                std::uint32_t elsewhere,
                std::optional<std::uint32_t> most) {
    std::uint32_t seen = in_flight.load(std::memory_order_relaxed);
    do {
        if (most && std::uint64_t{seen} + elsewhere >= *most) {
            return false;
        }
    } while (!in_flight.compare_exchange_weak(seen, seen + 1, std::memory_order_acq_rel));
    return true;
}

void look_at_address(const LimitRules& rules,
                     LimitCounters& counters,
                     AddressKey address,
                     SteadyTime now,
                     Refusals& into) {
    if (rules.address_concurrency_max == 0u) {
        refuse_address_concurrency(into, 0);
    }
    if (!rules.address_requests && !rules.address_concurrency_max) {
        return;
    }
    counters.addresses.find(address, [&](const AddressEntry& entry) {
        if (rules.address_requests) {
            const auto decision = rules.address_requests->peek(entry.requests, now);
            if (!decision.admitted) {
                refuse_address_rate(into, decision);
            }
        }
        if (rules.address_concurrency_max && entry.in_flight >= *rules.address_concurrency_max) {
            refuse_address_concurrency(into, *rules.address_concurrency_max);
        }
    });
}

void look_at_key(const KeyLimitState& state,
                 const KeyLimits& limits,
                 std::uint32_t elsewhere,
                 SteadyTime now,
                 Refusals& into) {
    if (limits.requests_per_minute) {
        const auto rule = minute_rule(*limits.requests_per_minute);
        const auto decision =
            rule ? rule->peek(state.request_cell.load(std::memory_order_relaxed), now)
                 : RateDecision{};
        if (!decision.admitted) {
            refuse_key_rate(into, *limits.requests_per_minute, decision.wait);
        }
    }
    if (limits.concurrency_max &&
        std::uint64_t{state.in_flight.load(std::memory_order_relaxed)} + elsewhere >=
            *limits.concurrency_max) {
        refuse_key_concurrency(into, *limits.concurrency_max);
    }
}

RateStatus status(const Gcra& rule, const RateDecision& decision) {
    return {.limit = rule.burst(), .remaining = decision.remaining, .reset = decision.reset};
}

}  // namespace

void HeldElsewhere::set(std::unordered_map<std::int64_t, std::uint32_t> calls) {
    const std::lock_guard guard(lock_);
    calls_ = std::move(calls);
    any_.store(!calls_.empty(), std::memory_order_release);
}

std::uint32_t HeldElsewhere::calls_of(std::int64_t key_id) const {
    if (!any_.load(std::memory_order_acquire)) {
        return 0;
    }
    const std::lock_guard guard(lock_);
    const auto found = calls_.find(key_id);
    return found == calls_.end() ? 0 : found->second;
}

Result<void> Limits::check_address(const Address& address, SteadyTime now) const {
    Refusals refusals;
    look_at_address(rules_, counters_, address_key(address), now, refusals);
    return std::move(refusals).verdict();
}

Result<void> Limits::check_guesses(const Address& address, SteadyTime now) const {
    Refusals refusals;
    if (rules_.guesses) {
        counters_.addresses.find(address_key(address), [&](const AddressEntry& entry) {
            const auto decision = rules_.guesses->peek(entry.guesses, now);
            if (!decision.admitted) {
                refusals.add(Code::rate_limited,
                             "guesses",
                             "Too many failed attempts from this address; wait before the next "
                             "one.",
                             rounded_up(decision.wait));
            }
        });
    }
    return std::move(refusals).verdict();
}

void Limits::count_guess(const Address& address, SteadyTime now) const {
    if (rules_.guesses) {
        counters_.addresses.find_or_add(address_key(address), now, [&](AddressEntry& entry) {
            rules_.guesses->take(entry.guesses, now);
        });
    }
}

Result<Slot> Limits::enter(const Entrant& entrant, SteadyTime now) const {
    // Looked at first, taken after: a refused call writes to nothing that others read. What was
    // lost in between to a racing call is undone below.
    const AddressKey address = address_key(entrant.address);
    Refusals refusals;
    look_at_address(rules_, counters_, address, now, refusals);
    if (entrant.key != nullptr) {
        look_at_key(*entrant.key,
                    entrant.key_limits,
                    counters_.elsewhere.calls_of(entrant.key_id),
                    now,
                    refusals);
    }
    if (!fits(counters_.body_bytes.load(std::memory_order_relaxed),
              entrant.body_bytes,
              rules_.body_bytes_max)) {
        refuse_bytes(refusals);
    }
    WEIR_TRY(std::move(refusals).verdict());

    Slot slot;
    Refusals lost;
    slot.counters_ = &counters_;
    slot.bytes_max_ = rules_.body_bytes_max;
    if (rules_.address_requests || rules_.address_concurrency_max) {
        take_address(slot, address, now, lost);
    }
    if (entrant.key != nullptr) {
        take_key(slot, entrant, now, lost);
    }
    if (take_bytes(counters_.body_bytes, entrant.body_bytes, rules_.body_bytes_max)) {
        slot.bytes_ = entrant.body_bytes;
    } else {
        refuse_bytes(lost);
    }
    if (auto verdict = std::move(lost).verdict(); !verdict) {
        std::move(slot).refund(now);
        return std::unexpected(std::move(verdict).error());
    }
    return slot;
}

void Limits::take_address(Slot& slot, AddressKey address, SteadyTime now, Refusals& lost) const {
    slot.address_ = address;
    counters_.addresses.find_or_add(address, now, [&](AddressEntry& entry) {
        if (rules_.address_concurrency_max) {
            if (entry.in_flight >= *rules_.address_concurrency_max) {
                return refuse_address_concurrency(lost, *rules_.address_concurrency_max);
            }
            ++entry.in_flight;
            slot.holds_address_ = true;
        }
        if (rules_.address_requests) {
            const auto decision = rules_.address_requests->take(entry.requests, now);
            if (!decision.admitted) {
                return refuse_address_rate(lost, decision);
            }
            slot.address_take_ = {.rule = *rules_.address_requests, .cell = decision.cell};
            slot.rate_ = status(*rules_.address_requests, decision);
        }
    });
}

void Limits::take_key(Slot& slot, const Entrant& entrant, SteadyTime now, Refusals& lost) const {
    KeyLimitState& state = *entrant.key;
    const KeyLimits& limits = entrant.key_limits;
    if (!take_place(state.in_flight,
                    counters_.elsewhere.calls_of(entrant.key_id),
                    limits.concurrency_max)) {
        return refuse_key_concurrency(lost, *limits.concurrency_max);
    }
    slot.key_ = &state;
    if (!limits.requests_per_minute) {
        return;
    }
    // A rate of zero was refused by look_at_key.
    const auto rule = minute_rule(*limits.requests_per_minute);
    const auto decision = rule->take(state.request_cell, now);
    if (!decision.admitted) {
        return refuse_key_rate(lost, *limits.requests_per_minute, decision.wait);
    }
    slot.key_take_ = {.rule = *rule, .cell = decision.cell};
    slot.rate_ = status(*rule, decision);
}

Result<Hold> Limits::hold(const HoldEstimate& estimate) const {
    const std::int64_t tokens = estimate.tokens();
    WEIR_ASSERT(tokens >= 0);
    std::int64_t seen = counters_.tokens.load(std::memory_order_relaxed);
    do {
        if (rules_.tokens_max && seen > 0 && tokens > *rules_.tokens_max - seen) {
            return fail(Code::overloaded,
                        "The gateway has too many tokens in flight; try again shortly.")
                .detail("tokens")
                .retry_after(kBusyRetryAfter);
        }
    } while (
        !counters_.tokens.compare_exchange_weak(seen, seen + tokens, std::memory_order_acq_rel));
    Hold hold;
    hold.counters_ = &counters_;
    hold.estimate_ = estimate;
    return hold;
}

Slot::Slot(Slot&& other) noexcept
    : counters_(std::exchange(other.counters_, nullptr)),
      key_(other.key_),
      key_take_(other.key_take_),
      address_take_(other.address_take_),
      rate_(other.rate_),
      bytes_max_(other.bytes_max_),
      address_(other.address_),
      holds_address_(other.holds_address_),
      bytes_(std::exchange(other.bytes_, 0)) {}

Slot& Slot::operator=(Slot&& other) noexcept {
    if (this != &other) {
        release();
        std::construct_at(this, std::move(other));
    }
    return *this;
}

Result<void> Slot::hold_bytes(std::uint64_t bytes) {
    WEIR_ASSERT(held());
    if (bytes <= bytes_) {
        counters_->body_bytes.fetch_sub(bytes_ - bytes, std::memory_order_acq_rel);
    } else if (!take_bytes(counters_->body_bytes, bytes - bytes_, bytes_max_)) {
        Refusals refusals;
        refuse_bytes(refusals);
        return std::move(refusals).verdict();
    }
    bytes_ = bytes;
    return {};
}

void Slot::refund(SteadyTime now) && {
    if (!held()) {
        return;
    }
    if (key_take_) {
        key_take_->rule.give_back(key_->request_cell, key_take_->cell, now);
    }
    if (address_take_) {
        counters_->addresses.find(address_, [&](AddressEntry& entry) {
            address_take_->rule.give_back(entry.requests, address_take_->cell, now);
        });
    }
    release();
}

void Slot::release() noexcept {
    LimitCounters* counters = std::exchange(counters_, nullptr);
    if (counters == nullptr) {
        return;
    }
    if (key_ != nullptr) {
        const auto before = key_->in_flight.fetch_sub(1, std::memory_order_acq_rel);
        WEIR_ASSERT(before > 0);
    }
    if (holds_address_) {
        // An entry that holds a slot is never evicted, so it is there.
        const bool found = counters->addresses.find(address_, [](AddressEntry& entry) {
            WEIR_ASSERT(entry.in_flight > 0);
            --entry.in_flight;
        });
        WEIR_ASSERT(found);
    }
    counters->body_bytes.fetch_sub(std::exchange(bytes_, 0), std::memory_order_acq_rel);
}

Hold::Hold(Hold&& other) noexcept
    : counters_(std::exchange(other.counters_, nullptr)), estimate_(other.estimate_) {}

Hold& Hold::operator=(Hold&& other) noexcept {
    if (this != &other) {
        release();
        counters_ = std::exchange(other.counters_, nullptr);
        estimate_ = other.estimate_;
    }
    return *this;
}

std::int64_t Hold::settle(std::int64_t tokens_used) && {
    release();
    return std::max<std::int64_t>(tokens_used - estimate_.tokens(), 0);
}

void Hold::release() noexcept {
    if (LimitCounters* counters = std::exchange(counters_, nullptr)) {
        counters->tokens.fetch_sub(estimate_.tokens(), std::memory_order_acq_rel);
    }
}

}  // namespace weir::quota
