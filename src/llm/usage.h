// What a call consumed, in one normal form (API-MAPPING 4.2): totals with disjoint priced parts.
// Values only.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

namespace weir::llm {

// How urgently the provider answers, which is a matter of price; OpenAI's words for it.
enum class ServiceTier : std::uint8_t { standard, batch, flex, priority };
// A tier that was served, in any maker's word. Unset: the word names none (`auto`), or none that is
// known here.
std::optional<ServiceTier> read_service_tier(std::string_view word);

struct Usage {
    std::int64_t input_tokens = 0;           // uncached + cache_read + cache_write
    std::int64_t cache_read_tokens = 0;      // inside input
    std::int64_t cache_write_tokens = 0;     // inside input
    std::int64_t cache_write_1h_tokens = 0;  // inside cache_write: kept for an hour, dearer
    std::int64_t input_audio_tokens = 0;     // inside the uncached input
    std::int64_t output_tokens = 0;
    std::int64_t reasoning_tokens = 0;     // inside output
    std::int64_t output_audio_tokens = 0;  // inside output, beside reasoning
    std::int64_t output_image_tokens = 0;  // inside output, beside reasoning and audio
    // What is not counted in tokens.
    std::int64_t images = 0;              // made
    std::int64_t audio_milliseconds = 0;  // heard or spoken
    std::int64_t searches = 0;            // of the web, or rankings
    bool estimated = false;               // counted by Weir because the provider did not say
    std::optional<ServiceTier> tier;      // it was served in; unset: the provider did not say

    bool operator==(const Usage&) const = default;

    // A part larger than its whole is clamped to it, nothing is negative: providers contradict
    // themselves (cached 161 of prompt 7 was seen on Azure).
    Usage clamped() const {
        Usage u = *this;
        const auto within = [](std::int64_t part, std::int64_t whole) {
            return std::clamp<std::int64_t>(part, 0, whole);
        };
        u.input_tokens = std::max<std::int64_t>(u.input_tokens, 0);
        u.cache_read_tokens = within(u.cache_read_tokens, u.input_tokens);
        u.cache_write_tokens = within(u.cache_write_tokens, u.input_tokens - u.cache_read_tokens);
        u.cache_write_1h_tokens = within(u.cache_write_1h_tokens, u.cache_write_tokens);
        u.input_audio_tokens = within(u.input_audio_tokens,
                                      u.input_tokens - u.cache_read_tokens - u.cache_write_tokens);
        u.output_tokens = std::max<std::int64_t>(u.output_tokens, 0);
        u.reasoning_tokens = within(u.reasoning_tokens, u.output_tokens);
        u.output_audio_tokens = within(u.output_audio_tokens, u.output_tokens - u.reasoning_tokens);
        u.output_image_tokens = within(
            u.output_image_tokens, u.output_tokens - u.reasoning_tokens - u.output_audio_tokens);
        u.images = std::max<std::int64_t>(u.images, 0);
        u.audio_milliseconds = std::max<std::int64_t>(u.audio_milliseconds, 0);
        u.searches = std::max<std::int64_t>(u.searches, 0);
        return u;
    }
};

}  // namespace weir::llm
