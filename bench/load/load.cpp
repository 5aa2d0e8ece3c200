// A load generator that is cheaper than what it measures: keep-alive connections in a closed loop,
// every answer checked for its status and its whole length. Prints one JSON line.
//
//   bench_load PORT --connections 64 --seconds 3 --body-bytes 1500 [--stream] [--once] [--idle]
//              [--header 'name: value']…
//
// --stream   asks for streams and keeps that many open; counts their events
// --idle     one request on each connection, then holds them all open and prints "holding"; ends when
//            its input ends
#include <arpa/inet.h>
#include <fmt/format.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    int fd = -1;
    std::size_t sent = 0;
    std::string head;      // until it is whole
    bool in_body = false;
    bool chunked = false;
    std::size_t body_left = 0;
    char tail[5] = {};     // the last bytes of a chunked body
    bool first_byte_seen = false;
    Clock::time_point begun;
    bool active = false;
};

struct Load {
    int epoll = -1;
    std::uint16_t port = 0;
    std::string request;
    bool stream = false, idle = false;
    std::uint64_t requests = 0, errors = 0, chunks = 0, bytes = 0;
    std::vector<std::uint32_t> latency_us, first_byte_us;
    std::vector<std::unique_ptr<Connection>> connections;
    bool stopping = false;

    void open(Connection& c);
    void begin(Connection& c);
    void send_more(Connection& c);
    void receive(Connection& c);
    bool take(Connection& c, std::string_view bytes);
    void end(Connection& c, bool good);
};

void Load::open(Connection& c) {
    c.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(port);
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    if (::connect(c.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) {
        fmt::print(stderr, "bench_load: connect: {}\n", std::strerror(errno));
        std::exit(1);
    }
    const int on = 1;
    ::setsockopt(c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::fcntl(c.fd, F_SETFL, O_NONBLOCK);
    epoll_event interest{.events = EPOLLIN | EPOLLOUT | EPOLLET, .data = {.ptr = &c}};
    ::epoll_ctl(epoll, EPOLL_CTL_ADD, c.fd, &interest);
}

void Load::begin(Connection& c) {
    c.sent = 0;
    c.head.clear();
    c.in_body = c.chunked = c.first_byte_seen = false;
    c.body_left = 0;
    std::memset(c.tail, 0, sizeof c.tail);
    c.begun = Clock::now();
    c.active = true;
    send_more(c);
}

void Load::send_more(Connection& c) {
    while (c.sent < request.size()) {
        const ssize_t n =
            ::send(c.fd, request.data() + c.sent, request.size() - c.sent, MSG_NOSIGNAL);
        if (n < 0) {
            return;
        }
        c.sent += static_cast<std::size_t>(n);
    }
}

// true: the answer is whole.
bool Load::take(Connection& c, std::string_view received) {
    if (!c.in_body) {
        c.head += received;
        const std::size_t end = c.head.find("\r\n\r\n");
        if (end == std::string::npos) {
            return false;
        }
        if (!c.head.starts_with("HTTP/1.1 200")) {
            if (errors == 0) {
                fmt::print(stderr, "bench_load: {}\n", c.head.substr(0, 400));
            }
            ++errors;
        }
        std::string head = c.head.substr(0, end + 2);
        std::transform(head.begin(), head.end(), head.begin(), [](char ch) {
            return ch >= 'A' && ch <= 'Z' ? static_cast<char>(ch + 32) : ch;
        });
        const std::size_t length = head.find("\r\ncontent-length: ");
        c.chunked = head.find("\r\ntransfer-encoding: chunked") != std::string::npos;
        if (length != std::string::npos) {
            std::from_chars(head.data() + length + 18, head.data() + head.size(), c.body_left);
        }
        c.in_body = true;
        const std::string rest = c.head.substr(end + 4);
        return take(c, rest);
    }
    if (!c.chunked) {
        c.body_left -= std::min(c.body_left, received.size());
        return c.body_left == 0;
    }
    for (std::size_t at = received.find("data: "); at != std::string_view::npos;
         at = received.find("data: ", at + 6)) {
        ++chunks;
    }
    const std::size_t n = received.size();
    if (n >= 5) {
        std::memcpy(c.tail, received.data() + n - 5, 5);
    } else {
        std::memmove(c.tail, c.tail + n, 5 - n);
        std::memcpy(c.tail + 5 - n, received.data(), n);
    }
    return std::string_view(c.tail, 5) == "0\r\n\r\n";
}

void Load::receive(Connection& c) {
    static char scratch[256 << 10];
    for (;;) {
        const ssize_t n = ::recv(c.fd, scratch, sizeof scratch, 0);
        if (n < 0 && errno == EAGAIN) {
            return;
        }
        if (n <= 0) {
            end(c, false);
            return;
        }
        bytes += static_cast<std::uint64_t>(n);
        if (!c.first_byte_seen) {
            c.first_byte_seen = true;
            first_byte_us.push_back(static_cast<std::uint32_t>(
                std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - c.begun)
                    .count()));
        }
        if (take(c, {scratch, static_cast<std::size_t>(n)})) {
            end(c, true);
            return;
        }
        if (static_cast<std::size_t>(n) < sizeof scratch) {
            return;  // drained
        }
    }
}

void Load::end(Connection& c, bool good) {
    c.active = false;
    if (good) {
        ++requests;
        latency_us.push_back(static_cast<std::uint32_t>(
            std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - c.begun).count()));
    } else {
        if (!stopping) {
            ++errors;
        }
        ::close(c.fd);
        open(c);
    }
    if (!stopping && !idle) {
        begin(c);
    }
}

