#include "router/strategy.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "router/strategies/cost.h"
#include "router/strategies/latency.h"
#include "router/strategies/least_inflight.h"
#include "router/strategies/pinned.h"
#include "router/strategies/prefix_affinity.h"
#include "router/strategies/priority.h"
#include "router/strategies/weighted.h"
#include "router/target_section.h"

namespace weir::router {
namespace {

enum class Standing : std::uint8_t { ready, full, away, drained };

Standing standing(const Option& option) {
    const Load& load = option.load;
    if (option.weight == 0) {
        return Standing::drained;
    }
    if (!load.is_available) {
        return Standing::away;
    }
    const bool is_full = load.in_flight_max != 0 && load.in_flight >= load.in_flight_max;
    return is_full ? Standing::full : Standing::ready;
}

// All of one standing, so that a strategy need not know of it.
void order_alike(Strategy strategy,
                 std::span<const Option> options,
                 const Question& question,
                 std::span<std::uint16_t> chosen) {
    switch (strategy) {
        case Strategy::weighted:
        case Strategy::conditional:
            return strategies::weighted(options, question, chosen);
        case Strategy::pinned:
            return strategies::pinned(options, question, chosen);
        case Strategy::least_inflight:
            return strategies::least_inflight(options, question, chosen);
        case Strategy::latency:
            return strategies::latency(options, question, chosen);
        case Strategy::cost:
            return strategies::cost(options, question, chosen);
        case Strategy::priority:
            return strategies::priority(options, question, chosen);
        case Strategy::prefix_affinity:
            return strategies::prefix_affinity(options, question, chosen);
    }
    std::unreachable();
}

}  // namespace

std::string_view name(Strategy strategy) {
    const auto found = std::find_if(std::begin(kStrategyNames),
                                    std::end(kStrategyNames),
                                    [strategy](const auto& one) { return one.second == strategy; });
    WEIR_ASSERT(found != std::end(kStrategyNames));
    return found->first;
}

std::optional<Strategy> find_strategy(std::string_view name) {
    const auto found = std::find_if(std::begin(kStrategyNames),
                                    std::end(kStrategyNames),
                                    [name](const auto& one) { return one.first == name; });
    return found == std::end(kStrategyNames) ? std::nullopt : std::optional(found->second);
}

std::size_t order(Strategy strategy,
                  std::span<const Option> options,
                  const Question& question,
                  std::span<std::uint16_t> out) {
    WEIR_ASSERT(out.size() >= options.size());
    WEIR_ASSERT(options.size() <= kTargetsMax);
    WEIR_UNINITIALIZED Standing standings[kTargetsMax];
    for (std::size_t i = 0; i < options.size(); ++i) {
        standings[i] = standing(options[i]);
    }
    std::size_t count = 0;
    for (const Standing wanted : {Standing::ready, Standing::full, Standing::away}) {
        const std::size_t begin = count;
        for (std::size_t i = 0; i < options.size(); ++i) {
            if (standings[i] == wanted) {
                out[count++] = static_cast<std::uint16_t>(i);
            }
        }
        if (count - begin > 1) {
            order_alike(strategy, options, question, out.subspan(begin, count - begin));
        }
    }
    return count;
}

}  // namespace weir::router
