// Any text as an address, a network, or a chain of proxies: what is read is written and read the
// same, and an untrusted peer never chooses the address he is taken for.
#include <cstdint>

#include "base/assert.h"
#include "net/address.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace weir::net;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto ip = parse_ip(text)) {
        WEIR_ASSERT(parse_ip(to_text(*ip)) == *ip);
    }
    if (const auto address = parse_socket_address(text)) {
        const auto again = parse_socket_address(to_text(*address));
        WEIR_ASSERT(again && again->ip() == address->ip() && again->port() == address->port());
    }
    const IpAddress peer = parse_ip("192.0.2.1").value();
    std::vector<Network> trusted = {parse_network("10.0.0.0/8").value()};
    if (const auto network = parse_network(text)) {
        WEIR_ASSERT(network->contains(network->base));
    }
    WEIR_ASSERT(client_address(peer, text, trusted) == peer);
    trusted.push_back(parse_network("192.0.2.0/24").value());
    const IpAddress client = client_address(peer, text, trusted);
    WEIR_ASSERT(client == peer || parse_ip(to_text(client)) == client);
    return 0;
}
