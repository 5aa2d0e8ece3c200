#include "provider/base_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/address.h"

namespace weir::provider {

std::string join_paths(std::string_view base, std::string_view endpoint) {
    // The longest end of `base`, from a slash on, that the endpoint begins with, up to a slash.
    for (std::size_t slash = 0; slash < base.size(); ++slash) {
        const std::string_view end = base.substr(slash);
        if (end.front() == '/' && endpoint.starts_with(end) &&
            (endpoint.size() == end.size() || endpoint[end.size()] == '/')) {
            base.remove_suffix(end.size());
            break;
        }
    }
    return fmt::format("{}{}", base, endpoint);
}

Result<BaseUrl> parse_base_url(std::string_view text) {
    const auto refuse = [text](std::string_view why) {
        return fail(
            Code::invalid_config,
            fmt::format("'{}' is not a base URL: {}; write https://host[:port]/v1.", text, why));
    };
    BaseUrl url;
    std::string_view rest;
    if (starts_with_ignoring_case(text, "https://")) {
        rest = text.substr(8);
    } else if (starts_with_ignoring_case(text, "http://")) {
        url.tls = false;
        url.port = 80;
        rest = text.substr(7);
    } else {
        return refuse("it must begin with https:// or http://");
    }
    const std::size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    std::string_view path =
        slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
    if (authority.find('@') != std::string_view::npos) {
        return refuse("a user or password does not belong there");
    }
    const auto is_odd = [](char c) {
        return c <= ' ' || c == '?' || c == '#' || c == '\\' || c == 0x7f;
    };
    if (std::any_of(rest.begin(), rest.end(), is_odd)) {
        return refuse("a query, fragment or space does not belong there");
    }
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) {
            return refuse("a bracket is missing");
        }
        url.host = std::string(authority.substr(1, close - 1));
        if (url.host.find(':') == std::string::npos || !net::parse_ip(url.host)) {
            return refuse("what is in brackets is no IPv6 address");
        }
        authority = authority.substr(close + 1);
        if (!authority.empty() && !authority.starts_with(':')) {
            return refuse("the port is not a number");
        }
    } else {
        const std::size_t colon = authority.find(':');
        url.host = std::string(authority.substr(0, colon));
        authority = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
    }
    if (url.host.empty()) {
        return refuse("the host is missing");
    }
    // `_` is in no host name of the standard and in many of container networks.
    const auto is_host = [](char c) {
        const char lower = to_lower(c);
        return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
               c == '_' || c == ':';
    };
    if (!std::all_of(url.host.begin(), url.host.end(), is_host)) {
        return refuse("the host holds a character that no host has");
    }
    if (!authority.empty()) {
        const auto port = parse_decimal(authority.substr(1));
        if (!port || *port == 0 || *port > 65'535) {
            return refuse("the port is not a number from 1 to 65535");
        }
        url.port = static_cast<std::uint16_t>(*port);
    }
    while (path.ends_with('/')) {
        path.remove_suffix(1);
    }
    url.path = std::string(path);
    return url;
}

}  // namespace weir::provider
