// What the sections become: models, where they run, and in which groups. Values that refer to each
// other by index into the Catalog that made them; immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llm/call.h"
#include "price/catalog.h"
#include "price/rates.h"
#include "router/policy_section.h"
#include "router/rule_section.h"
#include "router/strategy.h"

namespace weir::router {

// What a request names no output limit for, and neither does anybody else, is held at this much.
inline constexpr std::int64_t kOutputTokensDefault = 4096;

// A model at a provider, wherever the configuration names it: what is healthy, busy or slow.
struct Identity {
    std::size_t provider = 0;  // index into the Runtime's providers
    std::string model;         // its name there; empty: all that is passed through
    std::uint64_t hash = 0;    // of both names: the same after a reload and in every replica
};

// One place in the configuration where a model runs.
struct Target {
    std::size_t index = 0;              // in Catalog::targets()
    std::size_t identity = 0;           // in Catalog::identities()
    std::size_t provider = 0;           // index into the Runtime's providers
    std::string model;                  // its name there; empty: as the client said (pass-through)
    std::optional<price::Rates> rates;  // the configuration's
    const price::CatalogEntry* listed = nullptr;    // of `model`; null: none, or a pass-through
    std::optional<std::int64_t> output_tokens_max;  // the configuration's
    std::uint32_t weight = 1;                       // 0: gets nothing
    std::uint32_t tier = 0;
    bool is_disabled = false;
};

// Of a group: a target, or another group.
struct Member {
    bool is_group = false;
    std::uint32_t index = 0;  // in Catalog::groups() or Catalog::targets()
    std::uint32_t weight = 1;
    std::uint32_t tier = 0;
};

struct Group {
    Strategy strategy = Strategy::weighted;
    std::vector<Member> members;  // as written; at most kTargetsMax
    std::uint64_t hash = 0;       // of the identities in it
};

struct Rule {
    WhenSection when;
    std::uint32_t group = 0;  // in Catalog::groups()
};

struct Model {
    std::string name;  // empty: the pass-through of a provider
    std::vector<std::string> aliases;
    std::uint32_t group = 0;              // in Catalog::groups(): where it runs
    std::vector<Rule> rules;              // the first that matches names another group
    std::vector<std::uint32_t> fallback;  // groups: those of its own list, then those of theirs
    std::optional<std::uint32_t> context_fallback;  // a group
    // Every target that a call may reach, disabled ones among them: its own, then those of rules,
    // fallbacks and the context fallback. Each once; never empty; at most as many as there are.
    std::vector<const Target*> candidates;
    std::optional<std::int64_t> output_tokens_max;  // the configuration's
    Timeouts timeouts;
    Retry retry;
    std::optional<Hedge> hedge;  // none: off
    llm::EffortBudgets effort_budgets{};
    bool expose_upstream = false;  // callers see the provider, and its own name for the model
    Sticky sticky = Sticky::first_known;
    std::size_t index = 0;     // in Catalog::models()
    bool asks_prefix = false;  // some group of it is for Strategy::prefix_affinity
    bool asks_sticky = false;  // … for Strategy::pinned

    const Target& first() const { return *candidates.front(); }
};

}  // namespace weir::router
