// One connection of a bench tool, plain or TLS, never blocking; and what both tools need around it.
// One thread. For the loopback of one machine: no timeouts, no name look-up, input is trusted.
#pragma once
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/epoll.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace bench {

inline constexpr std::size_t kScratchBytes = 256u << 10;

// What read and write say besides a number of bytes.
inline constexpr long kGone = 0;   // closed by the other side, or broken
inline constexpr long kWait = -1;  // nothing now: ask again after the next event

// Owns its socket and its TLS session.
struct Wire {
    int fd = -1;
    SSL* tls = nullptr;
    int epoll = -1;
    bool watches_room = false;

    Wire() = default;
    Wire(const Wire&) = delete;
    Wire& operator=(const Wire&) = delete;
    ~Wire() { close(); }

    // Takes over a connected socket: not blocking, no delay, watched for input with `tag`.
    // `context` is null for plain.
    void adopt(int socket, int epoll_fd, SSL_CTX* context, bool is_client, std::uint64_t tag);
    long read(char* into, std::size_t size);
    long write(const char* from, std::size_t size);
    // Whether a read of `got` out of `asked` bytes has emptied the socket, so that a second is
    // spared.
    bool is_drained(long got, std::size_t asked) const {
        return tls == nullptr && static_cast<std::size_t>(got) < asked;
    }
    // Asks for an event when the socket has room again, or no longer.
    void watch_room(bool on, std::uint64_t tag);
    void close();
};

struct HostPort {
    std::string host;
    std::uint16_t port = 0;
};

// Ends the program with a message on stderr.
[[noreturn]] void die(std::string_view why);

// An IPv4 address in digits and a port; anything else ends the program.
HostPort parse_host_port(std::string_view text);
int listen_on(const HostPort& at);
int connect_to(const HostPort& to);

// As many descriptors as the system allows, and no SIGPIPE.
void prepare_process();

// One header field of a whole head, blanks trimmed; empty if it is not there.
std::string_view header(std::string_view head, std::string_view lower_case_name);

}  // namespace bench
