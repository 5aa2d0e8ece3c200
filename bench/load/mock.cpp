// A provider that costs almost nothing: the same OpenAI-shaped answer to every call, whole or
// streamed. One thread, level-triggered epoll, no parsing beyond what framing needs.
//
//   bench_mock PORT CHUNKS INTERVAL_MS     GET /__stats says what it served
#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

namespace {

using Clock = std::chrono::steady_clock;

struct Connection {
    int fd = -1;
    std::string in;
    std::string out;
    std::size_t out_at = 0;
    int chunks_left = 0;
    bool streaming = false;
    bool waits_for_room = false;
};

struct Mock {
    int epoll = -1;
    int chunks = 50;
    std::chrono::milliseconds interval{20};
    std::unordered_map<int, std::unique_ptr<Connection>> connections;
    // All pauses are equally long: who began first is due first.
    std::deque<std::pair<Clock::time_point, int>> due;
    std::uint64_t calls = 0, completed = 0, sent_chunks = 0;
    std::string plain, stream_begin, stream_chunk, stream_end;

    void make_answers();
    void accept_all(int listener);
    void receive(Connection& connection);
    bool serve_one(Connection& connection);
    void begin_stream(Connection& connection);
    void tick(Connection& connection);
    void flush(Connection& connection);
    void close(Connection& connection) { drop(connection.fd); }
    void drop(int fd) {
        ::close(fd);
        connections.erase(fd);
    }
};

std::string chunked(std::string_view payload) {
    return fmt::format("{:x}\r\n{}\r\n", payload.size(), payload);
}

std::string event(std::string_view delta, std::string_view finish) {
    return chunked(fmt::format(
        R"(data: {{"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,"model":"bench-upstream","choices":[{{"index":0,"delta":{{{}}},"logprobs":null,"finish_reason":{}}}],"usage":null}})"
        "\n\n",
        delta,
        finish));
}

void Mock::make_answers() {
    const std::string text(700, 'w');
    const std::string body = fmt::format(
        R"({{"id":"chatcmpl-bench0123456789","object":"chat.completion","created":1700000000,"model":"bench-upstream","choices":[{{"index":0,"message":{{"role":"assistant","content":"{}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":300,"completion_tokens":170,"total_tokens":470,"prompt_tokens_details":{{"cached_tokens":0}},"completion_tokens_details":{{"reasoning_tokens":0}}}}}})",
        text);
    plain = fmt::format(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{}",
        body.size(),
        body);
    stream_begin =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" +
        event(R"("role":"assistant","content":"")", "null");
    stream_chunk = event(R"("content":" a few more words")", "null");
    stream_end =
        event("", "\"stop\"") +
        chunked(
            R"(data: {"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk","created":1700000000,"model":"bench-upstream","choices":[],"usage":{"prompt_tokens":300,"completion_tokens":50,"total_tokens":350}})"
            "\n\n") +
        chunked("data: [DONE]\n\n") + "0\r\n\r\n";
}

void Mock::accept_all(int listener) {
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        auto connection = std::make_unique<Connection>();
        connection->fd = fd;
        epoll_event interest{.events = EPOLLIN, .data = {.fd = fd}};
        ::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &interest);
        connections[fd] = std::move(connection);
    }
}

void Mock::flush(Connection& c) {
    while (c.out_at < c.out.size()) {
        const ssize_t n = ::send(c.fd, c.out.data() + c.out_at, c.out.size() - c.out_at, MSG_NOSIGNAL);
        if (n < 0) {
            if (!c.waits_for_room) {
                c.waits_for_room = true;
                epoll_event interest{.events = EPOLLIN | EPOLLOUT, .data = {.fd = c.fd}};
                ::epoll_ctl(epoll, EPOLL_CTL_MOD, c.fd, &interest);
            }
            return;
        }
        c.out_at += static_cast<std::size_t>(n);
    }
    c.out.clear();
    c.out_at = 0;
    if (c.waits_for_room) {
        c.waits_for_room = false;
        epoll_event interest{.events = EPOLLIN, .data = {.fd = c.fd}};
        ::epoll_ctl(epoll, EPOLL_CTL_MOD, c.fd, &interest);
    }
}

