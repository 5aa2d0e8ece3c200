// A provider that costs almost nothing: one OpenAI-shaped answer to every call, whole or streamed.
// One thread, level-triggered epoll, no parsing beyond what framing takes.
//
//   bench_mock --listen 127.0.0.1:PORT [--tls CERT KEY] [--chunks N] [--interval MS]
//
// POST anything             a chat completion; a body that says "stream":true gets a stream of the
// role,
//                           N pieces of text MS apart (0: at once), the finish, the usage and
//                           [DONE]
// GET /__stats              {"calls":…,"completed":…,"chunks":…}; chunks are pieces of text
#include <fmt/format.h>
#include <sys/socket.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire.h"

namespace {

using Clock = std::chrono::steady_clock;

// "stream":true is looked for this far from both ends of a body: what lies between is the text of
// the messages, and searching all of a large body would cost more than receiving it.
constexpr std::size_t kEdgeBytes = 4096;

struct Connection {
    bench::Wire wire;
    std::uint64_t serial = 0;  // descriptors come back; a serial does not
    std::string in;            // an unfinished head, or what came during a stream
    bool in_body = false;
    std::size_t body_left = 0;
    std::string front, back;  // the edges of a body that came in several pieces
    std::string out;
    std::size_t out_at = 0;
    int chunks_left = 0;
    bool streaming = false;
    bool closing = false;
};

struct Tick {
    Clock::time_point due;
    int fd = -1;
    std::uint64_t serial = 0;
};

class Mock {
public:
    Mock(int chunks, std::chrono::milliseconds interval, SSL_CTX* tls);
    [[noreturn]] void serve(int listener);

private:
    void accept_all(int listener);
    void receive(Connection& c);
    void consume(Connection& c, std::string_view bytes);
    std::size_t take_head(Connection& c, std::string_view bytes);
    void take_body(Connection& c, std::string_view piece);
    void answer(Connection& c, bool streamed);
    void tick(Connection& c, Clock::time_point due, Clock::time_point now);
    void put(Connection& c, std::string_view bytes);
    void flush(Connection& c);
    void drop(Connection& c);
    int milliseconds_to_tick() const;

    int chunks_;
    std::chrono::milliseconds interval_;
    SSL_CTX* tls_;
    int epoll_ = -1;
    std::vector<std::unique_ptr<Connection>> connections_;  // by descriptor
    // Dropped ones live until their event has been handled: whoever drops one may still hold it.
    std::vector<std::unique_ptr<Connection>> dropped_;
    // All pauses are equally long, so whoever began first is due first.
    std::deque<Tick> ticks_;
    std::uint64_t serials_ = 0, calls_ = 0, completed_ = 0, sent_chunks_ = 0;
    std::string plain_, stream_begin_, stream_chunk_, stream_end_;
};

constexpr std::string_view kHead =
    "openai-organization: org-bench\r\nopenai-processing-ms: 123\r\nopenai-version: 2020-10-01\r\n"
    "x-ratelimit-limit-requests: 10000\r\nx-ratelimit-remaining-requests: 9999\r\n"
    "x-request-id: req_0123456789abcdef0123456789abcdef\r\n";

std::string event(std::string_view rest) {
    const std::string data =
        fmt::format(R"(data: {{"id":"chatcmpl-bench0123456789","object":"chat.completion.chunk",)"
                    R"("created":1700000000,"model":"bench-upstream",{}}})"
                    "\n\n",
                    rest);
    return fmt::format("{:x}\r\n{}\r\n", data.size(), data);
}

std::string choice(std::string_view delta, std::string_view finish) {
    return event(fmt::format(
        R"("choices":[{{"index":0,"delta":{{{}}},"finish_reason":{}}}])", delta, finish));
}

Mock::Mock(int chunks, std::chrono::milliseconds interval, SSL_CTX* tls)
    : chunks_(chunks), interval_(interval), tls_(tls) {
    std::string text;
    while (text.size() < 560) {
        text += "The river turns north below the old bridge and slows between the willows. ";
    }
    const std::string body = fmt::format(
        R"({{"id":"chatcmpl-bench0123456789","object":"chat.completion","created":1700000000,)"
        R"("model":"bench-upstream","choices":[{{"index":0,"message":{{"role":"assistant",)"
        R"("content":"{}","refusal":null}},"logprobs":null,"finish_reason":"stop"}}],)"
        R"("usage":{{"prompt_tokens":300,"completion_tokens":130,"total_tokens":430,)"
        R"("prompt_tokens_details":{{"cached_tokens":0}},)"
        R"("completion_tokens_details":{{"reasoning_tokens":0}}}}}})",
        text);
    plain_ = fmt::format(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{}\r\n{}",
        body.size(),
        kHead,
        body);
    stream_begin_ = fmt::format(
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: "
        "chunked\r\n{}\r\n{}",
        kHead,
        choice(R"("role":"assistant","content":"")", "null"));
    stream_chunk_ = choice(R"("content":" between the willows")", "null");
    stream_end_ = choice("", R"("stop")") +
                  event(fmt::format(R"("choices":[],"usage":{{"prompt_tokens":300,)"
                                    R"("completion_tokens":{},"total_tokens":{}}})",
                                    4 * chunks_,
                                    300 + 4 * chunks_)) +
                  "e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n";
}

void Mock::serve(int listener) {
    epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
    epoll_event interest{.events = EPOLLIN, .data = {.u64 = static_cast<std::uint64_t>(listener)}};
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listener, &interest);
    epoll_event events[512];
    for (;;) {
        const int ready = ::epoll_wait(epoll_, events, 512, milliseconds_to_tick());
        for (int i = 0; i < ready; ++i) {
            const auto fd = static_cast<std::size_t>(events[i].data.u64);
            if (static_cast<int>(fd) == listener) {
                accept_all(listener);
            } else if (connections_[fd]) {
                if (!connections_[fd]->out.empty()) {
                    flush(*connections_[fd]);
                }
                if (connections_[fd] && (events[i].events & ~EPOLLOUT) != 0) {
                    receive(*connections_[fd]);
                }
            }
        }
        const auto now = Clock::now();
        dropped_.clear();
        while (!ticks_.empty() && ticks_.front().due <= now) {
            const Tick one = ticks_.front();
            ticks_.pop_front();
            Connection* c = connections_[static_cast<std::size_t>(one.fd)].get();
            if (c != nullptr && c->serial == one.serial) {
                tick(*c, one.due, now);
            }
        }
    }
}

