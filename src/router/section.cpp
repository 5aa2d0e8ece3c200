#include "router/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "router/price_section.h"

namespace weir::router {
namespace {

void check_strategy(const ModelSection& section,
                    const config::Position& at,
                    config::Reporter& reporter) {
    if (section.strategy == Strategy::conditional && section.rules.empty()) {
        reporter.report(at.node.find("strategy")->place,
                        at.path + ".strategy",
                        "conditional is what rules decide, and there are none: add `rules`");
    }
}

void check_hedge(const ModelSection& section,
                 const config::Position& at,
                 config::Reporter& reporter) {
    if (section.hedge && section.fallback.empty() && count_targets(section.targets) < 2) {
        reporter.report(at.node.find("hedge")->place,
                        at.path + ".hedge",
                        "there is no second target to ask: add one to `targets` or `fallback`, or "
                        "leave this out");
    }
}

void check_rules(const ModelSection& section,
                 const config::Position& at,
                 config::Reporter& reporter) {
    std::vector<std::string_view> names{section.name};
    names.insert(names.end(), section.aliases.begin(), section.aliases.end());
    for (std::size_t i = 0; i < section.rules.size(); ++i) {
        const std::string& asked = section.rules[i].when.model;
        if (asked.empty() || std::find(names.begin(), names.end(), asked) != names.end()) {
            continue;
        }
        const config::Node& rule = at.node.find("rules")->items[i];
        reporter.report(
            rule.find("when")->find("model")->place,
            fmt::format("{}.rules[{}].when.model", at.path, i),
            fmt::format("'{}' is neither the name nor an alias of this model, so that "
                        "this rule can never match: add it to `aliases`, or name one of "
                        "them{}",
                        asked,
                        suggestion(asked, names)));
    }
}

config::Type<llm::EffortBudgets> effort_budgets_type() {
    using llm::EffortBudgets;
    const auto tokens = [] { return config::optional(config::integer(0, 1'000'000)); };
    config::Object<EffortBudgets> budgets;
    budgets.field("minimal", &EffortBudgets::minimal, tokens(), "tokens to think with")
        .field("low", &EffortBudgets::low, tokens(), "tokens to think with")
        .field("medium", &EffortBudgets::medium, tokens(), "tokens to think with")
        .field("high", &EffortBudgets::high, tokens(), "tokens to think with")
        .field("xhigh", &EffortBudgets::xhigh, tokens(), "tokens to think with")
        .field("max", &EffortBudgets::max, tokens(), "tokens to think with");
    return budgets.type();
}

config::Type<ModelSection> model_type() {
    config::Object<ModelSection> model;
    model.required("name", &ModelSection::name, model_name(), "what clients call it")
        .field("aliases",
               &ModelSection::aliases,
               config::list(model_name()),
               "other names that reach it")
        .field("strategy",
               &ModelSection::strategy,
               strategy_type(),
               "how its targets are put in order; weighted unless set")
        .required("targets",
                  &ModelSection::targets,
                  targets_type(),
                  "where it runs: at most 64 targets, or groups of targets that nest")
        .field("fallback",
               &ModelSection::fallback,
               fallbacks_type(),
               "where its calls go when no target can answer, in this order, and then to what "
               "configured models among these fall back to; nowhere unless set")
        .field("context_fallback",
               &ModelSection::context_fallback,
               config::optional(fallback_type()),
               "where calls go that are too long for the target that was asked; nowhere unless set")
        .field("rules",
               &ModelSection::rules,
               rules_type(),
               "calls that go elsewhere; the first that matches decides")
        .field("price",
               &ModelSection::price,
               config::optional(price_type()),
               "what it costs; what the catalog of prices says unless set, docs/prices.md")
        .field("max_output_tokens",
               &ModelSection::max_output_tokens,
               config::optional(config::integer(1, 100'000'000)),
               "the longest answer, for the hold of a request that names no limit; what the "
               "catalog of prices says unless set, else 4096")
        .field("effort_budgets",
               &ModelSection::effort_budgets,
               effort_budgets_type(),
               "what an effort of the client's means to a model that wants a figure; what its "
               "family makes of it unless set")
        .field("timeouts", &ModelSection::timeouts, timeouts_type(), "how long to wait for it")
        .field("retry",
               &ModelSection::retry,
               retry_type(),
               "how often its calls are tried where a provider fails before it answers")
        .field("hedge",
               &ModelSection::hedge,
               hedge_type(),
               "a second attempt at another target beside a stream that is slow to begin; off "
               "unless set")
        .field("sticky",
               &ModelSection::sticky,
               sticky_type(),
               "what calls have in common that the strategy pinned keeps together; the first of "
               "these that a call has unless set")
        .field("expose_upstream",
               &ModelSection::expose_upstream,
               config::boolean(),
               "whether callers see which provider answered, and its own name for the model; only "
               "keys with may_pin do unless set")
        .check(check_strategy)
        .check(check_hedge)
        .check(check_rules);
    return model.type();
}

}  // namespace

config::Section models_section() {
    auto list = config::list(model_type());
    config::Type<ModelsSection> type{
        [read = std::move(list.read)](
            const config::Position& at, ModelsSection& into, config::Reporter& reporter) {
            if (!read(at, into.models, reporter)) {
                return false;
            }
            std::set<std::string_view> names;
            for (std::size_t i = 0; i < into.models.size(); ++i) {
                const auto claim = [&](const std::string& name, std::string_view key) {
                    if (!names.insert(name).second) {
                        reporter.report(
                            at.node.items[i].place,
                            fmt::format("{}[{}].{}", at.path, i, key),
                            fmt::format("'{}' is a name or alias of a model already", name));
                    }
                };
                claim(into.models[i].name, "name");
                for (const std::string& alias : into.models[i].aliases) {
                    claim(alias, "aliases");
                }
            }
            return true;
        },
        list.schema};
    return config::section<ModelsSection>(
        "models", "what clients can ask for, and where it runs", std::move(type));
}

config::Section default_model_section() {
    auto name = model_name();
    config::Type<DefaultModelSection> type{
        [read = std::move(name.read)](
            const config::Position& at, DefaultModelSection& into, config::Reporter& reporter) {
            into.place = at.node.place;
            return read(at, into.model, reporter);
        },
        name.schema};
    return config::section<DefaultModelSection>(
        "default_model", "the model of a request that names none", std::move(type));
}

}  // namespace weir::router
