// UUIDv7 (RFC 9562): 48 bits of wall-clock milliseconds, then random bits, so that ids sort by
// time.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir {

struct Uuid {
    std::array<std::uint8_t, 16> bytes{};
    auto operator<=>(const Uuid&) const = default;
};

// For maps whose keys Weir made itself: the second half of a version 7 id is random.
struct UuidHash {
    std::size_t operator()(const Uuid& id) const {
        std::uint64_t random = 0;
        std::memcpy(&random, id.bytes.data() + 8, sizeof random);
        return random;
    }
};

// Random bits come from a per-thread pool filled by the system's generator. Any thread.
Uuid make_uuid_v7(WallTime now);

inline constexpr std::size_t kUuidTextSize = 36;
// Writes exactly 36 characters, lower case with dashes; returns one past the end.
char* write_text(const Uuid& id, char* into);
std::string to_text(const Uuid& id);
// Accepts the 36-character form, either case; nothing else.
std::optional<Uuid> parse_uuid(std::string_view text);

}  // namespace weir
