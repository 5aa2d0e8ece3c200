#include "router/strategies/least_inflight.h"

#include "router/strategies/scored.h"

namespace weir::router::strategies {

void least_inflight(std::span<const Option> options,
                    const Question& question,
                    std::span<std::uint16_t> chosen) {
    sort_by(options, chosen, [&](const Option& option) {
        return Score{static_cast<double>(option.load.in_flight) / option.weight,
                     chance(question.random, option.weight)};
    });
}

}  // namespace weir::router::strategies
