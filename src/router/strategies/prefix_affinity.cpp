#include "router/strategies/prefix_affinity.h"

#include <algorithm>

#include "router/prefix_table.h"
#include "router/strategies/least_inflight.h"
#include "router/strategies/rendezvous.h"
#include "router/strategies/scored.h"

namespace weir::router::strategies {
namespace {

// "Consistent Hashing with Bounded Loads": the less, the more even and the fewer hits.
constexpr double kShareMax = 1.25;

}  // namespace

void prefix_affinity(std::span<const Option> options,
                     const Question& question,
                     std::span<std::uint16_t> chosen) {
    if (question.first_block == 0) {
        return least_inflight(options, question, chosen);
    }
    double calls = 0;
    double weights = 0;
    for (const std::uint16_t index : chosen) {
        calls += options[index].load.in_flight;
        weights += options[index].weight;
    }
    const auto is_overloaded = [&](const Option& option) {
        const double share = calls * option.weight / weights;
        return option.load.in_flight > kShareMax * share + 1;
    };
    // Above every length of a prefix, and exact beside it.
    constexpr double kLongest = kPrefixBlocksMax * kPrefixBlockBytes;
    sort_by(options, chosen, [&](const Option& option) {
        const double missing = kLongest - std::min<double>(kLongest, option.cached_prefix_bytes);
        return Score{missing + (is_overloaded(option) ? 2 * kLongest : 0.0),
                     rendezvous(question.first_block, option)};
    });
}

}  // namespace weir::router::strategies
