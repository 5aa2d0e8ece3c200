#include "net/egress.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace weir::net {
namespace {

struct Block {
    Network network;
    AddressRange range;
};

Block block(std::string_view network, AddressRange range) {
    return {.network = parse_network(network).value(), .range = range};
}

// The first that fits decides.
const std::vector<Block>& blocks_v4() {
    using enum AddressRange;
    static const std::vector<Block> blocks{
        block("0.0.0.0/8", unspecified),
        block("10.0.0.0/8", private_use),
        block("100.64.0.0/10", shared),
        block("127.0.0.0/8", loopback),
        block("169.254.0.0/16", link_local),
        block("172.16.0.0/12", private_use),
        block("192.0.0.0/24", reserved),
        block("192.0.2.0/24", documentation),
        block("192.88.99.0/24", transition),
        block("192.168.0.0/16", private_use),
        block("198.18.0.0/15", benchmarking),
        block("198.51.100.0/24", documentation),
        block("203.0.113.0/24", documentation),
        block("224.0.0.0/4", multicast),
        block("255.255.255.255/32", broadcast),
        block("240.0.0.0/4", reserved),
    };
    return blocks;
}

// What is in none of these and not in 2000::/3 was never given to anybody.
const std::vector<Block>& blocks_v6() {
    using enum AddressRange;
    static const std::vector<Block> blocks{
        block("::/128", unspecified),
        block("::1/128", loopback),
        block("::/96", transition),            // v4-compatible
        block("::ffff:0:0:0/96", transition),  // v4-translated
        block("64:ff9b:1::/48", transition),   // NAT64 of a network's own
        block("2001::/32", transition),        // Teredo
        block("2001:2::/48", benchmarking),
        block("2001:db8::/32", documentation),
        block("2001::/23", reserved),
        block("2002::/16", transition),  // 6to4
        block("3ffe::/16", reserved),    // the old 6bone, and Teredo before its standard
        block("3fff::/20", documentation),
        block("2000::/3", global),
        block("fc00::/7", private_use),
        block("fe80::/10", link_local),
        block("fec0::/10", private_use),  // site-local, before fc00::/7
        block("ff00::/8", multicast),
    };
    return blocks;
}

// Amazon, Google, Azure, DigitalOcean and most others share one; the others are of containers
// (Amazon), Alibaba, Oracle's older cloud, Azure's host agent, and of IPv6 at Amazon and Google.
bool is_metadata_itself(const IpAddress& ip) {
    static const std::vector<IpAddress> addresses = [] {
        std::vector<IpAddress> parsed;
        for (const std::string_view text : {"169.254.169.254",
                                            "169.254.169.253",
                                            "169.254.170.2",
                                            "169.254.170.23",
                                            "100.100.100.200",
                                            "192.0.0.192",
                                            "168.63.129.16",
                                            "fd00:ec2::254",
                                            "fd00:ec2::253",
                                            "fd00:ec2::23",
                                            "fd20:ce::254"}) {
            parsed.push_back(parse_ip(text).value());
        }
        return parsed;
    }();
    return std::find(addresses.begin(), addresses.end(), ip) != addresses.end();
}

// Where an IPv4 address stands inside an IPv6 one.
struct Disguise {
    Network network;
    std::array<std::uint8_t, 4> at;
    bool is_inverted = false;
};

const std::vector<Disguise>& disguises() {
    static const std::vector<Disguise> all{
        {parse_network("::/96").value(), {12, 13, 14, 15}},
        {parse_network("::ffff:0:0:0/96").value(), {12, 13, 14, 15}},
        {parse_network("64:ff9b::/96").value(), {12, 13, 14, 15}},
        {parse_network("64:ff9b:1::/48").value(), {12, 13, 14, 15}},
        {parse_network("64:ff9b:1::/48").value(), {6, 7, 9, 10}},  // RFC 6052 leaves out byte 8
        {parse_network("2002::/16").value(), {2, 3, 4, 5}},
        {parse_network("2001::/32").value(), {4, 5, 6, 7}},            // Teredo's server
        {parse_network("2001::/32").value(), {12, 13, 14, 15}, true},  // Teredo's client
    };
    return all;
}

// An interface of ISATAP (RFC 5214) under any prefix: …:0:5efe:a.b.c.d or …:200:5efe:a.b.c.d.
bool is_isatap(const IpAddress& ip) {
    const auto& b = ip.bytes;
    return (b[8] == 0x00 || b[8] == 0x02) && b[9] == 0x00 && b[10] == 0x5e && b[11] == 0xfe;
}

IpAddress v4_within(const IpAddress& ip, const Disguise& disguise) {
    IpAddress inner = parse_ip("0.0.0.0").value();
    for (std::size_t i = 0; i < disguise.at.size(); ++i) {
        const std::uint8_t byte = ip.bytes[disguise.at[i]];
        inner.bytes[12 + i] = disguise.is_inverted ? static_cast<std::uint8_t>(~byte) : byte;
    }
    return inner;
}

IpAddress v4_at_the_end(const IpAddress& ip) {
    return v4_within(ip, {.network = {}, .at = {12, 13, 14, 15}});
}

bool is_metadata(const IpAddress& ip) {
    if (is_metadata_itself(ip) || (is_isatap(ip) && is_metadata_itself(v4_at_the_end(ip)))) {
        return true;
    }
    return std::any_of(disguises().begin(), disguises().end(), [&ip](const Disguise& disguise) {
        return disguise.network.contains(ip) && is_metadata_itself(v4_within(ip, disguise));
    });
}

AddressRange find(const std::vector<Block>& blocks, const IpAddress& ip, AddressRange otherwise) {
    const auto found = std::find_if(blocks.begin(), blocks.end(), [&ip](const Block& block) {
        return block.network.contains(ip);
    });
    return found == blocks.end() ? otherwise : found->range;
}

bool is_nat64(const IpAddress& ip) {
    static const Network network = parse_network("64:ff9b::/96").value();
    return network.contains(ip);
}

}  // namespace

