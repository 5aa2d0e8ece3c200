// What routing adds to a call: a whole plan by each strategy, over 10 and over 100 targets, with
// loads that differ (budget: 1 us and 5 us). And what prefix affinity is good for: the same trace
// of conversations over eight replicas, with each strategy, as hit rate and load imbalance.
#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <queue>
#include <unordered_map>

#include "config/snapshot.h"
#include "router/plan.h"

namespace weir::router {
namespace {

std::string targets(std::size_t count, std::string_view prefix) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += fmt::format(
            "{}{{provider: p, model: {}{}, weight: {}, tier: {}, price: {{input: {} "
            "USD, output: 2 USD}}}}",
            i == 0 ? "" : ", ",
            prefix,
            i,
            1 + i % 5,
            i % 3,
            1 + i % 7);
    }
    return text;
}

// More than 64 stand in groups of the same strategy.
std::string model(std::size_t count, std::string_view strategy) {
    if (count <= kTargetsMax) {
        return fmt::format(
            "models: [{{name: m, strategy: {}, targets: [{}]}}]", strategy, targets(count, "a"));
    }
    return fmt::format(
        "models: [{{name: m, strategy: {0}, targets: [{1}], fallback: [{{model: n}}]}}, {{name: n, "
        "strategy: {0}, targets: [{2}]}}]",
        strategy,
        targets(count / 2, "a"),
        targets(count - count / 2, "b"));
}

struct Fixture {
    Fixture(std::size_t count, std::string_view strategy)
        : loaded(config::load({models_section(), default_model_section()},
                              model(count, strategy),
                              "bench",
                              [](std::string_view) { return std::optional<std::string>(); })),
          catalog(loaded.snapshot->get<ModelsSection>(), {}, {{"p", false, ""}}) {
        Random random(3);
        for (std::size_t i = 0; i < catalog.targets().size(); ++i) {
            loads.push_back({.is_available = i % 10 != 9,
                             .in_flight = static_cast<std::uint32_t>(random.below(40)),
                             .in_flight_max = 64,
                             .first_token_us = 1e5 + random.unit() * 1e6,
                             .token_us = 1e4 + random.unit() * 1e4});
        }
    }
    config::Loaded loaded;
    Catalog catalog;
    std::vector<Load> loads;
};

std::string_view no_header(std::string_view) { return {}; }

