#include "resilience/credential.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace weir::resilience {

void Credential::cool(std::chrono::nanoseconds told, Why why, SteadyTime now) {
    const std::lock_guard guard(lock_);
    const std::int64_t before = state_.load(std::memory_order_relaxed);
    const auto left_before = left(before, now);
    const bool was_cooled = left_before.count() > 0;

    std::chrono::nanoseconds span = kRefusedCool;
    if (why == Why::limited) {
        if (was_cooled && why_of(before) == Why::refused) {
            return;
        }
        span = told;
        if (told.count() <= 0) {
            // Many calls that were on their way together are one strike.
            if (was_cooled) {
                return;
            }
            const std::uint32_t strikes = strikes_.load(std::memory_order_relaxed);
            span = kLimitedCoolFirst;
            for (std::uint32_t i = 0; i < strikes && span < kLimitedCoolLast; ++i) {
                span *= 2;
            }
            span = std::min(span, kLimitedCoolLast);
            strikes_.store(strikes + 1, std::memory_order_relaxed);
        }
    }
    span = std::max(std::min(span, kCoolMax), left_before);
    const std::int64_t until = (now + span).time_since_epoch().count();
    state_.store((until & ~std::int64_t{1}) | (why == Why::limited ? 1 : 0),
                 std::memory_order_relaxed);
}

std::optional<Why> Credential::why(SteadyTime now) const {
    const std::int64_t state = state_.load(std::memory_order_relaxed);
    if (left(state, now).count() == 0) {
        return std::nullopt;
    }
    return why_of(state);
}

Credentials::Credentials(std::vector<Key> keys) : keys_(std::move(keys)) {
    WEIR_ASSERT(keys_.size() <= kKeysMax);
}

std::optional<std::size_t> Credentials::choose(SteadyTime now,
                                               std::uint64_t random,
                                               std::uint64_t tried_mask) const {
    // One look at each key, so that the sum and the choice speak of the same moment.
    std::uint64_t warm = 0;
    std::uint64_t weights = 0;
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        if ((tried_mask >> i & 1) == 0 && !keys_[i].credential->is_cooled(now)) {
            warm |= std::uint64_t{1} << i;
            weights += keys_[i].weight;
        }
    }
    if (weights == 0) {
        return choose_spared(now, tried_mask);
    }
    auto drawn =
        static_cast<std::uint64_t>((static_cast<unsigned __int128>(random) * weights) >> 64);
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        if ((warm >> i & 1) != 0) {
            if (drawn < keys_[i].weight) {
                return i;
            }
            drawn -= keys_[i].weight;
        }
    }
    std::unreachable();
}

std::optional<std::size_t> Credentials::choose_spared(SteadyTime now,
                                                      std::uint64_t tried_mask) const {
    std::optional<std::size_t> best;
    std::chrono::nanoseconds shortest{};
    for (std::size_t i = 0; i < keys_.size(); ++i) {
        if ((tried_mask >> i & 1) != 0 || keys_[i].weight == 0) {
            continue;
        }
        const std::int64_t state = keys_[i].credential->state_.load(std::memory_order_relaxed);
        const auto left = Credential::left(state, now);
        if (left.count() > 0 && Credential::why_of(state) == Why::refused) {
            continue;
        }
        if (!best || left < shortest) {
            best = i;
            shortest = left;
        }
    }
    return best;
}

std::chrono::nanoseconds Credentials::cools_for(SteadyTime now) const {
    std::optional<std::chrono::nanoseconds> shortest;
    for (const Key& key : keys_) {
        if (key.weight > 0) {
            const auto left = key.credential->cools_for(now);
            shortest = std::min(shortest.value_or(left), left);
        }
    }
    return shortest.value_or(std::chrono::nanoseconds{});
}

}  // namespace weir::resilience
