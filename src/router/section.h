// The `models:` and `default_model:` sections of the configuration. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/snapshot.h"
#include "price/rates.h"

namespace weir::router {

// DESIGN section 8. A model that thinks before it speaks needs a longer `first_token`.
struct Timeouts {
    std::chrono::milliseconds connect{std::chrono::seconds{2}};
    std::chrono::milliseconds first_token{std::chrono::seconds{20}};
    std::chrono::milliseconds idle{std::chrono::seconds{30}};
    std::chrono::milliseconds total{std::chrono::minutes{10}};
};

struct TargetSection {
    std::string provider;
    config::Place provider_place;  // for the message where there is no such provider
    std::string model;
    std::optional<price::Rates> price;
};

struct ModelSection {
    std::string name;
    std::vector<std::string> aliases;
    std::vector<TargetSection> targets;
    std::optional<price::Rates> price;  // of targets without their own
    std::optional<std::int64_t> max_output_tokens;
    Timeouts timeouts;
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

// What only shows when the sections are seen together: providers that are not there, a default
// model that is none.
void check_models(const ModelsSection& models,
                  const DefaultModelSection& default_model,
                  const std::vector<std::string_view>& providers,
                  config::Reporter& reporter);

}  // namespace weir::router
