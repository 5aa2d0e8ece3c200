// What becomes of a stranger's URL: who is asked, what is taken, and what never leaves.
#include "net/fetch.h"

#include "net/upstream_bench_test.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBytesMax = 1000;

FetchOptions options(std::vector<Network> allowed) {
    return {.rules = {.allow_http = true, .allowed = std::move(allowed)},
            .bytes_max = kBytesMax,
            .types = {"image/*", "application/pdf"}};
}

struct FetchBench {
    explicit FetchBench(std::string_view allowed = "127.0.0.0/8")
        : fetcher(options({*parse_network(allowed)}), resolver) {}

    std::string url(std::string_view rest = "/a.png") const {
        return fmt::format("http://127.0.0.1:{}{}", host.port(), rest);
    }

    Provider host;
    aio::BlockingPool names{"names", 1, 4};
    Resolver resolver{names};
    Fetcher fetcher;
    aio::Scope scope;
    std::size_t taken = 0;
    std::size_t take_max = kBytesMax;
};

struct Landing {
    bool ended = false;
    Result<Fetched> result = Fetched{};
};

aio::Task<void> fetch(FetchBench& bench,
                      std::string url,
                      Landing& landing,
                      aio::Deadline deadline = aio::Deadline::in(kHangGuard)) {
    const auto take = [&bench](std::size_t bytes) -> Result<void> {
        bench.taken += bytes;
        if (bench.taken > bench.take_max) {
            return fail(Code::overloaded, "full");
        }
        return {};
    };
    landing.result = co_await bench.fetcher.get(std::move(url), take, deadline);
    landing.ended = true;
}

Code code_of(const Landing& landing) {
    return landing.result ? Code::internal : landing.result.error().code();
}

aio::Task<std::string> read_head(Wire& wire) {
    std::string head;
    while (!head.ends_with("\r\n\r\n")) {
        const std::string more = co_await wire.read(1);
        if (more.empty()) {
            break;
        }
        head += more;
    }
    co_return head;
}

aio::Task<void> asks_for_the_file_and_for_nothing_else() {
    FetchBench bench;
    Landing landing;
    bench.scope.spawn(fetch(bench, bench.url("/a%20b?c=d#e"), landing));
    Wire wire = co_await bench.host.accept();
    const std::string head = co_await read_head(wire);
    EXPECT_EQ(head,
              fmt::format("GET /a%20b?c=d HTTP/1.1\r\nhost: 127.0.0.1:{}\r\n"
                          "accept: image/*, application/pdf\r\naccept-encoding: identity\r\n"
                          "user-agent: weir\r\nconnection: close\r\n\r\n",
                          bench.host.port()));
    wire.send("HTTP/1.1 200 OK\r\nContent-Type: Image/PNG ; q=1\r\nContent-Length: 5\r\n\r\nbytes");
    co_await bench.scope.join();
    EXPECT_TRUE(landing.result.has_value());
    EXPECT_EQ(landing.result->bytes, "bytes");
    EXPECT_EQ(landing.result->type, "image/png");
    EXPECT_EQ(bench.taken, 5u);
}

TEST(Fetch, AsksForTheFileAndForNothingElse) {
    aio::Reactor reactor;
    reactor.run(asks_for_the_file_and_for_nothing_else());
}

struct AnswerCase {
    std::string_view name;
    std::string answer;
    Code code;                 // internal: it is taken
    std::string_view message;  // a part of it
};
class FetchAnswer : public testing::TestWithParam<AnswerCase> {};

