// The models clients can ask for, by every name they may use (exact model, alias,
// `provider/model`), and all the places where they run. Immutable; one per Runtime; any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "router/model.h"
#include "router/section.h"

namespace weir::router {

// What a name led to.
struct Resolved {
    const Model* model = nullptr;
    std::string_view asked;  // without a pass-through's `provider/`
};

// A call at one of its targets.
struct Choice {
    const Target* target = nullptr;
    std::string_view upstream_model;  // into the target or the name asked for
    // What it costs: what the configuration says, else the catalog of prices. Null: nobody knows.
    // Lives as long as the Catalog that gave it.
    const price::Rates* rates = nullptr;
    std::int64_t output_tokens_max = kOutputTokensDefault;  // of an answer, in the same order
};

struct ProviderName {
    std::string name;
    bool pass_through = false;
    std::string kind;  // whose entries of the catalog of prices hold; empty: none
};

class Catalog {
public:
    // The sections must have passed check_models().
    Catalog(const ModelsSection& models,
            const DefaultModelSection& default_model,
            std::vector<ProviderName> providers);
    Catalog(const Catalog&) = delete;

    // `name` empty: the default model. Errors: invalid_request naming `model`, model_not_found.
    // `name` must live as long as the result.
    Result<Resolved> resolve(std::string_view name) const;
    // `target` must be one of the model's candidates.
    Choice choice(const Resolved& resolved, const Target& target) const;
    std::span<const Target* const> candidates(const Resolved& resolved) const {
        return resolved.model->candidates;
    }

    // Named models first, in the order of the configuration, then one for each pass-through.
    const std::vector<Model>& models() const { return models_; }
    const std::vector<Target>& targets() const { return targets_; }
    const std::vector<Group>& groups() const { return groups_; }
    const std::vector<Identity>& identities() const { return identities_; }
    // For a request that names none; empty: there is none.
    const std::string& default_model() const { return default_model_; }

private:
    friend class CatalogBuilder;
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    using Index = std::unordered_map<std::string, std::size_t, Hash, std::equal_to<>>;

    std::vector<ProviderName> providers_;
    std::vector<Model> models_;
    std::vector<Target> targets_;
    std::vector<Group> groups_;
    std::vector<Identity> identities_;
    Index by_name_;       // in models_
    Index pass_through_;  // in models_, by the provider's name
    std::string default_model_;
};

}  // namespace weir::router
