#include "router/catalog_builder.h"

#include <algorithm>

#include "router/hash.h"

namespace weir::router {

void CatalogBuilder::build() {
    for (const ModelSection& section : sections_.models) {
        add_model(section);
    }
    // Models name each other: all of them are there now.
    for (std::size_t i = 0; i < sections_.models.size(); ++i) {
        link(into_.models_[i], sections_.models[i]);
    }
    for (std::size_t i = 0; i < into_.providers_.size(); ++i) {
        if (into_.providers_[i].pass_through) {
            add_pass_through(i);
        }
    }
    // Pointers last: nothing moves any more.
    for (Model& model : into_.models_) {
        collect_candidates(model);
    }
}

void CatalogBuilder::add_model(const ModelSection& section) {
    const std::size_t index = into_.models_.size();
    into_.models_.push_back({.name = section.name,
                             .aliases = section.aliases,
                             .group = add_group(section, section.strategy, section.targets),
                             .output_tokens_max = section.max_output_tokens,
                             .timeouts = section.timeouts,
                             .retry = section.retry,
                             .hedge = section.hedge,
                             .effort_budgets = section.effort_budgets,
                             .expose_upstream = section.expose_upstream,
                             .sticky = section.sticky,
                             .index = index});
    into_.by_name_.emplace(section.name, index);
    for (const std::string& alias : section.aliases) {
        into_.by_name_.emplace(alias, index);
    }
}

void CatalogBuilder::add_pass_through(std::size_t provider) {
    const std::size_t index = into_.models_.size();
    into_.pass_through_.emplace(into_.providers_[provider].name, index);
    const std::uint32_t target = add_target({.provider = provider});
    const std::uint32_t group = add_group({.members = {{.index = target}}});
    into_.models_.push_back({.group = group, .index = index});
}

std::uint32_t CatalogBuilder::add_group(const ModelSection& owner,
                                        Strategy strategy,
                                        const std::vector<TargetSection>& targets) {
    Group group{.strategy = strategy};
    for (const TargetSection& section : targets) {
        Member member{.is_group = section.is_group(),
                      .weight = static_cast<std::uint32_t>(section.weight),
                      .tier = static_cast<std::uint32_t>(section.tier)};
        if (section.is_group()) {
            member.index = add_group(owner, section.strategy, section.targets);
        } else {
            Target target = target_at(section.provider, section.model);
            target.rates = section.price ? section.price : owner.price;
            target.output_tokens_max = owner.max_output_tokens;
            target.weight = member.weight;
            target.tier = member.tier;
            target.is_disabled = section.disabled;
            member.index = add_target(std::move(target));
        }
        group.members.push_back(member);
    }
    return add_group(std::move(group));
}

std::uint32_t CatalogBuilder::add_group(Group group) {
    group.hash = 0;
    for (const Member& member : group.members) {
        group.hash = combine(group.hash,
                             member.is_group
                                 ? into_.groups_[member.index].hash
                                 : into_.identities_[into_.targets_[member.index].identity].hash);
    }
    into_.groups_.push_back(std::move(group));
    return static_cast<std::uint32_t>(into_.groups_.size() - 1);
}

Target CatalogBuilder::target_at(std::string_view provider, std::string_view model) const {
    const auto& providers = into_.providers_;
    const auto found =
        std::find_if(providers.begin(), providers.end(), [provider](const ProviderName& candidate) {
            return candidate.name == provider;
        });
    WEIR_ASSERT(found != providers.end());
    return {.provider = static_cast<std::size_t>(found - providers.begin()),
            .model = std::string(model),
            .listed = price::find(found->kind, model)};
}

std::uint32_t CatalogBuilder::add_target(Target target) {
    target.index = into_.targets_.size();
    target.identity = identity_of(target.provider, target.model);
    into_.targets_.push_back(std::move(target));
    return static_cast<std::uint32_t>(into_.targets_.size() - 1);
}

std::size_t CatalogBuilder::identity_of(std::size_t provider, std::string_view model) {
    auto& identities = into_.identities_;
    const auto found =
        std::find_if(identities.begin(), identities.end(), [&](const Identity& identity) {
            return identity.provider == provider && identity.model == model;
        });
    if (found != identities.end()) {
        return static_cast<std::size_t>(found - identities.begin());
    }
    const std::uint64_t hash = hash_text(model, hash_text(into_.providers_[provider].name));
    identities.push_back({.provider = provider, .model = std::string(model), .hash = hash});
    return identities.size() - 1;
}

void CatalogBuilder::link(Model& model, const ModelSection& section) {
    for (const RuleSection& rule : section.rules) {
        model.rules.push_back({.when = rule.when, .group = rule_group(model, section, rule.use)});
    }
    add_fallbacks(model, section);
    if (section.context_fallback) {
        model.context_fallback = fallback_group(*section.context_fallback);
    }
}

std::uint32_t CatalogBuilder::rule_group(const Model& model,
                                         const ModelSection& section,
                                         const UseSection& use) {
    if (!use.model.empty()) {
        return into_.models_[into_.by_name_.find(use.model)->second].group;
    }
    const Strategy strategy = use.strategy.value_or(Strategy::weighted);
    if (!use.targets.empty()) {
        return add_group(section, strategy, use.targets);
    }
    // The same targets in another order.
    Group group = into_.groups_[model.group];
    group.strategy = strategy;
    return add_group(std::move(group));
}

std::uint32_t CatalogBuilder::fallback_group(const FallbackSection& section) {
    if (section.provider.empty()) {
        return into_.models_[into_.by_name_.find(section.model)->second].group;
    }
    Target target = target_at(section.provider, section.model);
    target.rates = section.price;
    return add_group({.members = {{.index = add_target(std::move(target))}}});
}

// A model's own list comes first, then the lists of the models in it, each model once.
void CatalogBuilder::add_fallbacks(Model& model, const ModelSection& section) {
    std::vector<const ModelSection*> lists{&section};
    for (std::size_t i = 0; i < lists.size(); ++i) {
        for (const FallbackSection& fallback : lists[i]->fallback) {
            if (!fallback.provider.empty()) {
                model.fallback.push_back(fallback_group(fallback));
                continue;
            }
            const ModelSection* next =
                &sections_.models[into_.by_name_.find(fallback.model)->second];
            if (std::find(lists.begin(), lists.end(), next) == lists.end()) {
                lists.push_back(next);
                model.fallback.push_back(fallback_group(fallback));
            }
        }
    }
}

void CatalogBuilder::collect_candidates(Model& model) {
    const auto add = [&](const auto& self, std::uint32_t group) -> void {
        model.asks_prefix |= into_.groups_[group].strategy == Strategy::prefix_affinity;
        model.asks_sticky |= into_.groups_[group].strategy == Strategy::pinned;
        for (const Member& member : into_.groups_[group].members) {
            if (member.is_group) {
                self(self, member.index);
                continue;
            }
            const Target* target = &into_.targets_[member.index];
            if (std::find(model.candidates.begin(), model.candidates.end(), target) ==
                model.candidates.end()) {
                model.candidates.push_back(target);
            }
        }
    };
    add(add, model.group);
    for (const Rule& rule : model.rules) {
        add(add, rule.group);
    }
    for (const std::uint32_t group : model.fallback) {
        add(add, group);
    }
    if (model.context_fallback) {
        add(add, *model.context_fallback);
    }
}

}  // namespace weir::router
