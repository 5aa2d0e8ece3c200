#include "net/egress.h"

#include <gtest/gtest.h>

namespace weir::net {
namespace {

using enum AddressRange;

struct RangeCase {
    std::string_view address;
    AddressRange range;
};

// Every block at its edges, just outside them, and in every disguise that reaches the same place.
constexpr RangeCase kRanges[] = {
    // IPv4
    {"0.0.0.0", unspecified},
    {"0.255.255.255", unspecified},
    {"1.0.0.0", global},
    {"1.1.1.1", global},
    {"8.8.8.8", global},
    {"9.255.255.255", global},
    {"10.0.0.0", private_use},
    {"10.255.255.255", private_use},
    {"11.0.0.0", global},
    {"100.63.255.255", global},
    {"100.64.0.0", shared},
    {"100.100.100.200", metadata},
    {"100.127.255.255", shared},
    {"100.128.0.0", global},
    {"126.255.255.255", global},
    {"127.0.0.1", loopback},
    {"127.255.255.255", loopback},
    {"128.0.0.0", global},
    {"168.63.129.15", global},
    {"168.63.129.16", metadata},
    {"169.253.255.255", global},
    {"169.254.0.0", link_local},
    {"169.254.169.254", metadata},
    {"169.254.170.2", metadata},
    {"169.254.170.23", metadata},
    {"169.254.255.255", link_local},
    {"169.255.0.0", global},
    {"172.15.255.255", global},
    {"172.16.0.0", private_use},
    {"172.31.255.255", private_use},
    {"172.32.0.0", global},
    {"191.255.255.255", global},
    {"192.0.0.1", reserved},
    {"192.0.0.192", metadata},
    {"192.0.1.0", global},
    {"192.0.2.77", documentation},
    {"192.0.3.0", global},
    {"192.88.99.1", transition},
    {"192.88.100.1", global},
    {"192.167.255.255", global},
    {"192.168.0.1", private_use},
    {"192.168.255.255", private_use},
    {"192.169.0.0", global},
    {"198.17.255.255", global},
    {"198.18.0.0", benchmarking},
    {"198.19.255.255", benchmarking},
    {"198.20.0.0", global},
    {"198.51.100.1", documentation},
    {"203.0.113.255", documentation},
    {"203.0.114.0", global},
    {"223.255.255.255", global},
    {"224.0.0.1", multicast},
    {"239.255.255.255", multicast},
    {"240.0.0.1", reserved},
    {"255.255.255.254", reserved},
    {"255.255.255.255", broadcast},
    // IPv4 written as IPv6 is the same address
    {"::ffff:127.0.0.1", loopback},
    {"::ffff:7f00:1", loopback},
    {"::ffff:10.1.2.3", private_use},
    {"::ffff:a9fe:a9fe", metadata},
    {"::ffff:8.8.8.8", global},
    // v4-compatible and v4-translated
    {"::127.0.0.1", transition},
    {"::8.8.8.8", transition},
    {"::a9fe:a9fe", metadata},
    {"::ffff:0:127.0.0.1", transition},
    {"::ffff:0:a9fe:a9fe", metadata},
    // NAT64 is judged by what is inside
    {"64:ff9b::8.8.8.8", global},
    {"64:ff9b::127.0.0.1", loopback},
    {"64:ff9b::10.0.0.1", private_use},
    {"64:ff9b::100.64.0.1", shared},
    {"64:ff9b::169.254.169.254", metadata},
    {"64:ff9b:1::8.8.8.8", transition},
    {"64:ff9b:1::169.254.169.254", metadata},
    {"64:ff9b:1:a9fe:a9:fe00::", metadata},
    {"64:ff9b:0:0:0:1::1", reserved},
    // 6to4 and Teredo
    {"2002:808:808::1", transition},
    {"2002:7f00:1::1", transition},
    {"2002:a00:1::1", transition},
    {"2002:a9fe:a9fe::1", metadata},
    {"2001:0:4136:e378:8000:63bf:3fff:fdd2", transition},
    {"2001:0:a9fe:a9fe::1", metadata},
    {"2001:0:4136:e378:8000:63bf:5601:5601", metadata},
    // ISATAP hides a host behind any prefix
    {"2600::5efe:127.0.0.1", loopback},
    {"2600::200:5efe:10.0.0.1", private_use},
    {"2600::5efe:169.254.169.254", metadata},
    {"2600::5efe:8.8.8.8", global},
    {"fe80::5efe:8.8.8.8", link_local},
    // IPv6
    {"::", unspecified},
    {"::1", loopback},
    {"100::1", reserved},
    {"1fff:ffff::1", reserved},
    {"2001:1::1", reserved},
    {"2001:2::1", benchmarking},
    {"2001:20::1", reserved},
    {"2001:1ff:ffff::1", reserved},
    {"2001:200::1", global},
    {"2001:4860:4860::8888", global},
    {"2001:db7:ffff::1", global},
    {"2001:db8::1", documentation},
    {"2001:db9::1", global},
    {"2606:4700:4700::1111", global},
    {"2a00:1450:4001:81b::200e", global},
    {"3ffe::1", reserved},
    {"3fff:fff::1", documentation},
    {"3fff:1000::1", global},
    {"4000::1", reserved},
    {"5f00::1", reserved},
    {"fbff::1", reserved},
    {"fc00::1", private_use},
    {"fd00:ec2::254", metadata},
    {"fd00:ec2::253", metadata},
    {"fd20:ce::254", metadata},
    {"fdff:ffff::1", private_use},
    {"fe00::1", reserved},
    {"fe80::1", link_local},
    {"febf::1", link_local},
    {"fec0::1", private_use},
    {"feff::1", private_use},
    {"ff00::1", multicast},
    {"ff02::1", multicast},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", multicast},
};
static_assert(std::size(kRanges) >= 80);

TEST(Egress, KnowsWhatEveryAddressIsFor) {
    for (const RangeCase& c : kRanges) {
        const auto ip = parse_ip(c.address);
        ASSERT_TRUE(ip) << c.address;
        EXPECT_EQ(name(range_of(*ip)), name(c.range)) << c.address;
    }
}

TEST(Egress, LetsNothingThroughThatIsNotGlobal) {
    const EgressRules rules;
    for (const RangeCase& c : kRanges) {
        const auto verdict = check_address(rules, *parse_ip(c.address), 443);
        EXPECT_EQ(verdict.has_value(), c.range == global) << c.address;
        if (!verdict) {
            EXPECT_EQ(verdict.error().code(), Code::invalid_request);
            EXPECT_EQ(verdict.error().message(), "its host has an address that is not public");
            EXPECT_NE(verdict.error().detail().find(name(c.range)), std::string::npos);
        }
    }
}

TEST(Egress, AllowsWhatTheOperatorAllowsButMetadata) {
    const EgressRules everything{.allowed = {*parse_network("0.0.0.0/0"), *parse_network("::/0")}};
    for (const RangeCase& c : kRanges) {
        EXPECT_EQ(check_address(everything, *parse_ip(c.address), 5432).has_value(),
                  c.range != metadata)
            << c.address;
    }
}

struct AllowCase {
    std::string_view network, address;
    std::uint16_t port;
    bool is_allowed;
};

TEST(Egress, AllowsNetworksAsTheyAreWritten) {
    for (const AllowCase& c : {
             AllowCase{"10.0.0.0/8", "10.1.2.3", 9000, true},
             AllowCase{"10.0.0.0/8", "::ffff:10.1.2.3", 9000, true},
             AllowCase{"10.0.0.0/8", "11.1.2.3", 443, true},  // global, and a web server's port
             AllowCase{"10.0.0.0/8", "11.1.2.3", 9000, false},
             AllowCase{"10.0.0.0/8", "192.168.0.1", 443, false},
             AllowCase{"10.0.0.0/8", "64:ff9b::10.1.2.3", 443, false},  // not the same door
             AllowCase{"10.0.0.0/8", "2002:a01:203::1", 443, false},
             AllowCase{"127.0.0.1", "127.0.0.2", 443, false},
             AllowCase{"127.0.0.0/8", "::1", 443, false},
             AllowCase{"::1/128", "::1", 8081, true},
             AllowCase{"::1/128", "127.0.0.1", 443, false},
             AllowCase{"fd00::/8", "fd12::7", 443, true},
             AllowCase{"fd00::/8", "fd00:ec2::254", 443, false},
             AllowCase{"169.254.0.0/16", "169.254.1.1", 80, true},
             AllowCase{"169.254.169.254/32", "169.254.169.254", 80, false},
             AllowCase{"2002::/16", "2002:a9fe:a9fe::1", 80, false},
         }) {
        const EgressRules rules{.allowed = {*parse_network(c.network)}};
        EXPECT_EQ(check_address(rules, *parse_ip(c.address), c.port).has_value(), c.is_allowed)
            << c.network << " " << c.address << " " << c.port;
    }
}

TEST(Egress, PublicHostsAreAskedWhereWebServersAre) {
    const auto public_host = *parse_ip("1.1.1.1");
    for (const std::uint16_t port : std::vector<std::uint16_t>{80, 443, 8080, 8443}) {
        EXPECT_TRUE(check_address({}, public_host, port)) << port;
    }
    for (const std::uint16_t port :
         std::vector<std::uint16_t>{1, 22, 25, 53, 81, 444, 6379, 11211, 65535}) {
        const auto verdict = check_address({}, public_host, port);
        ASSERT_FALSE(verdict) << port;
        EXPECT_EQ(verdict.error().message().find("1.1.1.1"), std::string::npos);
    }
}

TEST(Egress, OneBadAddressCondemnsAHost) {
    const auto hidden = {*parse_ip("10.0.0.1"), *parse_ip("::1"), *parse_ip("169.254.169.254")};
    for (const IpAddress& bad : hidden) {
        std::vector<IpAddress> addresses(3, *parse_ip("1.1.1.1"));
        EXPECT_TRUE(check_addresses({}, addresses, 443));
        for (IpAddress& one : addresses) {
            const IpAddress good = std::exchange(one, bad);
            EXPECT_FALSE(check_addresses({}, addresses, 443)) << to_text(bad);
            one = good;
        }
    }
}

TEST(Egress, PlainHttpMustBeAllowed) {
    const WebUrl plain{.tls = false, .host = "h", .port = 80, .target = "/"};
    const WebUrl secret{.host = "h", .target = "/"};
    EXPECT_FALSE(check_scheme({}, plain));
    EXPECT_TRUE(check_scheme({}, secret));
    EXPECT_TRUE(check_scheme({.allow_http = true}, plain));
}

}  // namespace
}  // namespace weir::net
