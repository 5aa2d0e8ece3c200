#include "net/tls.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <cstdlib>
#include <filesystem>

#include "net/loopback_test.h"
#include "net/upstream.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kMuch = 5u << 20;

// Two authorities and three certificates, made by the openssl program in a folder of their own.
class Certificates {
public:
    Certificates() {
        std::string name = (std::filesystem::temp_directory_path() / "weir-tls-XXXXXX").string();
        EXPECT_NE(::mkdtemp(name.data()), nullptr);
        folder_ = name;
        make("ca", "/CN=Weir test authority", "");
        make("other_ca", "/CN=Another authority", "");
        make("here", "/CN=localhost", "subjectAltName=DNS:localhost,IP:127.0.0.1");
        make("elsewhere", "/CN=elsewhere", "subjectAltName=DNS:elsewhere.example");
    }
    ~Certificates() { std::filesystem::remove_all(folder_); }
    std::string pem(std::string_view name) const { return fmt::format("{}/{}.pem", folder_, name); }
    std::string key(std::string_view name) const { return fmt::format("{}/{}.key", folder_, name); }

private:
    void make(std::string_view name, std::string_view subject, std::string_view extension) {
        std::string command = fmt::format(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
            "-subj '{}' -keyout {} -out {}",
            subject,
            key(name),
            pem(name));
        if (!extension.empty()) {
            command += fmt::format(" -CA {} -CAkey {} -addext {} -addext basicConstraints=CA:FALSE",
                                   pem("ca"),
                                   key("ca"),
                                   extension);
        }
        EXPECT_EQ(std::system((command + " 2>/dev/null").c_str()), 0) << command;
    }
    std::string folder_;
};

const Certificates& certificates() {
    static const Certificates made;
    return made;
}

std::shared_ptr<TlsContext> serving(std::string_view name = "here") {
    return TlsContext::server(certificates().pem(name), certificates().key(name)).value();
}

std::shared_ptr<TlsContext> trusting(std::string_view authority = "ca") {
    return TlsContext::client(certificates().pem(authority)).value();
}

TEST(TlsContext, RefusesFilesThatAreMissingOrDoNotFit) {
    const auto& made = certificates();
    const Result<std::shared_ptr<TlsContext>> refused[] = {
        TlsContext::server(made.pem("here"), made.key("elsewhere")),
        TlsContext::server(made.pem("none"), made.key("here")),
        TlsContext::server(made.pem("here"), made.key("none")),
        TlsContext::server(made.key("here"), made.key("here")),
        TlsContext::client(made.pem("none")),
        TlsContext::client(made.key("here")),
    };
    for (const auto& context : refused) {
        ASSERT_FALSE(context.has_value());
        EXPECT_EQ(context.error().code(), Code::invalid_config);
    }
    EXPECT_TRUE(TlsContext::client("").has_value());
}

// Two streams of one reactor, joined by a pair of sockets.

struct End2 {
    End2(int fd, TlsContext& context, const std::string& host) : stream(fd) {
        auto made = context.session(host);
        session = made.get();
        stream.use_tls(std::move(made));
    }
    Stream stream;
    TlsSession* session = nullptr;
};

aio::Task<void> shake(End2& end, Io& io) {
    io = co_await end.stream.handshake(aio::Deadline::in(kHangGuard));
}

struct Pair {
    Pair(TlsContext& client_context, TlsContext& server_context, const std::string& host) {
        int fds[2];
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
        client.emplace(fds[0], client_context, host);
        server.emplace(fds[1], server_context, std::string());
    }
    aio::Task<bool> handshake() {
        aio::Scope scope;
        Io client_io{IoStatus::failed};
        Io server_io{IoStatus::failed};
        scope.spawn(shake(*client, client_io));
        scope.spawn(shake(*server, server_io));
        co_await scope.join();
        co_return client_io.is_ok() && server_io.is_ok();
    }
    std::optional<End2> client;
    std::optional<End2> server;
};

aio::Task<void> write_all(Stream& stream, std::string_view bytes, std::size_t piece, bool& right) {
    std::vector<std::string_view> pieces;
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
        pieces.push_back(bytes.substr(at, piece));
    }
    const Io io = co_await stream.write(pieces, kHangGuard, aio::Deadline::never());
    right = io.is_ok() && io.bytes == bytes.size();
}

