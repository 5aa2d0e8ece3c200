#include "quota/section.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

namespace weir::quota {
namespace {

constexpr std::int64_t kConcurrencyMax = 1'000'000;
constexpr std::chrono::milliseconds kWaitMax = std::chrono::hours{1};

// "600/min": what one period allows may come at once.
config::Type<std::optional<Gcra>> gcra() {
    auto rate = config::rate();
    return {[read = std::move(rate.read)](
                const config::Position& at, std::optional<Gcra>& into, config::Reporter& reporter) {
                config::Rate value;
                if (!read(at, value, reporter)) {
                    return false;
                }
                into = Gcra::make(value.count, value.per, value.count);
                if (!into) {
                    reporter.report(
                        at.node.place, at.path, "expected a rate from 1 to 1000000000 a period");
                }
                return into.has_value();
            },
            std::move(rate.schema)};
}

// "25%" or "512MiB".
config::Type<MemoryShare> memory_share() {
    return {[](const config::Position& at, MemoryShare& into, config::Reporter& reporter) {
                if (at.node.kind == config::Node::Kind::scalar) {
                    if (const auto share = config::parse_percent(at.node.text);
                        share && *share > 0) {
                        into = {.share = *share};
                        return true;
                    }
                    if (const auto bytes = config::parse_size(at.node.text); bytes && *bytes > 0) {
                        into = {.bytes = *bytes};
                        return true;
                    }
                }
                config::detail::report_unexpected(
                    at, "a share such as 25% or a size such as 512MiB, above zero", reporter);
                return false;
            },
            R"({"type":"string"})"};
}

}  // namespace

std::uint64_t MemoryShare::of(std::uint64_t memory_bytes) const {
    return bytes.value_or(static_cast<std::uint64_t>(static_cast<double>(memory_bytes) * share));
}

config::Section limits_section() {
    config::Object<AddressLimits> per_ip;
    per_ip
        .field("requests", &AddressLimits::requests, gcra(), "requests of one address, as 600/min")
        .field("concurrency",
               &AddressLimits::concurrency,
               config::optional(config::integer(1, kConcurrencyMax)),
               "requests of one address in progress at the same time");
    config::Object<InFlightLimits> in_flight;
    in_flight
        .field("calls",
               &InFlightLimits::calls,
               config::integer(1, kConcurrencyMax),
               "calls in progress at the same time; 25000 unless set")
        .field("queue",
               &InFlightLimits::queue,
               config::integer(0, kConcurrencyMax),
               "calls that wait while there are that many; more are refused; 5000 unless set")
        .field("wait",
               &InFlightLimits::wait,
               config::duration(std::chrono::milliseconds{1}, kWaitMax),
               "how long one waits; 5s unless set");
    config::Object<LimitsSection> limits;
    limits
        .field(
            "in_flight", &LimitsSection::in_flight, in_flight.type(), "calls of the whole gateway")
        .field("per_ip",
               &LimitsSection::per_ip,
               per_ip.type(),
               "limits per client address (IPv4) or /64 network (IPv6); off unless set")
        .field("guesses",
               &LimitsSection::guesses,
               gcra(),
               "failed credentials of one address before it must wait; 20/min unless set")
        .field("max_in_flight_bytes",
               &LimitsSection::max_in_flight_bytes,
               memory_share(),
               "request bodies held at the same time, as a share of memory or a size; 25% unless "
               "set")
        .field("max_tokens_in_flight",
               &LimitsSection::max_tokens_in_flight,
               config::optional(config::integer(1, kTokensMax)),
               "tokens held for all calls in progress; off unless set");
    return config::section<LimitsSection>(
        "limits", "what may enter at the same time and how often", limits.type());
}

LimitRules rules_of(const LimitsSection& section, std::uint64_t memory_bytes) {
    LimitRules rules;
    rules.address_requests = section.per_ip.requests;
    if (section.per_ip.concurrency) {
        rules.address_concurrency_max = static_cast<std::uint32_t>(*section.per_ip.concurrency);
    }
    rules.guesses = section.guesses;
    rules.body_bytes_max = section.max_in_flight_bytes.of(memory_bytes);
    rules.tokens_max = section.max_tokens_in_flight;
    return rules;
}

}  // namespace weir::quota
