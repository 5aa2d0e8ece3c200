// What only shows when the sections are seen together.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "router/section.h"

namespace weir::router {
namespace {

class Checker {
public:
    Checker(const ModelsSection& section,
            const std::vector<std::string_view>& providers,
            config::Reporter& reporter)
        : models_(section.models), providers_(providers), reporter_(reporter) {
        for (std::size_t i = 0; i < models_.size(); ++i) {
            add_name(models_[i].name, i);
            for (const std::string& alias : models_[i].aliases) {
                add_name(alias, i);
            }
        }
    }

    void check_default(const DefaultModelSection& section) {
        if (!section.model.empty()) {
            find_model(section.model, section.place, "default_model");
        }
    }

    void check_model(std::size_t i) {
        const ModelSection& model = models_[i];
        const std::string path = fmt::format("models[{}]", i);
        check_targets(model.targets, path + ".targets");
        for (std::size_t j = 0; j < model.fallback.size(); ++j) {
            check_fallback(model.fallback[j], fmt::format("{}.fallback[{}]", path, j));
        }
        if (model.context_fallback) {
            check_context_fallback(i, path + ".context_fallback");
        }
        for (std::size_t j = 0; j < model.rules.size(); ++j) {
            const UseSection& use = model.rules[j].use;
            const std::string used = fmt::format("{}.rules[{}].use", path, j);
            check_targets(use.targets, used + ".targets");
            if (!use.model.empty()) {
                find_model(use.model, use.model_place, used + ".model");
            }
        }
    }

    // Follows the fallbacks of model `i`; those on the way there are `trail_`.
    void check_cycles(std::size_t i) {
        if (is_followed_[i]) {
            return;
        }
        trail_.push_back(i);
        for (std::size_t j = 0; j < models_[i].fallback.size(); ++j) {
            const FallbackSection& fallback = models_[i].fallback[j];
            const auto next = index_of(fallback);
            if (!next) {
                continue;
            }
            const auto again = std::find(trail_.begin(), trail_.end(), *next);
            if (again == trail_.end()) {
                check_cycles(*next);
                continue;
            }
            std::string circle;
            for (auto at = again; at != trail_.end(); ++at) {
                circle += models_[*at].name + " -> ";
            }
            reporter_.report(fallback.model_place,
                             fmt::format("models[{}].fallback[{}].model", i, j),
                             fmt::format("this fallback leads back to where it began: {}{}",
                                         circle,
                                         models_[*next].name));
        }
        trail_.pop_back();
        is_followed_[i] = true;
    }

    void check_size(std::size_t i) {
        const ModelSection& model = models_[i];
        std::size_t own = count_targets(model.targets);
        for (const RuleSection& rule : model.rules) {
            const auto used = index_of(rule.use.model);
            own = std::max(own, count_targets(used ? models_[*used].targets : rule.use.targets));
        }
        std::vector<bool> is_counted(models_.size());
        is_counted[i] = true;
        const std::size_t all = own + count_fallbacks(model, is_counted);
        if (all > kCandidatesMax) {
            reporter_.report(
                model.fallback.front().model_place,
                fmt::format("models[{}].fallback", i),
                fmt::format("a call could go to {} targets, fallbacks among them; at most {} are "
                            "allowed",
                            all,
                            kCandidatesMax));
        }
    }

private:
    void add_name(std::string_view name, std::size_t index) {
        names_.push_back(name);
        by_name_.emplace(name, index);
    }

    std::optional<std::size_t> index_of(std::string_view model) const {
        const auto found = by_name_.find(model);
        return found == by_name_.end() ? std::nullopt : std::optional(found->second);
    }
    std::optional<std::size_t> index_of(const FallbackSection& fallback) const {
        return fallback.provider.empty() ? index_of(fallback.model) : std::nullopt;
    }

    void find_model(const std::string& name, config::Place place, std::string path) {
        if (!index_of(name)) {
            reporter_.report(
                place,
                std::move(path),
                fmt::format("there is no model '{}'{}", name, suggestion(name, names_)));
        }
    }

    void find_provider(const std::string& name, config::Place place, std::string path) {
        if (std::find(providers_.begin(), providers_.end(), name) == providers_.end()) {
            reporter_.report(
                place,
                std::move(path),
                fmt::format("there is no provider '{}'{}", name, suggestion(name, providers_)));
        }
    }

    void check_targets(const std::vector<TargetSection>& targets, const std::string& path) {
        for (std::size_t i = 0; i < targets.size(); ++i) {
            const std::string inside = fmt::format("{}[{}]", path, i);
            if (targets[i].is_group()) {
                check_targets(targets[i].targets, inside + ".targets");
            } else {
                find_provider(targets[i].provider, targets[i].provider_place, inside + ".provider");
            }
        }
    }

    void check_fallback(const FallbackSection& fallback, const std::string& path) {
        if (fallback.provider.empty()) {
            find_model(fallback.model, fallback.model_place, path + ".model");
        } else {
            find_provider(fallback.provider, fallback.provider_place, path + ".provider");
        }
    }

    void check_context_fallback(std::size_t i, const std::string& path) {
        const FallbackSection& fallback = *models_[i].context_fallback;
        check_fallback(fallback, path);
        if (index_of(fallback) == i) {
            reporter_.report(fallback.model_place,
                             path + ".model",
                             "what is too long for this model is too long for itself: name a "
                             "larger one");
        }
    }

    std::size_t count_fallbacks(const ModelSection& model, std::vector<bool>& is_counted) const {
        std::size_t count = 0;
        for (const FallbackSection& fallback : model.fallback) {
            const auto next = index_of(fallback);
            if (!next) {
                ++count;
            } else if (!is_counted[*next]) {
                is_counted[*next] = true;
                count += count_targets(models_[*next].targets) +
                         count_fallbacks(models_[*next], is_counted);
            }
        }
        return count;
    }

    const std::vector<ModelSection>& models_;
    const std::vector<std::string_view>& providers_;
    config::Reporter& reporter_;
    std::vector<std::string_view> names_;
    std::map<std::string_view, std::size_t> by_name_;
    std::vector<bool> is_followed_ = std::vector<bool>(models_.size());
    std::vector<std::size_t> trail_;
};

}  // namespace

void check_models(const ModelsSection& models,
                  const DefaultModelSection& default_model,
                  const std::vector<std::string_view>& providers,
                  config::Reporter& reporter) {
    Checker checker(models, providers, reporter);
    checker.check_default(default_model);
    for (std::size_t i = 0; i < models.models.size(); ++i) {
        checker.check_model(i);
    }
    for (std::size_t i = 0; i < models.models.size(); ++i) {
        checker.check_cycles(i);
    }
    for (std::size_t i = 0; i < models.models.size(); ++i) {
        checker.check_size(i);
    }
}

}  // namespace weir::router
