// One server on one thread of its own, beside the call threads: the operations listener, the
// built-in simulator.
#pragma once

#include <memory>
#include <string>
#include <thread>

#include "aio/reactor.h"
#include "net/server.h"

namespace weir::app {

class SideListener {
public:
    // Errors: invalid_config.
    static Result<std::unique_ptr<SideListener>> start(std::string thread_name,
                                                       net::ServerOptions options,
                                                       std::unique_ptr<net::Handler> handler);
    // Cuts what is connected, then joins.
    ~SideListener();
    SideListener(const SideListener&) = delete;

    const net::SocketAddress& address() const { return address_; }

private:
    SideListener(net::ServerOptions options, std::unique_ptr<net::Handler> handler);

    std::unique_ptr<net::Handler> handler_;
    aio::Reactor reactor_;
    net::Server server_;
    net::SocketAddress address_;
    std::thread thread_;
};

}  // namespace weir::app
