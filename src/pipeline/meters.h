// The metrics of calls, for one call thread: the series of good calls are looked up once, those of
// failures when they happen.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "obs/metrics.h"
#include "obs/names.h"
#include "runtime/runtime.h"

namespace weir::pipeline {

struct Call;

class Meters {
public:
    Meters(obs::Metrics& metrics, unsigned thread, const runtime::Runtime& runtime);

    void begin_attempt(const Call& call);
    void end_attempt(const Call& call);
    // `outcome`: "ok" or the name of a code.
    void count_fetches(std::string_view outcome, std::uint64_t files) {
        shard_.add(metrics_.series(obs::kFetches, {outcome}), files);
    }
    void count_chaos(std::string_view rule) { shard_.add(metrics_.series(obs::kChaos, {rule})); }
    // `outcome` of a second attempt: won, lost.
    void count_hedge(std::string_view model, std::string_view outcome) {
        shard_.add(metrics_.series(obs::kHedges, {model, outcome}));
    }
    // The call is over.
    void count(const Call& call, SteadyTime now);

private:
    struct SurfaceSeries {
        obs::SeriesId requests, seconds, ttft, overhead;
    };
    struct Series {
        std::array<std::optional<SurfaceSeries>, llm::kSurfaceCount>
            surfaces;  // once there was a call
        obs::SeriesId input, output, cache_read, cache_write, reasoning;
        obs::SeriesId cost, in_flight, attempts;
    };
    void count_past(const Call& call);
    SurfaceSeries& surface_of(const Call& call);
    Series& of(const Call& call);

    obs::Metrics& metrics_;
    obs::MetricsShard& shard_;
    const std::size_t providers_;
    std::vector<std::unique_ptr<Series>> series_;  // by model, then provider; made when first used
};

}  // namespace weir::pipeline
