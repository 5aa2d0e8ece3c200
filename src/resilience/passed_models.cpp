#include "resilience/passed_models.h"

#include <mutex>

namespace weir::resilience {

Target* PassedModels::find(std::string_view model) const {
    const std::shared_lock guard(lock_);
    const auto found = known_.find(model);
    return found == known_.end() ? nullptr : found->second.get();
}

void PassedModels::learn(std::string_view model) {
    if (model.empty() || find(model) != nullptr) {
        return;
    }
    const std::lock_guard guard(lock_);
    if (known_.size() < kPassedModelsMax && !known_.contains(model)) {
        // The same that a configured target of this name has.
        known_.emplace(model, table_.take(target_identity(provider_, model), rules_));
    }
}

void PassedModels::change(const TargetRules& rules) {
    const std::lock_guard guard(lock_);
    rules_ = rules;
    for (const auto& [model, target] : known_) {
        target->change(rules);
    }
}

std::vector<PassedModels::Known> PassedModels::all() const {
    const std::shared_lock guard(lock_);
    std::vector<Known> all;
    for (const auto& [model, target] : known_) {
        all.push_back({.model = model, .target = target});
    }
    return all;
}

}  // namespace weir::resilience
