// The `server:` section of the configuration. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/snapshot.h"
#include "net/address.h"

namespace weir::server {

struct TlsFiles {
    std::string cert, key;
};

struct ServerSection {
    net::SocketAddress listen;
    net::SocketAddress operations;
    std::optional<unsigned> threads;  // absent: one per processor
    std::vector<net::Network> trusted_proxies;
    std::optional<TlsFiles> tls;
    std::chrono::milliseconds drain{std::chrono::seconds{30}};  // for running calls, on SIGTERM
};

config::Section server_section();

}  // namespace weir::server
