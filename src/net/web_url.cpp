#include "net/web_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "net/address.h"

namespace weir::net {
namespace {

Failure refuse(std::string_view why) { return fail(Code::invalid_request, std::string(why)); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }

std::uint16_t standard_port(bool tls) { return tls ? 443 : 80; }

// What some resolver would take for a number: "80", "0x7f", "0x".
bool is_number(std::string_view label) {
    if (label.starts_with("0x")) {
        label.remove_prefix(2);
        return std::all_of(label.begin(), label.end(), is_hex);
    }
    return std::all_of(label.begin(), label.end(), is_digit);
}

bool is_label(std::string_view label) {
    // The underscore is no part of host names, but stands in those of some buckets.
    return !label.empty() && label.size() <= kLabelBytesMax && label.front() != '-' &&
           label.back() != '-' && std::all_of(label.begin(), label.end(), [](char c) {
               return is_letter(c) || is_digit(c) || c == '-' || c == '_';
           });
}

Result<std::string> read_host(std::string_view text) {
    std::string host(text);
    std::transform(host.begin(), host.end(), host.begin(), to_lower);
    if (host.starts_with('[')) {
        host = host.substr(1, host.size() - 2);
        if (host.find(':') == std::string::npos || !parse_ip(host)) {
            return refuse("its host is no IPv6 address");
        }
        return host;
    }
    if (host.empty() || host.size() > kHostBytesMax) {
        return refuse("its host is missing or too long");
    }
    std::string_view rest = host;
    std::string_view label;
    do {
        const std::size_t dot = rest.find('.');
        label = rest.substr(0, dot);
        if (!is_label(label)) {
            return refuse("its host is not a name in letters, digits, '-' and '.'");
        }
        rest = dot == std::string_view::npos ? std::string_view{} : rest.substr(dot + 1);
        if (rest.empty() && dot != std::string_view::npos) {
            return refuse("its host ends in a dot");
        }
    } while (!rest.empty());
    if (is_number(label) && !parse_ip(host)) {
        return refuse("its host is an address, but not in dotted decimal");
    }
    return host;
}

Result<std::string> read_target(std::string_view text) {
    static constexpr char kHex[] = "0123456789ABCDEF";
    text = text.substr(0, text.find('#'));
    std::string target = text.starts_with('/') ? "" : "/";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || c == '\\' || byte == 0x7f) {
            return refuse("a space, backslash or control character does not belong into it");
        }
        if (byte < 0x80) {
            target += c;
        } else {
            target += '%';
            target += kHex[byte >> 4];
            target += kHex[byte & 15];
        }
    }
    if (target.size() > kWebUrlBytesMax) {
        return refuse("it is too long");
    }
    return target;
}

// "https" of "https://…" and "mailto:…"; empty: a reference within its base.
std::string_view scheme_of(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos || colon == 0 || !is_letter(text.front())) {
        return {};
    }
    const std::string_view scheme = text.substr(0, colon);
    const bool good = std::all_of(scheme.begin(), scheme.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
    });
    return good ? scheme : std::string_view{};
}

// "https://host:port"
std::string origin(const WebUrl& url) {
    const bool is_v6 = url.host.find(':') != std::string::npos;
    std::string text = url.tls ? "https://" : "http://";
    text += is_v6 ? "[" + url.host + "]" : url.host;
    if (url.port != standard_port(url.tls)) {
        text += fmt::format(":{}", url.port);
    }
    return text;
}

}  // namespace

Result<WebUrl> parse_web_url(std::string_view text) {
    if (text.size() > kWebUrlBytesMax) {
        return refuse("it is too long");
    }
    WebUrl url;
    std::string_view rest;
    if (starts_with_ignoring_case(text, "https://")) {
        rest = text.substr(8);
    } else if (starts_with_ignoring_case(text, "http://")) {
        url.tls = false;
        rest = text.substr(7);
    } else {
        return refuse("it is no https URL");
    }
    const std::size_t end = std::min(rest.find_first_of("/?#\\"), rest.size());
    const std::string_view authority = rest.substr(0, end);
    if (authority.find('@') != std::string_view::npos) {
        return refuse("a user or password does not belong into it");
    }
    std::size_t host_end = authority.find(':');
    if (authority.starts_with('[')) {
        const std::size_t close = authority.find(']');
        if (close == std::string_view::npos) {
            return refuse("a bracket of its host is missing");
        }
        host_end = close + 1;
    }
    const std::string_view host = authority.substr(0, host_end);
    const std::string_view port = authority.substr(host.size());
    WEIR_TRY(url.host, read_host(host));
    url.port = standard_port(url.tls);
    if (!port.empty()) {
        const auto number = port.starts_with(':') ? parse_decimal(port.substr(1)) : std::nullopt;
        if (!number || *number == 0 || *number > 65'535) {
            return refuse("its port is not a number from 1 to 65535");
        }
        url.port = static_cast<std::uint16_t>(*number);
    }
    WEIR_TRY(url.target, read_target(rest.substr(end)));
    return url;
}

Result<WebUrl> resolve_reference(const WebUrl& base, std::string_view location) {
    const std::string_view path = std::string_view(base.target).substr(0, base.target.find('?'));
    if (!scheme_of(location).empty()) {
        return parse_web_url(location);
    }
    if (location.starts_with("//")) {
        return parse_web_url((base.tls ? "https:" : "http:") + std::string(location));
    }
    std::string text = origin(base);
    if (location.empty() || location.starts_with('#')) {
        text += base.target;
    } else if (location.starts_with('?')) {
        text += path;
    } else if (!location.starts_with('/')) {
        text += path.substr(0, path.rfind('/') + 1);
    }
    return parse_web_url(text + std::string(location));
}

std::string to_text(const WebUrl& url) { return origin(url) + url.target; }

}  // namespace weir::net
