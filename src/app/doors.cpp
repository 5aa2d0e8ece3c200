#include "app/doors.h"

#include <fstream>
#include <iterator>

namespace weir::app {
namespace {

constexpr std::string_view kListen = "server.listen";
constexpr std::string_view kOperations = "server.operations";

// Port 0 stands for any.
bool is_at(const net::SocketAddress& actual, const net::SocketAddress& configured) {
    return actual.ip() == configured.ip() &&
           (configured.port() == 0 || actual.port() == configured.port());
}

Result<NamedSockets> open_one(const NamedSockets& inherited,
                              const net::SocketAddress& address,
                              unsigned count,
                              std::string_view key) {
    if (inherited.sockets != nullptr &&
        (inherited.is_managed || is_at(inherited.sockets->address(), address))) {
        return inherited;
    }
    // A gateway that goes may have the same port at another address.
    WEIR_TRY(auto sockets, net::ListenSockets::bind(address, count, key, inherited.sockets.get()));
    return NamedSockets{.sockets = std::move(sockets)};
}

Result<NamedSockets> change_one(const NamedSockets& now,
                                const net::SocketAddress& before,
                                const net::SocketAddress& address,
                                unsigned count,
                                std::string_view key) {
    if (now.is_managed || net::to_text(before) == net::to_text(address)) {
        return now;
    }
    WEIR_TRY(auto sockets, net::ListenSockets::bind(address, count, key, now.sockets.get()));
    return NamedSockets{.sockets = std::move(sockets)};
}

Result<void> load_certificate(Doors& doors, const Doors* before) {
    const auto& files = doors.section.tls;
    if (!files) {
        return {};
    }
    doors.tls_content = hash_of_certificate(doors.section).value_or(0);
    // The same files with the same content: who has talked to us before may resume his session.
    if (before != nullptr && before->tls != nullptr && doors.tls_content != 0 &&
        before->tls_content == doors.tls_content) {
        doors.tls = before->tls;
        return {};
    }
    auto made = net::TlsContext::server(files->cert, files->key);
    if (!made) {
        return fail(Code::invalid_config, "server.tls: " + made.error().message())
            .detail(made.error().detail());
    }
    doors.tls = std::move(*made);
    return {};
}

}  // namespace

Result<Doors> open_doors(const server::ServerSection& section,
                         unsigned threads,
                         const Inherited& inherited) {
    Doors doors{.section = section};
    WEIR_TRY(load_certificate(doors, nullptr));
    WEIR_TRY(doors.api, open_one(inherited.api, section.listen, threads, kListen));
    WEIR_TRY(doors.operations, open_one(inherited.operations, section.operations, 1, kOperations));
    return doors;
}

Result<Doors> change_doors(const Doors& now,
                           const server::ServerSection& section,
                           unsigned threads) {
    Doors doors{.section = section};
    WEIR_TRY(load_certificate(doors, &now));
    WEIR_TRY(doors.api, change_one(now.api, now.section.listen, section.listen, threads, kListen));
    WEIR_TRY(
        doors.operations,
        change_one(now.operations, now.section.operations, section.operations, 1, kOperations));
    return doors;
}

std::optional<std::size_t> hash_of_file(const std::string& file) {
    std::ifstream in(file, std::ios::binary);
    if (!in) {
        return std::nullopt;
    }
    const std::string text(std::istreambuf_iterator<char>(in), {});
    return in.bad() ? std::nullopt : std::optional(std::hash<std::string>{}(text));
}

std::optional<std::size_t> hash_of_certificate(const server::ServerSection& section) {
    if (!section.tls) {
        return std::nullopt;
    }
    const auto certificate = hash_of_file(section.tls->cert);
    const auto key = hash_of_file(section.tls->key);
    if (!certificate || !key) {
        return std::nullopt;
    }
    constexpr std::size_t kSpread = 1'000'003;  // the two in one number, in this order
    return *certificate * kSpread + *key;
}

}  // namespace weir::app
