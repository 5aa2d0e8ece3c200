// What a healthy target costs a call: breaker, retry budget, latency, key and place, from one
// thread and from two that share the target.
#include <benchmark/benchmark.h>

#include "base/clock.h"
#include "resilience/target.h"

namespace {

using namespace weir;
using namespace weir::resilience;

constexpr SteadyTime kStart{std::chrono::hours{1}};
// Calls of one thread in a row.
constexpr std::chrono::nanoseconds kApart = std::chrono::microseconds{20};
// Waits change between a third of it and two thirds.
constexpr std::chrono::nanoseconds kSlower = std::chrono::milliseconds{900};
// Deposits that add nothing: a budget that is full would not be written to any more.
constexpr TargetRules kRules{.admission = {.in_flight = 64}};

struct Shared {
    TargetTable targets{1};
    CredentialsTable keys;
    std::shared_ptr<Target> target = targets.take(target_identity("provider", "model"), kRules);
    Credentials credentials;

    Shared()
        : credentials(keys.take("provider",
                                std::vector<CredentialsTable::KeyRules>{
                                    {.name = "a"}, {.name = "b"}, {.name = "c"}})) {}
};
Shared& shared() {
    static Shared one;
    return one;
}

void breaker(benchmark::State& state) {
    Breaker& breaker = shared().target->breaker;
    SteadyTime now = kStart;
    for (auto _ : state) {
        breaker.succeeded(breaker.admit(now), now);
        now += kApart;
    }
}
BENCHMARK(breaker)->Threads(1)->Threads(2);

void retry_budget(benchmark::State& state) {
    for (auto _ : state) {
        shared().target->retry_budget.deposit(0);
    }
}
BENCHMARK(retry_budget)->Threads(1)->Threads(2);

void latency(benchmark::State& state) {
    Latency& latency = shared().target->latency;
    SteadyTime now = kStart;
    std::chrono::nanoseconds wait = kSlower / 3;
    for (auto _ : state) {
        latency.record_first_token(wait, now);
        latency.record_tokens(100, 8 * wait, now);
        now += kApart;
        wait = kSlower - wait;
    }
}
BENCHMARK(latency)->Threads(1)->Threads(2);

void credential(benchmark::State& state) {
    const Credentials& keys = shared().credentials;
    SteadyTime now = kStart;
    Random random(1);
    for (auto _ : state) {
        const auto choice = keys.choose(now, random.next(), 0);
        keys.credential(*choice).succeeded(now);
        now += kApart;
    }
}
BENCHMARK(credential)->Threads(1)->Threads(2);

void admission(benchmark::State& state) {
    Admission& admission = shared().target->admission;
    for (auto _ : state) {
        benchmark::DoNotOptimize(
            admission.enter(Priority::normal, 1, aio::Deadline::never()).await_resume());
    }
}
BENCHMARK(admission)->Threads(1)->Threads(2);

// Breaker, budget and latency together: what every successful call pays.
void healthy_call(benchmark::State& state) {
    Target& target = *shared().target;
    SteadyTime now = kStart;
    std::chrono::nanoseconds wait = kSlower / 3;
    for (auto _ : state) {
        const Pass pass = target.breaker.admit(now);
        target.retry_budget.deposit(0);
        target.latency.record_first_token(wait, now);
        target.latency.record_tokens(100, 8 * wait, now);
        target.breaker.succeeded(pass, now);
        now += kApart;
        wait = kSlower - wait;
    }
}
BENCHMARK(healthy_call)->Threads(1)->Threads(2);

}  // namespace
