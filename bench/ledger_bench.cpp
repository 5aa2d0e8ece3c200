// What a call costs the ledger: the append on the call's own thread, the drain on the drain's.
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>

#include "ledger/ledger.h"

namespace weir::ledger {
namespace {

struct Folder {
    Folder() {
        char pattern[] = "/tmp/weir-ledger-bench-XXXXXX";
        path = ::mkdtemp(pattern);
    }
    ~Folder() { std::filesystem::remove_all(path); }
    std::string path;
};

Opened opened(const Uuid& id) {
    return {.request_id = id,
            .tenant_id = 1,
            .key_id = 7,
            .started_at = wall_from_micros(1'795'241'600'000'000),
            .hold_input_tokens = 500,
            .hold_output_tokens = 4096,
            .model = "gpt-4o-mini",
            .provider = "openai"};
}

Settled settled(const Uuid& id) {
    Settled record{.request_id = id,
                   .tenant_id = 1,
                   .key_id = 7,
                   .started_at = wall_from_micros(1'795'241'600'000'000),
                   .status = 200,
                   .usage = {.input_tokens = 300, .output_tokens = 170},
                   .cost_nano_usd = 640'000,
                   .hold_tokens = 4596,
                   .total_us = 900,
                   .overhead_us = 40,
                   .model = "gpt-4o-mini",
                   .provider = "openai",
                   .code = "ok"};
    record.attempts[0] = {.provider = "openai",
                          .model = "gpt-4o-mini",
                          .code = "ok",
                          .status = 200,
                          .duration_us = 850,
                          .input_tokens = 300,
                          .output_tokens = 170,
                          .cost_nano_usd = 640'000};
    record.attempt_count = 1;
    return record;
}

// CPU of the call's thread for one record, the helper keeping segments ready as it does.
void append(benchmark::State& state) {
    const Folder folder;
    SystemClock clock;
    auto journal = Journal::open({.folder = folder.path,
                                  .threads = 1,
                                  .bytes_max = 8ull << 30,
                                  .sync_interval = std::chrono::hours{1}},
                                 make_uuid_v7(clock.wall_now()));
    if (!journal) {
        state.SkipWithError("no journal");
        return;
    }
    const Uuid id = make_uuid_v7(clock.wall_now());
    const Opened first = opened(id);
    const Settled last = settled(id);
    constexpr int kPairs = 2000;
    for (auto _ : state) {
        timespec before{}, after{};
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
        for (int i = 0; i < kPairs; ++i) {
            benchmark::DoNotOptimize((*journal)->opened(0, first));
            (*journal)->settled(0, last);
        }
        ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
        state.SetIterationTime((static_cast<double>(after.tv_sec - before.tv_sec) +
                                static_cast<double>(after.tv_nsec - before.tv_nsec) / 1e9) /
                               (2 * kPairs));
        // The drain and the helper keep up: no gateway serves a million calls a second.
        while ((*journal)->chain(0).size() > 1) {
            (*journal)->recycle_first(0);
        }
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
}
BENCHMARK(append)->UseManualTime()->Iterations(50);

// CPU of the whole process for a row in the database: journal, drain and SQLite.
void drain(benchmark::State& state) {
    SystemClock clock;
    obs::Log log(::open("/dev/null", O_WRONLY | O_CLOEXEC));
    constexpr int kRows = 100'000;
    const auto cpu = [] {
        timespec time{};
        ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
    };
    for (auto _ : state) {
        const Folder folder;
        auto database = store::Database::open_sqlite(folder.path + "/weir.db");
        auto ledger = Ledger::open(
            {.folder = folder.path + "/journal", .threads = 1}, **database, clock, log);
        const double before = cpu();
        for (int i = 0; i < kRows; ++i) {
            const Uuid id = make_uuid_v7(clock.wall_now());
            if (!(*ledger)->opened(0, opened(id))) {
                state.SkipWithError("the journal is full");
                return;
            }
            (*ledger)->settled(0, settled(id));
        }
        (*ledger)->stop();
        state.SetIterationTime((cpu() - before) / kRows);
    }
}
BENCHMARK(drain)->UseManualTime()->Iterations(5)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace weir::ledger