aio::Task<void> read_all(Stream& stream, std::size_t bytes, std::size_t step, std::string& got) {
    std::string part(step, '\0');
    while (got.size() < bytes) {
        const Io io = co_await stream.read(part, aio::Deadline::in(kHangGuard));
        if (!io.is_ok()) {
            break;
        }
        got.append(part, 0, io.bytes);
        co_await aio::yield();
    }
}

aio::Task<void> carry(std::size_t piece, std::size_t step) {
    const auto client_context = trusting();
    const auto server_context = serving();
    Pair pair(*client_context, *server_context, "localhost");
    EXPECT_TRUE(co_await pair.handshake());
    const std::string up = pattern(kMuch);
    const std::string down(up.rbegin(), up.rend());
    bool up_written = false;
    bool down_written = false;
    std::string up_got;
    std::string down_got;
    aio::Scope scope;
    scope.spawn(write_all(pair.client->stream, up, piece, up_written));
    scope.spawn(write_all(pair.server->stream, down, piece, down_written));
    scope.spawn(read_all(pair.server->stream, up.size(), step, up_got));
    scope.spawn(read_all(pair.client->stream, down.size(), step, down_got));
    co_await scope.join();
    EXPECT_TRUE(up_written && down_written);
    EXPECT_TRUE(up_got == up);
    EXPECT_TRUE(down_got == down);
}