std::uint32_t percentile(std::vector<std::uint32_t>& values, double share) {
    if (values.empty()) {
        return 0;
    }
    const auto at = static_cast<std::size_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
    return values[at];
}

}  // namespace

int main(int argc, char** argv) {
    Load load;
    int count = 64;
    double seconds = 3;
    std::size_t body_bytes = 1500;
    std::string headers;
    if (argc < 2) {
        return 2;
    }
    load.port = static_cast<std::uint16_t>(std::atoi(argv[1]));
    for (int i = 2; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto value = [&]() -> const char* {
            if (i + 1 >= argc) {
                std::exit(2);
            }
            return argv[++i];
        };
        if (option == "--connections") {
            count = std::atoi(value());
        } else if (option == "--seconds") {
            seconds = std::atof(value());
        } else if (option == "--body-bytes") {
            body_bytes = static_cast<std::size_t>(std::atoll(value()));
        } else if (option == "--header") {
            headers += std::string(value()) + "\r\n";
        } else if (option == "--stream") {
            load.stream = true;
        } else if (option == "--idle") {
            load.idle = true;
        } else {
            fmt::print(stderr, "bench_load: what is {}?\n", option);
            return 2;
        }
    }
    ::signal(SIGPIPE, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);

    std::string body = fmt::format(
        R"({{"model":"bench",{}"messages":[{{"role":"user","content":")",
        load.stream ? "\"stream\":true," : "");
    const std::string_view words = "the quick brown fox jumps over the lazy dog and ";
    while (body.size() + 4 < body_bytes) {
        body += words.substr(0, std::min(words.size(), body_bytes - 4 - body.size()));
    }
    body += "\"}]}";
    load.request = fmt::format(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n"
        "content-length: {}\r\n{}\r\n{}",
        body.size(),
        headers,
        body);

    load.epoll = ::epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < count; ++i) {
        load.connections.push_back(std::make_unique<Connection>());
        load.open(*load.connections.back());
    }
    const auto begun = Clock::now();
    for (const auto& connection : load.connections) {
        load.begin(*connection);
    }
    const auto until = begun + std::chrono::duration<double>(seconds);
    epoll_event events[512];
    bool holding = false;
    while (load.idle ? !holding : Clock::now() < until) {
        const int ready = ::epoll_wait(load.epoll, events, 512, 20);
        for (int i = 0; i < ready; ++i) {
            auto& connection = *static_cast<Connection*>(events[i].data.ptr);
            if ((events[i].events & EPOLLOUT) != 0 && connection.active) {
                load.send_more(connection);
            }
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
                load.receive(connection);
            }
        }
        holding = load.idle && load.requests + load.errors >= static_cast<std::uint64_t>(count);
    }
    if (load.idle) {
        fmt::print("holding\n");
        std::fflush(stdout);
        char nothing = 0;
        while (::read(0, &nothing, 1) > 0) {
        }
        return 0;
    }
    const double took = std::chrono::duration<double>(Clock::now() - begun).count();
    fmt::print(
        R"({{"requests":{},"errors":{},"seconds":{:.3f},"chunks":{},"bytes":{},"p50_us":{},"p99_us":{},"first_p50_us":{},"first_p99_us":{}}})"
        "\n",
        load.requests,
        load.errors,
        took,
        load.chunks,
        load.bytes,
        percentile(load.latency_us, 0.5),
        percentile(load.latency_us, 0.99),
        percentile(load.first_byte_us, 0.5),
        percentile(load.first_byte_us, 0.99));
    return load.errors == 0 ? 0 : 1;
}
