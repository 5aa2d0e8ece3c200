#include "router/target_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text.h"
#include "router/price_section.h"

namespace weir::router {
namespace {

bool is_model_name(std::string_view text) {
    return !text.empty() && text.size() <= kModelNameBytesMax &&
           std::none_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
           });
}

config::Type<std::vector<TargetSection>> group_type(std::size_t depth);

config::Type<TargetSection> leaf_type() {
    config::Object<TargetSection> target;
    target
        .required("provider",
                  &TargetSection::provider,
                  config::text(),
                  "the provider's name; every target has one")
        .required("model",
                  &TargetSection::model,
                  model_name(),
                  "the model's name there; every target has one")
        .field("weight",
               &TargetSection::weight,
               config::integer(0, kWeightMax),
               "its share of the calls beside the others; 0 drains it; 1 unless set")
        .field("tier",
               &TargetSection::tier,
               config::integer(0, kTierMax),
               "of the strategy priority: the lowest comes first; 0 unless set")
        .field("disabled",
               &TargetSection::disabled,
               config::boolean(),
               "whether it is left out; false unless set")
        .field("price",
               &TargetSection::price,
               config::optional(price_type()),
               "what it costs there; the model's price unless set");
    auto type = target.type();
    return {[read = std::move(type.read)](
                const config::Position& at, TargetSection& into, config::Reporter& reporter) {
                if (!read(at, into, reporter)) {
                    return false;
                }
                into.provider_place = at.node.find("provider")->place;
                return true;
            },
            std::move(type.schema)};
}

config::Type<TargetSection> nested_type(std::size_t depth) {
    config::Object<TargetSection> group;
    group
        .field("strategy",
               &TargetSection::strategy,
               strategy_type(),
               "of a group in the place of a target: how its own targets are put in order; "
               "weighted unless set")
        .field("weight",
               &TargetSection::weight,
               config::integer(0, kWeightMax),
               "its share of the calls beside the others; 0 drains it; 1 unless set")
        .field("tier",
               &TargetSection::tier,
               config::integer(0, kTierMax),
               "of the strategy priority: the lowest comes first; 0 unless set")
        .required("targets",
                  &TargetSection::targets,
                  group_type(depth),
                  "of a group in the place of a target: its own; groups nest at most 4 deep")
        .check([](const TargetSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.strategy == Strategy::conditional) {
                reporter.report(at.node.find("strategy")->place,
                                at.path + ".strategy",
                                "a group inside another has no rules; only a model may be "
                                "conditional");
            }
        });
    return group.type();
}

// A target or a group: whichever the keys say.
config::Type<TargetSection> member_type(std::size_t depth) {
    auto leaf = leaf_type();
    if (depth == kGroupDepthMax) {
        return {[read = std::move(leaf.read)](
                    const config::Position& at, TargetSection& into, config::Reporter& reporter) {
                    if (const config::Node* targets = at.node.find("targets"); targets != nullptr) {
                        reporter.report(targets->place,
                                        at.path + ".targets",
                                        fmt::format("groups nest at most {} deep", kGroupDepthMax));
                        return false;
                    }
                    return read(at, into, reporter);
                },
                std::move(leaf.schema)};
    }
    auto group = nested_type(depth + 1);
    return {[leaf = std::move(leaf.read), group = std::move(group.read)](
                const config::Position& at, TargetSection& into, config::Reporter& reporter) {
                const bool is_group =
                    at.node.kind == config::Node::Kind::map &&
                    (at.node.find("targets") != nullptr || at.node.find("strategy") != nullptr);
                return is_group ? group(at, into, reporter) : leaf(at, into, reporter);
            },
            R"({"anyOf":[)" + leaf.schema + "," + group.schema + "]}"};
}

