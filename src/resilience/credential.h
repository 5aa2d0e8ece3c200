// The keys of a provider, and which of them may be used now. A 401, 402, 403 or 429 is about the
// key, not about the target: it cools that key, and calls go on with the others.
//
// A Credential's state outlives reloads (see target.h for the tables); `Credentials` is the
// immutable list that one configuration makes of them. Knows no secrets: keys are places in a list.
// Any thread; a key that is well costs a load.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace weir::resilience {

// A provider that says "retry after a day" may have been given a new quota long before.
inline constexpr std::chrono::nanoseconds kCoolMax = std::chrono::hours{1};
// 401, 402, 403: a person has to do something; look again now and then whether it is done.
inline constexpr std::chrono::nanoseconds kRefusedCool = std::chrono::minutes{5};
// 429 that does not say for how long: doubled each time in a row.
inline constexpr std::chrono::nanoseconds kLimitedCoolFirst = std::chrono::seconds{1};
inline constexpr std::chrono::nanoseconds kLimitedCoolLast = std::chrono::seconds{60};
// `tried` masks have a bit for each key.
inline constexpr std::size_t kKeysMax = 64;

// Why a key is cooled: its own fault (401, 402, 403), or it was used too much (429).
enum class Why : std::uint8_t { refused, limited };

class Credential {
public:
    // `told` is the Retry-After of a 429, 0 where it said none; it does not shorten what is
    // cooled already, and a refusal is not softened by a 429 that was still on its way.
    void cool(std::chrono::nanoseconds told, Why why, SteadyTime now);
    // The provider took it. Begins the doubling anew; an answer to a call that was sent before the
    // key was cooled does not warm it.
    void succeeded(SteadyTime now) {
        if (strikes_.load(std::memory_order_relaxed) != 0 && !is_cooled(now)) {
            strikes_.store(0, std::memory_order_relaxed);
        }
    }

    bool is_cooled(SteadyTime now) const { return cools_for(now).count() > 0; }
    // 0: it may be used.
    std::chrono::nanoseconds cools_for(SteadyTime now) const {
        return left(state_.load(std::memory_order_relaxed), now);
    }
    // nullopt: it is not cooled.
    std::optional<Why> why(SteadyTime now) const;

private:
    friend class Credentials;
    static std::chrono::nanoseconds left(std::int64_t state, SteadyTime now) {
        const SteadyTime until{std::chrono::nanoseconds{state & ~std::int64_t{1}}};
        return until > now ? until - now : std::chrono::nanoseconds{};
    }
    static Why why_of(std::int64_t state) { return (state & 1) != 0 ? Why::limited : Why::refused; }

    // Until when, in nanoseconds of steady time, to the even one; the lowest bit says why.
    std::atomic<std::int64_t> state_{INT64_MIN};
    std::atomic<std::uint32_t> strikes_{0};  // 429s in a row, without Retry-After
    std::mutex lock_;                        // held by cool() alone
};

class Credentials {
public:
    struct Key {
        std::string name;  // for people
        std::shared_ptr<Credential> credential;
        std::uint32_t weight = 1;  // 0: never chosen
    };
    // At most kKeysMax.
    explicit Credentials(std::vector<Key> keys);

    std::size_t size() const { return keys_.size(); }
    const Key& operator[](std::size_t index) const { return keys_[index]; }
    Credential& credential(std::size_t index) const { return *keys_[index].credential; }

    // One of the keys that are neither cooled nor in `tried_mask` (bit i is key i), by weight and
    // `random`. Where none is, the one of those cooled by 429s alone that is cooled shortest: a
    // limit that may be over by now is no reason to send nothing. nullopt: none of use is left.
    std::optional<std::size_t> choose(SteadyTime now,
                                      std::uint64_t random,
                                      std::uint64_t tried_mask) const;
    // How long until a key may be used; 0 where one may, or none ever will by itself.
    std::chrono::nanoseconds cools_for(SteadyTime now) const;

private:
    std::optional<std::size_t> choose_spared(SteadyTime now, std::uint64_t tried_mask) const;
    std::vector<Key> keys_;
};

}  // namespace weir::resilience
