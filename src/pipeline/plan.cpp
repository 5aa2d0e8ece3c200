// Step 7: where a call may go, and in which order.
#include <fmt/format.h>

#include <algorithm>

#include "pipeline/pipeline.h"
#include "router/hash.h"

namespace weir::pipeline {

namespace {

// Of an answer's length, for who would be done soonest: beyond, all are alike.
constexpr std::int64_t kForeseenTokensMax = 1'000'000;

// What a call says of who it belongs to: the first of the fields that the model goes by.
std::uint64_t sticky_of(const Call& call, std::string_view body) {
    const router::Sticky by = call.resolved.model->sticky;
    const auto goes_by = [by](router::Sticky wanted) {
        return by == wanted || by == router::Sticky::first_known;
    };
    const dialect::Request& request = *call.request;
    if (goes_by(router::Sticky::prompt_cache_key) && request.cache_key.is_set()) {
        return router::hash_text(request.cache_key.in(body));
    }
    if (goes_by(router::Sticky::user) && request.user.is_set()) {
        return router::hash_text(request.user.in(body));
    }
    const std::int64_t key = call.who->key().id;
    return goes_by(router::Sticky::key) && key != 0 ? router::mix(static_cast<std::uint64_t>(key))
                                                    : 0;
}

// The fields that hold a prompt's words; the likeliest first, which bounds the search for the rest.
std::span<const std::string_view> prompt_fields(llm::Dialect dialect) {
    static constexpr std::string_view kChat[] = {"\"messages\"", "\"prompt\"", "\"input\""};
    static constexpr std::string_view kResponses[] = {"\"input\"", "\"instructions\""};
    static constexpr std::string_view kMessages[] = {"\"messages\"", "\"system\""};
    static constexpr std::string_view kGemini[] = {
        "\"contents\"", "\"systemInstruction\"", "\"system_instruction\""};
    switch (dialect) {
        case llm::Dialect::openai_responses:
            return kResponses;
        case llm::Dialect::anthropic:
            return kMessages;
        case llm::Dialect::gemini:
            return kGemini;
        case llm::Dialect::openai_chat:
        case llm::Dialect::bedrock:
            break;
    }
    return kChat;
}

// Where the words of a prompt begin. Two calls with the same beginning have the same bytes from
// there, whatever else they ask for.
std::string_view prompt_of(const Call& call, std::string_view body) {
    if (call.upload) {
        return {};
    }
    std::size_t begin = body.size();
    for (const std::string_view field : prompt_fields(call.door.dialect)) {
        begin = std::min(begin, body.substr(0, begin).find(field));
    }
    return body.substr(begin);
}

}  // namespace

// Whether the key may use the target's provider, and that has a way for such calls.
std::optional<provider::Way> Pipeline::way_to(const Call& call, const router::Target& target) {
    const provider::Provider& provider = *call.runtime().providers[target.provider];
    if ((call.pinned && *call.pinned != target.provider) ||
        !call.who->may_use_provider(provider.name())) {
        return std::nullopt;
    }
    return provider.way(call.door.surface, call.door.dialect, call.door.operation);
}

void Pipeline::head_for(Call& call, const router::Target& target, const provider::Way& way) {
    call.choice = call.runtime().catalog.choice(call.resolved, target);
    call.provider = call.runtime().providers[target.provider].get();
    call.way = way;
}

// The provider that the caller names. It must be one that the model has and the key may use.
Result<void> Pipeline::pin(Call& call) {
    const std::string_view wanted = call.wishes.pin;
    if (wanted.empty()) {
        return {};
    }
    if (!call.who->may_use_provider(wanted)) {
        return fail(Code::permission_denied,
                    "This API key may not use the provider that x-weir-pin names.")
            .parameter(std::string(kPinField));
    }
    if (!pin_to(call, wanted)) {
        return fail(Code::invalid_request,
                    "This model is not at the provider that x-weir-pin names; leave it out.")
            .parameter(std::string(kPinField));
    }
    return {};
}

// false: the model has no target there, or the call is pinned elsewhere already.
bool Pipeline::pin_to(Call& call, std::string_view provider) {
    for (const router::Target* target : call.runtime().catalog.candidates(call.resolved)) {
        if (call.runtime().providers[target->provider]->name() == provider) {
            const bool is_elsewhere = call.pinned && *call.pinned != target->provider;
            call.pinned = target->provider;
            return !is_elsewhere;
        }
    }
    return false;
}

// Of the provider that the call is pinned to. A key that is not there any more pins nothing: the
// provider says whether another opens what it keeps. false: another key is needed too.
bool Pipeline::pin_to_key(Call& call, std::string_view name) {
    const auto key = call.runtime().providers[*call.pinned]->find_credential(name);
    if (!key) {
        return true;
    }
    const bool is_another = call.pinned_key && *call.pinned_key != *key;
    call.pinned_key = key;
    return !is_another;
}

// Some target takes the client's bytes as they are.
bool Pipeline::may_pass_somewhere(const Call& call) {
    const auto candidates = call.runtime().catalog.candidates(call.resolved);
    return std::any_of(candidates.begin(), candidates.end(), [&call](const router::Target* target) {
        const auto way = way_to(call, *target);
        return way && !way->is_translated;
    });
}

// For lists of models: there is a provider of it that the key may use.
bool Pipeline::may_use_any_target(const Call& call, const router::Model& model) {
    return std::any_of(
        model.candidates.begin(), model.candidates.end(), [&call](const router::Target* target) {
            return call.who->may_use_provider(call.runtime().providers[target->provider]->name());
        });
}

// Any target that could take the call: the one that plan() would choose if it were alone.
Result<void> Pipeline::find_route(Call& call) {
    bool is_allowed = false;
    for (const router::Target* target : call.runtime().catalog.candidates(call.resolved)) {
        const provider::Provider& provider = *call.runtime().providers[target->provider];
        if (!call.who->may_use_provider(provider.name())) {
            continue;
        }
        if (const auto way = way_to(call, *target)) {
            head_for(call, *target, *way);
            return {};
        }
        if (!is_allowed && (!call.pinned || *call.pinned == target->provider)) {
            is_allowed = true;
            head_for(call, *target, {});
        }
    }
    if (!is_allowed) {
        return fail(Code::model_not_allowed,
                    "This API key may not use this model; GET /v1/models lists those it may.")
            .parameter("model");
    }
    if (call.door.surface == llm::Surface::count_tokens) {
        call.is_counted_here = true;
        return {};
    }
    return fail(Code::invalid_request,
                fmt::format("This model takes no {} calls; GET /v1/models lists the models.",
                            llm::name(call.door.surface)))
        .parameter("model");
}

router::Load Pipeline::load_of(const Call& call, const router::Target& target, SteadyTime now) {
    const resilience::Target& state = call.runtime().state_of(target, call.resolved.asked);
    const std::uint32_t limit = state.admission.limit();
    return {.is_available = state.may_admit(now) &&
                            call.runtime().credentials[target.provider].cools_for(now).count() == 0,
            .in_flight = state.admission.in_flight(),
            .in_flight_max = limit == resilience::kInFlightUnlimited ? 0 : limit,
            .first_token_us = state.latency.first_token_us(now),
            .token_us = state.latency.token_us(now),
            .weight = state.weight()};
}

// Step 7. Targets that the caller may not use, or that do not take such calls, are left out.
Result<void> Pipeline::plan(Call& call, std::string_view body) {
    call.plan.clear();
    const auto candidates = call.runtime().catalog.candidates(call.resolved);
    if (candidates.size() == 1) {
        if (!candidates.front()->is_disabled) {
            call.plan.push_back({.target = candidates.front()});
        }
    } else {
        plan_among_many(call, body, false);
    }
    if (call.plan.empty()) {
        return fail(Code::upstream_unavailable, std::string(kNowhere))
            .detail("every target of the model is disabled")
            .retry_after(kTryAgainAfter);
    }
    return {};
}

// `is_too_long`: for the model that takes more.
void Pipeline::plan_among_many(Call& call, std::string_view body, bool is_too_long) {
    const router::Model& model = *call.resolved.model;
    const auto strategy = call.runtime().models[model.index]->strategy();
    const bool asks_prefix = model.asks_prefix || strategy == router::Strategy::prefix_affinity;
    const bool asks_sticky = model.asks_sticky || strategy == router::Strategy::pinned;
    const SteadyTime now = services_.clock.steady_now();
    const auto header = [&call](std::string_view name) { return call.http.head().find(name); };
    const std::string tenant = fmt::format_int(call.who->key().tenant_id).str();
    prefix_.clear();
    if (asks_prefix) {
        router::prefix_hashes(prompt_of(call, body), prefix_);
    }
    const router::Facts facts{
        .traits = {.asked_model = call.asked_model,
                   .key_name = {},
                   .key_prefix = call.who->key().prefix,
                   .tenant = tenant,
                   .tags = call.wishes.tags(),
                   .prompt_tokens = static_cast<std::uint64_t>(call.hold.estimate().input_tokens),
                   .header = header},
        .sticky = asks_sticky ? sticky_of(call, body) : 0,
        .output_tokens = static_cast<std::uint32_t>(
            std::min<std::int64_t>(call.hold.estimate().output_tokens, kForeseenTokensMax)),
        .provider = call.pinned,
        .strategy = strategy,
        .prefix = {prefix_.data(), prefix_.size()},
        .prefixes = &services_.prefixes,
        .random = random_};
    const auto load = [&](const router::Target& target) { return load_of(call, target, now); };
    if (is_too_long) {
        router::plan_context_fallback(call.resolved, call.runtime().catalog, facts, load, planned_);
    } else {
        router::plan(call.resolved, call.runtime().catalog, facts, load, planned_);
    }
    for (const router::Target* target : planned_) {
        if (way_to(call, *target)) {
            call.plan.push_back({.target = target});
        }
    }
    if (!call.plan.empty() && asks_prefix) {
        const router::Target& first = *call.plan.front().target;
        services_.prefixes.saw({prefix_.data(), prefix_.size()},
                               call.runtime().catalog.identities()[first.identity].hash);
    }
}

// The larger model that takes what is too long for this one. false: there is none.
bool Pipeline::plan_larger(Call& call, std::string_view body) {
    call.plan.clear();
    if (call.resolved.model->context_fallback) {
        plan_among_many(call, body, true);
    }
    return !call.plan.empty();
}

}  // namespace weir::pipeline
