// Step 10: what a call used goes into the ledger before its last byte leaves; metrics and the
// access log follow when it is over.
#include <algorithm>

#include "pipeline/pipeline.h"
#include "price/rates.h"

namespace weir::pipeline {

namespace {

// The tier that the answer tells is the one that was served. Where it tells none, the client's wish
// may have come true, or not: the dearer of the two, for a wish alone makes no call cheaper.
std::optional<Money> cost_at(const Call& call, const price::Rates& rates, const llm::Usage& usage) {
    const auto cost = price::cost(rates, usage);
    if (usage.tier || call.way.is_translated) {
        return cost;
    }
    const auto asked = llm::read_service_tier(call.request->service_tier);
    return asked ? std::max(cost, price::cost(rates, usage, *asked)) : cost;
}

// What all attempts used together. Those that were overtaken are estimates, and so is the sum.
llm::Usage usage_of_all(const Call& call) {
    llm::Usage all = call.usage.value_or(llm::Usage{});
    for (const PastAttempt& past : call.past) {
        if (past.usage) {
            all.input_tokens += past.usage->input_tokens;
            all.output_tokens += past.usage->output_tokens;
            all.estimated = all.estimated || past.usage->estimated;
        }
    }
    return all;
}

// And what they cost, as far as anybody knows.
std::optional<Money> cost_of_all(const Call& call) {
    std::optional<Money> all = call.cost;
    for (const PastAttempt& past : call.past) {
        if (past.cost) {
            all = all.value_or(Money::zero()).plus(*past.cost).value_or(*past.cost);
        }
    }
    return all;
}

std::optional<std::int64_t> nano_usd(const std::optional<Money>& money) {
    return money ? std::optional(money->nano_usd()) : std::nullopt;
}

}  // namespace

// What the attempt costs that the call is at now.
std::optional<Money> Pipeline::cost_of(const Call& call) {
    return call.choice.rates != nullptr && call.usage
               ? cost_at(call, *call.choice.rates, *call.usage)
               : std::nullopt;
}

// Before a provider is asked, or when it turns out that none can be: from here on the call is
// settled, whatever happens.
Result<void> Pipeline::open(Call& call) {
    if (call.opened) {
        return {};  // an attempt before this one did
    }
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
    return {};
}

void Pipeline::settle(Call& call) {
    if (!call.opened || call.settled) {
        return;
    }
    call.settled = true;
    const SteadyTime now = services_.clock.steady_now();
    call.settled_at = now;
    call.cost = cost_of(call);
    const llm::Usage own = call.usage.value_or(llm::Usage{});
    const llm::Usage usage = usage_of_all(call);
    const std::int64_t hold_tokens =
        call.hold.estimate().tokens() + call.hedge_hold.estimate().tokens();
    std::move(call.hold).settle(own.input_tokens + own.output_tokens);
    std::move(call.hedge_hold)
        .settle(usage.input_tokens - own.input_tokens + usage.output_tokens - own.output_tokens);

    conclude(call);
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
    if (const auto cost = cost_of_all(call)) {
        record.cost_nano_usd = cost->nano_usd();
    }
    if (call.first_token_at) {
        record.ttft_us = micros(*call.first_token_at - call.begun);
    }
    // The last ones, where there were more than there is room for.
    const std::size_t room = ledger::kAttemptsMax - (call.attempt.sent ? 1 : 0);
    const std::size_t first = call.past.size() > room ? call.past.size() - room : 0;
    for (std::size_t i = first; i < call.past.size(); ++i) {
        const PastAttempt& past = call.past[i];
        if (past.was_sent) {
            record.attempts[record.attempt_count++] = {
                .provider = past.provider,
                .model = past.model,
                .code = past.outcome,
                .status = past.status,
                .started_offset_us = micros(past.begun - call.begun),
                .duration_us = micros(past.ended - past.begun)};
            if (past.usage) {
                auto& written = record.attempts[record.attempt_count - 1];
                written.input_tokens = past.usage->input_tokens;
                written.output_tokens = past.usage->output_tokens;
                written.cost_nano_usd = nano_usd(past.cost);
            }
        }
    }
    if (call.attempt.sent) {
        record.attempts[record.attempt_count++] = {
            .provider = call.provider->name(),
            .model = call.choice.upstream_model,
            .code = call.attempt.outcome,
            .status = call.attempt.status,
            .started_offset_us = micros(call.attempt.begun - call.begun),
            .duration_us = micros(call.attempt.ended - call.attempt.begun),
            .input_tokens = own.input_tokens,
            .output_tokens = own.output_tokens,
            .cost_nano_usd = nano_usd(call.cost)};
    }
    services_.ledger.settled(thread_, record);
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
        case Code::queue_full:
        case Code::overloaded:
            if (!call.opened) {
                call.limit_rule = error.detail();
            }
            break;
        default:
            break;
    }
    if (error.code() == Code::internal) {
        services_.log.error("call.failed",
                            {{"request_id", call.id_text()}, {"detail", error.detail()}});
    }
    // What Weir itself refused does not count against the caller's rate; what its client broke off
    // or never finished sending does, and what made Weir knock at somebody else's door.
    if (!call.was_tried() && error.code() != Code::cancelled &&
        error.code() != Code::request_timeout && !call.has_fetched) {
        std::move(call.slot).refund(services_.clock.steady_now());
    }
    if (!call.opened) {
        return;
    }
    if (!call.settled && !call.attempt.is_concluded) {
        call.attempt.outcome = call.code;
        call.attempt.failure = error.code();
    }
    if (info(error.code()).fault == Fault::upstream && call.was_tried()) {
        log_attempt(call, error);
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
                             .attempts = static_cast<int>(call.attempts_sent()),
                             .stream = call.request && call.request->stream};
    if (call.who) {
        record.key_prefix = call.who->key().prefix;
        record.tenant_id = call.who->key().tenant_id;
    }
    if (call.provider != nullptr) {
        record.provider = call.provider->name();
    }
    if (call.usage) {
        const llm::Usage usage = usage_of_all(call);
        record.input_tokens = usage.input_tokens;
        record.output_tokens = usage.output_tokens;
    }
    if (const auto cost = cost_of_all(call)) {
        record.cost_nano_usd = cost->nano_usd();
    }
    if (call.first_token_at) {
        record.ttft_us = micros(*call.first_token_at - call.begun);
    }
    services_.access_log.write(thread_, record);
}

}  // namespace weir::pipeline
