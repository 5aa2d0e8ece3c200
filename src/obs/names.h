// The metrics Weir has: names and labels are a contract (DESIGN section 12). Never a key, a user or
// an address as a label; unknown models are `other`.
#pragma once

#include <vector>

#include "obs/metrics.h"

namespace weir::obs {

enum MetricName : std::size_t {
    kRequests,
    kRequestSeconds,
    kTtftSeconds,
    kOverheadSeconds,
    kTokens,
    kCost,
    kInflight,
    kErrors,
    kLimitRejections,
    kAttempts,
    kFetches,
    kReload,
    kChaos,
    kHedges,
    kTargetHealthy,
    kBreakerState,
    kSaturation,
    kLedgerBacklog,
    kLogDropped,
    kBuildInfo,
};

inline std::vector<Family> families() {
    // OpenTelemetry's GenAI buckets, and finer ones for what is ours alone.
    const std::vector<std::int64_t> duration = {10'000,
                                                20'000,
                                                40'000,
                                                80'000,
                                                160'000,
                                                320'000,
                                                640'000,
                                                1'280'000,
                                                2'560'000,
                                                5'120'000,
                                                10'240'000,
                                                20'480'000,
                                                40'960'000,
                                                81'920'000};
    const std::vector<std::int64_t> first_token = {1'000,
                                                   5'000,
                                                   10'000,
                                                   20'000,
                                                   40'000,
                                                   60'000,
                                                   80'000,
                                                   100'000,
                                                   250'000,
                                                   500'000,
                                                   750'000,
                                                   1'000'000,
                                                   2'500'000,
                                                   5'000'000,
                                                   7'500'000,
                                                   10'000'000};
    const std::vector<std::int64_t> overhead = {
        10, 20, 50, 100, 200, 500, 1'000, 2'000, 5'000, 10'000, 100'000};
    using enum MetricType;
    return {
        {"weir_requests_total",
         "Requests answered",
         counter,
         {"surface", "model", "provider", "code"}},
        {"weir_request_seconds",
         "From the first byte of a request to the last of its answer",
         histogram,
         {"surface", "model"},
         1,
         duration},
        {"weir_ttft_seconds",
         "From the first byte of a request to the first token out",
         histogram,
         {"surface", "model"},
         1,
         first_token},
        {"weir_overhead_seconds",
         "Time spent in Weir, the provider's not counted",
         histogram,
         {"surface", "model"},
         1,
         overhead},
        {"weir_tokens_total", "Tokens used", counter, {"model", "provider", "kind"}},
        {"weir_cost_usd_total", "Cost of calls with a price", counter, {"model", "provider"}, 1e-9},
        {"weir_inflight", "Calls at a provider now", gauge, {"model", "provider"}},
        {"weir_errors_total",
         "Errors by code and by whose fault they were",
         counter,
         {"code", "fault"}},
        {"weir_limit_rejections_total", "Calls refused by a limit", counter, {"rule"}},
        {"weir_attempts_total", "Attempts sent to providers", counter, {"provider", "outcome"}},
        {"weir_fetches_total", "Files fetched for calls", counter, {"outcome"}},
        {"weir_reload_total", "Configurations read again", counter, {"result"}},
        {"weir_chaos_total", "Faults on purpose", counter, {"rule"}},
        {"weir_hedges_total",
         "Second attempts beside a slow first one",
         counter,
         {"model", "outcome"}},
        {"weir_target_healthy",
         "1 where a target takes calls, 0 where its breaker is open or it was taken out",
         gauge,
         {"provider", "model"}},
        {"weir_breaker_state",
         "Of a target: 0 closed, 1 half open, 2 open",
         gauge,
         {"provider", "model"}},
        {"weir_saturation_ratio",
         "How much of a resource is in use, 1 being all of it",
         gauge,
         {"resource"}},
        {"weir_ledger_backlog_records", "Usage records not yet in the database", gauge, {}},
        {"weir_log_dropped_total",
         "Access log lines dropped because the log could not keep up",
         counter,
         {}},
        {"weir_build_info", "Always 1", gauge, {"version"}},
    };
}

}  // namespace weir::obs
