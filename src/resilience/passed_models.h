// The models that calls reach at one provider without an entry of their own (`provider/model`):
// each is a Target by itself from its first good answer on, so that one that fails is left alone
// and the others are not. Until then they share one: names that clients make up have no state and
// cannot fill the memory. Runtimes share it by the provider's name. Any thread.
#pragma once

#include <map>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "resilience/target.h"

namespace weir::resilience {

// Of one provider; more than any has that are in use. Those above share what the unknown have.
inline constexpr std::size_t kPassedModelsMax = 256;

class PassedModels {
public:
    // `table` outlives it.
    PassedModels(std::string provider, TargetTable& table, const TargetRules& rules)
        : provider_(std::move(provider)), table_(table), rules_(rules) {}

    // nullptr: it shares what the unknown have. Lives as long as this.
    Target* find(std::string_view model) const;
    // It answered, or the configuration names it elsewhere: from now on it has its own Target.
    void learn(std::string_view model);
    // A reload has taken effect.
    void change(const TargetRules& rules);

    struct Known {
        std::string model;
        std::shared_ptr<Target> target;
    };
    std::vector<Known> all() const;
    const std::string& provider() const { return provider_; }

private:
    const std::string provider_;
    TargetTable& table_;
    mutable std::shared_mutex lock_;  // guards what follows
    TargetRules rules_;
    std::map<std::string, std::shared_ptr<Target>, std::less<>> known_;
};

}  // namespace weir::resilience