aio::Task<void> check_answer(AnswerCase c) {
    FetchBench bench;
    Landing landing;
    bench.scope.spawn(fetch(bench, bench.url(), landing));
    Wire wire = co_await bench.host.accept();
    (void)co_await read_head(wire);
    wire.send(c.answer);
    wire.close();
    co_await bench.scope.join();
    EXPECT_EQ(name(code_of(landing)), name(c.code));
    if (landing.result) {
        EXPECT_EQ(landing.result->bytes, "bytes");
    } else {
        const std::string& message = landing.result.error().message();
        EXPECT_NE(message.find(c.message), std::string::npos) << message;
        EXPECT_EQ(message.find("127."), std::string::npos) << message;
        EXPECT_EQ(message.find("provider"), std::string::npos) << message;
    }
    EXPECT_EQ(bench.host.accepted(), 1u);
}

TEST_P(FetchAnswer, IsTakenOrRefusedByItsHead) {
    aio::Reactor reactor;
    reactor.run(check_answer(GetParam()));
}

std::string answer_of(std::string_view fields, std::string_view body, std::string_view status) {
    return fmt::format("HTTP/1.1 {} X\r\n{}\r\n{}", status, fields, body);
}
std::string good(std::string_view fields, std::string_view body = "bytes") {
    return answer_of(fields, body, "200");
}

INSTANTIATE_TEST_SUITE_P(
    All,
    FetchAnswer,
    testing::Values(
        AnswerCase{"until_close", good("Content-Type: application/pdf\r\n"), Code::internal, ""},
        AnswerCase{"chunked",
                   good("Content-Type: image/a\r\nTransfer-Encoding: chunked\r\n",
                        "2\r\nby\r\n3\r\ntes\r\n0\r\n\r\n"),
                   Code::internal,
                   ""},
        AnswerCase{"says_identity",
                   good("Content-Type: image/a\r\nContent-Encoding: identity\r\n"),
                   Code::internal,
                   ""},
        AnswerCase{"no_type", good(""), Code::unsupported_media_type, "does not say"},
        AnswerCase{"type_not_allowed",
                   good("Content-Type: text/html\r\n"),
                   Code::unsupported_media_type,
                   "'text/html', and allowed here are image/*, application/pdf"},
        AnswerCase{"type_that_begins_alike",
                   good("Content-Type: application/pdfx\r\n"),
                   Code::unsupported_media_type,
                   "application/pdfx"},
        AnswerCase{"type_without_its_half",
                   good("Content-Type: image/\r\n"),
                   Code::unsupported_media_type,
                   "image/"},
        AnswerCase{"type_of_no_letters",
                   good("Content-Type: image/\xff\xfe\"\r\n"),
                   Code::unsupported_media_type,
                   "does not say"},
        AnswerCase{"compressed",
                   good("Content-Type: image/a\r\nContent-Encoding: gzip\r\n"),
                   Code::upstream_invalid_response,
                   "cannot be used"},
        AnswerCase{"larger_as_it_says",
                   good("Content-Type: image/a\r\nContent-Length: 1001\r\n"),
                   Code::payload_too_large,
                   "1000 bytes"},
        AnswerCase{"larger_than_it_says",
                   good("Content-Type: image/a\r\n", std::string(1001, 'x')),
                   Code::payload_too_large,
                   "1000 bytes"},
        AnswerCase{"cut",
                   good("Content-Type: image/a\r\nContent-Length: 6\r\n"),
                   Code::upstream_invalid_response,
                   "cannot be used"},
        AnswerCase{"empty",
                   good("Content-Type: image/a\r\nContent-Length: 0\r\n", ""),
                   Code::upstream_invalid_response,
                   "cannot be used"},
        AnswerCase{"gone", answer_of("", "", "404"), Code::upstream_error, "status 404"},
        AnswerCase{"a_part",
                   answer_of("Content-Type: image/a\r\n", "bytes", "206"),
                   Code::upstream_error,
                   "status 206"},
        AnswerCase{"fails", answer_of("", "", "500"), Code::upstream_error, "status 500"},
        AnswerCase{"no_http",
                   "220 mail.example ESMTP\r\n\r\n",
                   Code::upstream_invalid_response,
                   "cannot be used"},
        AnswerCase{"nothing", "", Code::upstream_unavailable, "cannot be reached"},
        AnswerCase{"redirect_to_nowhere",
                   answer_of("", "", "302"),
                   Code::upstream_invalid_response,
                   "cannot be used"},
        AnswerCase{"redirect_to_a_private_address",
                   answer_of("Location: http://10.0.0.1/\r\n", "", "301"),
                   Code::invalid_request,
                   "not public"},
        AnswerCase{"redirect_to_metadata",
                   answer_of("Location: http://169.254.169.254/latest\r\n", "", "307"),
                   Code::invalid_request,
                   "not public"},
        AnswerCase{"redirect_to_the_other_loopback",
                   answer_of("Location: http://[::1]/\r\n", "", "308"),
                   Code::invalid_request,
                   "not public"},
        AnswerCase{"redirect_to_another_scheme",
                   answer_of("Location: file:///etc/passwd\r\n", "", "303"),
                   Code::invalid_request,
                   "no https URL"},
        AnswerCase{"redirect_with_a_user",
                   answer_of("Location: http://a@127.0.0.1/\r\n", "", "302"),
                   Code::invalid_request,
                   "user"}),
    [](const auto& info) { return std::string{info.param.name}; });

