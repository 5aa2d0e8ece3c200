// /api/v1/router: where calls go now, and what an operator changes of it while they run. Weights
// and services hold for a target wherever it is used, a strategy for the model's own targets (those
// of rules, fallbacks and groups inside keep theirs), until they are changed again or the gateway
// starts anew; the configuration itself stays as it is written.
#include <fmt/format.h>

#include <algorithm>

#include "admin/api.h"
#include "admin/fields.h"
#include "resilience/target.h"

namespace weir::admin {
namespace {

constexpr std::int64_t kWeightMax = 1'000'000;
constexpr std::size_t kTargetsMax = 128;  // of one request

std::string_view name_of(resilience::BreakerState state) {
    switch (state) {
        case resilience::BreakerState::closed:
            return "closed";
        case resilience::BreakerState::open:
            return "open";
        case resilience::BreakerState::half_open:
            return "half_open";
    }
    std::unreachable();
}

std::string_view name_of(resilience::Service service) {
    switch (service) {
        case resilience::Service::on:
            return "on";
        case resilience::Service::drained:
            return "drained";
        case resilience::Service::disabled:
            return "disabled";
    }
    std::unreachable();
}

Result<resilience::Service> read_service(const std::string& text) {
    for (const auto service :
         {resilience::Service::on, resilience::Service::drained, resilience::Service::disabled}) {
        if (text == name_of(service)) {
            return service;
        }
    }
    return fail(Code::invalid_request, "A target's service is on, drained or disabled.")
        .parameter("service");
}

std::int64_t to_ms(std::chrono::nanoseconds span) {
    return std::chrono::ceil<std::chrono::milliseconds>(span).count();
}

Json rounded(double us) { return us > 0 ? Json(static_cast<std::int64_t>(us)) : Json(nullptr); }

// `model` empty: those that are passed through and that nobody knows yet.
Json to_json(const runtime::Runtime& runtime,
             std::size_t provider,
             const std::string& model,
             const resilience::Target& target,
             SteadyTime now) {
    Json keys = Json::array();
    const resilience::Credentials& credentials = runtime.credentials[provider];
    for (std::size_t i = 0; i < credentials.size(); ++i) {
        const auto why = credentials.credential(i).why(now);
        keys.push_back({{"name", credentials[i].name},
                        {"state",
                         !why                               ? "on"
                         : *why == resilience::Why::limited ? "limited"
                                                            : "refused"},
                        {"rests_for_ms", to_ms(credentials.credential(i).cools_for(now))}});
    }
    return {{"provider", runtime.providers[provider]->name()},
            {"model", model.empty() ? Json(nullptr) : Json(model)},
            {"service", name_of(target.service())},
            {"healthy", target.may_admit(now)},
            {"reachable", target.is_reachable()},
            {"breaker", name_of(target.breaker.state(now))},
            {"opens_for_ms", to_ms(target.breaker.opens_for(now))},
            {"times_opened", target.breaker.times_opened()},
            {"in_flight", target.admission.in_flight()},
            {"queued", target.admission.queued()},
            {"first_token_us", rounded(target.latency.first_token_us(now))},
            {"token_us", rounded(target.latency.token_us(now))},
            {"weight", target.weight() ? Json(*target.weight()) : Json(nullptr)},
            {"keys", std::move(keys)}};
}

Json to_json(const runtime::Runtime& runtime, const router::Identity& identity, SteadyTime now) {
    const auto index = static_cast<std::size_t>(&identity - runtime.catalog.identities().data());
    return to_json(runtime, identity.provider, identity.model, *runtime.targets[index], now);
}

// Models that are passed through and have no entry of their own.
void append_passed(const runtime::Runtime& runtime, SteadyTime now, Json& targets) {
    for (std::size_t i = 0; i < runtime.passed.size(); ++i) {
        if (runtime.passed[i] == nullptr) {
            continue;
        }
        for (const auto& [model, target] : runtime.passed[i]->all()) {
            if (std::find(runtime.targets.begin(), runtime.targets.end(), target) ==
                runtime.targets.end()) {
                targets.push_back(to_json(runtime, i, model, *target, now));
            }
        }
    }
}

const router::Model* find_model(const runtime::Runtime& runtime, std::string_view name) {
    const auto& models = runtime.catalog.models();
    const auto found = std::find_if(models.begin(), models.end(), [name](const auto& model) {
        return !model.name.empty() && model.name == name;
    });
    return found == models.end() ? nullptr : &*found;
}

Failure no_model(std::string_view name) {
    return fail(Code::not_found, fmt::format("There is no model '{}'.", name));
}

Json to_json(const runtime::Runtime& runtime, const router::Model& model, SteadyTime now) {
    Json targets = Json::array();
    for (const router::Target* target : model.candidates) {
        Json json = to_json(runtime, runtime.catalog.identities()[target->identity], now);
        json["configured_weight"] = target->weight;
        json["tier"] = target->tier;
        targets.push_back(std::move(json));
    }
    const router::Strategy configured = runtime.catalog.groups()[model.group].strategy;
    const router::Strategy now_used = runtime.models[model.index]->strategy().value_or(configured);
    return {{"object", "router.model"},
            {"name", model.name},
            {"strategy", router::name(now_used)},
            {"configured_strategy", router::name(configured)},
            {"targets", std::move(targets)}};
}

// The `strategy` of a PUT; nullopt: null, the file's again.
Result<std::optional<router::Strategy>> read_strategy(const Json& object,
                                                      const router::Model& model) {
    WEIR_TRY(const auto text, text_field(object, "strategy"));
    if (!text) {
        return std::nullopt;
    }
    const auto strategy = router::find_strategy(*text);
    if (!strategy) {
        std::string known;
        for (const auto& [name, value] : router::kStrategyNames) {
            known += (known.empty() ? "" : ", ") + std::string(name);
        }
        return fail(Code::invalid_request,
                    fmt::format(
                        "There is no strategy '{}': {}, or null for the file's.", *text, known))
            .parameter("strategy");
    }
    if (*strategy == router::Strategy::conditional && model.rules.empty()) {
        return fail(Code::invalid_request,
                    fmt::format("conditional is what rules decide, and '{}' has none.", model.name))
            .parameter("strategy");
    }
    return strategy;
}

// One target of a PUT; all of it is judged before anything is changed.
struct Change {
    resilience::Target* target = nullptr;
    bool has_weight = false;
    std::optional<std::uint32_t> weight;
    std::optional<resilience::Service> service;
};

Result<Change> read_change(const Json& json,
                           const runtime::Runtime& runtime,
                           const router::Model& model) {
    WEIR_TRY(const Json object,
             read_object(json.dump(), {"provider", "model", "weight", "service"}));
    WEIR_TRY(const auto provider, text_field(object, "provider"));
    WEIR_TRY(const auto wanted, text_field(object, "model"));
    if (!provider) {
        return fail(Code::invalid_request, "Each target needs its 'provider'.")
            .parameter("targets.provider");
    }
    Change change;
    for (const router::Target* target : model.candidates) {
        if (runtime.providers[target->provider]->name() == *provider &&
            (!wanted || target->model == *wanted)) {
            if (change.target != nullptr &&
                change.target != runtime.targets[target->identity].get()) {
                return fail(Code::invalid_request,
                            fmt::format("'{}' has several targets of '{}': name the 'model' there.",
                                        model.name,
                                        *provider))
                    .parameter("targets.model");
            }
            change.target = runtime.targets[target->identity].get();
        }
    }
    if (change.target == nullptr) {
        return fail(Code::invalid_request,
                    fmt::format("'{}' has no such target at '{}'.", model.name, *provider))
            .parameter("targets.provider");
    }
    WEIR_TRY(const auto weight, number_field(object, "weight", 0, kWeightMax));
    change.has_weight = object.contains("weight");
    change.weight = weight ? std::optional(static_cast<std::uint32_t>(*weight)) : std::nullopt;
    WEIR_TRY(const auto service, text_field(object, "service"));
    if (service) {
        WEIR_TRY(change.service, read_service(*service));
    }
    return change;
}

// All of a PUT's; none is fine where the strategy is changed.
Result<std::vector<Change>> read_changes(const Json& object,
                                         const runtime::Runtime& runtime,
                                         const router::Model& model) {
    std::vector<Change> changes;
    const auto list = object.find("targets");
    if (list == object.end() && object.contains("strategy")) {
        return changes;
    }
    if (list == object.end() || !list->is_array() || list->empty() || list->size() > kTargetsMax) {
        return fail(Code::invalid_request,
                    fmt::format("'targets' must be a list of 1 to {} changes.", kTargetsMax))
            .parameter("targets");
    }
    for (const Json& json : *list) {
        WEIR_TRY(changes.emplace_back(), read_change(json, runtime, model));
    }
    return changes;
}

}  // namespace

Result<Reply> Api::list_targets() {
    const auto runtime = controls_.runtime();
    const SteadyTime now = clock_.steady_now();
    Json targets = Json::array();
    for (const router::Identity& identity : runtime->catalog.identities()) {
        targets.push_back(to_json(*runtime, identity, now));
    }
    append_passed(*runtime, now, targets);
    return Reply{.body = write({{"object", "list"}, {"data", std::move(targets)}})};
}

Result<Reply> Api::show_routing(std::string_view name) {
    const auto runtime = controls_.runtime();
    const router::Model* const model = find_model(*runtime, name);
    if (model == nullptr) {
        return no_model(name);
    }
    return Reply{.body = write(to_json(*runtime, *model, clock_.steady_now()))};
}

Result<Reply> Api::change_routing(std::string_view name, const Request& request) {
    const auto runtime = controls_.runtime();
    const router::Model* const model = find_model(*runtime, name);
    if (model == nullptr) {
        return no_model(name);
    }
    WEIR_TRY(const Json object, read_object(request.body, {"strategy", "targets"}));
    WEIR_TRY(const auto strategy, read_strategy(object, *model));
    WEIR_TRY(const auto changes, read_changes(object, *runtime, *model));
    if (object.contains("strategy")) {
        runtime->models[model->index]->set_strategy(strategy);
        controls_.note_change(
            "router.strategy_changed",
            fmt::format(
                "{}: {}", model->name, strategy ? router::name(*strategy) : "as configured"));
    }
    for (const Change& change : changes) {
        if (change.has_weight) {
            change.target->set_weight(change.weight);
        }
        if (change.service) {
            change.target->set_service(*change.service);
        }
        controls_.note_change("router.target_changed", change.target->identity);
    }
    return Reply{.body = write(to_json(*runtime, *model, clock_.steady_now()))};
}

}  // namespace weir::admin
