// W3C trace context, level 1: traceparent in and out. Pure.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir::obs {

struct TraceContext {
    std::array<std::uint8_t, 16> trace_id{};
    std::array<std::uint8_t, 8> span_id{};
    std::uint8_t flags = 0;

    std::array<char, 32> trace_id_text() const;  // lower-case hex digits
};

// Strict: lower-case hex, no zero ids; a version above 00 may have more behind it. nullopt: start a
// new trace.
std::optional<TraceContext> parse_traceparent(std::string_view text);
// "00-<trace>-<span>-<flags>"
inline constexpr std::size_t kTraceparentSize = 55;
std::array<char, kTraceparentSize> traceparent(const TraceContext& context);
// A new trace; its ids are random bits of `id` (a UUIDv7's and its own), which is unique already.
TraceContext new_trace(const std::array<std::uint8_t, 16>& id);
// The same trace, our own span in it.
TraceContext child_of(const TraceContext& parent, const std::array<std::uint8_t, 16>& id);

}  // namespace weir::obs
