// Points in time as people and programs write them: RFC 3339 in UTC. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"

namespace weir {

// "2026-11-21T06:13:20.123456Z"
std::string to_rfc3339(WallTime time);
// "2026-11-21T06:13:20Z", with up to nine decimals (cut to microseconds) and `Z` or an offset such
// as "+01:00". nullopt: not that, or no such day.
std::optional<WallTime> parse_rfc3339(std::string_view text);

// "Sun, 06 Nov 1994 08:49:37 GMT", the one form of RFC 9110 that is still written. nullopt: not
// that, or no such day.
std::optional<WallTime> parse_http_date(std::string_view text);

}  // namespace weir
