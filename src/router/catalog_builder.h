// Turns the sections into a Catalog: numbers the targets, finds which of them are the same model at
// the same provider, and resolves every name that one model has for another.
#pragma once

#include "router/catalog.h"

namespace weir::router {

class CatalogBuilder {
public:
    CatalogBuilder(const ModelsSection& models, Catalog& into) : sections_(models), into_(into) {}
    // Once.
    void build();

private:
    void add_model(const ModelSection& section);
    void add_pass_through(std::size_t provider);
    std::uint32_t add_group(const ModelSection& owner,
                            Strategy strategy,
                            const std::vector<TargetSection>& targets);
    std::uint32_t add_group(Group group);
    Target target_at(std::string_view provider, std::string_view model) const;
    std::uint32_t add_target(Target target);
    std::size_t identity_of(std::size_t provider, std::string_view model);

    void link(Model& model, const ModelSection& section);
    std::uint32_t rule_group(const Model& model, const ModelSection& section, const UseSection&);
    // The group of a configured model; or one of that target alone.
    std::uint32_t fallback_group(const FallbackSection& section);
    void add_fallbacks(Model& model, const ModelSection& section);
    void collect_candidates(Model& model);

    const ModelsSection& sections_;
    Catalog& into_;
};

}  // namespace weir::router
