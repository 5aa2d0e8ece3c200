#include "router/policy_section.h"

#include <fmt/format.h>

#include <algorithm>

namespace weir::router {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kAttemptsMax = 8;
constexpr std::chrono::milliseconds kTimeoutMax = 24h;
constexpr std::chrono::milliseconds kBackoffMax = 1min;
// More would make an overload worse: who is slow because there is too much to do gets more.
constexpr double kHedgeShareMax = 0.05;

std::string written(const config::Node* node, std::string_view unless_set) {
    return node != nullptr ? fmt::format("'{}'", node->text) : std::string(unless_set);
}

// A key that is set to more than `total` is a mistake; one that is not set shrinks with it.
bool fit_into_total(std::string_view key,
                    std::chrono::milliseconds& timeout,
                    const Timeouts& timeouts,
                    const config::Position& at,
                    config::Reporter& reporter) {
    const config::Node* node = at.node.find(key);
    if (node != nullptr && timeout > timeouts.total) {
        reporter.report(node->place,
                        fmt::format("{}.{}", at.path, key),
                        fmt::format("'{}' is longer than the whole call may take: {}",
                                    node->text,
                                    written(at.node.find("total"), "10m unless `total` is set")));
        return false;
    }
    timeout = std::min(timeout, timeouts.total);
    return true;
}

}  // namespace

config::Type<Timeouts> timeouts_type() {
    const auto time = [] { return config::duration(1ms, kTimeoutMax); };
    config::Object<Timeouts> timeouts;
    timeouts.field("connect", &Timeouts::connect, time(), "until connected; 2s unless set")
        .field("first_token",
               &Timeouts::first_token,
               time(),
               "of a stream, until its first token; 20s unless set")
        .field("idle", &Timeouts::idle, time(), "between two pieces of an answer; 30s unless set")
        .field("total",
               &Timeouts::total,
               time(),
               "for the whole call, all its attempts; 10m unless set");
    auto type = timeouts.type();
    return {[read = std::move(type.read)](
                const config::Position& at, Timeouts& into, config::Reporter& reporter) {
                if (!read(at, into, reporter)) {
                    return false;
                }
                const auto fits = [&](std::string_view key, std::chrono::milliseconds& timeout) {
                    return fit_into_total(key, timeout, into, at, reporter);
                };
                // Every one that is wrong is told.
                const bool connect = fits("connect", into.connect);
                const bool first_token = fits("first_token", into.first_token);
                const bool idle = fits("idle", into.idle);
                return connect && first_token && idle;
            },
            std::move(type.schema)};
}

config::Type<Retry> retry_type() {
    const auto time = [] { return config::duration(1ms, kBackoffMax); };
    config::Object<Retry> retry;
    retry
        .field("attempts",
               &Retry::attempts,
               config::integer(1, kAttemptsMax),
               "how often a call is tried in all, wherever; 3 unless set")
        .field("budget",
               &Retry::budget,
               config::percent(),
               "of the calls a target gets, how many may be retries; 20% unless set")
        .field("backoff_min",
               &Retry::backoff_min,
               time(),
               "the longest wait before the first retry, doubled for each that follows; 100ms "
               "unless set")
        .field("backoff_max",
               &Retry::backoff_max,
               time(),
               "the longest wait before any retry; 2s unless set")
        .check([](const Retry& section, const config::Position& at, config::Reporter& reporter) {
            if (section.backoff_min > section.backoff_max) {
                const bool is_set = at.node.find("backoff_min") != nullptr;
                const std::string_view key = is_set ? "backoff_min" : "backoff_max";
                reporter.report(
                    at.node.find(key)->place,
                    fmt::format("{}.{}", at.path, key),
                    fmt::format("backoff_min of {}ms is longer than backoff_max of {}ms",
                                section.backoff_min.count(),
                                section.backoff_max.count()));
            }
        });
    return retry.type();
}

namespace {

// "p95", or a time that is at least waited.
config::Type<std::chrono::milliseconds> hedge_delay_type() {
    auto time = config::duration(1ms, kTimeoutMax);
    return {[read = std::move(time.read)](const config::Position& at,
                                          std::chrono::milliseconds& into,
                                          config::Reporter& reporter) {
                if (at.node.kind == config::Node::Kind::scalar && at.node.text == "p95") {
                    into = 0ms;
                    return true;
                }
                return read(at, into, reporter);
            },
            R"({"anyOf":[{"enum":["p95"]},)" + time.schema + "]}"};
}

}  // namespace

config::Type<std::optional<Hedge>> hedge_type() {
    config::Object<Hedge> hedge;
    hedge
        .field("delay",
               &Hedge::delay,
               hedge_delay_type(),
               "how long the first token is waited for, p95 or a time: never less than 95% of the "
               "target's latest 128 took; p95 unless set")
        .field("share",
               &Hedge::share,
               config::percent(),
               "of the model's streams, how many may be asked twice; at most 5%, which it is "
               "unless set")
        .check([](const Hedge& section, const config::Position& at, config::Reporter& reporter) {
            if (section.share > kHedgeShareMax) {
                reporter.report(
                    at.node.find("share")->place,
                    at.path + ".share",
                    fmt::format("expected at most 5%, found '{}'", at.node.find("share")->text));
            }
        });
    auto type = hedge.type();
    return {
        [read = std::move(type.read)](
            const config::Position& at, std::optional<Hedge>& into, config::Reporter& reporter) {
            if (at.node.kind == config::Node::Kind::scalar && at.node.text == "off") {
                into.reset();
                return true;
            }
            into.emplace();
            return read(at, *into, reporter);
        },
        R"({"anyOf":[{"enum":["off"]},)" + type.schema + "]}"};
}

config::Type<Sticky> sticky_type() {
    return config::word<Sticky>({{"prompt_cache_key", Sticky::prompt_cache_key},
                                 {"user", Sticky::user},
                                 {"key", Sticky::key}});
}

}  // namespace weir::router
