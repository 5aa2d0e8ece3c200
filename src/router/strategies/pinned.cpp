#include "router/strategies/pinned.h"

#include "router/strategies/rendezvous.h"
#include "router/strategies/scored.h"

namespace weir::router::strategies {

void pinned(std::span<const Option> options,
            const Question& question,
            std::span<std::uint16_t> chosen) {
    if (question.sticky == 0) {
        return;
    }
    sort_by(options, chosen, [&](const Option& option) {
        return Score{rendezvous(question.sticky, option)};
    });
}

}  // namespace weir::router::strategies
