// How sections that may know both read networks: config knows no addresses, net no configuration.
#pragma once

#include "config/types.h"
#include "net/address.h"

namespace weir::runtime {

// "10.0.0.0/8", "fd00::/8", "127.0.0.1".
config::Type<net::Network> network_type();

}  // namespace weir::runtime
