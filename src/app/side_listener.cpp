#include "app/side_listener.h"

#include <pthread.h>

namespace weir::app {

SideListener::SideListener(net::ServerOptions options, std::unique_ptr<net::Handler> handler)
    : handler_(std::move(handler)), server_(std::move(options), {&reactor_}, {handler_.get()}) {}

Result<std::unique_ptr<SideListener>> SideListener::start(std::string thread_name,
                                                          net::ServerOptions options,
                                                          std::unique_ptr<net::Handler> handler) {
    std::unique_ptr<SideListener> listener(
        new SideListener(std::move(options), std::move(handler)));
    WEIR_TRY(listener->address_, listener->server_.listen());
    listener->run(std::move(thread_name));
    return listener;
}

Result<std::unique_ptr<SideListener>> SideListener::make(net::Door door,
                                                         std::unique_ptr<net::Handler> handler) {
    std::unique_ptr<SideListener> listener(new SideListener({}, std::move(handler)));
    listener->address_ = door.sockets->address();
    WEIR_TRY(listener->server_.open(std::move(door)));
    return listener;
}

void SideListener::run(std::string thread_name) {
    thread_ = std::thread([this, name = std::move(thread_name)] {
        ::pthread_setname_np(::pthread_self(), name.c_str());
        reactor_.run(server_.serve(0));
    });
}

SideListener::~SideListener() {
    if (thread_.joinable()) {
        server_.drain(std::chrono::nanoseconds{0});
        thread_.join();
    }
}

}  // namespace weir::app
