// How the targets of a group are put in order: what is known of each, what is asked of them, and a
// pure function for every strategy, in strategies/. One call on one thread; no memory is taken.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "base/random.h"

namespace weir::router {

enum class Strategy : std::uint8_t {
    weighted,         // at random, by weight
    pinned,           // the same one for the same caller
    least_inflight,   // who has the fewest calls, by weight
    latency,          // who would answer soonest
    cost,             // who is cheapest
    priority,         // by tier; by weight inside one
    conditional,      // rules decide; by weight where none does
    prefix_affinity,  // who has the prompt's beginning cached
};

// As the configuration and the API write them.
inline constexpr std::pair<std::string_view, Strategy> kStrategyNames[] = {
    {"weighted", Strategy::weighted},
    {"pinned", Strategy::pinned},
    {"least_inflight", Strategy::least_inflight},
    {"latency", Strategy::latency},
    {"cost", Strategy::cost},
    {"priority", Strategy::priority},
    {"conditional", Strategy::conditional},
    {"prefix_affinity", Strategy::prefix_affinity},
};
std::string_view name(Strategy strategy);
// nullopt: it is none.
std::optional<Strategy> find_strategy(std::string_view name);

// How a target is just now. What is not known is zero.
struct Load {
    bool is_available = true;         // false: its breaker is open, or it cools down
    std::uint32_t in_flight = 0;      // calls
    std::uint32_t in_flight_max = 0;  // 0: no limit
    double first_token_us = 0;        // a peak-sensitive mean of the time to the first token
    double token_us = 0;              // of each token that follows
    // In the place of the configured one, set while Weir runs; 0 drains.
    std::optional<std::uint32_t> weight;
};

// A target of a group, or a group inside it seen as one.
struct Option {
    std::uint32_t weight = 1;  // what holds now; 0 is never chosen
    std::uint32_t tier = 0;
    Load load;
    std::optional<std::int64_t> price;      // of this call, in nano-dollars; absent: nobody knows
    std::uint64_t identity = 0;             // a stable hash of where it is
    std::uint32_t cached_prefix_bytes = 0;  // of this prompt, that were seen there before
};

struct Question {
    std::uint64_t sticky = 0;         // a hash of what keeps calls together; 0: nothing does
    std::uint64_t first_block = 0;    // a hash of the prompt's beginning; 0: it is too short
    std::uint32_t output_tokens = 0;  // that the answer may have
    Random& random;
};

// Writes the indices of `options` that have a weight into `out`, best first, and returns how many:
// those that can take a call, then those that are full, then those that are not available. `out`
// has room for all; there are at most kTargetsMax.
std::size_t order(Strategy strategy,
                  std::span<const Option> options,
                  const Question& question,
                  std::span<std::uint16_t> out);

}  // namespace weir::router
