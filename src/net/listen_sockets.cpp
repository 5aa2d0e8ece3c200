#include "net/listen_sockets.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <iterator>

namespace weir::net {
namespace {

constexpr int kBacklog = 4096;
// Keeps the kernel from hiding a slow reader: what is unsent beyond this stays with us, where it
// brakes.
constexpr int kNotSentLowWater = 16 << 10;

Failure cannot_listen(const SocketAddress& address, int error) {
    return fail(Code::invalid_config,
                fmt::format("Cannot listen on {}: {}.", to_text(address), std::strerror(error)));
}

void set(int fd, int level, int option, int value) {
    ::setsockopt(fd, level, option, &value, sizeof value);
}

// A second process on the same port must be refused, not share the load unseen: a socket is bound
// without SO_REUSEPORT to find out.
Result<void> check_free(const SocketAddress& address, std::string_view key) {
    const int probe = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    set(probe, SOL_SOCKET, SO_REUSEADDR, 1);
    const int bound = ::bind(probe, address.raw(), address.size);
    const int error = errno;
    ::close(probe);
    if (bound == 0) {
        return {};
    }
    if (error == EADDRINUSE) {
        return fail(Code::invalid_config,
                    fmt::format("{} is in use by another program: stop it, or choose another "
                                "address with {}.",
                                to_text(address),
                                key));
    }
    return fail(
        Code::invalid_config,
        fmt::format(
            "Cannot listen on {}: {}. Change {}.", to_text(address), std::strerror(error), key));
}

}  // namespace

Result<std::shared_ptr<ListenSockets>> ListenSockets::bind(const SocketAddress& address,
                                                           unsigned count,
                                                           std::string_view key,
                                                           const ListenSockets* beside) {
    std::shared_ptr<ListenSockets> made(new ListenSockets);
    made->address_ = address;
    // From one address to all of them on the same port, or back: our own sockets stand in the way.
    if (beside == nullptr || address.port() == 0 || beside->address().port() != address.port()) {
        WEIR_TRY(check_free(address, key));
    }
    for (unsigned i = 0; i < count; ++i) {
        const int fd =
            ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (fd < 0) {
            return fail(Code::invalid_config,
                        fmt::format("Cannot open a socket: {}.", std::strerror(errno)));
        }
        made->descriptors_.push_back(fd);
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
        set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kNotSentLowWater);
        if (::bind(fd, made->address_.raw(), made->address_.size) != 0 ||
            ::listen(fd, kBacklog) != 0) {
            return cannot_listen(address, errno);
        }
        if (made->address_.port() == 0) {
            socklen_t size = sizeof made->address_.storage;
            ::getsockname(fd, made->address_.raw(), &size);
        }
    }
    return made;
}

Result<std::shared_ptr<ListenSockets>> ListenSockets::adopt(std::vector<int> descriptors,
                                                            std::string_view name) {
    std::shared_ptr<ListenSockets> made(new ListenSockets);
    made->descriptors_ = std::move(descriptors);
    for (const int fd : made->descriptors_) {
        int listens = 0;
        socklen_t size = sizeof listens;
        SocketAddress address;
        address.size = sizeof address.storage;
        const bool is_listener =
            ::getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) == 0 && listens != 0 &&
            ::getsockname(fd, address.raw(), &address.size) == 0 &&
            (address.storage.ss_family == AF_INET || address.storage.ss_family == AF_INET6);
        if (!is_listener) {
            return fail(
                Code::invalid_config,
                fmt::format("Descriptor {}, given as '{}', is no listening TCP socket.", fd, name));
        }
        if (made->address_.size == 0) {
            made->address_ = address;
        }
        ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
        set(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, kNotSentLowWater);
    }
    return made;
}

ListenSockets::~ListenSockets() {
    for (const int fd : descriptors_) {
        ::close(fd);
    }
}

Result<std::vector<int>> ListenSockets::duplicate() const {
    std::vector<int> copies;
    for (const int fd : descriptors_) {
        const int copy = ::fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (copy < 0) {
            const int error = errno;
            for (const int made : copies) {
                ::close(made);
            }
            return fail(Code::overloaded, "The gateway is out of descriptors; try again shortly.")
                .detail(std::strerror(error));
        }
        copies.push_back(copy);
    }
    return copies;
}

void stop_connecting(int listener) {
    // Byte 13 of a TCP header has the flags: what has SYN and no ACK is dropped.
    sock_filter steps[] = {
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffff'ffffu),
    };
    const sock_fprog filter{.len = std::size(steps), .filter = steps};
    ::setsockopt(listener, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace weir::net