TEST(TlsStream, CarriesMuchBothWaysAtOnce) {
    // Pieces smaller than a record, about one, and larger; reads likewise. 100 bytes: a record that
    // is offered again after the socket was full takes more pieces than one system call.
    for (const std::size_t piece : {100u, 5'000u, 16'384u, 1'000'000u}) {
        for (const std::size_t step : {999u, 65'536u}) {
            aio::Reactor reactor;
            reactor.run(carry(piece, step));
        }
    }
}

aio::Task<void> resume(bool first_stays, bool& first_resumed, bool& second_resumed) {
    const auto client_context = trusting();
    const auto server_context = serving();
    std::vector<std::unique_ptr<Pair>> pairs;
    for (bool* resumed : {&first_resumed, &second_resumed}) {
        pairs.push_back(std::make_unique<Pair>(*client_context, *server_context, "localhost"));
        Pair& pair = *pairs.back();
        EXPECT_TRUE(co_await pair.handshake());
        *resumed = pair.client->session->was_resumed();
        EXPECT_EQ(pair.server->session->was_resumed(), *resumed);
        // The ticket comes with the first bytes.
        bool written = false;
        std::string got;
        aio::Scope scope;
        scope.spawn(write_all(pair.server->stream, "hello", 5, written));
        scope.spawn(read_all(pair.client->stream, 5, 100, got));
        co_await scope.join();
        EXPECT_EQ(got, "hello");
        if (!first_stays) {
            pairs.clear();
        }
    }
}

TEST(TlsStream, ResumesTheLastSessionOfAHost) {
    for (const bool first_stays : {true, false}) {
        bool first = true;
        bool second = false;
        aio::Reactor reactor;
        reactor.run(resume(first_stays, first, second));
        EXPECT_FALSE(first);
        EXPECT_TRUE(second) << "the first connection " << (first_stays ? "stays" : "was closed");
    }
}

// The end that comes with the last bytes is not lost, even where no FIN follows.
aio::Task<void> read_to_the_end(Stream& stream, std::string& got, IoStatus& end) {
    for (;;) {
        const Io io = co_await stream.read(receive_scratch(), aio::Deadline::in(kHangGuard));
        if (!io.is_ok()) {
            end = io.status;
            co_return;
        }
        got.append(receive_scratch().data(), io.bytes);
    }
}

aio::Task<void> end_at_once(IoStatus& end) {
    const auto client_context = trusting();
    const auto server_context = serving();
    Pair pair(*client_context, *server_context, "localhost");
    EXPECT_TRUE(co_await pair.handshake());
    const std::string_view pieces[] = {"bye"};
    const Io io = co_await pair.server->stream.write(pieces, kHangGuard, aio::Deadline::never());
    EXPECT_TRUE(io.is_ok());
    pair.server->session->close_notify();
    std::string got;
    co_await read_to_the_end(pair.client->stream, got, end);
    EXPECT_EQ(got, "bye");
}

TEST(TlsStream, SeesAnEndThatCameWithTheLastBytes) {
    IoStatus end = IoStatus::ok;
    aio::Reactor reactor;
    reactor.run(end_at_once(end));
    EXPECT_EQ(end, IoStatus::end);
}

// Upstream and server.

aio::Task<void> echo(ServerCall& call, EventLog& log) {
    const auto body = co_await call.read_body(2 * kMuch);
    if (!body) {
        log.note(std::string(name(body.error().code())));
        co_return;
    }
    co_await answer(call, 200, std::string(*body));
}

aio::Task<void> never_answer(ServerCall&, EventLog& log) {
    log.note("handling");
    co_await aio::sleep(aio::Deadline::never());
    log.note("cancelled");
}

struct Outcome {
    Result<void> result{};
    bool keeps_alive = false;
    std::string body;
};

Timing patient() {
    return {.connect_max = kHangGuard,
            .first_byte = aio::Deadline::in(kHangGuard),
            .idle_max = kHangGuard,
            .total = aio::Deadline::in(kHangGuard)};
}

aio::Task<void> post(UpstreamPool& pool, std::string_view body, Timing timing, Outcome& outcome) {
    Exchange exchange(pool);
    const std::string head =
        fmt::format("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", body.size());
    const std::string_view pieces[] = {head, body};
    outcome.result = co_await exchange.send(pieces, Method::post, timing);
    outcome.keeps_alive = outcome.result && exchange.head().keep_alive;
    while (outcome.result && !exchange.is_complete()) {
        const auto bytes = co_await exchange.read_body();
        if (!bytes) {
            outcome.result = std::unexpected(bytes.error());
            break;
        }
        outcome.body += *bytes;
    }
}

aio::Task<void> post_all(std::shared_ptr<Upstream> upstream,
                         std::vector<std::string> bodies,
                         Timing* timing,
                         std::vector<Outcome>& outcomes) {
    UpstreamPool pool(std::move(upstream));
    for (const std::string& body : bodies) {
        outcomes.emplace_back();
        co_await post(pool, body, timing != nullptr ? *timing : patient(), outcomes.back());
    }
}

// Calls one after the other, as far as possible on one connection.
std::vector<Outcome> call(std::uint16_t port,
                          const std::string& host,
                          std::shared_ptr<TlsContext> tls,
                          std::vector<std::string> bodies) {
    aio::BlockingPool names("names", 1, 4);
    Resolver resolver(names);
    auto upstream = std::make_shared<Upstream>(
        UpstreamOptions{.host = host, .port = port, .tls = std::move(tls)}, resolver);
    std::vector<Outcome> outcomes;
    aio::Reactor reactor;
    reactor.run(post_all(upstream, std::move(bodies), nullptr, outcomes));
    EXPECT_EQ(upstream->connections(), 0u);
    return outcomes;
}

TEST(TlsServer, AnswersCallsOnOneConnection) {
    // The server says with which call a connection has had its fill: they all came on one.
    RunningServer server(&echo, {.limits = {.requests_per_connection_max = 5}, .tls = serving()});
    for (const std::string host : {"127.0.0.1", "localhost"}) {
        const std::vector<std::string> bodies{"one", "", pattern(kMuch), "two", pattern(40'000)};
        const auto outcomes = call(server.address().port(), host, trusting(), bodies);
        ASSERT_EQ(outcomes.size(), bodies.size());
        for (std::size_t i = 0; i < bodies.size(); ++i) {
            EXPECT_TRUE(outcomes[i].result.has_value()) << outcomes[i].result.error().detail();
            EXPECT_TRUE(outcomes[i].body == bodies[i]) << i;
            EXPECT_EQ(outcomes[i].keeps_alive, i < 4);
        }
    }
}

struct VerifyCase {
    std::string_view name;
    std::string certificate;
    std::string authority;
    std::string host;
    std::string detail;
};
class TlsVerify : public testing::TestWithParam<VerifyCase> {};

TEST_P(TlsVerify, FailsWithItsReason) {
    RunningServer server(&echo, {.tls = serving(GetParam().certificate)});
    const auto outcomes =
        call(server.address().port(), GetParam().host, trusting(GetParam().authority), {"x"});
    ASSERT_FALSE(outcomes[0].result.has_value());
    EXPECT_EQ(outcomes[0].result.error().code(), Code::upstream_unavailable);
    EXPECT_NE(outcomes[0].result.error().detail().find(GetParam().detail), std::string::npos)
        << outcomes[0].result.error().detail();
    EXPECT_EQ(server.handled(0), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    TlsVerify,
    testing::Values(
        VerifyCase{
            "unknown_authority", "here", "other_ca", "localhost", "certificate verify failed: "},
        VerifyCase{"wrong_name", "elsewhere", "ca", "localhost", "ostname mismatch"},
        VerifyCase{"wrong_address", "elsewhere", "ca", "127.0.0.1", "IP address mismatch"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(TlsServer, TellsAClientThatSpeaksNoTls) {
    RunningServer server(&echo, {.tls = serving()});
    Peer plain = server.connect();
    plain.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    plain.read_to_end();
    EXPECT_EQ(server.handled(0), 0u);
    EXPECT_EQ(call(server.address().port(), "127.0.0.1", trusting(), {"ok"})[0].body, "ok");
}

TEST(TlsUpstream, SaysThatTheProviderSpeaksNoTls) {
    RunningServer server(&echo);
    const auto outcomes = call(server.address().port(), "127.0.0.1", trusting(), {"x"});
    ASSERT_FALSE(outcomes[0].result.has_value());
    EXPECT_EQ(outcomes[0].result.error().code(), Code::upstream_unavailable);
    EXPECT_NE(outcomes[0].result.error().detail().find("wrong version number"), std::string::npos)
        << outcomes[0].result.error().detail();
}

// A listener with a thread that plays one connection.
class Listener {
public:
    Listener() {
        fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        SocketAddress address = parse_socket_address("127.0.0.1:0").value();
        EXPECT_EQ(::bind(fd_, address.raw(), address.size), 0);
        EXPECT_EQ(::listen(fd_, 10), 0);
        ::getsockname(fd_, address.raw(), &address.size);
        port_ = address.port();
    }
    ~Listener() { ::close(fd_); }
    std::uint16_t port() const { return port_; }
    int accept() const { return ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC); }

private:
    int fd_;
    std::uint16_t port_;
};

TEST(TlsUpstream, SaysThatTheHandshakeWasCutOff) {
    Listener listener;
    std::thread provider([&] {
        Peer peer(listener.accept());
        peer.read(1);
    });
    const auto outcomes = call(listener.port(), "127.0.0.1", trusting(), {"x"});
    provider.join();
    ASSERT_FALSE(outcomes[0].result.has_value());
    EXPECT_EQ(outcomes[0].result.error().code(), Code::upstream_unavailable);
    EXPECT_NE(outcomes[0].result.error().detail().find("connection closed"), std::string::npos)
        << outcomes[0].result.error().detail();
}

TEST(TlsUpstream, GivesUpASilentHandshake) {
    Listener listener;
    aio::BlockingPool names("names", 1, 4);
    Resolver resolver(names);
    auto upstream = std::make_shared<Upstream>(
        UpstreamOptions{.host = "127.0.0.1", .port = listener.port(), .tls = trusting()}, resolver);
    Timing timing{.connect_max = 50ms,
                  .first_byte = aio::Deadline::never(),
                  .idle_max = kHangGuard,
                  .total = aio::Deadline::never()};
    std::vector<Outcome> outcomes;
    aio::Reactor reactor;
    reactor.run(post_all(upstream, {"x"}, &timing, outcomes));
    ASSERT_FALSE(outcomes[0].result.has_value());
    EXPECT_EQ(outcomes[0].result.error().code(), Code::upstream_timeout);
}

// A client of OpenSSL itself, blocking, for what Weir's own never does.
class RawClient {
public:
    RawClient(const RunningServer& server, void (*configure)(SSL_CTX*)) : peer_(server.connect()) {
        context_ = ::SSL_CTX_new(::TLS_client_method());
        ::SSL_CTX_load_verify_locations(context_, certificates().pem("ca").c_str(), nullptr);
        configure(context_);
        ssl_ = ::SSL_new(context_);
        ::SSL_set_fd(ssl_, peer_.fd());
    }
    RawClient(const RawClient&) = delete;
    ~RawClient() {
        ::SSL_free(ssl_);
        ::SSL_CTX_free(context_);
    }
    bool connect() { return ::SSL_connect(ssl_) == 1; }
    void send(std::string_view bytes) {
        std::size_t written = 0;
        EXPECT_EQ(::SSL_write_ex(ssl_, bytes.data(), bytes.size(), &written), 1);
    }
    std::string read_to_end() {
        std::string all;
        char bytes[4096];
        std::size_t got = 0;
        while (::SSL_read_ex(ssl_, bytes, sizeof bytes, &got) == 1) {
            all.append(bytes, got);
        }
        EXPECT_EQ(::SSL_get_error(ssl_, 0), SSL_ERROR_ZERO_RETURN) << "truncated";
        return all;
    }
    void close() { peer_.close(); }

private:
    Peer peer_;
    SSL_CTX* context_;
    SSL* ssl_;
};

std::string request_of(std::string_view body) {
    return fmt::format(
        "POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
        body.size(),
        body);
}

TEST(TlsServer, ServesAClientThatTakesSmallRecordsOnly) {
    RunningServer server(&echo, {.tls = serving()});
    for (const auto configure :
         {+[](SSL_CTX* context) {
              ::SSL_CTX_set_tlsext_max_fragment_length(context, TLSEXT_max_fragment_length_512);
          },
          +[](SSL_CTX* context) {
              ::SSL_CTX_set_tlsext_max_fragment_length(context, TLSEXT_max_fragment_length_4096);
              ::SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
          }}) {
        RawClient client(server, configure);
        ASSERT_TRUE(client.connect());
        const std::string body = pattern(60'000);
        client.send(request_of(body));
        const std::string answer = client.read_to_end();
        EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body));
    }
}

TEST(TlsServer, ServesTls12AndRefusesOlderOnes) {
    RunningServer server(&echo, {.tls = serving()});
    RawClient client(
        server, [](SSL_CTX* context) { ::SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION); });
    ASSERT_TRUE(client.connect());
    client.send(request_of("hello"));
    EXPECT_TRUE(client.read_to_end().ends_with("hello"));
    RawClient old(server, [](SSL_CTX* context) {
        ::SSL_CTX_set_security_level(context, 0);
        ::SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
        ::SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
    });
    EXPECT_FALSE(old.connect());
}

TEST(TlsServer, RefusesAClientThatWantsAnotherProtocol) {
    RunningServer server(&echo, {.tls = serving()});
    RawClient client(server, [](SSL_CTX* context) {
        static const unsigned char kOnlyH2[] = {2, 'h', '2'};
        ::SSL_CTX_set_alpn_protos(context, kOnlyH2, sizeof kOnlyH2);
    });
    EXPECT_FALSE(client.connect());
    EXPECT_EQ(server.handled(0), 0u);
}

TEST(TlsServer, AHangUpCancelsTheHandler) {
    RunningServer server(&never_answer, {.tls = serving()});
    RawClient client(server, [](SSL_CTX*) {});
    ASSERT_TRUE(client.connect());
    client.send(request_of(""));
    server.log.wait_for(1);
    client.close();
    EXPECT_EQ(server.log.wait_for(2).back(), "cancelled");
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

// Where only the connection's end ends an answer, an end without close_notify is a truncation.
TEST(TlsUpstream, TellsATruncatedAnswer) {
    for (const bool truncated : {false, true}) {
        Listener listener;
        std::thread provider([&] {
            SSL_CTX* context = ::SSL_CTX_new(::TLS_server_method());
            ::SSL_CTX_use_certificate_chain_file(context, certificates().pem("here").c_str());
            ::SSL_CTX_use_PrivateKey_file(
                context, certificates().key("here").c_str(), SSL_FILETYPE_PEM);
            const int fd = listener.accept();
            SSL* ssl = ::SSL_new(context);
            ::SSL_set_fd(ssl, fd);
            EXPECT_EQ(::SSL_accept(ssl), 1);
            std::string request;
            char bytes[4096];
            std::size_t got = 0;
            while (!request.ends_with("x") && ::SSL_read_ex(ssl, bytes, sizeof bytes, &got) == 1) {
                request.append(bytes, got);
            }
            constexpr std::string_view kAnswer = "HTTP/1.1 200 OK\r\n\r\nall";
            EXPECT_EQ(::SSL_write_ex(ssl, kAnswer.data(), kAnswer.size(), &got), 1);
            if (!truncated) {
                ::SSL_shutdown(ssl);
            }
            ::close(fd);
            ::SSL_free(ssl);
            ::SSL_CTX_free(context);
        });
        const auto outcomes = call(listener.port(), "localhost", trusting(), {"x"});
        provider.join();
        EXPECT_EQ(outcomes[0].body, "all");
        EXPECT_EQ(outcomes[0].result.has_value(), !truncated);
        if (truncated) {
            EXPECT_EQ(outcomes[0].result.error().code(), Code::upstream_invalid_response);
        }
    }
}

}  // namespace
}  // namespace weir::net
