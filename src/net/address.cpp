#include "net/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace weir::net {
namespace {

constexpr std::array<std::uint8_t, 12> kMappedV4{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

bool IpAddress::is_v4() const {
    return std::equal(kMappedV4.begin(), kMappedV4.end(), bytes.begin());
}

bool IpAddress::is_loopback() const {
    static constexpr std::array<std::uint8_t, 16> kLoopback6{
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    return is_v4() ? bytes[12] == 127 : bytes == kLoopback6;
}

std::string to_text(const IpAddress& ip) {
    if (ip.is_v4()) {  // every access log line has one: inet_ntop goes through printf
        std::string text;
        for (std::size_t i = 12; i < ip.bytes.size(); ++i) {
            const fmt::format_int number(static_cast<unsigned>(ip.bytes[i]));
            text.append(i == 12 ? "" : ".").append(number.data(), number.size());
        }
        return text;
    }
    char text[INET6_ADDRSTRLEN] = {};
    ::inet_ntop(AF_INET6, ip.bytes.data(), text, sizeof text);
    return text;
}

std::optional<IpAddress> parse_ip(std::string_view text) {
    char terminated[INET6_ADDRSTRLEN];
    if (text.empty() || text.size() >= sizeof terminated) {
        return std::nullopt;
    }
    std::memcpy(terminated, text.data(), text.size());
    terminated[text.size()] = '\0';
    IpAddress ip;
    if (::inet_pton(AF_INET6, terminated, ip.bytes.data()) == 1) {
        return ip;
    }
    std::copy(kMappedV4.begin(), kMappedV4.end(), ip.bytes.begin());
    if (::inet_pton(AF_INET, terminated, ip.bytes.data() + 12) == 1) {
        return ip;
    }
    return std::nullopt;
}

SocketAddress SocketAddress::from(const IpAddress& ip, std::uint16_t port) {
    SocketAddress address;
    if (ip.is_v4()) {
        auto& v4 = reinterpret_cast<sockaddr_in&>(address.storage);
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, ip.bytes.data() + 12, 4);
        address.size = sizeof v4;
    } else {
        auto& v6 = reinterpret_cast<sockaddr_in6&>(address.storage);
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        std::memcpy(&v6.sin6_addr, ip.bytes.data(), 16);
        address.size = sizeof v6;
    }
    return address;
}

IpAddress SocketAddress::ip() const {
    IpAddress ip;
    if (storage.ss_family == AF_INET) {
        std::copy(kMappedV4.begin(), kMappedV4.end(), ip.bytes.begin());
        std::memcpy(
            ip.bytes.data() + 12, &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, 4);
    } else {
        std::memcpy(ip.bytes.data(), &reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr, 16);
    }
    return ip;
}

std::uint16_t SocketAddress::port() const {
    return ntohs(storage.ss_family == AF_INET
                     ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                     : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
}

std::string to_text(const SocketAddress& address) {
    const IpAddress ip = address.ip();
    return ip.is_v4() ? fmt::format("{}:{}", to_text(ip), address.port())
                      : fmt::format("[{}]:{}", to_text(ip), address.port());
}

Result<SocketAddress> parse_socket_address(std::string_view text) {
    const auto refuse = [text] {
        return fail(
            Code::invalid_config,
            fmt::format("'{}' is not an address: write 127.0.0.1:8080 or [::1]:8080.", text));
    };
    const std::size_t colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return refuse();
    }
    std::string_view host = text.substr(0, colon);
    if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
        host = host.substr(1, host.size() - 2);
    } else if (host.find(':') != std::string_view::npos) {
        return refuse();
    }
    const auto port = parse_decimal(text.substr(colon + 1));
    const auto ip = host.empty() ? parse_ip("0.0.0.0") : parse_ip(host);
    if (!ip || !port || *port > 65'535) {
        return refuse();
    }
    return SocketAddress::from(*ip, static_cast<std::uint16_t>(*port));
}

bool Network::contains(const IpAddress& ip) const {
    const std::size_t whole = prefix_bits / 8;
    if (!std::equal(base.bytes.begin(),
                    base.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                    ip.bytes.begin())) {
        return false;
    }
    const unsigned rest = prefix_bits % 8;
    if (rest == 0) {
        return true;
    }
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - rest));
    return ((base.bytes[whole] ^ ip.bytes[whole]) & mask) == 0;
}

std::optional<Network> parse_network(std::string_view text) {
    const std::size_t slash = text.find('/');
    const auto ip = parse_ip(text.substr(0, slash));
    if (!ip) {
        return std::nullopt;
    }
    const unsigned offset = ip->is_v4() ? 96 : 0;
    if (slash == std::string_view::npos) {
        return Network{.base = *ip, .prefix_bits = 128};
    }
    const auto bits = parse_decimal(text.substr(slash + 1));
    if (!bits || *bits > 128 - offset) {
        return std::nullopt;
    }
    return Network{.base = *ip, .prefix_bits = static_cast<unsigned>(*bits) + offset};
}

IpAddress client_address(const IpAddress& peer,
                         std::string_view forwarded_for,
                         const std::vector<Network>& trusted_proxies) {
    const auto is_trusted = [&](const IpAddress& ip) {
        return std::any_of(trusted_proxies.begin(),
                           trusted_proxies.end(),
                           [&](const Network& network) { return network.contains(ip); });
    };
    IpAddress client = peer;
    while (!forwarded_for.empty() && is_trusted(client)) {
        const std::size_t comma = forwarded_for.rfind(',');
        const auto last =
            comma == std::string_view::npos ? forwarded_for : forwarded_for.substr(comma + 1);
        const auto ip = parse_ip(trim(last));
        if (!ip) {
            break;  // whoever wrote this is not to be believed further
        }
        client = *ip;
        forwarded_for =
            comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
    }
    return client;
}

}  // namespace weir::net
