// Step 8, twice at the same time: a stream whose first token is late is asked for at another target
// too, and whoever has a token first is the answer. Only streams, once a call, before the commit,
// and never more than the model's share of them. The other attempt is cancelled before a byte of
// the winner's goes out, and billed like one whose client left.
#include "aio/channel.h"
#include "aio/reactor.h"
#include "aio/scope.h"
#include "pipeline/pipeline.h"
#include "pipeline/retry.h"

namespace weir::pipeline {

// One of the two.
struct Pipeline::Racer {
    explicit Racer(Call& of)
        : call(of), exchange(*of.generation->pools[of.choice.target->provider]) {}
    bool has_token() const {
        return relay != nullptr && (relay->is_committed() || relay->is_done());
    }

    Call& call;
    net::Exchange exchange;
    std::unique_ptr<Relay> relay;  // null: the provider has not begun to answer
    Start start;                   // its `taken` says why it has no token
    bool is_over = false;
    bool is_behind = false;  // and all who must know do
};

struct Pipeline::Race {
    explicit Race(Call& call) : first(std::in_place, call) {}
    bool is_decided() const { return first->has_token() || (second && second->has_token()); }

    std::optional<Racer> first;
    std::optional<Call> beside;
    std::optional<Racer> second;  // of what is beside
    // Who is over; null: it is time for the second. Has room for all that can come.
    aio::Channel<Racer*> news{3};
};

// How long the target that the call is at may take for a first token before another is asked too;
// nullopt: no other is.
std::optional<std::chrono::nanoseconds> Pipeline::hedge_after(const Call& call) {
    const auto& hedge = call.resolved.model->hedge;
    if (!hedge || !call.request->stream || !llm::is_generation(call.door.surface) ||
        !call.past.empty()) {
        return std::nullopt;
    }
    call.runtime().models[call.resolved.model->index]->hedges.deposit(hedge->share);
    const auto p95 = call.attempt.state->latency.first_token_p95();
    if (!p95 || call.plan.size() < 2) {
        return std::nullopt;  // nobody knows what is slow there
    }
    return std::max<std::chrono::nanoseconds>(*p95, hedge->delay);
}

aio::Task<Result<void>> Pipeline::attempt_hedged(Call& call,
                                                 std::string_view body,
                                                 std::chrono::nanoseconds delay) {
    Race race(call);
    co_await aio::with_scope(&Pipeline::race, this, &race, body, delay);
    // Nothing of the race runs any more. Whoever lost closes its connection, before the winner goes
    // on for as long as its stream is.
    const bool is_second_ahead =
        race.second &&
        (race.first->is_behind || (!race.first->has_token() && race.second->has_token()));
    if (race.second) {
        call.hedge_hold = std::move(race.beside->hold);
        call.generation->meters.count_hedge(call.model_label(), is_second_ahead ? "won" : "lost");
        auto& loser = is_second_ahead ? race.first : race.second;
        // What came before the second was sent; all of it where that never was.
        const Attempt& second = race.beside->attempt;
        const auto alone =
            second.begun == SteadyTime{} ? call.attempt.waited : second.begun - call.attempt.begun;
        fall_behind(call, *loser);
        loser.reset();
        if (is_second_ahead) {
            call.past_waited += alone;
            go_over(call, *race.beside);
        }
    }
    Racer& winner = is_second_ahead ? *race.second : *race.first;
    if (winner.has_token()) {
        co_return co_await relay_stream(call, winner.exchange, *winner.relay, &winner.start);
    }
    if (winner.start.taken.error().code() == Code::cancelled && winner.relay != nullptr) {
        call.usage = winner.relay->usage();  // it had begun to work
    }
    co_return std::move(winner.start.taken);
}

// Until somebody has a token, or nobody can have one. What is left in the scope is cancelled then.
aio::Task<bool> Pipeline::race(aio::Scope& scope,
                               Pipeline* self,
                               Race* race,
                               std::string_view body,
                               std::chrono::nanoseconds delay) {
    scope.spawn(self->run(&*race->first, body, race));
    scope.spawn(ring(aio::Deadline::in(delay), race));
    for (;;) {
        const auto news = co_await race->news.receive();
        if (!news || race->is_decided()) {
            co_return true;  // or the client left
        }
        if (*news == nullptr) {
            if (!race->first->is_over && self->begin_second(*race)) {
                scope.spawn(self->run(&*race->second, body, race));
            }
            continue;
        }
        if (race->first->is_over && (!race->second || race->second->is_over)) {
            co_return true;
        }
        // Where the first says that the request is at fault, nobody else is waited for.
        Racer& failed = **news;
        const Attempt& attempt = failed.call.attempt;
        const Code code = failed.start.taken.error().code();
        if (!failed.call.is_beside &&
            next_after(code, attempt.status, attempt.sent) == Next::none) {
            co_return true;
        }
        self->fall_behind(race->first->call, failed);
    }
}

aio::Task<void> Pipeline::run(Racer* racer, std::string_view body, Race* race) {
    try {
        racer->start.taken = co_await ask(racer->call, body, racer->exchange);
        if (racer->start.taken) {
            racer->relay = make_relay(racer->call);
            co_await await_token(racer->call, racer->exchange, *racer->relay, racer->start);
        }
    } catch (const std::exception& thrown) {
        racer->start.taken =
            fail(Code::internal, "The gateway failed; tell its operator the request id.")
                .detail(thrown.what());
    }
    racer->is_over = true;
    const bool has_room = co_await race->news.send(racer);
    WEIR_ASSERT(has_room);
}

// false: there is nobody else to ask, or too many calls were asked twice already.
bool Pipeline::begin_second(Race& race) {
    Call& call = race.first->call;
    const SteadyTime now = services_.clock.steady_now();
    const std::size_t here = call.choice.target->identity;
    const auto may_go = [&](const Step& step) {
        const auto& state = call.runtime().state_of(*step.target, call.resolved.asked);
        return step.target->identity != here && state.may_admit(now) &&
               state.breaker.state(now) == resilience::BreakerState::closed;
    };
    if (std::none_of(call.plan.begin(), call.plan.end(), may_go) ||
        !call.runtime().models[call.resolved.model->index]->hedges.withdraw(now)) {
        return false;
    }
    auto hold = call.runtime().limits.hold(call.hold.estimate());
    if (!hold) {
        return false;
    }
    Call& beside = race.beside.emplace(Beside{}, call);
    beside.hold = std::move(*hold);
    for (std::size_t i = 0; i < call.plan.size(); ++i) {
        if (may_go(call.plan[i]) && take(beside, i, now, std::nullopt) == Picked::target) {
            race.second.emplace(beside);
            return true;
        }
    }
    race.beside.reset();
    return false;
}

// The attempt that `loser` made is over without an answer for the client. Where it was cancelled
// the provider has worked all the same.
void Pipeline::fall_behind(Call& call, Racer& loser) {
    if (std::exchange(loser.is_behind, true)) {
        return;
    }
    Call& its = loser.call;
    Attempt& attempt = its.attempt;
    attempt.ended = services_.clock.steady_now();
    const bool has_failed =
        loser.is_over && !loser.start.taken && loser.start.taken.error().code() != Code::cancelled;
    if (has_failed) {
        const Error& error = loser.start.taken.error();
        attempt.fail(error);
        log_attempt(its, error);
        call.plan[attempt.step].failed(next_after(error.code(), attempt.status, attempt.sent));
    } else {
        attempt.failure = Code::cancelled;
        attempt.outcome = name(Code::cancelled);
        if (loser.relay != nullptr) {
            its.usage = loser.relay->usage();
        }
        if (attempt.sent) {
            // At least so slow: what is cut off must not make the target look quick.
            attempt.state->latency.record_first_token(attempt.ended - attempt.begun, attempt.ended);
        }
    }
    conclude(its);
    PastAttempt& past = call.past.emplace_back(its.past_attempt());
    if (!has_failed) {
        past.usage = its.usage;
        past.cost = cost_of(its);
    }
    its.usage.reset();
}

// From now on the call is where its second attempt is.
void Pipeline::go_over(Call& call, Call& second) {
    call.choice = second.choice;
    call.provider = second.provider;
    call.way = second.way;
    call.attempt = std::move(second.attempt);
    call.usage = std::move(second.usage);
    call.dropped = std::move(second.dropped);
    if (!second.chaos_name.empty()) {
        call.chaos_name = std::move(second.chaos_name);
    }
}

// Wakes the race up once, unless it is over before.
aio::Task<void> Pipeline::ring(aio::Deadline at, Race* race) {
    if (co_await aio::sleep(at) != aio::Wake::cancelled) {
        const bool has_room = co_await race->news.send(nullptr);
        WEIR_ASSERT(has_room);
    }
}

}  // namespace weir::pipeline
