// Internet addresses as values: an IP (v4 is kept in its v6-mapped form, so that there is one
// kind), an address to listen on or connect to, and a network for allow lists. Pure but for the
// sockaddr they wrap.
#pragma once

#include <sys/socket.h>

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::net {

struct IpAddress {
    std::array<std::uint8_t, 16> bytes{};  // IPv4 as ::ffff:a.b.c.d
    auto operator<=>(const IpAddress&) const = default;
    bool is_v4() const;
    bool is_loopback() const;
};
std::string to_text(const IpAddress& ip);
// "10.0.0.1", "::1"; nothing in brackets, no zone, no abbreviations of IPv4.
std::optional<IpAddress> parse_ip(std::string_view text);

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t size = 0;

    static SocketAddress from(const IpAddress& ip, std::uint16_t port);
    IpAddress ip() const;
    std::uint16_t port() const;
    const sockaddr* raw() const { return reinterpret_cast<const sockaddr*>(&storage); }
    sockaddr* raw() { return reinterpret_cast<sockaddr*>(&storage); }
};
std::string to_text(const SocketAddress& address);  // "127.0.0.1:8080", "[::1]:8080"
// "127.0.0.1:8080", "[::1]:0"; the host must be an address, not a name.
Result<SocketAddress> parse_socket_address(std::string_view text);

// A CIDR block.
struct Network {
    IpAddress base;
    unsigned prefix_bits = 128;  // of the v6-mapped form
    bool contains(const IpAddress& ip) const;
};
std::optional<Network> parse_network(std::string_view text);

// The client's address: the peer's, or, where the peer is a trusted proxy, the last address of
// X-Forwarded-For that is not one itself. What an untrusted peer writes there changes nothing.
IpAddress client_address(const IpAddress& peer,
                         std::string_view forwarded_for,
                         const std::vector<Network>& trusted_proxies);

}  // namespace weir::net