bool check_group(const std::vector<TargetSection>& targets,
                 const config::Position& at,
                 config::Reporter& reporter) {
    if (targets.empty() || count_targets(targets) > kTargetsMax) {
        reporter.report(
            at.node.place,
            at.path,
            fmt::format("expected 1 to {} targets, found {}", kTargetsMax, count_targets(targets)));
        return false;
    }
    if (std::all_of(targets.begin(), targets.end(), [](const TargetSection& target) {
            return target.weight == 0;
        })) {
        reporter.report(at.node.place,
                        at.path,
                        "every weight is 0, so that no call could go anywhere: give one at "
                        "least 1");
        return false;
    }
    return true;
}

config::Type<std::vector<TargetSection>> group_type(std::size_t depth) {
    auto list = config::list(member_type(depth));
    // What is inside is written as it is outside; JSON Schema says so without repeating it.
    std::string schema =
        depth == 1
            ? std::move(list.schema)
            : R"({"type":"array","items":{"$ref":"#/properties/models/items/properties/targets/items"}})";
    return {[read = std::move(list.read)](const config::Position& at,
                                          std::vector<TargetSection>& into,
                                          config::Reporter& reporter) {
                return read(at, into, reporter) && check_group(into, at, reporter);
            },
            std::move(schema)};
}

}  // namespace

config::Type<std::string> model_name() {
    return {[](const config::Position& at, std::string& into, config::Reporter& reporter) {
                if (at.node.kind != config::Node::Kind::scalar || !is_model_name(at.node.text)) {
                    config::detail::report_unexpected(
                        at, "a model name of at most 256 bytes without spaces", reporter);
                    return false;
                }
                into = at.node.text;
                return true;
            },
            R"({"type":"string"})"};
}

config::Type<Strategy> strategy_type() {
    return config::word<Strategy>({std::begin(kStrategyNames), std::end(kStrategyNames)});
}

config::Type<std::vector<TargetSection>> targets_type() { return group_type(1); }

config::Type<FallbackSection> fallback_type() {
    config::Object<FallbackSection> fallback;
    fallback
        .field("provider",
               &FallbackSection::provider,
               config::text(),
               "the provider's name; where there is none, `model` is a configured one")
        .required("model", &FallbackSection::model, model_name(), "the model's name there")
        .field("price",
               &FallbackSection::price,
               config::optional(price_type()),
               "what it costs there; what the catalog of prices says unless set");
    auto type = fallback.type();
    return {[read = std::move(type.read)](
                const config::Position& at, FallbackSection& into, config::Reporter& reporter) {
                if (!read(at, into, reporter)) {
                    return false;
                }
                into.model_place = at.node.find("model")->place;
                if (const config::Node* provider = at.node.find("provider"); provider != nullptr) {
                    into.provider_place = provider->place;
                } else if (const config::Node* price = at.node.find("price"); price != nullptr) {
                    reporter.report(price->place,
                                    at.path + ".price",
                                    "a configured model has its own price: name a provider too, "
                                    "or leave the price out");
                    return false;
                }
                return true;
            },
            std::move(type.schema)};
}

config::Type<std::vector<FallbackSection>> fallbacks_type() {
    auto list = config::list(fallback_type());
    return {[read = std::move(list.read)](const config::Position& at,
                                          std::vector<FallbackSection>& into,
                                          config::Reporter& reporter) {
                if (!read(at, into, reporter)) {
                    return false;
                }
                if (into.size() > kFallbacksMax) {
                    reporter.report(
                        at.node.place,
                        at.path,
                        fmt::format(
                            "expected at most {} fallbacks, found {}", kFallbacksMax, into.size()));
                    return false;
                }
                return true;
            },
            std::move(list.schema)};
}

std::size_t count_targets(const std::vector<TargetSection>& targets) {
    std::size_t count = 0;
    for (const TargetSection& target : targets) {
        count += target.is_group() ? count_targets(target.targets) : 1;
    }
    return count;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> known) {
    const std::string_view near = nearest(word, known);
    return near.empty() ? std::string{} : fmt::format("; did you mean '{}'?", near);
}

}  // namespace weir::router
