#include "router/strategies/priority.h"

#include "router/strategies/scored.h"

namespace weir::router::strategies {

void priority(std::span<const Option> options,
              const Question& question,
              std::span<std::uint16_t> chosen) {
    sort_by(options, chosen, [&](const Option& option) {
        return Score{static_cast<double>(option.tier), chance(question.random, option.weight)};
    });
}

}  // namespace weir::router::strategies
