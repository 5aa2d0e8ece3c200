#include "router/strategies/weighted.h"

#include "router/strategies/scored.h"

namespace weir::router::strategies {

void weighted(std::span<const Option> options,
              const Question& question,
              std::span<std::uint16_t> chosen) {
    sort_by(options, chosen, [&](const Option& option) {
        return Score{chance(question.random, option.weight)};
    });
}

}  // namespace weir::router::strategies
