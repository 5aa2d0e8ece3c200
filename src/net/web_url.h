// A URL that a stranger wrote, taken apart strictly: whatever two parsers could read in two ways is
// refused, so that the host that is judged is the host that is asked. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::net {

// As long as the request line that carries it may be.
inline constexpr std::size_t kWebUrlBytesMax = 8u << 10;
inline constexpr std::size_t kHostBytesMax = 253;  // RFC 1035
inline constexpr std::size_t kLabelBytesMax = 63;

struct WebUrl {
    bool tls = true;
    std::string host;  // lower case, without brackets: a name, or an address as parse_ip() reads it
    std::uint16_t port = 443;
    std::string target;  // "/a?b": visible ASCII, no fragment
    bool operator==(const WebUrl&) const = default;
};

// "https://host[:port][/path][?query]"; http, too. No user and no password. A host whose last label
// is a number is an address in dotted decimal or nothing: "0x7f.1", "2130706433" and "127.1" are
// names to one parser and the loopback to the next. A fragment is dropped, bytes outside ASCII are
// escaped in path and query and refused in the host.
//
// Errors: invalid_request, whose message is a clause ("its port is not a number") that never
// repeats the URL.
Result<WebUrl> parse_web_url(std::string_view text);

// Where a Location field leads, seen from `base` (RFC 3986 section 5.3; dots in a path stay as they
// are, servers resolve them). The same errors.
Result<WebUrl> resolve_reference(const WebUrl& base, std::string_view location);

std::string to_text(const WebUrl& url);

}  // namespace weir::net
