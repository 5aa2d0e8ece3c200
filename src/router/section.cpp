#include "router/section.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "router/price_section.h"

namespace weir::router {
namespace {

constexpr std::size_t kModelNameBytesMax = 256;

bool is_model_name(std::string_view text) {
    return !text.empty() && text.size() <= kModelNameBytesMax &&
           std::none_of(text.begin(), text.end(), [](char c) {
               return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f;
           });
}

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

config::Type<Timeouts> timeouts_type() {
    using namespace std::chrono_literals;
    const auto time = [] { return config::duration(1ms, 24h); };
    config::Object<Timeouts> timeouts;
    timeouts.field("connect", &Timeouts::connect, time(), "until connected; 2s unless set")
        .field("first_token",
               &Timeouts::first_token,
               time(),
               "of a stream, until its first token; 20s unless set")
        .field("idle", &Timeouts::idle, time(), "between two pieces of an answer; 30s unless set")
        .field("total", &Timeouts::total, time(), "for the whole call; 10m unless set");
    return timeouts.type();
}

config::Type<TargetSection> target_type() {
    config::Object<TargetSection> target;
    target.required("provider", &TargetSection::provider, config::text(), "the provider's name")
        .required("model", &TargetSection::model, model_name(), "the model's name there")
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

config::Type<ModelSection> model_type() {
    config::Object<ModelSection> model;
    model.required("name", &ModelSection::name, model_name(), "what clients call it")
        .field("aliases",
               &ModelSection::aliases,
               config::list(model_name()),
               "other names that reach it")
        .required("targets",
                  &ModelSection::targets,
                  config::list(target_type()),
                  "where it runs; exactly one")
        .field("price",
               &ModelSection::price,
               config::optional(price_type()),
               "what it costs; what the catalog of prices says unless set, docs/prices.md")
        .field("max_output_tokens",
               &ModelSection::max_output_tokens,
               config::optional(config::integer(1, 100'000'000)),
               "the longest answer, for the hold of a request that names no limit; what the "
               "catalog of prices says unless set, else 4096")
        .field("timeouts", &ModelSection::timeouts, timeouts_type(), "how long to wait for it")
        .check([](const ModelSection& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.targets.size() != 1) {
                reporter.report(
                    at.node.place,
                    at.path + ".targets",
                    fmt::format("expected exactly one target, found {}", section.targets.size()));
            }
        });
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

void check_models(const ModelsSection& models,
                  const DefaultModelSection& default_model,
                  const std::vector<std::string_view>& providers,
                  config::Reporter& reporter) {
    bool default_found = default_model.model.empty();
    for (std::size_t i = 0; i < models.models.size(); ++i) {
        const ModelSection& model = models.models[i];
        default_found =
            default_found || model.name == default_model.model ||
            std::find(model.aliases.begin(), model.aliases.end(), default_model.model) !=
                model.aliases.end();
        for (std::size_t j = 0; j < model.targets.size(); ++j) {
            const TargetSection& target = model.targets[j];
            if (std::find(providers.begin(), providers.end(), target.provider) != providers.end()) {
                continue;
            }
            const std::string_view near = nearest(target.provider, providers);
            std::string message = fmt::format("there is no provider '{}'", target.provider);
            if (!near.empty()) {
                message += fmt::format("; did you mean '{}'?", near);
            }
            reporter.report(target.provider_place,
                            fmt::format("models[{}].targets[{}].provider", i, j),
                            std::move(message));
        }
    }
    if (!default_found) {
        reporter.report(default_model.place,
                        "default_model",
                        fmt::format("there is no model '{}'", default_model.model));
    }
}

}  // namespace weir::router
