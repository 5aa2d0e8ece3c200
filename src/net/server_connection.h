// One client connection: reads heads, calls the handler, keeps alive or closes. Internal to the
// server.
#pragma once

#include "net/server.h"

namespace weir::net {

class ServerConnection {
public:
    ServerConnection(Server& server,
                     Handler& handler,
                     int fd,
                     const SocketAddress& peer,
                     std::shared_ptr<Server::Entrance> entrance,
                     std::uint64_t jitter);
    ServerConnection(const ServerConnection&) = delete;

    // Until the connection is to be closed. Never throws.
    aio::Task<void> run();
    // Draining: a connection that was between two requests before it began ends now.
    void leave_if_idle();

    ServerConnection* prev = nullptr;  // the thread's list
    ServerConnection* next = nullptr;

private:
    friend class ServerCall;
    enum class Next : std::uint8_t { serve, close };

    aio::Task<Next> await_request();
    aio::Task<Next> serve_request();
    aio::Task<void> refuse(const Error& error);
    aio::Task<void> close_lingering();
    bool may_keep_alive() const;
    bool is_to_leave() const { return server_.is_draining() || entrance_->is_closed; }

    Server& server_;
    std::shared_ptr<const Server::Entrance> entrance_;
    const ServerLimits& limits_;
    Handler& handler_;
    Stream stream_;
    IpAddress peer_;
    aio::Pooled<RequestHeadParser> parser_;  // none while idle, nor once the request is released
    Buffer input_;  // what was received and not yet consumed; starts with the current request
    SteadyTime age_limit_;
    std::size_t requests_ = 0;
    aio::Context* idle_context_ = nullptr;  // set while waiting between two requests
    bool leaves_ = false;
    bool is_last_wait_ =
        false;  // it became idle while the server drained: a short wait, of its own
};

}  // namespace weir::net
