#include "pipeline/meters.h"

#include "pipeline/call.h"

namespace weir::pipeline {

Meters::Meters(obs::Metrics& metrics, unsigned thread, const runtime::Runtime& runtime)
    : metrics_(metrics),
      shard_(metrics.shard(thread)),
      providers_(runtime.providers.size()),
      series_(runtime.catalog.models().size() * providers_) {}

Meters::Series& Meters::of(const Call& call) {
    auto& slot = series_[call.resolved.model->index * providers_ + call.choice.target->provider];
    if (slot == nullptr) {
        slot = std::make_unique<Series>();
        const std::string_view name = call.model_label();
        const std::string_view provider = call.provider_label();
        const auto tokens = [&](std::string_view kind) {
            return metrics_.series(obs::kTokens, {name, provider, kind});
        };
        slot->input = tokens("input");
        slot->output = tokens("output");
        slot->cache_read = tokens("cache_read");
        slot->cache_write = tokens("cache_write");
        slot->reasoning = tokens("reasoning");
        slot->cost = metrics_.series(obs::kCost, {name, provider});
        slot->in_flight = metrics_.series(obs::kInflight, {name, provider});
        slot->attempts = metrics_.series(obs::kAttempts, {provider, "ok"});
    }
    return *slot;
}

Meters::SurfaceSeries& Meters::surface_of(const Call& call) {
    auto& series = of(call).surfaces[static_cast<std::size_t>(call.door.surface)];
    if (!series) {
        const std::string_view label = llm::name(call.door.surface);
        const std::string_view model = call.model_label();
        series = {.requests =
                      metrics_.series(obs::kRequests, {label, model, call.provider_label(), "ok"}),
                  .seconds = metrics_.series(obs::kRequestSeconds, {label, model}),
                  .ttft = metrics_.series(obs::kTtftSeconds, {label, model}),
                  .overhead = metrics_.series(obs::kOverheadSeconds, {label, model})};
    }
    return *series;
}

void Meters::begin_attempt(const Call& call) { shard_.add(of(call).in_flight); }

void Meters::end_attempt(const Call& call) {
    shard_.subtract(of(call).in_flight);
    shard_.add(
        call.attempt.outcome == "ok"
            ? of(call).attempts
            : metrics_.series(obs::kAttempts, {call.provider_label(), call.attempt.outcome}));
}

// What attempts used that another one overtook, at the providers that they were made to.
void Meters::count_past(const Call& call) {
    for (const PastAttempt& past : call.past) {
        if (!past.usage) {
            continue;
        }
        const auto add = [&](std::string_view kind, std::int64_t tokens) {
            if (tokens > 0) {
                shard_.add(metrics_.series(obs::kTokens, {call.model_label(), past.provider, kind}),
                           static_cast<std::uint64_t>(tokens));
            }
        };
        add("input", past.usage->input_tokens);
        add("output", past.usage->output_tokens);
        if (past.cost) {
            shard_.add(metrics_.series(obs::kCost, {call.model_label(), past.provider}),
                       static_cast<std::uint64_t>(past.cost->nano_usd()));
        }
    }
}

void Meters::count(const Call& call, SteadyTime now) {
    const bool good = call.code == "ok";
    if (call.choice.target == nullptr) {
        shard_.add(metrics_.series(obs::kRequests, {call.label, "other", "none", call.code}));
    } else {
        Series& series = of(call);
        const SurfaceSeries& surface = surface_of(call);
        shard_.add(good ? surface.requests
                        : metrics_.series(
                              obs::kRequests,
                              {call.label, call.model_label(), call.provider_label(), call.code}));
        shard_.observe(surface.seconds, micros(now - call.begun));
        shard_.observe(surface.overhead, micros(call.overhead(now)));
        if (call.first_token_at) {
            shard_.observe(surface.ttft, micros(*call.first_token_at - call.begun));
        }
        if (call.usage) {
            const auto add = [this](obs::SeriesId id, std::int64_t tokens) {
                if (tokens > 0) {
                    shard_.add(id, static_cast<std::uint64_t>(tokens));
                }
            };
            add(series.input, call.usage->input_tokens);
            add(series.output, call.usage->output_tokens);
            add(series.cache_read, call.usage->cache_read_tokens);
            add(series.cache_write, call.usage->cache_write_tokens);
            add(series.reasoning, call.usage->reasoning_tokens);
        }
        count_past(call);
        if (call.cost) {
            shard_.add(series.cost, static_cast<std::uint64_t>(call.cost->nano_usd()));
        }
    }
    if (!good) {
        shard_.add(metrics_.series(obs::kErrors, {call.code, name(call.fault)}));
    }
    if (!call.limit_rule.empty()) {
        shard_.add(metrics_.series(obs::kLimitRejections, {call.limit_rule}));
    }
}

}  // namespace weir::pipeline
