#include "server/section.h"

#include "base/text.h"
#include "runtime/network_type.h"

namespace weir::server {
namespace {

constexpr unsigned kThreadsMax = 256;

config::Type<net::SocketAddress> address() {
    return {[](const config::Position& at, net::SocketAddress& into, config::Reporter& reporter) {
                if (at.node.kind == config::Node::Kind::scalar) {
                    if (auto parsed = net::parse_socket_address(at.node.text)) {
                        into = *parsed;
                        return true;
                    }
                }
                config::detail::report_unexpected(
                    at, "an address and port such as 127.0.0.1:8080 or [::1]:8080", reporter);
                return false;
            },
            R"({"type":"string"})"};
}

config::Type<std::optional<unsigned>> threads() {
    return {
        [](const config::Position& at, std::optional<unsigned>& into, config::Reporter& reporter) {
            if (at.node.kind == config::Node::Kind::scalar) {
                if (at.node.text == "auto") {
                    into.reset();
                    return true;
                }
                const auto count = parse_decimal(at.node.text);
                if (count && *count >= 1 && *count <= kThreadsMax) {
                    into = static_cast<unsigned>(*count);
                    return true;
                }
            }
            config::detail::report_unexpected(at, "auto, or a number from 1 to 256", reporter);
            return false;
        },
        R"({"anyOf":[{"const":"auto"},{"type":"integer","minimum":1,"maximum":256}]})"};
}

}  // namespace

config::Section server_section() {
    config::Object<TlsFiles> tls;
    tls.required("cert", &TlsFiles::cert, config::text(), "PEM file with the certificate chain")
        .required("key", &TlsFiles::key, config::text(), "PEM file with the private key");
    config::Object<ServerSection> server;
    server
        .field("listen",
               &ServerSection::listen,
               address(),
               "where clients connect; 127.0.0.1:8080 unless set")
        .field("operations",
               &ServerSection::operations,
               address(),
               "where /metrics, /livez and /readyz are; 127.0.0.1:9090 unless set")
        .field("threads",
               &ServerSection::threads,
               threads(),
               "threads that carry calls; one per processor unless set")
        .field("trusted_proxies",
               &ServerSection::trusted_proxies,
               config::list(runtime::network_type()),
               "networks whose X-Forwarded-For is believed; none unless set")
        .field("tls",
               &ServerSection::tls,
               config::optional(tls.type()),
               "serve clients over TLS; plain unless set")
        .field("drain",
               &ServerSection::drain,
               config::duration(std::chrono::milliseconds{0}, std::chrono::hours{1}),
               "how long running calls may go on after SIGTERM; 30s unless set");
    ServerSection defaults;
    defaults.listen = net::parse_socket_address("127.0.0.1:8080").value();
    defaults.operations = net::parse_socket_address("127.0.0.1:9090").value();
    return config::section<ServerSection>(
        "server", "where Weir listens", server.type(), std::move(defaults));
}

}  // namespace weir::server
