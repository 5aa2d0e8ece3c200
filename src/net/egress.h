// The egress guard: which addresses Weir connects to where somebody other than its operator named
// the host. It judges addresses, never names: whoever uses it resolves once, asks about every
// address, and connects to exactly those (net/fetch.h). Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/address.h"
#include "net/web_url.h"

namespace weir::net {

// What an address is for (the special-purpose registries of IANA). `global` alone is the public
// internet.
enum class AddressRange : std::uint8_t {
    global,
    metadata,     // where clouds hand out the machine's credentials
    unspecified,  // 0.0.0.0/8 too: the loopback to many systems
    loopback,
    private_use,
    shared,  // between a provider's customers: CGNAT
    link_local,
    multicast,
    broadcast,
    documentation,
    benchmarking,
    transition,  // another address in disguise: 6to4, Teredo, v4-compatible, local NAT64
    reserved,
};
std::string_view name(AddressRange range);

// An IPv4 address inside a NAT64 one (64:ff9b::/96, which DNS64 makes for public hosts) is judged
// for itself. Other disguises are never global: nothing public has its address there.
AddressRange range_of(const IpAddress& ip);

struct EgressRules {
    bool allow_http = false;
    // What is allowed beside `global`, at any port, as the addresses stand there. Metadata
    // addresses never are, also in disguise.
    std::vector<Network> allowed;
};

// All fail with invalid_request; the message is a clause that names the rule, never the address,
// the detail names both.
Result<void> check_scheme(const EgressRules& rules, const WebUrl& url);
// Global addresses are asked at the ports of web servers only: 80, 443, 8080, 8443. The others are
// no place for pictures, and knocking at them is what a port scan is.
Result<void> check_address(const EgressRules& rules, const IpAddress& ip, std::uint16_t port);
// Of a host that has several, one that is refused condemns it: a name that mixes them has a reason.
Result<void> check_addresses(const EgressRules& rules,
                             std::span<const IpAddress> addresses,
                             std::uint16_t port);

}  // namespace weir::net