aio::Task<void> follows(std::size_t redirects) {
    FetchBench bench;
    Landing landing;
    bench.scope.spawn(fetch(bench, bench.url("/0"), landing));
    for (std::size_t i = 0; i < redirects; ++i) {
        Wire wire = co_await bench.host.accept();
        const std::string head = co_await read_head(wire);
        EXPECT_TRUE(head.starts_with(fmt::format("GET /{} HTTP/1.1\r\n", i)));
        wire.send(fmt::format(
            "HTTP/1.1 302 X\r\nLocation: {}\r\nContent-Length: 9\r\n\r\nover here", i + 1));
    }
    if (redirects <= kRedirectsMax) {
        Wire wire = co_await bench.host.accept();
        (void)co_await read_head(wire);
        wire.send("HTTP/1.1 200 X\r\nContent-Type: image/a\r\nContent-Length: 5\r\n\r\nbytes");
        co_await bench.scope.join();
        EXPECT_TRUE(landing.result.has_value());
    } else {
        co_await bench.scope.join();
        EXPECT_EQ(code_of(landing), Code::upstream_invalid_response);
        EXPECT_EQ(landing.result.error().message(), "it is redirected too often");
        EXPECT_EQ(bench.host.accepted(), kRedirectsMax + 1);
    }
}

TEST(Fetch, FollowsAFewRedirects) {
    for (std::size_t redirects = 0; redirects <= kRedirectsMax + 1; ++redirects) {
        aio::Reactor reactor;
        reactor.run(follows(redirects));
    }
}

// Without a connection: the guard speaks first.
aio::Task<void> is_refused(std::string allowed, std::string url) {
    FetchBench bench(allowed);
    for (std::size_t at = url.find("PORT"); at != std::string::npos; at = url.find("PORT")) {
        url.replace(at, 4, std::to_string(bench.host.port()));
    }
    Landing landing;
    bench.scope.spawn(fetch(bench, url, landing));
    co_await bench.scope.join();
    EXPECT_EQ(name(code_of(landing)), "invalid_request") << url;
    EXPECT_FALSE(bench.host.has_caller()) << url;
}

TEST(Fetch, ConnectsToNothingThatTheGuardRefuses) {
    for (const std::string_view url : {"http://127.0.0.1:PORT/",
                                       "http://[::ffff:127.0.0.1]:PORT/",
                                       "http://[64:ff9b::127.0.0.1]:PORT/",
                                       "http://[::1]:PORT/",
                                       "http://0.0.0.0:PORT/",
                                       "http://localhost:PORT/",
                                       "http://2130706433:PORT/",
                                       "http://0x7f.1:PORT/",
                                       "http://u@127.0.0.1:PORT/",
                                       "ftp://127.0.0.1:PORT/"}) {
        aio::Reactor reactor;
        reactor.run(is_refused("10.0.0.0/8", std::string(url)));
    }
}

