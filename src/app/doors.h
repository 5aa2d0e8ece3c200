// Where clients and operators come in: bound as the configuration says, or received from a service
// manager or from the gateway whose place this one takes.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "net/server.h"
#include "server/section.h"

namespace weir::app {

struct NamedSockets {
    std::shared_ptr<net::ListenSockets> sockets;  // null: none
    bool is_managed = false;  // the service manager's: the address is its business, not ours
};

struct Inherited {
    NamedSockets api, operations;
};

struct Doors {
    server::ServerSection section;  // as configured
    NamedSockets api, operations;
    std::shared_ptr<net::TlsContext> tls;  // null: plain
    std::size_t tls_content = 0;           // hash of the certificate's files

    net::Door api_door() const { return {api.sockets, tls, section.trusted_proxies}; }
    net::Door operations_door() const { return {operations.sockets, nullptr, {}}; }
};

// Inherited sockets are taken where they are the manager's or at the configured address. Errors:
// invalid_config, naming the key.
Result<Doors> open_doors(const server::ServerSection& section,
                         unsigned threads,
                         const Inherited& inherited);
// The doors for a changed section: what has not changed is kept, and the old ones stay as they are.
// Errors: invalid_config, naming the key.
Result<Doors> change_doors(const Doors& now,
                           const server::ServerSection& section,
                           unsigned threads);

// Of the files with the certificate; nullopt: there are none, or one cannot be read.
std::optional<std::size_t> hash_of_certificate(const server::ServerSection& section);
// Of a file's content; nullopt: it cannot be read.
std::optional<std::size_t> hash_of_file(const std::string& file);

}  // namespace weir::app