std::string_view name(AddressRange range) {
    switch (range) {
        case AddressRange::global:
            return "global";
        case AddressRange::metadata:
            return "metadata";
        case AddressRange::unspecified:
            return "unspecified";
        case AddressRange::loopback:
            return "loopback";
        case AddressRange::private_use:
            return "private";
        case AddressRange::shared:
            return "shared";
        case AddressRange::link_local:
            return "link-local";
        case AddressRange::multicast:
            return "multicast";
        case AddressRange::broadcast:
            return "broadcast";
        case AddressRange::documentation:
            return "documentation";
        case AddressRange::benchmarking:
            return "benchmarking";
        case AddressRange::transition:
            return "transition";
        case AddressRange::reserved:
            return "reserved";
    }
    std::unreachable();
}

AddressRange range_of(const IpAddress& ip) {
    if (is_metadata(ip)) {
        return AddressRange::metadata;
    }
    if (ip.is_v4()) {
        return find(blocks_v4(), ip, AddressRange::global);
    }
    if (is_nat64(ip)) {
        return range_of(v4_at_the_end(ip));
    }
    const AddressRange range = find(blocks_v6(), ip, AddressRange::reserved);
    if (range == AddressRange::global && is_isatap(ip)) {
        return range_of(v4_at_the_end(ip));
    }
    return range;
}

Result<void> check_scheme(const EgressRules& rules, const WebUrl& url) {
    if (!url.tls && !rules.allow_http) {
        return fail(Code::invalid_request, "only https URLs are fetched");
    }
    return {};
}

Result<void> check_address(const EgressRules& rules, const IpAddress& ip, std::uint16_t port) {
    static constexpr std::array<std::uint16_t, 4> kWebPorts{80, 443, 8080, 8443};
    const AddressRange range = range_of(ip);
    const bool is_allowed =
        std::any_of(rules.allowed.begin(), rules.allowed.end(), [&ip](const Network& network) {
            return network.contains(ip);
        });
    if (range == AddressRange::metadata || (range != AddressRange::global && !is_allowed)) {
        return fail(Code::invalid_request, "its host has an address that is not public")
            .detail(fmt::format("{} is {}", to_text(ip), name(range)));
    }
    if (!is_allowed && std::find(kWebPorts.begin(), kWebPorts.end(), port) == kWebPorts.end()) {
        return fail(Code::invalid_request,
                    "its port is none of 80, 443, 8080 and 8443, where web servers are")
            .detail(fmt::format("{} port {}", to_text(ip), port));
    }
    return {};
}

Result<void> check_addresses(const EgressRules& rules,
                             std::span<const IpAddress> addresses,
                             std::uint16_t port) {
    for (const IpAddress& ip : addresses) {
        WEIR_TRY(check_address(rules, ip, port));
    }
    return {};
}

}  // namespace weir::net
