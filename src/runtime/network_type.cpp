#include "runtime/network_type.h"

namespace weir::runtime {

config::Type<net::Network> network_type() {
    return {[](const config::Position& at, net::Network& into, config::Reporter& reporter) {
                if (at.node.kind == config::Node::Kind::scalar) {
                    if (const auto parsed = net::parse_network(at.node.text)) {
                        into = *parsed;
                        return true;
                    }
                }
                config::detail::report_unexpected(
                    at, "a network such as 10.0.0.0/8 or fd00::/8", reporter);
                return false;
            },
            R"({"type":"string"})"};
}

}  // namespace weir::runtime
