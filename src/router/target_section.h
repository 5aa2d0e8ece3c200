// Where a model runs, as the configuration says it: targets, groups of them that nest, and what a
// call falls back to. Values; what is wrong inside one of them is reported when it is read.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/types.h"
#include "price/rates.h"
#include "router/strategy.h"

namespace weir::router {

// Of a group, and of a whole tree of groups: an order of more is nobody's plan.
inline constexpr std::size_t kTargetsMax = 64;
// Groups inside groups, the outermost among them.
inline constexpr std::size_t kGroupDepthMax = 4;
inline constexpr std::size_t kFallbacksMax = 16;
inline constexpr std::int64_t kWeightMax = 1'000'000;
inline constexpr std::int64_t kTierMax = 1'000;
inline constexpr std::size_t kModelNameBytesMax = 256;

// A target, or a group of them.
struct TargetSection {
    std::string provider;          // empty: a group
    config::Place provider_place;  // for the message where there is no such provider
    std::string model;
    std::optional<price::Rates> price;
    bool disabled = false;
    std::int64_t weight = 1;  // 0: gets nothing
    std::int64_t tier = 0;    // of Strategy::priority: the lowest comes first
    // Of a group.
    Strategy strategy = Strategy::weighted;
    std::vector<TargetSection> targets;

    bool is_group() const { return !targets.empty(); }
};

// What a call falls back to: a target, or all of another configured model.
struct FallbackSection {
    std::string provider;  // empty: `model` is a configured one
    config::Place provider_place;
    std::string model;
    config::Place model_place;
    std::optional<price::Rates> price;  // of a target
};

// A name of a model, ours or a provider's.
config::Type<std::string> model_name();
config::Type<Strategy> strategy_type();
// At least one; not all of weight 0.
config::Type<std::vector<TargetSection>> targets_type();
config::Type<FallbackSection> fallback_type();
config::Type<std::vector<FallbackSection>> fallbacks_type();

// How many targets there are in it, those of groups inside it among them.
std::size_t count_targets(const std::vector<TargetSection>& targets);

// "; did you mean 'x'?" where one of `known` is near enough; else nothing.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

}  // namespace weir::router
