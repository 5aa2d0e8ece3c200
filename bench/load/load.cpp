// A load generator that is cheaper than what it measures: keep-alive connections in a closed loop,
// every answer checked for its status and for being whole. One thread. Prints one JSON line.
//
//   bench_load --target 127.0.0.1:PORT [--tls] --connections N --body-bytes B --seconds S |
//   --requests M
//              [--stream [--once] [--events-min E]] [--idle] [--warmup S]
//              [--header 'name: value']… [--model NAME] [--path /v1/chat/completions]
//
// --stream      asks for streams and keeps N of them open; chunks are the events that came
// --once        every connection makes one call
// --events-min  a stream with fewer events is an error
// --warmup      calls for S seconds first, prints "warm" and waits for a line: what is measured
// then begins
//               and ends with no call under way, on connections that are open already
// --idle        one call on each connection, prints "holding" and keeps all open until its input
// ends
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wire.h"

namespace {

using Clock = std::chrono::steady_clock;

// Connections opened a second, and at once: faster would overflow the accept queue of what is
// measured, and the kernel then waits a second. It does not depend on answers: a proxy may hold a
// first byte back.
constexpr double kOpenedPerSecond = 10000;
constexpr std::size_t kOpenedAtOnce = 256;
// Streams of the slowest case last seven seconds.
constexpr std::chrono::seconds kDrainMax{60};

struct Options {
    bench::HostPort target;
    SSL_CTX* tls = nullptr;
    std::size_t connections = 64;
    double seconds = 0;
    double warmup = 0;
    std::uint64_t requests_max = std::numeric_limits<std::uint64_t>::max();
    std::size_t body_bytes = 1500;
    bool stream = false, once = false, idle = false;
    std::uint64_t events_min = 0;
    std::string headers, model = "bench", path = "/v1/chat/completions";
};

struct Counts {
    std::uint64_t begun = 0, requests = 0, errors = 0, reconnects = 0, chunks = 0, bytes = 0;
    std::vector<std::uint32_t> latency_us, ttft_us;
};

// Finds the end of an answer and counts its events; keeps nothing but a head that is not whole.
class Answer {
public:
    enum class State { more, whole, broken };
    State take(std::string_view bytes);
    int status() const { return status_; }
    bool is_stream() const { return is_stream_; }
    bool in_body() const { return step_ != Step::head; }
    bool closes() const { return closes_; }
    std::uint64_t events() const { return events_; }
    // Whether the last event was [DONE].
    bool is_done() const { return std::string_view(tail_, sizeof tail_) == "data: [DONE]\n\n"; }
    std::string_view head() const { return head_; }

private:
    enum class Step { head, length, size, data, data_end, last };
    bool take_head(std::string_view& bytes);
    void payload(std::string_view piece);

