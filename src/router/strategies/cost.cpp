#include "router/strategies/cost.h"

#include <limits>

#include "router/strategies/scored.h"

namespace weir::router::strategies {

void cost(std::span<const Option> options,
          const Question& question,
          std::span<std::uint16_t> chosen) {
    sort_by(options, chosen, [&](const Option& option) {
        const double price = option.price ? static_cast<double>(*option.price)
                                          : std::numeric_limits<double>::infinity();
        return Score{price, chance(question.random, option.weight)};
    });
}

}  // namespace weir::router::strategies
