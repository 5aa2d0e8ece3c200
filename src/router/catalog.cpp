#include "router/catalog.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weir::router {
namespace {

constexpr std::size_t kEchoedBytesMax = 128;  // of a client's words, in a message

Resolved resolved(const Model& model,
                  std::string_view upstream_model,
                  const price::CatalogEntry* listed) {
    Resolved result{.model = &model, .upstream_model = upstream_model};
    if (listed != nullptr) {
        result.rates = &listed->rates;
        result.output_tokens_max = listed->max_output_tokens.value_or(kOutputTokensDefault);
    }
    if (model.target.rates) {
        result.rates = &*model.target.rates;
    }
    result.output_tokens_max = model.output_tokens_max.value_or(result.output_tokens_max);
    return result;
}

}  // namespace

Catalog::Catalog(const ModelsSection& models,
                 const DefaultModelSection& default_model,
                 const std::vector<ProviderName>& providers)
    : default_model_(default_model.model) {
    for (const ModelSection& section : models.models) {
        const TargetSection& target = section.targets.front();
        const auto provider = std::find_if(
            providers.begin(), providers.end(), [&target](const ProviderName& candidate) {
                return candidate.name == target.provider;
            });
        WEIR_ASSERT(provider != providers.end());
        const std::size_t index = models_.size();
        models_.push_back(
            {.name = section.name,
             .aliases = section.aliases,
             .target = {.provider = static_cast<std::size_t>(provider - providers.begin()),
                        .model = target.model,
                        .rates = target.price ? target.price : section.price,
                        .listed = price::find(provider->kind, target.model)},
             .output_tokens_max = section.max_output_tokens,
             .timeouts = section.timeouts,
             .index = index});
        by_name_.emplace(section.name, index);
        for (const std::string& alias : section.aliases) {
            by_name_.emplace(alias, index);
        }
    }
    for (std::size_t i = 0; i < providers.size(); ++i) {
        if (providers[i].pass_through) {
            const std::size_t index = models_.size();
            pass_through_.emplace(providers[i].name,
                                  PassThrough{.model = index, .kind = providers[i].kind});
            models_.push_back({.target = {.provider = i}, .index = index});
        }
    }
}

Result<Resolved> Catalog::resolve(std::string_view name) const {
    if (name.empty()) {
        if (default_model_.empty()) {
            return fail(Code::invalid_request, "The request names no model: set 'model'.")
                .parameter("model");
        }
        name = default_model_;
    }
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
        const Model& model = models_[found->second];
        return resolved(model, model.target.model, model.target.listed);
    }
    const std::size_t slash = name.find('/');
    if (slash != std::string_view::npos && slash + 1 < name.size()) {
        const auto found = pass_through_.find(name.substr(0, slash));
        if (found != pass_through_.end()) {
            const std::string_view upstream_model = name.substr(slash + 1);
            return resolved(models_[found->second.model],
                            upstream_model,
                            price::find(found->second.kind, upstream_model));
        }
    }
    return fail(Code::model_not_found,
                fmt::format("There is no model '{}'; GET /v1/models lists those there are.",
                            cut_utf8(name, kEchoedBytesMax)))
        .parameter("model");
}

}  // namespace weir::router