void Mock::begin_stream(Connection& c) {
    c.out += stream_begin;
    c.chunks_left = chunks;
    c.streaming = true;
    if (interval.count() == 0) {
        for (int i = 0; i < chunks; ++i) {
            c.out += stream_chunk;
        }
        sent_chunks += static_cast<std::uint64_t>(chunks);
        c.out += stream_end;
        c.streaming = false;
        ++completed;
    } else {
        due.emplace_back(Clock::now() + interval, c.fd);
    }
}

void Mock::tick(Connection& c) {
    if (c.chunks_left-- > 0) {
        c.out += stream_chunk;
        ++sent_chunks;
        due.emplace_back(Clock::now() + interval, c.fd);
    } else {
        c.out += stream_end;
        c.streaming = false;
        ++completed;
    }
    flush(c);
}

// true: a request was answered, another may be there.
bool Mock::serve_one(Connection& c) {
    const std::size_t end = c.in.find("\r\n\r\n");
    if (end == std::string::npos) {
        return false;
    }
    std::size_t length = 0;
    for (std::size_t at = c.in.find("\r\n"); at < end;) {
        const std::size_t line = at + 2;
        at = c.in.find("\r\n", line);
        if (at - line > 15 && ::strncasecmp(c.in.data() + line, "content-length:", 15) == 0) {
            const char* digits = c.in.data() + line + 15;
            while (*digits == ' ') {
                ++digits;
            }
            std::from_chars(digits, c.in.data() + at, length);
        }
    }
    const std::size_t total = end + 4 + length;
    if (c.in.size() < total) {
        c.in.reserve(total);
        return false;
    }
    if (c.in.starts_with("GET /__stats")) {
        const std::string body = fmt::format(
            R"({{"calls":{},"completed":{},"chunks":{}}})", calls, completed, sent_chunks);
        c.out += fmt::format("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", body.size(), body);
    } else {
        ++calls;
        const std::string_view body = std::string_view(c.in).substr(end + 4, length);
        // The bench's own bodies say it within the first bytes or the last.
        const bool streamed = body.substr(0, 200).find("\"stream\":true") != std::string_view::npos;
        if (streamed) {
            begin_stream(c);
        } else {
            c.out += plain;
            ++completed;
        }
    }
    c.in.erase(0, total);
    return true;
}

void Mock::receive(Connection& c) {
    static char scratch[256 << 10];
    const ssize_t n = ::recv(c.fd, scratch, sizeof scratch, 0);
    if (n <= 0) {
        if (n == 0 || errno != EAGAIN) {
            close(c);
        }
        return;
    }
    c.in.append(scratch, static_cast<std::size_t>(n));
    while (!c.streaming && serve_one(c)) {
    }
    flush(c);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: bench_mock PORT CHUNKS INTERVAL_MS\n");
        return 2;
    }
    ::signal(SIGPIPE, SIG_IGN);
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    Mock mock;
    mock.chunks = std::atoi(argv[2]);
    mock.interval = std::chrono::milliseconds{std::atoi(argv[3])};
    mock.make_answers();
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = ::htons(static_cast<std::uint16_t>(std::atoi(argv[1])));
    address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
    if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, 16384) != 0) {
        fmt::print(stderr, "bench_mock: cannot listen: {}\n", std::strerror(errno));
        return 1;
    }
    mock.epoll = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event interest{.events = EPOLLIN, .data = {.fd = listener}};
    ::epoll_ctl(mock.epoll, EPOLL_CTL_ADD, listener, &interest);
    epoll_event events[512];
    for (;;) {
        int wait = -1;
        if (!mock.due.empty()) {
            const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
                mock.due.front().first - Clock::now());
            wait = static_cast<int>(std::max<std::int64_t>(left.count() + 1, 0));
        }
        const int ready = ::epoll_wait(mock.epoll, events, 512, wait);
        for (int i = 0; i < ready; ++i) {
            const int fd = events[i].data.fd;
            if (fd == listener) {
                mock.accept_all(listener);
                continue;
            }
            const auto found = mock.connections.find(fd);
            if (found == mock.connections.end()) {
                continue;
            }
            if ((events[i].events & EPOLLOUT) != 0) {
                mock.flush(*found->second);
            }
            if ((events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
                mock.receive(*found->second);
            }
        }
        const auto now = Clock::now();
        while (!mock.due.empty() && mock.due.front().first <= now) {
            const int fd = mock.due.front().second;
            mock.due.pop_front();
            const auto found = mock.connections.find(fd);
            if (found != mock.connections.end() && found->second->streaming) {
                mock.tick(*found->second);
            }
        }
    }
}
