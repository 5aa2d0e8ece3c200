// The `limits:` section of the configuration, and the rules it means. Values; pure.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "config/snapshot.h"
#include "quota/gcra.h"
#include "quota/limits.h"

namespace weir::quota {

// An amount, or a share of the memory Weir may use.
struct MemoryShare {
    std::optional<std::uint64_t> bytes;
    double share = 0.25;  // where no bytes are given
    std::uint64_t of(std::uint64_t memory_bytes) const;
};

struct AddressLimits {
    std::optional<Gcra> requests;
    std::optional<std::int64_t> concurrency;
};

// Calls that the whole gateway has at once; what is above waits.
struct InFlightLimits {
    // A busy one may have an answer to write to half of the connections there may be.
    std::int64_t calls = 25'000;
    std::int64_t queue = 5'000;
    std::chrono::milliseconds wait{5'000};
};

struct LimitsSection {
    InFlightLimits in_flight;
    AddressLimits per_ip;
    std::optional<Gcra> guesses = LimitRules{}.guesses;
    MemoryShare max_in_flight_bytes;
    std::optional<std::int64_t> max_tokens_in_flight;
};

config::Section limits_section();

// `memory_bytes` is what Weir may use: the control group's limit, else the machine's.
LimitRules rules_of(const LimitsSection& section, std::uint64_t memory_bytes);

}  // namespace weir::quota
