#include "wire.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <strings.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace bench {
namespace {

long from_tls(SSL* tls, int result) {
    if (result > 0) {
        return result;
    }
    const int why = ::SSL_get_error(tls, result);
    ::ERR_clear_error();
    return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? kWait : kGone;
}

sockaddr_in address_of(const HostPort& at) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(at.port);
    if (::inet_pton(AF_INET, at.host.c_str(), &address.sin_addr) != 1) {
        die(fmt::format("'{}' is not an IPv4 address", at.host));
    }
    return address;
}

}  // namespace

void Wire::adopt(int socket, int epoll_fd, SSL_CTX* context, bool is_client, std::uint64_t tag) {
    fd = socket;
    epoll = epoll_fd;
    watches_room = false;
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(fd, F_SETFL, O_NONBLOCK);
    if (context != nullptr) {
        tls = ::SSL_new(context);
        ::SSL_set_fd(tls, fd);
        is_client ? ::SSL_set_connect_state(tls) : ::SSL_set_accept_state(tls);
    }
    epoll_event interest{.events = EPOLLIN, .data = {.u64 = tag}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
}

long Wire::read(char* into, std::size_t size) {
    if (tls != nullptr) {
        return from_tls(tls, ::SSL_read(tls, into, static_cast<int>(size)));
    }
    const ssize_t n = ::recv(fd, into, size, 0);
    return n < 0 && errno == EAGAIN ? kWait : std::max<long>(n, kGone);
}

long Wire::write(const char* from, std::size_t size) {
    if (tls != nullptr) {
        return from_tls(tls, ::SSL_write(tls, from, static_cast<int>(size)));
    }
    const ssize_t n = ::send(fd, from, size, MSG_NOSIGNAL);
    return n < 0 && errno == EAGAIN ? kWait : std::max<long>(n, kGone);
}

void Wire::watch_room(bool on, std::uint64_t tag) {
    if (watches_room == on) {
        return;
    }
    watches_room = on;
    epoll_event interest{.events = EPOLLIN | (on ? EPOLLOUT : 0u), .data = {.u64 = tag}};
    ::epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &interest);
}

void Wire::close() {
    if (tls != nullptr) {
        ::SSL_free(tls);
        tls = nullptr;
    }
    if (fd >= 0) {
        ::close(fd);
        fd = -1;
    }
}

void die(std::string_view why) {
    fmt::print(stderr, "bench: {}\n", why);
    std::exit(1);
}

HostPort parse_host_port(std::string_view text) {
    const std::size_t colon = text.rfind(':');
    HostPort parsed;
    if (colon != std::string_view::npos) {
        parsed.host = text.substr(0, colon);
        std::from_chars(text.data() + colon + 1, text.data() + text.size(), parsed.port);
    }
    if (parsed.port == 0) {
        die(fmt::format("'{}' is not host:port", text));
    }
    return parsed;
}

int listen_on(const HostPort& at) {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const sockaddr_in address = address_of(at);
    if (::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 16384) != 0) {
        die(fmt::format("cannot listen on port {}: {}", at.port, std::strerror(errno)));
    }
    return listener;
}

int connect_to(const HostPort& to) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_in address = address_of(to);
    if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
        die(fmt::format("cannot connect to port {}: {}", to.port, std::strerror(errno)));
    }
    return fd;
}

void prepare_process() {
    ::signal(SIGPIPE, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
}

std::string_view header(std::string_view head, std::string_view lower_case_name) {
    for (std::size_t at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        std::string_view line = head.substr(at + 2, head.find("\r\n", at + 2) - at - 2);
        if (line.size() > lower_case_name.size() && line[lower_case_name.size()] == ':' &&
            ::strncasecmp(line.data(), lower_case_name.data(), lower_case_name.size()) == 0) {
            line.remove_prefix(lower_case_name.size() + 1);
            while (line.starts_with(' ')) {
                line.remove_prefix(1);
            }
            return line;
        }
    }
    return {};
}

}  // namespace bench
