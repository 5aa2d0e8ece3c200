// How long a call of a model may take and how often it is tried, as the configuration says it.
// Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "config/types.h"

namespace weir::router {

// DESIGN section 8. A model that thinks before it speaks needs a longer `first_token`. None is
// longer than `total`.
struct Timeouts {
    std::chrono::milliseconds connect{std::chrono::seconds{2}};
    std::chrono::milliseconds first_token{std::chrono::seconds{20}};
    std::chrono::milliseconds idle{std::chrono::seconds{30}};
    std::chrono::milliseconds total{std::chrono::minutes{10}};
};

// Where a provider fails before the client saw anything of its answer.
struct Retry {
    std::int64_t attempts = 3;  // in all, the first among them
    double budget = 0.2;        // of a target's calls may be retries
    std::chrono::milliseconds backoff_min{100};
    std::chrono::milliseconds backoff_max{2000};
};

// A second attempt beside a first one that is slow.
struct Hedge {
    // At least; never before 95 % of the target's first tokens would be there.
    std::chrono::milliseconds delay{0};
    double share = 0.05;  // of the model's streams, at most
};

// What keeps the calls of a pinned group together.
enum class Sticky : std::uint8_t {
    first_known,  // the first of those below that a call has
    prompt_cache_key,
    user,
    key,
};

config::Type<Timeouts> timeouts_type();
config::Type<Retry> retry_type();
// `off` is nullopt.
config::Type<std::optional<Hedge>> hedge_type();
config::Type<Sticky> sticky_type();

}  // namespace weir::router
