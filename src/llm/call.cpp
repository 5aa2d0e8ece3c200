#include "llm/call.h"

#include <utility>

namespace weir::llm {

std::int64_t EffortBudgets::of(Effort effort, std::int64_t otherwise) const {
    switch (effort) {
        case Effort::none:
            return otherwise;
        case Effort::minimal:
            return minimal.value_or(otherwise);
        case Effort::low:
            return low.value_or(otherwise);
        case Effort::medium:
            return medium.value_or(otherwise);
        case Effort::high:
            return high.value_or(otherwise);
        case Effort::xhigh:
            return xhigh.value_or(otherwise);
        case Effort::max:
            return max.value_or(otherwise);
    }
    std::unreachable();
}

}  // namespace weir::llm
