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
    // The same in two steps: what connects before run() waits. Errors: overloaded.
    static Result<std::unique_ptr<SideListener>> make(net::Door door,
                                                      std::unique_ptr<net::Handler> handler);
    void run(std::string thread_name);
    // Cuts what is connected, then joins.
    ~SideListener();
    SideListener(const SideListener&) = delete;

    const net::SocketAddress& address() const { return address_; }
    net::Server& server() { return server_; }

private:
    SideListener(net::ServerOptions options, std::unique_ptr<net::Handler> handler);

    std::unique_ptr<net::Handler> handler_;
    aio::Reactor reactor_;
    net::Server server_;
    net::SocketAddress address_;  // where it began
    std::thread thread_;
};

}  // namespace weir::app
