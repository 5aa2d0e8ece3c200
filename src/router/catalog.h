// The models clients can ask for, by every name they may use: exact model, alias, `provider/model`.
// Immutable; one per Runtime; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "price/catalog.h"
#include "price/rates.h"
#include "router/section.h"

namespace weir::router {

struct Target {
    std::size_t provider = 0;           // index into the Runtime's providers
    std::string model;                  // its name there; empty: as the client said (pass-through)
    std::optional<price::Rates> rates;  // the configuration's
    const price::CatalogEntry* listed = nullptr;  // of `model`; null: none, or a pass-through
};

// What a request names no output limit for, and neither does anybody else, is held at this much.
inline constexpr std::int64_t kOutputTokensDefault = 4096;

struct Model {
    std::string name;  // empty: the pass-through of a provider
    std::vector<std::string> aliases;
    Target target;
    std::optional<std::int64_t> output_tokens_max;  // the configuration's
    Timeouts timeouts;
    std::size_t index = 0;  // in Catalog::models()
};

// What a name led to.
struct Resolved {
    const Model* model = nullptr;
    std::string_view upstream_model;  // into the model or the name asked for
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
            const std::vector<ProviderName>& providers);
    Catalog(const Catalog&) = delete;

    // `name` empty: the default model. Errors: invalid_request naming `model`, model_not_found.
    // `name` must live as long as the result.
    Result<Resolved> resolve(std::string_view name) const;
    // Named models first, in the order of the configuration, then one for each pass-through.
    const std::vector<Model>& models() const { return models_; }
    // For a request that names none; empty: there is none.
    const std::string& default_model() const { return default_model_; }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>{}(text);
        }
    };
    template <class T>
    using Index = std::unordered_map<std::string, T, Hash, std::equal_to<>>;

    struct PassThrough {
        std::size_t model;  // in models_
        std::string kind;
    };

    std::vector<Model> models_;
    Index<std::size_t> by_name_;
    Index<PassThrough> pass_through_;  // by the provider's name
    std::string default_model_;
};

}  // namespace weir::router