    Step step_ = Step::head;
    std::string head_;
    int status_ = 0;
    bool is_stream_ = false, closes_ = false;
    std::size_t left_ = 0;
    std::uint64_t events_ = 0;
    bool at_line_ = true, at_event_ = true;
    char tail_[14] = {};
};

bool Answer::take_head(std::string_view& bytes) {
    const std::size_t had = head_.size();
    head_.append(bytes);
    const std::size_t end = head_.find("\r\n\r\n");
    if (end == std::string::npos) {
        bytes = {};
        return false;
    }
    bytes.remove_prefix(end + 4 - had);
    head_.resize(end);
    if (head_.starts_with("HTTP/1.1 ")) {
        std::from_chars(head_.data() + 9, head_.data() + head_.size(), status_);
    }
    is_stream_ = bench::header(head_, "content-type").starts_with("text/event-stream");
    closes_ = bench::header(head_, "connection") == "close";
    if (bench::header(head_, "transfer-encoding") == "chunked") {
        step_ = Step::size;
    } else {
        const std::string_view length = bench::header(head_, "content-length");
        std::from_chars(length.data(), length.data() + length.size(), left_);
        step_ = Step::length;
    }
    return true;
}

Answer::State Answer::take(std::string_view bytes) {
    if (step_ == Step::head && !take_head(bytes)) {
        return State::more;
    }
    if (step_ == Step::length) {
        const std::string_view piece = bytes.substr(0, left_);
        payload(piece);
        left_ -= piece.size();
        if (piece.size() < bytes.size()) {
            return State::broken;
        }
        return left_ == 0 ? State::whole : State::more;
    }
    while (!bytes.empty()) {
        if (step_ == Step::data) {
            const std::string_view piece = bytes.substr(0, left_);
            payload(piece);
            left_ -= piece.size();
            bytes.remove_prefix(piece.size());
            if (left_ == 0) {
                step_ = Step::data_end;
            }
            continue;
        }
        const char c = bytes.front();
        bytes.remove_prefix(1);
        if (c == '\r') {
            continue;
        }
        if (step_ == Step::data_end) {
            step_ = Step::size;
        } else if (step_ == Step::last) {
            return bytes.empty() && c == '\n' ? State::whole : State::broken;
        } else if (c == '\n') {
            step_ = left_ > 0 ? Step::data : Step::last;
        } else {
            const int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
            if (digit < 0 || digit > 15) {
                return State::broken;
            }
            left_ = left_ * 16 + static_cast<std::size_t>(digit);
        }
    }
    return State::more;
}

// An event counts where its first line begins, unless it is a comment.
void Answer::payload(std::string_view piece) {
    if (piece.empty() || !is_stream_) {
        return;
    }
    if (piece.size() >= sizeof tail_) {
        std::memcpy(tail_, piece.data() + piece.size() - sizeof tail_, sizeof tail_);
    } else {
        std::memmove(tail_, tail_ + piece.size(), sizeof tail_ - piece.size());
        std::memcpy(tail_ + sizeof tail_ - piece.size(), piece.data(), piece.size());
    }
    while (!piece.empty()) {
        if (at_line_) {
            at_line_ = false;
            if (piece.front() == '\n') {
                at_event_ = at_line_ = true;
                piece.remove_prefix(1);
                continue;
            }
            if (at_event_ && piece.front() == 'd') {
                ++events_;
                at_event_ = false;
            }
        }
        const std::size_t end = piece.find('\n');
        if (end == std::string_view::npos) {
            return;
        }
        at_line_ = true;
        piece.remove_prefix(end + 1);
    }
}

struct Connection {
    bench::Wire wire;
    std::uint64_t tag = 0;
    std::size_t sent = 0;
    std::size_t calls = 0;
    Answer answer;
    bool active = false;
    Clock::time_point begun, first_byte;
};

class Load {
public:
    explicit Load(Options options);
    Load(const Load&) = delete;
    Load& operator=(const Load&) = delete;
    ~Load() { ::SSL_CTX_free(options_.tls); }
    void run();

private:
    void phase(double seconds, std::uint64_t requests_max);
    bool may_begin() const;
    void open_more();
    void open(Connection& c);
    void begin(Connection& c);
    void send_more(Connection& c);
    void receive(Connection& c);
    void finish(Connection& c);
    void lost(Connection& c);
    void complain(std::string_view what);
    void report(double seconds);

    Options options_;
    std::string request_;
    int epoll_;
    std::vector<std::unique_ptr<Connection>> connections_;
    std::size_t active_ = 0;
    Counts counts_;
    std::uint64_t requests_max_ = 0;
    Clock::time_point opened_since_ = Clock::now();
    Clock::time_point until_;
    bool stopping_ = false;
};

std::string make_request(const Options& options) {
    std::string body = fmt::format(R"({{"model":"{}",{}"messages":[{{"role":"user","content":")",
                                   options.model,
                                   options.stream ? R"("stream":true,)" : "");
    constexpr std::string_view kWords = "Tell me what lies beyond the hills and who lives there. ";
    constexpr std::string_view kEnd = R"("}]})";
    while (body.size() + kEnd.size() < options.body_bytes) {
        body += kWords.substr(0, options.body_bytes - kEnd.size() - body.size());
    }
    body += kEnd;
    return fmt::format(
        "POST {} HTTP/1.1\r\nHost: {}:{}\r\nAccept: application/json\r\nAccept-Encoding: "
        "identity\r\n"
        "User-Agent: OpenAI/Python 1.40.0\r\nContent-Type: application/json\r\n{}"
        "Content-Length: {}\r\n\r\n{}",
        options.path,
        options.target.host,
        options.target.port,
        options.headers,
        body.size(),
        body);
}

Load::Load(Options options)
    : options_(std::move(options)),
      request_(make_request(options_)),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    connections_.reserve(options_.connections);
}

void Load::run() {
    constexpr auto kNoLimit = std::numeric_limits<std::uint64_t>::max();
    if (options_.warmup > 0) {
        phase(options_.warmup, kNoLimit);
        fmt::print("warm\n");
        std::fflush(stdout);
        char line[64];
        (void)!::read(STDIN_FILENO, line, sizeof line);
        // What went wrong while warming up still counts.
        counts_ = {.errors = counts_.errors};
    }
    const auto begun = Clock::now();
    const bool each_once = options_.once || options_.idle;
    phase(each_once || options_.seconds <= 0 ? 1e6 : options_.seconds,
          each_once ? options_.connections : options_.requests_max);
    if (options_.idle && counts_.errors == 0) {
        fmt::print("holding\n");
        std::fflush(stdout);
        char nothing = 0;
        while (::read(STDIN_FILENO, &nothing, 1) > 0) {
        }
    }
    report(std::chrono::duration<double>(Clock::now() - begun).count());
}

