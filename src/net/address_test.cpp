#include "net/address.h"

#include <gtest/gtest.h>

namespace weir::net {
namespace {

TEST(Address, TextGoesThereAndBack) {
    for (const auto* text : {"127.0.0.1:8080", "[::1]:0", "0.0.0.0:65535", "[2001:db8::7]:443"}) {
        const auto address = parse_socket_address(text);
        ASSERT_TRUE(address) << text;
        EXPECT_EQ(to_text(*address), text);
    }
    for (const auto* bad :
         {"", "8080", "localhost:80", "::1:80", "127.0.0.1:65536", "127.0.0.1:", "[::1]"}) {
        EXPECT_FALSE(parse_socket_address(bad)) << bad;
    }
}

TEST(Network, ContainsItsOwnAndNothingElse) {
    struct Case {
        std::string_view network, ip;
        bool inside;
    };
    for (const Case& c : {Case{"10.0.0.0/8", "10.255.0.1", true},
                          Case{"10.0.0.0/8", "11.0.0.1", false},
                          Case{"192.168.1.128/25", "192.168.1.127", false},
                          Case{"192.168.1.128/25", "192.168.1.200", true},
                          Case{"127.0.0.1", "127.0.0.1", true},
                          Case{"2001:db8::/33", "2001:db8:7fff::1", true},
                          Case{"2001:db8::/33", "2001:db8:8000::1", false},
                          Case{"0.0.0.0/0", "::1", false}}) {
        const auto network = parse_network(c.network);
        ASSERT_TRUE(network) << c.network;
        EXPECT_EQ(network->contains(*parse_ip(c.ip)), c.inside) << c.network << " " << c.ip;
    }
    EXPECT_FALSE(parse_network("10.0.0.0/33"));
    EXPECT_FALSE(parse_network("ten/8"));
}

TEST(ClientAddress, BelievesTrustedProxiesOnly) {
    const std::vector<Network> trusted{*parse_network("10.0.0.0/8")};
    const auto proxy = *parse_ip("10.0.0.1");
    const auto stranger = *parse_ip("203.0.113.9");
    const auto client = [&](const IpAddress& peer, std::string_view header) {
        return to_text(client_address(peer, header, trusted));
    };
    EXPECT_EQ(client(stranger, "1.2.3.4"), "203.0.113.9");
    EXPECT_EQ(client(proxy, "1.2.3.4"), "1.2.3.4");
    EXPECT_EQ(client(proxy, "6.6.6.6, 1.2.3.4, 10.0.0.2"),
              "1.2.3.4");  // what the client itself wrote is not read
    EXPECT_EQ(client(proxy, "6.6.6.6, nonsense"), "10.0.0.1");
    EXPECT_EQ(client(proxy, ""), "10.0.0.1");
}

}  // namespace
}  // namespace weir::net
