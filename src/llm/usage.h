// What a call consumed, in one normal form (API-MAPPING 4.2): totals with disjoint priced parts.
// Values only.
#pragma once

#include <algorithm>
#include <cstdint>

namespace weir::llm {

struct Usage {
    std::int64_t input_tokens = 0;        // uncached + cache_read + cache_write
    std::int64_t cache_read_tokens = 0;   // inside input
    std::int64_t cache_write_tokens = 0;  // inside input
    std::int64_t output_tokens = 0;
    std::int64_t reasoning_tokens = 0;  // inside output
    bool estimated = false;             // counted by Weir because the provider did not say

    bool operator==(const Usage&) const = default;

    // A part larger than its whole is clamped to it, nothing is negative: providers contradict
    // themselves (cached 161 of prompt 7 was seen on Azure).
    Usage clamped() const {
        Usage u = *this;
        u.input_tokens = std::max<std::int64_t>(u.input_tokens, 0);
        u.output_tokens = std::max<std::int64_t>(u.output_tokens, 0);
        u.cache_read_tokens = std::clamp<std::int64_t>(u.cache_read_tokens, 0, u.input_tokens);
        u.cache_write_tokens =
            std::clamp<std::int64_t>(u.cache_write_tokens, 0, u.input_tokens - u.cache_read_tokens);
        u.reasoning_tokens = std::clamp<std::int64_t>(u.reasoning_tokens, 0, u.output_tokens);
        return u;
    }
};

}  // namespace weir::llm
