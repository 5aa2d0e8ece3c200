#include "router/catalog.h"

#include <fmt/format.h>

#include "base/text.h"
#include "router/catalog_builder.h"

namespace weir::router {
namespace {

constexpr std::size_t kEchoedBytesMax = 128;  // of a client's words, in a message

}  // namespace

Catalog::Catalog(const ModelsSection& models,
                 const DefaultModelSection& default_model,
                 std::vector<ProviderName> providers)
    : providers_(std::move(providers)), default_model_(default_model.model) {
    CatalogBuilder(models, *this).build();
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
        return Resolved{.model = &models_[found->second], .asked = name};
    }
    const std::size_t slash = name.find('/');
    if (slash != std::string_view::npos && slash + 1 < name.size()) {
        const auto found = pass_through_.find(name.substr(0, slash));
        if (found != pass_through_.end()) {
            return Resolved{.model = &models_[found->second], .asked = name.substr(slash + 1)};
        }
    }
    return fail(Code::model_not_found,
                fmt::format("There is no model '{}'; GET /v1/models lists those there are.",
                            cut_utf8(name, kEchoedBytesMax)))
        .parameter("model");
}

Choice Catalog::choice(const Resolved& resolved, const Target& target) const {
    const bool is_pass_through = target.model.empty();
    Choice choice{.target = &target,
                  .upstream_model = is_pass_through ? resolved.asked : target.model};
    const price::CatalogEntry* listed =
        is_pass_through ? price::find(providers_[target.provider].kind, resolved.asked)
                        : target.listed;
    choice.output_tokens_max = resolved.model->output_tokens_max.value_or(kOutputTokensDefault);
    if (listed != nullptr) {
        choice.rates = &listed->rates;
        choice.output_tokens_max = listed->max_output_tokens.value_or(choice.output_tokens_max);
    }
    if (target.rates) {
        choice.rates = &*target.rates;
    }
    choice.output_tokens_max = target.output_tokens_max.value_or(choice.output_tokens_max);
    return choice;
}

}  // namespace weir::router
