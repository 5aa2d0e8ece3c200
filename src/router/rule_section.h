// `rules` of a model: which calls go elsewhere, as the configuration says it. Values; a rule that
// can never match is reported when the rules are read.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/types.h"
#include "router/pattern.h"
#include "router/target_section.h"

namespace weir::router {

inline constexpr std::size_t kRulesMax = 64;
// As a client sends them, separated by commas.
inline constexpr std::size_t kTagBytesMax = 64;
inline constexpr std::int64_t kPromptTokensMax = 1'000'000'000;

// Both ends are inside.
struct TokenRange {
    std::int64_t min = 0;
    std::int64_t max = kPromptTokensMax;
    bool operator==(const TokenRange&) const = default;
};

struct HeaderCondition {
    std::string name;                   // lower case
    std::optional<std::string> equals;  // else
    std::optional<Pattern> matches;
};

// All that is set must hold; with nothing set every call matches.
struct WhenSection {
    std::string model;  // that the client named
    std::string key;    // the API key's name or prefix
    std::string tenant;
    std::string tag;
    std::optional<TokenRange> prompt_tokens;
    std::optional<HeaderCondition> header;
};

struct UseSection {
    std::optional<Strategy> strategy;    // alone: of the model's own targets
    std::vector<TargetSection> targets;  // empty: the model's own, or those of `model`
    std::string model;                   // a configured one, with its own strategy; empty: none
    config::Place model_place;
};

struct RuleSection {
    WhenSection when;
    UseSection use;
};

config::Type<std::vector<RuleSection>> rules_type();

// Whether every call that matches `narrow` matches `wide`, as far as the words say.
bool covers(const WhenSection& wide, const WhenSection& narrow);

}  // namespace weir::router