// Calls until the time is over or the number is reached, then waits for what is under way.
void Load::phase(double seconds, std::uint64_t requests_max) {
    stopping_ = false;
    requests_max_ = requests_max;
    until_ = Clock::now() +
             std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
    for (const auto& connection : connections_) {
        begin(*connection);
    }
    epoll_event events[512];
    for (;;) {
        const auto now = Clock::now();
        // The first phase goes on until all connections are open.
        const bool is_over = now >= until_ && connections_.size() == options_.connections;
        stopping_ = stopping_ || is_over || counts_.begun >= requests_max_;
        open_more();
        if (active_ == 0 && stopping_) {
            return;
        }
        if (now > until_ + kDrainMax) {
            complain("answers are missing");
            counts_.errors += active_;
            return;
        }
        const int ready = ::epoll_wait(epoll_, events, 512, 5);
        for (int i = 0; i < ready; ++i) {
            Connection& c = *connections_[events[i].data.u64];
            if (c.active && c.sent < request_.size()) {
                send_more(c);
            }
            if (c.wire.fd >= 0 && (events[i].events & ~EPOLLOUT) != 0) {
                receive(c);
            }
        }
    }
}

bool Load::may_begin() const { return !stopping_ && counts_.begun < requests_max_; }

void Load::open_more() {
    const std::chrono::duration<double> elapsed = Clock::now() - opened_since_;
    const auto allowed =
        kOpenedAtOnce + static_cast<std::size_t>(elapsed.count() * kOpenedPerSecond);
    while (may_begin() && connections_.size() < std::min(options_.connections, allowed)) {
        connections_.push_back(std::make_unique<Connection>());
        connections_.back()->tag = connections_.size() - 1;
        open(*connections_.back());
        begin(*connections_.back());
    }
}

void Load::open(Connection& c) {
    c.wire.adopt(bench::connect_to(options_.target), epoll_, options_.tls, true, c.tag);
    c.calls = 0;
}

void Load::begin(Connection& c) {
    if (!may_begin() || c.active) {
        return;
    }
    if (c.wire.fd < 0) {
        open(c);
    }
    ++counts_.begun;
    ++active_;
    c.active = true;
    ++c.calls;
    c.sent = 0;
    c.answer = Answer{};
    c.begun = Clock::now();
    send_more(c);
}

void Load::send_more(Connection& c) {
    while (c.sent < request_.size()) {
        const long n = c.wire.write(request_.data() + c.sent, request_.size() - c.sent);
        if (n == bench::kGone) {
            return;  // the answer or the end is read below
        }
        if (n == bench::kWait) {
            // A handshake waits for bytes, not for room.
            c.wire.watch_room(c.wire.tls == nullptr || SSL_want_write(c.wire.tls), c.tag);
            return;
        }
        c.sent += static_cast<std::size_t>(n);
    }
    c.wire.watch_room(false, c.tag);
}

void Load::receive(Connection& c) {
    static char scratch[bench::kScratchBytes];
    for (;;) {
        const long n = c.wire.read(scratch, sizeof scratch);
        if (n == bench::kWait) {
            return;
        }
        if (n == bench::kGone) {
            lost(c);
            return;
        }
        const bool drained = c.wire.is_drained(n, sizeof scratch);
        if (!c.active) {
            complain("bytes that belong to no answer");
            lost(c);
            return;
        }
        counts_.bytes += static_cast<std::uint64_t>(n);
        const bool had_body = c.answer.in_body();
        const auto before = c.answer.events();
        const auto state = c.answer.take({scratch, static_cast<std::size_t>(n)});
        counts_.chunks += c.answer.events() - before;
        if (!had_body && c.answer.in_body()) {
            c.first_byte = Clock::now();
        }
        switch (state) {
            case Answer::State::more:
                break;
            case Answer::State::broken:
                complain("the framing of an answer is wrong");
                lost(c);
                return;
            case Answer::State::whole:
                finish(c);
                return;
        }
        if (drained) {
            return;
        }
    }
}

std::uint32_t micros(Clock::duration d) {
    return static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(d).count());
}

