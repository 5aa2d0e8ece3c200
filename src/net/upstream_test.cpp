// What a provider's answer becomes: every framing at every cut, stray bytes, faults by their codes.
#include "net/upstream_bench_test.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

// Answers of every framing.

struct AnswerCase {
    std::string_view name;
    std::string answer;
    int status;
    std::string body;
    bool is_reused;
    bool is_closed = false;  // by the provider, behind the answer
    Method method = Method::get;
};
class UpstreamAnswer : public testing::TestWithParam<AnswerCase> {};

aio::Task<void> check_answer(AnswerCase answer) {
    Bench bench({.host = "127.0.0.1"});
    std::optional<Wire> wire;
    for (std::size_t cut = 1; cut <= answer.answer.size(); ++cut) {
        Outcome outcome;
        bench.scope.spawn(ask(bench.pool, outcome, patient(), kGet, answer.method));
        if (!wire) {
            wire.emplace(co_await bench.provider.accept());
        }
        const std::string request = co_await wire->read(kGet.size());
        EXPECT_EQ(request, kGet);
        wire->send(std::string_view(answer.answer).substr(0, cut));
        co_await turns();
        EXPECT_TRUE(!outcome.ended || cut == answer.answer.size());
        wire->send(std::string_view(answer.answer).substr(cut));
        if (answer.is_closed) {
            wire->close();
        }
        co_await bench.scope.join();
        EXPECT_TRUE(outcome.result.has_value());
        EXPECT_EQ(outcome.status, answer.status);
        EXPECT_EQ(outcome.body, answer.body);
        EXPECT_EQ(bench.upstream->connections(), answer.is_reused ? 1u : 0u);
        if (!answer.is_reused) {
            wire.reset();
        }
        if (testing::Test::HasFailure()) {
            ADD_FAILURE() << "cut at " << cut;
            co_return;
        }
    }
    EXPECT_EQ(bench.provider.accepted(), answer.is_reused ? 1u : answer.answer.size());
}

TEST_P(UpstreamAnswer, IsTheSameAtEveryCut) {
    aio::Reactor reactor;
    reactor.run(check_answer(GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    UpstreamAnswer,
    testing::Values(
        AnswerCase{"sized", std::string(kHello), 200, "hello", true},
        AnswerCase{"empty", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404, "", true},
        AnswerCase{"chunked",
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                   "3\r\nabc\r\nA;ext=1\r\n0123456789\r\n1\r\n!\r\n0\r\nX-Trailer: t\r\n\r\n",
                   200,
                   "abc0123456789!",
                   true},
        AnswerCase{"until_close",
                   "HTTP/1.1 200 OK\r\n\r\nall that comes",
                   200,
                   "all that comes",
                   false,
                   true},
        AnswerCase{"old", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, "ok", false},
        AnswerCase{"says_close",
                   "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
                   200,
                   "ok",
                   false},
        AnswerCase{"interim_heads",
                   "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
                   "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
                   200,
                   "ok",
                   true},
        AnswerCase{"no_content", "HTTP/1.1 204 No Content\r\n\r\n", 204, "", true},
        AnswerCase{"not_modified",
                   "HTTP/1.1 304 Not Modified\r\nContent-Length: 50\r\n\r\n",
                   304,
                   "",
                   true},
        AnswerCase{"head",
                   "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n",
                   200,
                   "",
                   true,
                   false,
                   Method::head}),
    [](const auto& info) { return std::string{info.param.name}; });

// What follows an answer was not asked for: such a connection is not used again.
struct StrayCase {
    std::string_view name;
    std::string answer;
};
class UpstreamStray : public testing::TestWithParam<StrayCase> {};

aio::Task<void> check_stray(std::string answer) {
    Bench bench({.host = "127.0.0.1"});
    for (std::size_t cut = 1; cut <= answer.size(); ++cut) {
        Outcome outcome;
        bench.spawn_ask(outcome);
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        wire.send(std::string_view(answer).substr(0, cut));
        co_await turns();
        wire.send(std::string_view(answer).substr(cut));
        co_await bench.scope.join();
        co_await turns();
        EXPECT_TRUE(outcome.result.has_value());
        bench.pool.reap(aio::Reactor::current().now());
        EXPECT_EQ(bench.upstream->connections(), 0u) << "cut at " << cut;
    }
}

TEST_P(UpstreamStray, BytesBehindTheAnswerEndTheConnection) {
    aio::Reactor reactor;
    reactor.run(check_stray(GetParam().answer));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    UpstreamStray,
    testing::Values(
        StrayCase{"sized", std::string(kHello) + "!"},
        StrayCase{"chunked",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n!"},
        StrayCase{"empty", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n!"},
        StrayCase{"no_content", "HTTP/1.1 204 No Content\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"}),
    [](const auto& info) { return std::string{info.param.name}; });

struct FaultCase {
    std::string_view name;
    std::string answer;
    Code code;
};
class UpstreamFault : public testing::TestWithParam<FaultCase> {};

aio::Task<void> check_fault(const FaultCase* fault) {
    Bench bench({.host = "127.0.0.1"});
    Outcome outcome;
    bench.spawn_ask(outcome);
    Wire wire = co_await bench.provider.accept();
    const std::string request = co_await wire.read(kGet.size());
    co_await wire.send_much(fault->answer);
    wire.close();
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), fault->code);
    EXPECT_NE(outcome.result.error().detail(), "");
    EXPECT_EQ(bench.upstream->connections(), 0u);
    EXPECT_FALSE(bench.provider.has_caller());
}

TEST_P(UpstreamFault, IsToldByItsCode) {
    aio::Reactor reactor;
    reactor.run(check_fault(&GetParam()));
}

INSTANTIATE_TEST_SUITE_P(
    All,
    UpstreamFault,
    testing::Values(
        FaultCase{"no_http", "hello\r\n\r\n", Code::upstream_invalid_response},
        FaultCase{"two_lengths",
                  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                  Code::upstream_invalid_response},
        FaultCase{"upgrade", "HTTP/1.1 101 Upgrade\r\n\r\n", Code::upstream_invalid_response},
        FaultCase{"endless_interim",
                  [] {
                      std::string heads;
                      for (int i = 0; i < 9; ++i) {
                          heads += "HTTP/1.1 103 Hints\r\n\r\n";
                      }
                      return heads + std::string(kHello);
                  }(),
                  Code::upstream_invalid_response},
        FaultCase{
            "head_too_large", head_of(kUpstreamHeadBytesMax + 10), Code::upstream_invalid_response},
        FaultCase{"head_too_large_by_far", head_of(90'000), Code::upstream_invalid_response},
        FaultCase{"line_that_never_ends",
                  "HTTP/1.1 200 OK\r\nX: " + std::string(200'000, 'x'),
                  Code::upstream_invalid_response},
        FaultCase{"cut_in_the_head", "HTTP/1.1 200 OK\r\nCont", Code::upstream_invalid_response},
        FaultCase{"cut_in_a_sized_body",
                  std::string(kHello.substr(0, kHello.size() - 1)),
                  Code::upstream_invalid_response},
        FaultCase{"cut_in_a_chunked_body",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
                  Code::upstream_invalid_response},
        FaultCase{"bad_chunk",
                  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
                  Code::upstream_invalid_response}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::net
