// Step 10: what a call used goes into the ledger before its last byte leaves; metrics and the
// access log follow when it is over.
#include "pipeline/pipeline.h"
#include "price/rates.h"

namespace weir::pipeline {
// Before a provider is asked: from here on the call is settled, whatever happens.
Result<void> Pipeline::open(Call& call) {
    const ledger::Opened record{.request_id = call.id,
                                .tenant_id = call.who->key().tenant_id,
                                .key_id = call.who->key().id,
                                .started_at = call.started_at,
                                .surface = call.door.surface,
                                .streamed = call.request->stream,
                                .hold_input_tokens = call.hold.estimate().input_tokens,
                                .hold_output_tokens = call.hold.estimate().output_tokens,
                                .model = call.asked_model,
                                .provider = call.provider->name()};
    WEIR_TRY(services_.ledger.opened(thread_, record));
    call.opened = true;
    call.generation->meters.begin_attempt(call);
    return {};
}

void Pipeline::settle(Call& call) {
    if (!call.opened || call.settled) {
        return;
    }
    call.settled = true;
    const SteadyTime now = services_.clock.steady_now();
    call.settled_at = now;
    if (call.route.rates != nullptr && call.usage) {
        call.cost = price::cost(*call.route.rates, *call.usage);
    }
    const llm::Usage usage = call.usage.value_or(llm::Usage{});
    const std::int64_t hold_tokens = call.hold.estimate().tokens();
    std::move(call.hold).settle(usage.input_tokens + usage.output_tokens);

    if (call.attempt.ended == SteadyTime{}) {
        call.attempt.ended = now;
    }
    ledger::Settled record{.request_id = call.id,
                           .tenant_id = call.who->key().tenant_id,
                           .key_id = call.who->key().id,
                           .started_at = call.started_at,
                           .surface = call.door.surface,
                           .streamed = call.request->stream,
                           .status = call.status,
                           .usage = usage,
                           .hold_tokens = hold_tokens,
                           .total_us = micros(now - call.begun),
                           .overhead_us = micros(call.overhead(now)),
                           .model = call.asked_model,
                           .provider = call.provider->name(),
                           .code = call.code,
                           .attempts{},
                           .attempt_count = 0};
    if (call.cost) {
        record.cost_nano_usd = call.cost->nano_usd();
    }
    if (call.first_token_at) {
        record.ttft_us = micros(*call.first_token_at - call.begun);
    }
    if (call.attempt.sent) {
        record.attempts[record.attempt_count++] = {
            .provider = call.provider->name(),
            .model = call.route.upstream_model,
            .code = call.attempt.outcome,
            .status = call.attempt.status,
            .started_offset_us = micros(call.attempt.begun - call.begun),
            .duration_us = micros(call.attempt.ended - call.attempt.begun),
            .input_tokens = usage.input_tokens,
            .output_tokens = usage.output_tokens,
            .cost_nano_usd = record.cost_nano_usd};
    }
    services_.ledger.settled(thread_, record);
    call.generation->meters.end_attempt(call);
}

void Pipeline::settle_failed(Call& call, const Error& error) {
    call.code = name(error.code());
    call.fault = info(error.code()).fault;
    if (!call.http.was_begun()) {
        call.status = info(error.code()).status;
    }
    switch (error.code()) {
        case Code::rate_limited:
        case Code::concurrency_limited:
        case Code::overloaded:
            if (!call.opened) {
                call.limit_rule = error.detail();
            }
            break;
        default:
            break;
    }
    if (!call.opened) {
        // What Weir itself refused does not count against the caller's rate; what its client broke
        // off or never finished sending does, and what made Weir knock at somebody else's door.
        if (error.code() != Code::cancelled && error.code() != Code::request_timeout &&
            !call.has_fetched) {
            std::move(call.slot).refund(services_.clock.steady_now());
        }
        return;
    }
    if (!call.settled) {
        call.attempt.outcome = call.code;
    }
    if (info(error.code()).fault == Fault::upstream) {
        services_.log.warn("provider.attempt_failed",
                           {{"request_id", call.id_text()},
                            {"provider", call.provider_label()},
                            {"code", call.code},
                            {"detail", error.detail()}});
    }
    settle(call);
}

void Pipeline::observe(Call& call) {
    const SteadyTime now = services_.clock.steady_now();
    call.generation->meters.count(call, now);
    if (!services_.access_log.is_on()) {
        return;
    }
    const auto trace_id = call.trace.trace_id_text();
    const std::string client_ip = net::to_text(call.http.client());
    obs::AccessRecord record{.time_us = micros(call.started_at),
                             .request_id = call.id_text(),
                             .client_request_id = call.client_request_id,
                             .trace_id = {trace_id.data(), trace_id.size()},
                             .client_ip = client_ip,
                             .method = call.method.view(),
                             .path = call.path.view(),
                             .surface = call.label,
                             .model = call.asked_model,
                             .code = call.code,
                             .status = call.status,
                             .total_us = micros(now - call.begun),
                             .overhead_us = micros(call.overhead(now)),
                             .attempts = call.attempt.sent ? 1 : 0,
                             .stream = call.request && call.request->stream};
    if (call.who) {
        record.key_prefix = call.who->key().prefix;
        record.tenant_id = call.who->key().tenant_id;
    }
    if (call.provider != nullptr) {
        record.provider = call.provider->name();
    }
    if (call.usage) {
        record.input_tokens = call.usage->input_tokens;
        record.output_tokens = call.usage->output_tokens;
    }
    if (call.cost) {
        record.cost_nano_usd = call.cost->nano_usd();
    }
    if (call.first_token_at) {
        record.ttft_us = micros(*call.first_token_at - call.begun);
    }
    services_.access_log.write(thread_, record);
}

}  // namespace weir::pipeline
