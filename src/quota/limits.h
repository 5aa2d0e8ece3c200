// Who may enter now: requests per minute and concurrency per key and per client address, the bytes
// of bodies in flight in the whole gateway, failed credentials per address, and the tokens in
// flight.
//
// Admission is all or nothing: enter() takes from every rule that applies or from none, so a
// refused call costs nothing. Two calls that race for the last place may, for an instant, see each
// other's: one may then be refused too early, never one too many admitted.
//
// `Limits` is immutable (one per Runtime); what it counts on lives in `LimitCounters`, which
// outlives every reload. Any thread may call; nothing here blocks or waits. Times are passed in.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "base/error.h"
#include "base/limit_state.h"
#include "quota/address_table.h"
#include "quota/estimate.h"
#include "quota/gcra.h"

namespace weir::quota {

// 50,000 connections may each come from an address of their own and hold a slot.
inline constexpr std::size_t kAddressesMax = 65'536;
// RELIABILITY has no figure for guesses: 20 at once is a person with a wrong paste buffer, 20 a
// minute lets a fixed client recover and a dictionary not.
inline constexpr std::uint32_t kGuessesPerMinute = 20;
// What a client is told to wait where no time can be known: a slot or memory comes free when
// another call ends.
inline constexpr std::chrono::milliseconds kBusyRetryAfter{1000};

// The calls that a process still carries which hands over to this one: they hold their places here
// until they end there. Any thread.
class HeldElsewhere {
public:
    // By key id; in the place of what was set before.
    void set(std::unordered_map<std::int64_t, std::uint32_t> calls);
    std::uint32_t calls_of(std::int64_t key_id) const;

private:
    std::atomic<bool> any_{false};  // the usual state asks no lock
    mutable std::mutex lock_;
    std::unordered_map<std::int64_t, std::uint32_t> calls_;  // guarded by lock_
};

// Lives as long as the process: reloads keep the counts. Owned by app; outlives every Slot and
// Hold.
struct LimitCounters {
    explicit LimitCounters(std::size_t addresses_max = kAddressesMax) : addresses(addresses_max) {}
    AddressTable addresses;
    HeldElsewhere elsewhere;
    alignas(64) std::atomic<std::uint64_t> body_bytes{0};
    alignas(64) std::atomic<std::int64_t> tokens{0};  // held for calls in flight
};

// Absent is unlimited; zero, where it can be written, admits nobody.
struct LimitRules {
    std::optional<Gcra> address_requests;
    std::optional<std::uint32_t> address_concurrency_max;
    std::optional<Gcra> guesses =
        Gcra::make(kGuessesPerMinute, std::chrono::minutes{1}, kGuessesPerMinute);
    std::optional<std::uint64_t> body_bytes_max;  // in flight, whole gateway
    std::optional<std::int64_t> tokens_max;       // in flight, whole gateway
};

// The limits of one key; the burst is a minute's worth.
struct KeyLimits {
    std::optional<std::uint32_t> requests_per_minute;
    std::optional<std::uint32_t> concurrency_max;
};

// Who knocks.
struct Entrant {
    Address address{};             // the client's, seen through trusted proxies only
    KeyLimitState* key = nullptr;  // null: anonymous. Outlives the slot: the call pins its identity
    KeyLimits key_limits;
    std::int64_t key_id = 0;
    std::uint64_t body_bytes = 0;  // Content-Length; 0 where unknown
};

// For the client: x-ratelimit-limit-requests and its kin.
struct RateStatus {
    std::uint32_t limit = 0;
    std::uint32_t remaining = 0;
    std::chrono::nanoseconds reset{0};
};

// One admitted call. Releases its concurrency and its bytes exactly once, when it dies, on
// whichever thread; the rate it used stays used. Moved-from and default ones hold nothing.
class [[nodiscard]] Slot {
public:
    Slot() = default;
    Slot(Slot&& other) noexcept;
    Slot& operator=(Slot&& other) noexcept;
    ~Slot() { release(); }

    bool held() const { return counters_ != nullptr; }
    // Of the key where it has a rate, else of the address; nullopt where neither has.
    std::optional<RateStatus> request_rate() const { return rate_; }

    // Sets the bytes this call holds (grows as a body without Content-Length comes in, shrinks when
    // it is sent on). Fails with overloaded, holding what it held.
    Result<void> hold_bytes(std::uint64_t bytes);
    std::uint64_t bytes() const { return bytes_; }

    // Weir itself refused the call after it had entered (bad body, unknown model, no budget),
    // before any provider was asked: the rate is given back too.
    void refund(SteadyTime now) &&;

private:
    friend class Limits;
    void release() noexcept;

    struct Take {
        Gcra rule;
        std::int64_t cell;
    };
    LimitCounters* counters_ = nullptr;
    KeyLimitState* key_ = nullptr;
    std::optional<Take> key_take_;
    std::optional<Take> address_take_;
    std::optional<RateStatus> rate_;
    std::optional<std::uint64_t> bytes_max_;
    AddressKey address_;
    bool holds_address_ = false;
    std::uint64_t bytes_ = 0;
};

// The tokens (and the money) set aside for one call. settle() once the usage is known; dropped
// unsettled, it gives everything back. Moved-from and default ones hold nothing.
class [[nodiscard]] Hold {
public:
    Hold() = default;
    Hold(Hold&& other) noexcept;
    Hold& operator=(Hold&& other) noexcept;
    ~Hold() { release(); }

    const HoldEstimate& estimate() const { return estimate_; }
    // Ends the hold; returns by how many tokens the call went over it (0 where it did not).
    std::int64_t settle(std::int64_t tokens_used) &&;

private:
    friend class Limits;
    void release() noexcept;
    LimitCounters* counters_ = nullptr;
    HoldEstimate estimate_;
};

class Refusals;

class Limits {
public:
    Limits(LimitCounters& counters, const LimitRules& rules) : counters_(counters), rules_(rules) {}

    // Takes nothing: refuses early, before identity costs anything, an address that enter() would
    // refuse. Fails with rate_limited or concurrency_limited.
    Result<void> check_address(const Address& address, SteadyTime now) const;

    // Fails with rate_limited while the address has failed too often. Ask before a credential that
    // is not known yet is looked up: a known good one shall pass, or one guesser behind a shared
    // address would lock out its neighbours.
    Result<void> check_guesses(const Address& address, SteadyTime now) const;
    // A credential from this address was wrong.
    void count_guess(const Address& address, SteadyTime now) const;

    // Takes from the address, the key and the bytes, or from none. Fails with rate_limited,
    // concurrency_limited (429) or overloaded (503), each with the time to wait where it is known.
    Result<Slot> enter(const Entrant& entrant, SteadyTime now) const;

    const LimitRules& rules() const { return rules_; }

    // Fails with overloaded above tokens_max; a call is always let in where nothing else is held.
    Result<Hold> hold(const HoldEstimate& estimate) const;

private:
    void take_address(Slot& slot, AddressKey address, SteadyTime now, Refusals& lost) const;
    void take_key(Slot& slot, const Entrant& entrant, SteadyTime now, Refusals& lost) const;

    LimitCounters& counters_;
    LimitRules rules_;
};

}  // namespace weir::quota
