// Listening TCP sockets: bound here, or received from whoever held them before. Owns them; a server
// works on duplicates, so that they can be handed on while it does. Values but for the sockets; any
// thread.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "net/address.h"

namespace weir::net {

class ListenSockets {
public:
    // `count` sockets at one address (port 0 is resolved), between which the kernel spreads what
    // comes. `key` names the address in messages. An address that another program uses is refused,
    // one that only `beside` (may be null) uses is not. Errors: invalid_config.
    static Result<std::shared_ptr<ListenSockets>> bind(const SocketAddress& address,
                                                       unsigned count,
                                                       std::string_view key,
                                                       const ListenSockets* beside = nullptr);
    // Takes the descriptors, also where it fails; at least one. Errors: invalid_config where one is
    // no listening TCP socket.
    static Result<std::shared_ptr<ListenSockets>> adopt(std::vector<int> descriptors,
                                                        std::string_view name);
    ~ListenSockets();
    ListenSockets(const ListenSockets&) = delete;

    // Of the first.
    const SocketAddress& address() const { return address_; }
    std::span<const int> descriptors() const { return descriptors_; }
    // Of each descriptor one more, owned by the caller. Errors: overloaded.
    Result<std::vector<int>> duplicate() const;

    // Another process holds them too, and takes what waits in them: who closes them leaves it
    // there.
    bool is_shared() const { return shared_.load(std::memory_order_relaxed); }
    void share() { shared_.store(true, std::memory_order_relaxed); }

private:
    ListenSockets() = default;
    SocketAddress address_;
    std::vector<int> descriptors_;
    std::atomic<bool> shared_ = false;
};

// From now on whoever asks for a connection gets no answer; those that were made can be accepted
// still. A closed listener resets what waits in it: this is the way to close one that nothing waits
// in. Best effort.
void stop_connecting(int listener);

}  // namespace weir::net