void bench_plan(benchmark::State& state, std::string_view strategy) {
    const Fixture fixture(static_cast<std::size_t>(state.range(0)), strategy);
    const auto resolved = *fixture.catalog.resolve("m");
    const auto load_of = [&](const Target& target) { return fixture.loads[target.index]; };
    const auto header = [](std::string_view name) { return no_header(name); };
    Random random(1);
    PrefixTable table;
    // A prompt of 8 KiB, of which some targets have half and some all.
    PrefixHashes prefix;
    prefix_hashes(std::string(8192, 'x'), prefix);
    for (std::size_t i = 0; i < fixture.catalog.identities().size(); i += 3) {
        table.saw(prefix.span().first(i % 2 == 0 ? 8 : 16), fixture.catalog.identities()[i].hash);
    }
    Plan out;
    for (auto _ : state) {
        const Facts facts{.traits = {.asked_model = "m", .prompt_tokens = 2000, .header = header},
                          .sticky = random.next(),
                          .output_tokens = 300,
                          .prefix = prefix.span(),
                          .prefixes = &table,
                          .random = random};
        plan(resolved, fixture.catalog, facts, load_of, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK_CAPTURE(bench_plan, weighted, "weighted")->Arg(1)->Arg(2)->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(bench_plan, pinned, "pinned")->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(bench_plan, least_inflight, "least_inflight")->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(bench_plan, latency, "latency")->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(bench_plan, cost, "cost")->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(bench_plan, priority, "priority")->Arg(10)->Arg(100);
BENCHMARK_CAPTURE(bench_plan, prefix_affinity, "prefix_affinity")->Arg(10)->Arg(100);

void bench_prefix_hashes(benchmark::State& state) {
    const std::string prompt(static_cast<std::size_t>(state.range(0)), 'x');
    PrefixHashes out;
    for (auto _ : state) {
        prefix_hashes(prompt, out);
        benchmark::DoNotOptimize(out.data());
    }
}
BENCHMARK(bench_prefix_hashes)->Arg(2048)->Arg(32768);

void bench_prefix_saw(benchmark::State& state) {
    PrefixTable table;
    PrefixHashes out;
    prefix_hashes(std::string(8192, 'x'), out);
    for (auto _ : state) {
        table.saw(out.span(), 17);
    }
}
BENCHMARK(bench_prefix_saw);

// A replica's own cache: blocks, the last used first.
class ReplicaCache {
public:
    explicit ReplicaCache(std::size_t blocks_max) : blocks_max_(blocks_max) {}
    // How many of them, from the first on, are there; then all are.
    std::size_t take(std::span<const std::uint64_t> hashes) {
        std::size_t hits = 0;
        bool is_hit = true;
        for (const std::uint64_t hash : hashes) {
            const auto found = places_.find(hash);
            is_hit = is_hit && found != places_.end();
            hits += is_hit ? 1 : 0;
            if (found != places_.end()) {
                order_.splice(order_.begin(), order_, found->second);
                continue;
            }
            order_.push_front(hash);
            places_[hash] = order_.begin();
            if (order_.size() > blocks_max_) {
                places_.erase(order_.back());
                order_.pop_back();
            }
        }
        return hits;
    }

private:
    std::size_t blocks_max_;
    std::list<std::uint64_t> order_;
    std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> places_;
};

// 2,000 conversations at a time under 60 system prompts (a few of them are most), 4 to 12 KiB long;
// every turn adds 1 KiB. A replica keeps 3,000 blocks, which is a fifth of what there is. A call
// takes as long as it has blocks that are not cached.
void bench_trace(benchmark::State& state, std::string_view strategy) {
    constexpr std::size_t kReplicas = 8;
    constexpr std::size_t kCalls = 40'000;
    constexpr std::size_t kConversations = 2'000;
    constexpr std::size_t kSystems = 60;
    constexpr std::size_t kOpenCalls = 64;
    double hits = 0, blocks = 0, imbalance = 0, peak = 0;
    for (auto _ : state) {
        const Catalog catalog(
            config::load({models_section(), default_model_section()},
                         fmt::format("models: [{{name: m, strategy: {}, targets: [{}]}}]",
                                     strategy,
                                     "{provider: p, model: r0}, {provider: p, model: r1}, "
                                     "{provider: p, model: r2}, {provider: p, model: r3}, "
                                     "{provider: p, model: r4}, {provider: p, model: r5}, "
                                     "{provider: p, model: r6}, {provider: p, model: r7}"),
                         "bench",
                         [](std::string_view) { return std::optional<std::string>(); })
                .snapshot->get<ModelsSection>(),
            {},
            {{"p", false, ""}});
        const auto resolved = *catalog.resolve("m");
        Random random(1);
        PrefixTable table;
        std::vector<ReplicaCache> caches(kReplicas, ReplicaCache(3'000));
        std::vector<Load> loads(kReplicas);
        std::vector<double> work(kReplicas);
        std::vector<std::vector<std::uint64_t>> conversations(kConversations);
        using End = std::pair<double, std::size_t>;
        std::priority_queue<End, std::vector<End>, std::greater<>> running;
        double now = 0;
        hits = blocks = peak = 0;
        const auto header = [](std::string_view name) { return no_header(name); };
        const auto load_of = [&](const Target& target) { return loads[target.index]; };
        Plan out;
        for (std::size_t i = 0; i < kCalls; ++i) {
            auto& talk = conversations[random.below(kConversations)];
            if (talk.empty() || talk.size() >= 48) {
                // Zipf's law, roughly: the first system prompt has a fifth of all.
                const auto system = static_cast<std::uint64_t>(
                    std::pow(static_cast<double>(kSystems), random.unit()) - 1);
                talk.clear();
                for (std::uint64_t b = 0; b < 8 + system % 17; ++b) {
                    talk.push_back(1'000'000 * (system + 1) + b);
                }
                for (std::uint64_t& block : talk) {
                    block *= 0x9e3779b97f4a7c15u;
                }
            }
            talk.push_back(random.next() | 1);
            talk.push_back(random.next() | 1);
            const Facts facts{.traits = {.asked_model = "m", .header = header},
                              .prefix = talk,
                              .prefixes = &table,
                              .random = random};
            plan(resolved, catalog, facts, load_of, out);
            const std::size_t to = out[0]->index;
            table.saw(talk, catalog.identities()[out[0]->identity].hash);
            const std::size_t found = caches[to].take(talk);
            hits += static_cast<double>(found);
            blocks += static_cast<double>(talk.size());
            const double effort = 2.0 + static_cast<double>(talk.size() - found);
            work[to] += effort;
            ++loads[to].in_flight;
            peak = std::max(peak, static_cast<double>(loads[to].in_flight));
            running.emplace(now + effort * loads[to].in_flight, to);
            if (running.size() >= kOpenCalls) {
                now = running.top().first;
                --loads[running.top().second].in_flight;
                running.pop();
            }
        }
        double sum = 0;
        for (const double one : work) {
            sum += one;
        }
        imbalance = *std::max_element(work.begin(), work.end()) / (sum / kReplicas);
    }
    state.counters["hit_rate"] = hits / blocks;
    state.counters["work_max_over_mean"] = imbalance;
    state.counters["in_flight_max_over_mean"] = peak * kReplicas / kOpenCalls;
}
BENCHMARK_CAPTURE(bench_trace, random, "weighted")->Iterations(1)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bench_trace, least_inflight, "least_inflight")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(bench_trace, prefix_affinity, "prefix_affinity")
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace weir::router