int Mock::milliseconds_to_tick() const {
    if (ticks_.empty()) {
        return -1;
    }
    const auto left =
        std::chrono::ceil<std::chrono::milliseconds>(ticks_.front().due - Clock::now());
    return static_cast<int>(std::max<std::int64_t>(left.count(), 0));
}

void Mock::accept_all(int listener) {
    for (;;) {
        const int fd = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) {
            return;
        }
        const auto at = static_cast<std::size_t>(fd);
        if (connections_.size() <= at) {
            connections_.resize(at + 1024);
        }
        connections_[at] = std::make_unique<Connection>();
        connections_[at]->serial = ++serials_;
        connections_[at]->wire.adopt(fd, epoll_, tls_, false, at);
    }
}

void Mock::drop(Connection& c) {
    dropped_.push_back(std::move(connections_[static_cast<std::size_t>(c.wire.fd)]));
    c.wire.close();
}

void Mock::receive(Connection& c) {
    static char scratch[bench::kScratchBytes];
    while (c.wire.fd >= 0) {
        const long n = c.wire.read(scratch, sizeof scratch);
        if (n == bench::kGone) {
            drop(c);
            return;
        }
        if (n == bench::kWait) {
            return;
        }
        const bool drained = c.wire.is_drained(n, sizeof scratch);
        consume(c, {scratch, static_cast<std::size_t>(n)});
        if (drained) {
            return;
        }
    }
}

// Answers every request that is whole. The connection may be dropped afterwards, as by all below.
void Mock::consume(Connection& c, std::string_view bytes) {
    std::string joined;
    if (!c.in.empty()) {
        joined = std::move(c.in) + std::string(bytes);
        c.in.clear();
        bytes = joined;
    }
    while (c.wire.fd >= 0 && !bytes.empty()) {
        if (c.streaming || c.closing) {
            c.in = bytes;
            return;
        }
        if (!c.in_body) {
            const std::size_t taken = take_head(c, bytes);
            if (taken == 0) {
                c.in = bytes;
                return;
            }
            bytes.remove_prefix(taken);
        }
        if (c.in_body) {
            const std::string_view piece = bytes.substr(0, c.body_left);
            bytes.remove_prefix(piece.size());
            take_body(c, piece);
        }
    }
}

// The bytes of the head, 0 if it is not whole. A request without a body is answered here.
std::size_t Mock::take_head(Connection& c, std::string_view bytes) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) {
        return 0;
    }
    const std::string_view head = bytes.substr(0, end);
    const std::string_view length = bench::header(head, "content-length");
    c.body_left = 0;
    std::from_chars(length.data(), length.data() + length.size(), c.body_left);
    if (head.starts_with("GET /__stats")) {
        const std::string body = fmt::format(
            R"({{"calls":{},"completed":{},"chunks":{}}})", calls_, completed_, sent_chunks_);
        put(c, fmt::format("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{}", body.size(), body));
    } else if (!bench::header(head, "transfer-encoding").empty()) {
        c.closing = true;
        put(c, "HTTP/1.1 501 Not Implemented\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    } else if (c.body_left == 0) {
        answer(c, false);
    } else {
        c.in_body = true;
        c.front.clear();
        c.back.clear();
    }
    return end + 4;
}

