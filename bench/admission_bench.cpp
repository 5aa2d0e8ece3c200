// What admission costs a call: knowing the key, and passing the limits.
#include <benchmark/benchmark.h>

#include <optional>

#include "auth/authenticator.h"
#include "auth/key.h"
#include "quota/limits.h"

namespace {

using namespace weir;

class OneKey final : public auth::KeyRecords {
public:
    Result<std::optional<auth::KeyRecord>> find_by_digest(std::string_view digest) override {
        return auth::KeyRecord{.id = 1, .digest = std::string(digest)};
    }
};

struct Known {
    SystemClock clock;
    OneKey records;
    aio::BlockingPool pool{"keys", 1, 1024};
    auth::Authenticator authenticator{clock, records, pool, Secret("pepper")};
    std::string key{auth::make_key().reveal()};
    Known() { std::ignore = authenticator.load(key); }
};

void sha256_of_a_key(benchmark::State& state) {
    const std::string key(auth::make_key().reveal());
    for (auto _ : state) {
        benchmark::DoNotOptimize(auth::sha256(key));
    }
}
BENCHMARK(sha256_of_a_key);

void known_key(benchmark::State& state) {
    static Known known;
    for (auto _ : state) {
        benchmark::DoNotOptimize(known.authenticator.find_cached(auth::Mode::required, known.key));
    }
}
BENCHMARK(known_key)->Threads(1)->Threads(2);

void wrong_key(benchmark::State& state) {
    Known known;
    for (auto _ : state) {
        benchmark::DoNotOptimize(known.authenticator.find_cached(auth::Mode::required, "sk-x"));
    }
}
BENCHMARK(wrong_key);

constexpr quota::Address kAddress{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, 1};

void enter_and_leave(benchmark::State& state) {
    static quota::LimitCounters counters;
    static KeyLimitState key;
    quota::LimitRules rules;
    if (state.range(0) > 0) {
        rules.address_requests =
            quota::Gcra::make(1'000'000'000, std::chrono::seconds{1}, 1'000'000'000);
        rules.address_concurrency_max = 1000;
        rules.body_bytes_max = 1u << 30;
    }
    const quota::Limits limits(counters, rules);
    const quota::Entrant entrant{
        .address = kAddress,
        .key = &key,
        .key_limits = {.requests_per_minute = 1'000'000'000, .concurrency_max = 1000},
        .body_bytes = 1000};
    SystemClock clock;
    const SteadyTime now = clock.steady_now();
    std::int64_t turn = 0;
    for (auto _ : state) {
        const auto later = now + std::chrono::nanoseconds{++turn * 100};
        benchmark::DoNotOptimize(limits.enter(entrant, later));
    }
}
BENCHMARK(enter_and_leave)->Arg(0)->Arg(1)->Threads(1)->Threads(2);

void refused(benchmark::State& state) {
    quota::LimitCounters counters;
    KeyLimitState key;
    const quota::Limits limits(counters, {});
    const quota::Entrant entrant{
        .address = kAddress, .key = &key, .key_limits = {.concurrency_max = 0}};
    for (auto _ : state) {
        benchmark::DoNotOptimize(limits.enter(entrant, SteadyTime{std::chrono::hours{1}}));
    }
}
BENCHMARK(refused);

}  // namespace
