// A provider's base URL, taken apart once. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace weir::provider {

struct BaseUrl {
    bool tls = true;
    std::string host;  // without brackets
    std::uint16_t port = 443;
    std::string path;  // "/v1": no slash at the end, empty for the root
};

// The path of an endpoint below a base URL. What both say is said once: the clients of Anthropic
// and Google add the version themselves, so that their users know base URLs with and without it.
// "/v1" and "/v1/messages" are "/v1/messages".
std::string join_paths(std::string_view base, std::string_view endpoint);

// "https://host[:port][/path]"; no user, query or fragment. Errors: invalid_config, in words for
// the operator.
Result<BaseUrl> parse_base_url(std::string_view text);

}  // namespace weir::provider
