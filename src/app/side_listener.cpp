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
    listener->thread_ = std::thread([made = listener.get(), name = std::move(thread_name)] {
        ::pthread_setname_np(::pthread_self(), name.c_str());
        made->reactor_.run(made->server_.serve(0));
    });
    return listener;
}

SideListener::~SideListener() {
    if (thread_.joinable()) {
        server_.drain(std::chrono::nanoseconds{0});
        thread_.join();
    }
}

}  // namespace weir::app