void Load::finish(Connection& c) {
    c.active = false;
    --active_;
    if (c.answer.status() != 200) {
        complain(c.answer.head());
        ++counts_.errors;
    } else if (c.answer.is_stream() != options_.stream) {
        complain("a stream was asked for and not given, or given and not asked for");
        ++counts_.errors;
    } else if (options_.stream &&
               (!c.answer.is_done() || c.answer.events() < options_.events_min)) {
        complain(fmt::format("a stream of {} events is not whole", c.answer.events()));
        ++counts_.errors;
    } else {
        ++counts_.requests;
        counts_.latency_us.push_back(micros(Clock::now() - c.begun));
        counts_.ttft_us.push_back(micros(c.first_byte - c.begun));
    }
    if (c.answer.closes()) {
        ++counts_.reconnects;
        c.wire.close();
    }
    begin(c);
}

// A connection that ended: an error, unless it had idled and the call on it had no answer yet.
void Load::lost(Connection& c) {
    c.wire.close();
    if (!c.active) {
        ++counts_.reconnects;
        return;
    }
    c.active = false;
    --active_;
    if (c.calls > 1 && !c.answer.in_body() && c.answer.head().empty()) {
        ++counts_.reconnects;
        --counts_.begun;
    } else {
        complain("a connection ended before its answer");
        ++counts_.errors;
    }
    begin(c);
}

void Load::complain(std::string_view what) {
    if (counts_.errors < 3) {
        fmt::print(stderr, "bench_load: {}\n", what);
    }
}

std::uint32_t percentile(std::vector<std::uint32_t>& values, double share) {
    if (values.empty()) {
        return 0;
    }
    const auto at = static_cast<std::ptrdiff_t>(share * static_cast<double>(values.size() - 1));
    std::nth_element(values.begin(), values.begin() + at, values.end());
    return values[static_cast<std::size_t>(at)];
}

void Load::report(double seconds) {
    fmt::print(
        R"({{"requests":{},"errors":{},"reconnects":{},"seconds":{:.3f},"chunks":{},"bytes":{},)"
        R"("p50_us":{},"p99_us":{},"ttft_p50_us":{},"ttft_p99_us":{}}})"
        "\n",
        counts_.requests,
        counts_.errors,
        counts_.reconnects,
        seconds,
        counts_.chunks,
        counts_.bytes,
        percentile(counts_.latency_us, 0.5),
        percentile(counts_.latency_us, 0.99),
        percentile(counts_.ttft_us, 0.5),
        percentile(counts_.ttft_us, 0.99));
}

// Trusts any certificate: it is the bench's own.
SSL_CTX* client_context() {
    SSL_CTX* context = ::SSL_CTX_new(::TLS_client_method());
    ::SSL_CTX_set_mode(context,
                       SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return context;
}

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 1; i < argc; ++i) {
        const std::string_view option = argv[i];
        const auto value = [&] {
            return i + 1 < argc ? argv[++i] : (bench::die("a value is missing"), nullptr);
        };
        if (option == "--target") {
            options.target = bench::parse_host_port(value());
        } else if (option == "--tls") {
            options.tls = client_context();
        } else if (option == "--connections") {
            options.connections = std::strtoul(value(), nullptr, 10);
        } else if (option == "--seconds") {
            options.seconds = std::atof(value());
        } else if (option == "--warmup") {
            options.warmup = std::atof(value());
        } else if (option == "--requests") {
            options.requests_max = std::strtoull(value(), nullptr, 10);
        } else if (option == "--body-bytes") {
            options.body_bytes = std::strtoul(value(), nullptr, 10);
        } else if (option == "--stream") {
            options.stream = true;
        } else if (option == "--once") {
            options.once = true;
        } else if (option == "--idle") {
            options.idle = true;
        } else if (option == "--events-min") {
            options.events_min = std::strtoull(value(), nullptr, 10);
        } else if (option == "--header") {
            options.headers += fmt::format("{}\r\n", value());
        } else if (option == "--model") {
            options.model = value();
        } else if (option == "--path") {
            options.path = value();
        } else {
            bench::die(fmt::format("unknown option {}", option));
        }
    }
    const bool is_bounded = options.seconds > 0 || options.once || options.idle ||
                            options.requests_max != std::numeric_limits<std::uint64_t>::max();
    if (options.target.port == 0 || !is_bounded) {
        bench::die("needs --target and one of --seconds, --requests, --once, --idle");
    }
    return options;
}

}  // namespace

int main(int argc, char** argv) {
    bench::prepare_process();
    Load load(parse(argc, argv));
    load.run();
}
