// Faults on purpose: which call gets which, as the `chaos:` section says. Off unless enabled. Pure:
// this decides, the pipeline does it, marks the response with x-weir-chaos and counts it.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/snapshot.h"

namespace weir::resilience {

inline constexpr std::size_t kChaosRulesMax = 256;
inline constexpr std::chrono::milliseconds kChaosDelayMax = std::chrono::minutes{10};
inline constexpr std::int64_t kChaosChunksMax = 1'000'000;

// What happens to one call. Everything may come with latency and chunk_delay; of the others there
// is at most one.
struct Fault {
    std::string name;                        // of the rule; for x-weir-chaos, logs and metrics
    std::chrono::milliseconds latency{0};    // before the provider is asked
    int status = 0;                          // an answer of the provider with this status; 0: none
    bool reset = false;                      // the connection breaks before the answer
    bool stall = false;                      // nothing ever comes
    std::optional<std::uint32_t> cut_after;  // the stream breaks off after so many chunks
    bool corrupt = false;                    // bytes of the answer are not what they were
    std::chrono::milliseconds chunk_delay{0};
    bool operator==(const Fault&) const = default;
};

// Empty ones match everything, all that are set must match.
struct ChaosMatch {
    std::string model;     // as the client names it
    std::string provider;  // its name
    std::string key;       // the caller's: its name, or how it begins
    std::string header;    // "x-chaos": is there; "x-chaos: yes": has this value
};

struct ChaosRule {
    std::string name;  // "rule 1" unless set
    ChaosMatch match;
    double share = 1;
    std::optional<WallTime> from, until;
    Fault fault;
};

struct ChaosSection {
    bool enabled = false;
    std::vector<ChaosRule> rules;
};
config::Section chaos_section();

// One attempt at a provider.
struct ChaosFacts {
    std::string_view model;
    std::string_view provider;
    std::string_view key_name;
    std::string_view key_prefix;  // the part of a key that is no secret
    // The client's request header by its name, whatever its case; nullopt: there is none.
    std::function<std::optional<std::string_view>(std::string_view name)> header;
};

// The first rule that matches and whose dice fall so. nullopt: nothing happens.
std::optional<Fault> decide(std::span<const ChaosRule> rules,
                            const ChaosFacts& facts,
                            std::uint64_t random,
                            WallTime now);

}  // namespace weir::resilience
