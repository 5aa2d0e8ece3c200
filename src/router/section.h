// The `models:` and `default_model:` sections of the configuration. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/snapshot.h"
#include "llm/call.h"
#include "price/rates.h"
#include "router/policy_section.h"
#include "router/rule_section.h"
#include "router/target_section.h"

namespace weir::router {

// All that one call may try, fallbacks among it.
inline constexpr std::size_t kCandidatesMax = 128;

struct ModelSection {
    std::string name;
    std::vector<std::string> aliases;
    Strategy strategy = Strategy::weighted;
    std::vector<TargetSection> targets;
    std::vector<FallbackSection> fallback;
    std::optional<FallbackSection> context_fallback;
    std::vector<RuleSection> rules;
    std::optional<price::Rates> price;  // of targets without their own
    std::optional<std::int64_t> max_output_tokens;
    Timeouts timeouts;
    Retry retry;
    std::optional<Hedge> hedge;  // none: off
    Sticky sticky = Sticky::first_known;
    llm::EffortBudgets effort_budgets{};
    bool expose_upstream = false;
};

struct ModelsSection {
    std::vector<ModelSection> models;
};

struct DefaultModelSection {
    std::string model;  // empty: a request must name one
    config::Place place;
};

config::Section models_section();
config::Section default_model_section();

// What only shows when the sections are seen together: providers and models that are not there,
// fallbacks that lead back to where they began, a default model that is none.
void check_models(const ModelsSection& models,
                  const DefaultModelSection& default_model,
                  const std::vector<std::string_view>& providers,
                  config::Reporter& reporter);

}  // namespace weir::router