aio::Task<void> plain_http_is_refused_unless_allowed() {
    FetchBench bench;
    FetchOptions strict = options({*parse_network("127.0.0.0/8")});
    strict.rules.allow_http = false;
    const Fetcher fetcher(std::move(strict), bench.resolver);
    const auto result = co_await fetcher.get(
        bench.url(), [](std::size_t) { return Result<void>{}; }, aio::Deadline::in(kHangGuard));
    EXPECT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message(), "only https URLs are fetched");
    EXPECT_FALSE(bench.host.has_caller());
}

TEST(Fetch, PlainHttpIsRefusedUnlessAllowed) {
    aio::Reactor reactor;
    reactor.run(plain_http_is_refused_unless_allowed());
}

aio::Task<void> ends_when_the_caller_takes_no_more() {
    FetchBench bench;
    bench.take_max = 4;
    Landing landing;
    bench.scope.spawn(fetch(bench, bench.url(), landing));
    Wire wire = co_await bench.host.accept();
    (void)co_await read_head(wire);
    wire.send("HTTP/1.1 200 X\r\nContent-Type: image/a\r\nContent-Length: 900\r\n\r\nbytes");
    co_await bench.scope.join();
    EXPECT_EQ(code_of(landing), Code::overloaded);
    EXPECT_TRUE(co_await wire.ends());
}

TEST(Fetch, EndsWhenTheCallerTakesNoMore) {
    aio::Reactor reactor;
    reactor.run(ends_when_the_caller_takes_no_more());
}

aio::Task<void> ends_at_its_deadline(std::string_view sent) {
    FetchBench bench;
    Landing landing;
    bench.scope.spawn(fetch(bench, bench.url(), landing, aio::Deadline::in(20ms)));
    Wire wire = co_await bench.host.accept();
    wire.send(sent);
    co_await bench.scope.join();
    EXPECT_EQ(code_of(landing), Code::upstream_timeout);
    EXPECT_EQ(landing.result.error().message(), "its host did not answer in time");
}

TEST(Fetch, EndsAtItsDeadline) {
    for (const std::string_view sent :
         {"", "HTTP/1.1 200", "HTTP/1.1 200 X\r\nContent-Type: image/a\r\n\r\nsome"}) {
        aio::Reactor reactor;
        reactor.run(ends_at_its_deadline(sent));
    }
}

aio::Task<void> ends_with_its_caller() {
    FetchBench bench;
    Landing landing;
    bench.scope.spawn(fetch(bench, bench.url(), landing));
    Wire wire = co_await bench.host.accept();
    (void)co_await read_head(wire);
    bench.scope.cancel();
    co_await bench.scope.join();
    EXPECT_EQ(code_of(landing), Code::cancelled);
    EXPECT_TRUE(co_await wire.ends());
}

TEST(Fetch, EndsWithItsCaller) {
    aio::Reactor reactor;
    reactor.run(ends_with_its_caller());
}

// The second half of the guard: what was judged is what is connected to, and no name is asked for
// again.
aio::Task<void> connects_to_the_addresses_it_is_given() {
    Bench bench({.host = "weir-test.invalid",
                 .addresses = std::make_shared<const std::vector<IpAddress>>(
                     1, parse_ip("127.0.0.1").value())});
    Outcome outcome;
    bench.spawn_ask(outcome);
    Wire wire = co_await bench.provider.accept();
    (void)co_await wire.read(kGet.size());
    wire.send(kHello);
    co_await bench.scope.join();
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(bench.upstream->authority(),
              fmt::format("weir-test.invalid:{}", bench.provider.port()));
}

TEST(Upstream, ConnectsToTheAddressesItIsGiven) {
    aio::Reactor reactor;
    reactor.run(connects_to_the_addresses_it_is_given());
}

}  // namespace
}  // namespace weir::net
