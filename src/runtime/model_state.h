// What is known of a model while Weir runs, whatever the configuration in force: Runtimes share it
// by the model's name, as long as each of them has it. Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "resilience/retry_budget.h"
#include "router/strategy.h"

namespace weir::runtime {

class ModelState {
public:
    // What an operator said by the API, in the place of the configured one; nullopt: nothing.
    std::optional<router::Strategy> strategy() const {
        const int strategy = strategy_.load(std::memory_order_relaxed);
        return strategy == kAsConfigured ? std::nullopt
                                         : std::optional(static_cast<router::Strategy>(strategy));
    }
    void set_strategy(std::optional<router::Strategy> strategy) {
        strategy_.store(strategy ? static_cast<int>(*strategy) : kAsConfigured,
                        std::memory_order_relaxed);
    }

    // What its streams have saved up for second attempts; nothing comes by itself.
    resilience::RetryBudget hedges{{.per_second = 0}};

private:
    static constexpr int kAsConfigured = -1;
    std::atomic<int> strategy_{kAsConfigured};
};

}  // namespace weir::runtime