bool says_stream(std::string_view edge) {
    return edge.find(R"("stream":true)") != std::string_view::npos ||
           edge.find(R"("stream": true)") != std::string_view::npos;
}

void Mock::take_body(Connection& c, std::string_view piece) {
    c.body_left -= piece.size();
    const bool whole = c.front.empty() && c.body_left == 0;
    if (!whole) {
        c.front.append(piece.substr(0, kEdgeBytes - std::min(kEdgeBytes, c.front.size())));
        c.back.append(piece.substr(piece.size() - std::min(piece.size(), kEdgeBytes)));
        c.back.erase(0, c.back.size() - std::min(c.back.size(), kEdgeBytes));
    }
    if (c.body_left > 0) {
        return;
    }
    c.in_body = false;
    const std::string_view front = whole ? piece.substr(0, kEdgeBytes) : std::string_view(c.front);
    const std::string_view back =
        whole ? piece.substr(piece.size() - std::min(piece.size(), kEdgeBytes)) : c.back;
    answer(c, says_stream(front) || says_stream(back));
}

void Mock::answer(Connection& c, bool streamed) {
    ++calls_;
    if (!streamed) {
        ++completed_;
        put(c, plain_);
        return;
    }
    if (interval_.count() == 0) {
        std::string all = stream_begin_;
        for (int i = 0; i < chunks_; ++i) {
            all += stream_chunk_;
        }
        sent_chunks_ += static_cast<std::uint64_t>(chunks_);
        ++completed_;
        put(c, all + stream_end_);
        return;
    }
    c.streaming = true;
    c.chunks_left = chunks_;
    ticks_.push_back({.due = Clock::now() + interval_, .fd = c.wire.fd, .serial = c.serial});
    put(c, stream_begin_);
}

void Mock::tick(Connection& c, Clock::time_point due, Clock::time_point now) {
    if (c.chunks_left > 0) {
        --c.chunks_left;
        ++sent_chunks_;
        // From the moment it was due: the rate stays true while the processor is late by less than
        // a pause.
        ticks_.push_back(
            {.due = std::max(due + interval_, now), .fd = c.wire.fd, .serial = c.serial});
        put(c, stream_chunk_);
        return;
    }
    c.streaming = false;
    ++completed_;
    put(c, stream_end_);
    if (c.wire.fd >= 0 && !c.in.empty()) {
        const std::string waiting = std::move(c.in);
        c.in.clear();
        consume(c, waiting);
    }
}

void Mock::put(Connection& c, std::string_view bytes) {
    long n = 0;
    if (c.out.empty()) {
        n = c.wire.write(bytes.data(), bytes.size());
        if (n == bench::kGone || (n == static_cast<long>(bytes.size()) && c.closing)) {
            drop(c);
            return;
        }
        n = std::max(n, 0L);
        if (n == static_cast<long>(bytes.size())) {
            return;
        }
    }
    c.out.append(bytes.substr(static_cast<std::size_t>(n)));
    flush(c);
}

void Mock::flush(Connection& c) {
    while (c.out_at < c.out.size()) {
        const long n = c.wire.write(c.out.data() + c.out_at, c.out.size() - c.out_at);
        if (n == bench::kGone) {
            drop(c);
            return;
        }
        if (n == bench::kWait) {
            c.wire.watch_room(true, static_cast<std::uint64_t>(c.wire.fd));
            return;
        }
        c.out_at += static_cast<std::size_t>(n);
    }
    c.out.clear();
    c.out_at = 0;
    c.wire.watch_room(false, static_cast<std::uint64_t>(c.wire.fd));
    if (c.closing) {
        drop(c);
    }
}

SSL_CTX* server_context(const char* certificate, const char* key) {
    SSL_CTX* context = ::SSL_CTX_new(::TLS_server_method());
    ::SSL_CTX_set_mode(context,
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (::SSL_CTX_use_certificate_chain_file(context, certificate) != 1 ||
        ::SSL_CTX_use_PrivateKey_file(context, key, SSL_FILETYPE_PEM) != 1) {
        bench::die("cannot use the certificate or its key");
    }
    return context;
}

}  // namespace

int main(int argc, char** argv) {
    std::string_view listen;
    int chunks = 50;
    int interval_ms = 20;
    SSL_CTX* tls = nullptr;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto value = [&] {
            return i + 1 < argc ? argv[++i] : (bench::die("a value is missing"), nullptr);
        };
        if (option == "--listen") {
            listen = value();
        } else if (option == "--chunks") {
            chunks = std::atoi(value());
        } else if (option == "--interval") {
            interval_ms = std::atoi(value());
        } else if (option == "--tls") {
            const char* certificate = value();
            const char* key = value();
            tls = server_context(certificate, key);
        } else {
            bench::die(fmt::format("unknown option {}", option));
        }
    }
    bench::prepare_process();
    Mock mock(chunks, std::chrono::milliseconds{interval_ms}, tls);
    mock.serve(bench::listen_on(bench::parse_host_port(listen)));
}
