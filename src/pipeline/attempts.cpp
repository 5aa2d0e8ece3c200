// Step 8, around the attempts: who of the plan takes the call, and who next when that fails. One
// attempt itself is attempt.cpp's; what a failure means for the next one, retry.h's.
#include <fmt/format.h>

#include <algorithm>

#include "aio/reactor.h"
#include "pipeline/keepalive.h"
#include "pipeline/pipeline.h"
#include "pipeline/retry.h"

namespace weir::pipeline {

// The client has seen something of an answer. Being told that its call is alive is nothing.
bool Pipeline::has_answered(const Call& call) {
    return call.http.was_begun() && call.keepalive == nullptr;
}

// The next target that takes a call at once: those that were tried least first, in the plan's
// order.
Pipeline::Picked Pipeline::pick(Call& call, SteadyTime now) {
    Picked picked = Picked::nothing;
    for (std::uint8_t tries = 0; tries < kTriesMax; ++tries) {
        for (std::size_t i = 0; i < call.plan.size(); ++i) {
            if (call.plan[i].tries != tries) {
                continue;
            }
            switch (take(call, i, now, std::nullopt)) {
                case Picked::target:
                    return Picked::target;
                case Picked::full:
                    picked = Picked::full;
                    break;
                case Picked::nothing:
                    break;
            }
        }
    }
    return picked;
}

// `place`: the call has waited for one already.
Pipeline::Picked Pipeline::take(Call& call,
                                std::size_t index,
                                SteadyTime now,
                                std::optional<resilience::Ticket> place) {
    const router::Target& target = *call.plan[index].target;
    resilience::Target& state = call.runtime().state_of(target, call.resolved.asked);
    if (!state.is_in_service()) {
        return Picked::nothing;
    }
    const resilience::Pass pass = state.breaker.admit(now);
    if (pass == resilience::Pass::no) {
        return Picked::nothing;
    }
    const auto credential =
        call.runtime().credentials[target.provider].choose(now, random_.next(), call.other_keys());
    if (!credential) {
        state.breaker.abandoned(pass);
        return Picked::nothing;
    }
    std::optional<resilience::Ticket> ticket =
        place ? std::move(place) : state.admission.try_enter();
    if (!ticket) {
        state.breaker.abandoned(pass);
        return Picked::full;
    }
    // A retry is paid for by what the target itself was asked; a call that nobody has seen yet is
    // no retry to it. An attempt beside another has its own budget (hedge.cpp).
    const bool is_retry = !call.past.empty() && call.past.back().was_sent;
    if (is_retry && !state.retry_budget.withdraw(now)) {
        state.breaker.abandoned(pass);
        return Picked::nothing;
    }
    if (!is_retry && !call.is_beside) {
        state.retry_budget.deposit(call.resolved.model->retry.budget);
    }
    head_for(call, target, *way_to(call, target));
    call.attempt = {};
    call.attempt.state = &state;
    call.attempt.step = index;
    call.attempt.pass = pass;
    call.attempt.credential = *credential;
    call.attempt.ticket = std::move(*ticket);
    return Picked::target;
}

aio::Maybe<Result<void>> Pipeline::take_target(Call& call) {
    const SteadyTime now = services_.clock.steady_now();
    switch (pick(call, now)) {
        case Picked::target:
            return Result<void>{};
        case Picked::full:
            return wait_for_room(call);
        case Picked::nothing:
            break;
    }
    return Result<void>(nowhere(call, now));
}

// All that could take the call have as many as they may: it waits for the first of them in the
// plan, and looks again when there is room.
aio::Task<Result<void>> Pipeline::wait_for_room(Call& call) {
    const SteadyTime begun = services_.clock.steady_now();
    const auto is_open = [&](const Step& step) {
        return step.tries != kNeverAgain &&
               call.runtime().state_of(*step.target, call.resolved.asked).may_admit(begun);
    };
    const auto step = std::find_if(call.plan.begin(), call.plan.end(), is_open);
    if (step == call.plan.end()) {
        co_return nowhere(call, begun);
    }
    const auto index = static_cast<std::size_t>(step - call.plan.begin());
    resilience::Target& state = call.runtime().state_of(*step->target, call.resolved.asked);
    auto ticket = co_await state.admission.enter(
        class_of(call.wishes.priority), call.who->key().tenant_id, call.total);
    const SteadyTime now = services_.clock.steady_now();
    call.past_waited += now - begun;
    if (!ticket) {
        co_return std::unexpected(std::move(ticket).error());
    }
    switch (take(call, index, now, std::move(*ticket))) {
        case Picked::target:
            co_return Result<void>{};
        default:
            // It was taken out while the call waited; what else there is was full.
            co_return nowhere(call, now);
    }
}

// Every target is out: the client learns at once when to try again.
Failure Pipeline::nowhere(const Call& call, SteadyTime now) const {
    std::chrono::nanoseconds soonest = std::chrono::nanoseconds::max();
    for (const Step& step : call.plan) {
        const auto& state = call.runtime().state_of(*step.target, call.resolved.asked);
        const auto wait =
            std::max(state.breaker.opens_for(now),
                     call.runtime().credentials[step.target->provider].cools_for(now));
        soonest = std::min(soonest, wait);
    }
    const auto wait = std::chrono::ceil<std::chrono::seconds>(soonest);
    return fail(Code::upstream_unavailable, std::string(kNowhere))
        .detail(fmt::format("{} targets: breakers open, credentials resting, or taken out",
                            call.plan.size()))
        .retry_after(std::max<std::chrono::seconds>(wait, kTryAgainAfter));
}

// What became of an attempt, told to all who must know: once, before the next one or the end.
void Pipeline::conclude(Call& call) {
    Attempt& attempt = call.attempt;
    if (attempt.state == nullptr || attempt.is_concluded) {
        return;
    }
    attempt.is_concluded = true;
    attempt.ticket.release();
    const SteadyTime now = services_.clock.steady_now();
    if (attempt.begun != SteadyTime{}) {
        if (attempt.ended == SteadyTime{}) {
            attempt.ended = now;
        }
        call.generation->meters.end_attempt(call);
    }
    resilience::Target& state = *attempt.state;
    resilience::Credential& credential =
        call.runtime().credentials[call.choice.target->provider].credential(attempt.credential);
    if (!attempt.failure) {
        state.breaker.succeeded(attempt.pass, now);
        credential.succeeded(now);
        if (call.choice.target->model.empty()) {
            call.runtime().passed[call.choice.target->provider]->learn(call.choice.upstream_model);
        }
        if (call.usage && !call.usage->estimated) {
            const SteadyTime first = call.first_token_at.value_or(attempt.begun);
            state.latency.record_tokens(
                static_cast<std::uint64_t>(call.usage->output_tokens), attempt.ended - first, now);
        }
        return;
    }
    const Code failure = *attempt.failure;
    if (is_refused_credential(failure, attempt.status)) {
        credential.cool(std::chrono::nanoseconds{0}, resilience::Why::refused, now);
    } else if (failure == Code::rate_limited) {
        credential.cool(attempt.retry_after, resilience::Why::limited, now);
    }
    // A caller's own, shorter time says nothing about the target.
    const bool is_callers_haste =
        failure == Code::upstream_timeout && call.wishes.timeout && call.total.has_passed(now);
    if (is_fault_of_target(failure, attempt.status) && !is_callers_haste) {
        state.breaker.failed(attempt.pass, now);
    } else if (attempt.status >= 400 && attempt.status < 500) {
        state.breaker.succeeded(attempt.pass, now);  // it works, and said no
    } else {
        state.breaker.abandoned(attempt.pass);
    }
}

// The attempt is over and another follows: what the ledger must know of it is kept.
void Pipeline::put_aside(Call& call) {
    Attempt& attempt = call.attempt;
    call.past_waited += attempt.waited;
    call.past.push_back(call.past_attempt());
    attempt = {};
    call.usage.reset();
    call.dropped.clear();
}

// Whether the next attempt would go to another target or with another key: then it need not wait.
bool Pipeline::has_alternative(const Call& call, const Attempt& last, SteadyTime now) {
    const std::size_t provider = call.choice.target->provider;
    const resilience::Credentials& credentials = call.runtime().credentials[provider];
    const std::uint64_t used = std::uint64_t{1} << last.credential | call.other_keys();
    if (const auto other = credentials.choose(now, 0, used);
        other && !credentials.credential(*other).is_cooled(now)) {
        return true;
    }
    return std::any_of(call.plan.begin(), call.plan.end(), [&](const Step& step) {
        return step.tries < call.plan[last.step].tries &&
               call.runtime().state_of(*step.target, call.resolved.asked).may_admit(now);
    });
}

void Pipeline::log_attempt(const Call& call, const Error& error) {
    services_.log.warn("provider.attempt_failed",
                       {{"request_id", call.id_text()},
                        {"provider", call.provider_label()},
                        {"code", call.attempt.outcome},
                        {"detail", error.detail()}});
}

// Nobody could be asked: the call has its line in the ledger all the same.
std::unexpected<Error> Pipeline::written_down(Call& call, Error error) {
    if (auto opened = open(call); !opened) {
        return std::unexpected(std::move(opened).error());
    }
    return std::unexpected(std::move(error));
}

aio::Task<Result<void>> Pipeline::make_attempts(Call& call, std::string_view body) {
    const std::chrono::nanoseconds total = call.resolved.model->timeouts.total;
    call.total = aio::Deadline::in(
        call.wishes.timeout ? std::min<std::chrono::nanoseconds>(total, *call.wishes.timeout)
                            : total);
    if (auto planned = plan(call, body); !planned) {
        co_return written_down(call, std::move(planned).error());
    }
    if (!call.request->stream || llm::passes_through(call.door.surface) ||
        call.runtime().stream.keepalive.count() == 0) {
        co_return co_await attempt_until_done(call, body);
    }
    Keepalive keepalive(*this, call, call.runtime().stream.keepalive);
    call.keepalive = &keepalive;
    auto outcome = co_await attempt_until_done(call, body);
    call.keepalive = nullptr;
    co_await keepalive.stop();
    co_return outcome;
}

aio::Task<Result<void>> Pipeline::attempt_until_done(Call& call, std::string_view body) {
    const router::Model& model = *call.resolved.model;
    std::optional<Error> failure;  // of the attempt before
    bool has_grown = false;        // went over to the larger model
    for (std::int64_t made = 0;;) {
        if (auto taken = co_await take_target(call); !taken) {
            co_return failure ? std::unexpected(std::move(*failure))
                              : written_down(call, std::move(taken).error());
        }
        const std::size_t past = call.past.size();
        Result<void> outcome{};
        if (const auto delay = hedge_after(call)) {
            outcome = co_await attempt_hedged(call, body, *delay);
        } else {
            outcome = co_await attempt(call, body);
        }
        if (outcome) {
            co_return outcome;
        }
        made += static_cast<std::int64_t>(call.past.size() - past);  // made beside this one
        Error error = std::move(outcome).error();
        const aio::Context& context = co_await aio::this_context();
        if (call.settled || context.is_cancelled() || has_answered(call)) {
            co_return std::unexpected(std::move(error));
        }
        Attempt& last = call.attempt;
        last.fail(error);
        conclude(call);
        const Next next = next_after(error.code(), last.status, last.sent);
        made += last.begun != SteadyTime{} ? 1 : 0;
        if (next == Next::none || made >= model.retry.attempts ||
            (call.upload && !call.upload->is_whole)) {
            // Of an upload that went through as it came there is nothing left to send.
            co_return std::unexpected(std::move(error));
        }
        if (next == Next::larger_model) {
            if (has_grown || !plan_larger(call, body)) {
                co_return std::unexpected(std::move(error));
            }
            has_grown = true;
        } else {
            call.plan[last.step].failed(next);
        }
        log_attempt(call, error);
        const SteadyTime now = services_.clock.steady_now();
        if (call.total.has_passed(now)) {
            co_return std::unexpected(std::move(error));  // nobody waits for another
        }
        if ((next == Next::any || next == Next::other_key) && !has_alternative(call, last, now)) {
            const auto wait = std::max<std::chrono::nanoseconds>(
                error.retry_after().value_or(std::chrono::milliseconds{0}),
                backoff(static_cast<unsigned>(made),
                        model.retry.backoff_min,
                        model.retry.backoff_max,
                        random_));
            const aio::Deadline until = aio::Deadline::at(now + wait);
            if (until.time() >= call.total.time()) {
                co_return std::unexpected(std::move(error));
            }
            put_aside(call);
            if (co_await aio::sleep(until) == aio::Wake::cancelled) {
                co_return fail(Code::cancelled, "The client left.");
            }
            call.past_waited += wait;
        } else {
            put_aside(call);
        }
        // What no target can honour was never sent: the provider's own word says more.
        if (!failure || call.past.back().was_sent) {
            failure = std::move(error);
        }
    }
}

}  // namespace weir::pipeline
