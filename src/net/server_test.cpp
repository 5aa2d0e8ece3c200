#include "net/server.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <stdexcept>

#include "net/loopback_test.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kBodyMax = 1u << 20;
// For tests in which a limit must not end the wait.
constexpr std::chrono::hours kNever{1};

// Handlers: what the tests ask of a server.

// Reads the body, then tells head and body back: the head's views must have survived it.
aio::Task<void> echo(ServerCall& call, EventLog& log) {
    log.note("reading");
    const auto body = co_await call.read_body(kBodyMax);
    if (!body) {
        log.note(std::string(name(body.error().code())));
        co_await answer(call, info(body.error().code()).status, "");
        co_return;
    }
    std::string text(call.head().method_text);
    text += ' ';
    text += call.head().target;
    text += ' ';
    text += call.head().find("x-mark");
    text += '|';
    text += *body;
    co_await answer(call, 200, std::move(text));
}

// The same by parts; between two of them the scratch area is anybody's.
aio::Task<void> echo_parts(ServerCall& call, EventLog& log) {
    log.note("reading");
    std::string body;
    while (!call.body_is_complete()) {
        const auto part = co_await call.read_body_part();
        if (!part) {
            log.note(std::string(name(part.error().code())));
            co_await answer(call, info(part.error().code()).status, "");
            co_return;
        }
        body += *part;
        std::memset(receive_scratch().data(), '~', kScratchBytes);
        co_await aio::yield();
    }
    const auto end = co_await call.read_body_part();
    EXPECT_TRUE(end.has_value() && end->empty());
    std::string text(call.head().target);
    text += ' ';
    text += call.head().find("x-mark");
    text += '|';
    co_await answer(call, 200, text + body);
}

// Reads one part and answers.
aio::Task<void> read_a_part(ServerCall& call, EventLog&) {
    const auto part = co_await call.read_body_part();
    EXPECT_TRUE(part.has_value());
    co_await answer(call, 200, "enough");
}

aio::Task<void> ignore_body(ServerCall& call, EventLog&) {
    const std::string target(call.head().target);
    co_await answer(call, 200, target);
}

aio::Task<void> never_answer(ServerCall&, EventLog& log) {
    log.note("handling");
    const aio::Wake wake = co_await aio::sleep(aio::Deadline::never());
    log.note(wake == aio::Wake::cancelled ? "cancelled" : "woken otherwise");
}

// Chunks of differing sizes until `bytes` of pattern() are written; odd ones through scratch
// memory.
constexpr std::size_t kLongAnswerBytes = 10u << 20;

aio::Task<void> stream(ServerCall& call, EventLog& log) {
    call.release_request();
    const std::string all = pattern(kLongAnswerBytes);
    std::string head;
    append_status_line(head, 200);
    append_field(head, "content-length", std::uint64_t{all.size()});
    head += "\r\n";
    const std::string_view head_pieces[] = {head};
    Io io = co_await call.write(head_pieces);
    std::size_t at = 0;
    for (std::size_t turn = 0; io.is_ok() && at < all.size(); ++turn) {
        const std::size_t size = std::min<std::size_t>(1 + turn * 7919 % 200'000, all.size() - at);
        const std::string_view part(all.data() + at, size);
        const std::string_view pieces[] = {part.substr(0, size / 3),
                                           {},
                                           part.substr(size / 3, size / 3),
                                           part.substr(size / 3 * 2)};
        if (turn % 2 == 0) {
            io = co_await call.write(pieces);
        } else {
            // Every suspension may overwrite the scratch area.
            const auto scratch = receive_scratch();
            const std::size_t copied = std::min(size, scratch.size());
            std::memcpy(scratch.data(), part.data(), copied);
            const std::string_view copy[] = {view_of(scratch.first(copied))};
            io = co_await call.write_copying(copy);
            std::memset(scratch.data(), '~', scratch.size());
            at += copied;
            continue;
        }
        at += size;
    }
    if (io.is_ok()) {
        call.finish();
    }
    log.note(io.is_ok() ? "streamed" : io.status == IoStatus::timed_out ? "stalled" : "failed");
}

aio::Task<void> throw_up(ServerCall& call, EventLog&) {
    if (call.head().path == "/throw") {
        throw std::runtime_error("a third party's");
    }
    co_await answer(call, 200, "fine");
}

std::string get(std::string_view target, std::string_view fields = {}) {
    return fmt::format("GET {} HTTP/1.1\r\nHost: h\r\n{}\r\n", target, fields);
}

std::string post(std::string_view target, std::string_view body, std::string_view fields = {}) {
    return fmt::format("POST {} HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n{}\r\n{}",
                       target,
                       body.size(),
                       fields,
                       body);
}

TEST(Server, AnswersOneRequestByteForByte) {
    RunningServer server(&echo);
    Peer client = server.connect();
    client.send(get("/a?b=c", "X-Mark: m\r\n"));
    const std::string want = "HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\nGET /a?b=c m|";
    EXPECT_EQ(client.read(want.size()), want);
    client.close();
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(Server, KeepsAConnectionForTheNextRequest) {
    RunningServer server(&echo);
    Peer client = server.connect();
    for (int i = 0; i < 100; ++i) {
        client.send(get(fmt::format("/{}", i)));
        EXPECT_EQ(client.read_answer().body, fmt::format("GET /{} |", i));
    }
    EXPECT_EQ(server.connections(), 1u);
}

TEST(Server, AnswersPipelinedRequestsInOrder) {
    RunningServer server(&echo);
    Peer client = server.connect();
    std::string all;
    for (int i = 0; i < 200; ++i) {
        all += i % 3 == 0   ? get(fmt::format("/{}", i))
               : i % 3 == 1 ? post(fmt::format("/{}", i), pattern(static_cast<std::size_t>(i * 37)))
                            : fmt::format(
                                  "POST /{} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: "
                                  "chunked\r\n\r\n5\r\nhello\r\n1;x=y\r\n!\r\n0\r\n\r\n",
                                  i);
    }
    std::thread sender([&] { client.send(all); });
    for (int i = 0; i < 200; ++i) {
        const std::string want =
            i % 3 == 0   ? fmt::format("GET /{} |", i)
            : i % 3 == 1 ? fmt::format("POST /{} |{}", i, pattern(static_cast<std::size_t>(i * 37)))
                         : fmt::format("POST /{} |hello!", i);
        EXPECT_EQ(client.read_answer().body, want);
    }
    sender.join();
    EXPECT_EQ(server.connections(), 1u);
}

TEST(Server, ReadsWhatComesByteByByte) {
    RunningServer server(&echo);
    Peer client = server.connect();
    const std::string bytes =
        get("/1") + post("/2", "abc", "X-Mark: two\r\n") +
        "POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" +
        get("/4");
    for (const char& byte : bytes) {
        client.send({&byte, 1});
    }
    EXPECT_EQ(client.read_answer().body, "GET /1 |");
    EXPECT_EQ(client.read_answer().body, "POST /2 two|abc");
    EXPECT_EQ(client.read_answer().body, "POST /3 |abc");
    EXPECT_EQ(client.read_answer().body, "GET /4 |");
}

TEST(Server, ReadsASizedBodyThatComesInPieces) {
    RunningServer server(&echo);
    Peer client = server.connect();
    const std::string body = pattern(300'000);
    const std::string request = post("/big", body, "X-Mark: kept\r\n");
    const std::size_t head = request.size() - body.size();
    client.send(std::string_view(request).substr(0, head + 10));
    server.log.wait_for(1);  // the handler waits for the rest: the buffer moves under its head
    client.send(std::string_view(request).substr(head + 10, 100'000));
    client.send(std::string_view(request).substr(head + 100'010));
    EXPECT_EQ(client.read_answer().body, "POST /big kept|" + body);
    client.send(get("/next"));
    EXPECT_EQ(client.read_answer().body, "GET /next |");
}

std::string chunked(std::string_view body, std::size_t chunk) {
    std::string text;
    for (std::size_t at = 0; at < body.size(); at += chunk) {
        const auto part = body.substr(at, chunk);
        text += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
    }
    return text + "0\r\n\r\n";
}

TEST(Server, ReadsAChunkedBodyAndGivesTheNextRequestItsBytesBack) {
    RunningServer server(&echo);
    Peer client = server.connect();
    const std::string body = pattern(300'000);
    const std::string head =
        "POST /big HTTP/1.1\r\nHost: h\r\nX-Mark: kept\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string coded = chunked(body, 7'777);
    client.send(head + coded.substr(0, 100));
    server.log.wait_for(1);
    // The end of the body and two more requests in one segment: they are read into scratch.
    client.send(coded.substr(100) + get("/second") + get("/third").substr(0, 9));
    EXPECT_EQ(client.read_answer().body, "POST /big kept|" + body);
    EXPECT_EQ(client.read_answer().body, "GET /second |");
    client.send(get("/third").substr(9));
    EXPECT_EQ(client.read_answer().body, "GET /third |");
}

TEST(ServerParts, OfASizedBodyAndTheNextRequestKeepsItsBytes) {
    RunningServer server(&echo_parts);
    Peer client = server.connect();
    const std::string body = pattern(3u << 20);
    const std::string request = post("/big", body, "X-Mark: kept\r\n");
    client.send(request.substr(0, 100));
    server.log.wait_for(1);
    client.send(request.substr(100) + post("/second", "at hand") + get("/third").substr(0, 9));
    EXPECT_EQ(client.read_answer().body, "/big kept|" + body);
    EXPECT_EQ(client.read_answer().body, "/second |at hand");
    client.send(get("/third").substr(9));
    EXPECT_EQ(client.read_answer().body, "/third |");
}

TEST(ServerParts, OfAChunkedBodyAndTheNextRequestKeepsItsBytes) {
    RunningServer server(&echo_parts);
    Peer client = server.connect();
    const std::string body = pattern(300'000);
    const std::string head =
        "POST /big HTTP/1.1\r\nHost: h\r\nX-Mark: kept\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string coded = chunked(body, 7'777);
    client.send(head + coded.substr(0, 100));
    server.log.wait_for(1);
    client.send(coded.substr(100) + get("/second") + get("/third").substr(0, 9));
    EXPECT_EQ(client.read_answer().body, "/big kept|" + body);
    EXPECT_EQ(client.read_answer().body, "/second |");
    client.send(get("/third").substr(9));
    EXPECT_EQ(client.read_answer().body, "/third |");
}

TEST(ServerParts, AtEveryCut) {
    RunningServer server(&echo_parts);
    Peer client = server.connect();
    const std::string head = "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const std::string& request :
         {post("/s", "hello you"), head + chunked("hello you", 4), post("/e", "")}) {
        const std::string want(request.contains("/e") ? "" : "hello you");
        for (std::size_t cut = 1; cut < request.size(); cut += 3) {
            client.send(request.substr(0, cut));
            std::this_thread::yield();
            client.send(request.substr(cut));
            EXPECT_TRUE(client.read_answer().body.ends_with("|" + want)) << cut;
        }
    }
}

TEST(ServerParts, AreAskedForWithContinue) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    RunningServer server(&echo_parts);
    Peer client = server.connect();
    const std::string request = post("/", "hello", "Expect: 100-continue\r\n");
    client.send(request.substr(0, request.size() - 5));
    EXPECT_EQ(client.read(kContinue.size()), kContinue);
    client.send("hello");
    EXPECT_EQ(client.read_answer().body, "/ |hello");
}

TEST(ServerParts, RefuseABadChunk) {
    RunningServer server(&echo_parts);
    Peer client = server.connect();
    client.send("POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n");
    EXPECT_EQ(client.read_answer().status, 400);
    EXPECT_EQ(server.log.all().back(), "invalid_framing");
}

TEST(ServerParts, AnAnswerBeforeTheirEndIsTheLast) {
    RunningServer server(&read_a_part);
    Peer client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + pattern(1000));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.body, "enough");
    EXPECT_TRUE(answer.says_close());
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(ServerParts, AHangUpEndsTheirReading) {
    RunningServer server(&echo_parts);
    Peer client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n" + pattern(1000));
    server.log.wait_for(1);
    client.close();
    EXPECT_EQ(server.log.wait_for(2).back(), "cancelled");
}

TEST(Server, SendsContinueOnlyToWhoseBodyIsWanted) {
    constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    {
        RunningServer server(&echo);
        Peer client = server.connect();
        const std::string request = post("/", "hello", "Expect: 100-continue\r\n");
        client.send(request.substr(0, request.size() - 5));
        EXPECT_EQ(client.read(kContinue.size()), kContinue);
        client.send("hello");
        EXPECT_EQ(client.read_answer().body, "POST / |hello");
        client.send(
            "POST /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nExpect: "
            "100-continue\r\n\r\n");
        EXPECT_EQ(client.read(kContinue.size()), kContinue);
        client.send("1\r\nx\r\n0\r\n\r\n");
        EXPECT_EQ(client.read_answer().body, "POST /c |x");
        // The body is here already: nobody waits for the 100.
        client.send(request);
        EXPECT_EQ(client.read_answer().status, 200);
    }
    RunningServer server(&ignore_body);
    Peer client = server.connect();
    client.send(
        "POST /no HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_TRUE(answer.says_close());
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, SendsNoInterimAnswerToAnOldClient) {
    RunningServer server(&echo);
    Peer client = server.connect();
    client.send("POST / HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
    server.log.wait_for(1);
    client.send("ok");
    EXPECT_EQ(client.read_to_end(),
              "HTTP/1.1 200 OK\r\ncontent-length: 10\r\nconnection: close\r\n\r\nPOST / |ok");
}

TEST(Server, RefusesATooLargeBodyByItsLengthAndTheAnswerArrives) {
    RunningServer server(&echo);
    Peer client = server.connect();
    client.send(
        fmt::format("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n", kBodyMax + 1));
    const std::string some = pattern(600'000);  // the client has not noticed yet
    EXPECT_TRUE(client.send(some));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 413);
    EXPECT_TRUE(answer.says_close());
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.end(), End::closed);
    client.close();
    EXPECT_EQ(server.log.all(), (Events{"reading", "payload_too_large"}));
}

TEST(Server, RefusesATooLargeChunkedBodyWhileItComes) {
    RunningServer server(&echo);
    Peer client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
    EXPECT_TRUE(client.send(chunked(pattern(kBodyMax + 200'000), 50'000)));
    EXPECT_EQ(client.read_answer().status, 413);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.end(), End::closed);
}

struct RefusalCase {
    std::string_view name;
    std::string request;
    Code code;
};
class Refusal : public testing::TestWithParam<RefusalCase> {};

TEST_P(Refusal, IsOneAnswerAndTheEndOfTheConnection) {
    RunningOptions options;
    options.limits.head.request_line_bytes_max = 1000;
    options.limits.head.fields_bytes_max = 2000;
    RunningServer server(&echo, options);
    Peer client = server.connect();
    client.send(get("/good") + GetParam().request + get("/never"));
    EXPECT_EQ(client.read_answer().body, "GET /good |");
    const Answer refused = client.read_answer();
    EXPECT_EQ(refused.status, info(GetParam().code).status);
    EXPECT_TRUE(refused.says_close());
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.end(), End::closed);
    EXPECT_EQ(server.log.all(),
              (Events{"reading", fmt::format("refused {}", name(GetParam().code))}));
}

INSTANTIATE_TEST_SUITE_P(
    Server,
    Refusal,
    testing::Values(
        RefusalCase{"no_http", "hello\r\n\r\n", Code::invalid_framing},
        RefusalCase{"bare_line_feed", "GET / HTTP/1.1\nHost: h\n\n", Code::invalid_framing},
        RefusalCase{"two_lengths",
                    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
                    Code::invalid_framing},
        RefusalCase{"long_line",
                    "GET /" + std::string(1000, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n",
                    Code::uri_too_long},
        RefusalCase{
            "many_fields",
            get("/", "A: " + std::string(1200, 'a') + "\r\nB: " + std::string(1200, 'b') + "\r\n"),
            Code::headers_too_large}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Server, RefusesAMalformedChunkInsteadOfReadingOn) {
    RunningServer server(&echo);
    Peer client = server.connect();
    client.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" +
                get("/smuggled"));
    EXPECT_EQ(client.read_answer().status, 400);
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(server.handled(0), 1u);
}

TEST(Server, EndsTheConnectionWhereTheClientAsksForIt) {
    RunningServer server(&echo);
    for (const std::string_view request :
         {"GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"}) {
        Peer client = server.connect();
        client.send(request);
        const Answer answer = client.read_answer();
        EXPECT_EQ(answer.body, "GET / |");
        EXPECT_TRUE(answer.says_close());
        EXPECT_EQ(client.read_to_end(), "");
        EXPECT_EQ(client.end(), End::closed);
    }
    Peer client = server.connect();
    client.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_FALSE(client.read_answer().says_close());
    client.send(get("/again"));
    EXPECT_EQ(client.read_answer().body, "GET /again |");
}

TEST(Server, SkipsABodyThatNobodyReadOrEndsTheConnection) {
    RunningServer server(&ignore_body);
    {
        Peer client = server.connect();
        client.send(post("/skipped", pattern(5000)) + get("/next"));
        EXPECT_EQ(client.read_answer().body, "/skipped");
        EXPECT_EQ(client.read_answer().body, "/next");
    }
    {
        Peer client = server.connect();
        client.send(post("/partly", pattern(500'000)));
        const Answer answer = client.read_answer();
        EXPECT_EQ(answer.body, "/partly");
        EXPECT_TRUE(answer.says_close());
        EXPECT_EQ(client.read_to_end(), "");
        EXPECT_EQ(client.end(), End::closed);
    }
    Peer client = server.connect();
    client.send("POST /chunked HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
                get("/never"));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.body, "/chunked");
    EXPECT_TRUE(answer.says_close());
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, AHangUpCancelsTheHandler) {
    RunningServer server(&never_answer);
    for (const std::string_view more : {"", "GET /pipelined HTTP/1.1\r\nHost: h\r\n\r\n"}) {
        for (const bool by_reset : {false, true}) {
            const std::size_t before = server.log.all().size();
            Peer client = server.connect();
            client.send(get("/") + std::string(more));
            server.log.wait_for(before + 1);
            by_reset ? client.reset() : client.close();
            EXPECT_EQ(server.log.wait_for(before + 2).back(), "cancelled");
            EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
        }
    }
    EXPECT_EQ(server.handled(0), 4u);
}

TEST(Server, AHangUpEndsTheReadingOfABody) {
    RunningServer server(&echo);
    for (const std::string_view head :
         {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nsome",
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome"}) {
        const std::size_t before = server.log.all().size();
        Peer client = server.connect();
        client.send(head);
        server.log.wait_for(before + 1);
        client.close();
        EXPECT_EQ(server.log.wait_for(before + 2).back(), "cancelled");
    }
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(Server, DropsAReaderThatTakesNothing) {
    RunningOptions options;
    options.limits.write_stall_max = 1s;
    RunningServer server(&stream, options);
    Peer client = server.connect(4096);
    client.send(get("/"));
    EXPECT_EQ(server.log.wait_for(1), Events{"stalled"});
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
    // The kernel does not go on offering what is left.
    EXPECT_LT(client.read_to_end().size(), kLongAnswerBytes);
    EXPECT_EQ(client.end(), End::reset);
}

TEST(Server, TellsASlowHeadAndClosesWhatNeverBegins) {
    RunningOptions options;
    options.limits.first_byte_max = 1s;
    options.limits.head_max = 1s;
    RunningServer server(&echo, options);
    Peer silent = server.connect();
    Peer slow = server.connect();
    slow.send("GET / HTTP/1.1\r\nHost:");
    const Answer answer = slow.read_answer();
    EXPECT_EQ(answer.status, 408);
    EXPECT_TRUE(answer.says_close());
    EXPECT_EQ(slow.read_to_end(), "");
    EXPECT_EQ(silent.read_to_end(), "");
    EXPECT_EQ(server.log.all(), Events{"refused request_timeout"});
}

TEST(Server, TellsASlowBody) {
    RunningOptions options;
    options.limits.body_grace = 1s;
    RunningServer server(&echo, options);
    Peer sized = server.connect();
    Peer coded = server.connect();
    sized.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nsome");
    coded.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nsome");
    EXPECT_EQ(sized.read_answer().status, 408);
    EXPECT_EQ(coded.read_answer().status, 408);
    EXPECT_EQ(sized.read_to_end(), "");
    EXPECT_EQ(coded.read_to_end(), "");
}

TEST(Server, CarriesALongAnswerIntactToASlowReader) {
    RunningServer server(&stream);
    Peer client = server.connect(8192);
    client.send(get("/"));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.body.size(), kLongAnswerBytes);
    EXPECT_TRUE(answer.body == pattern(kLongAnswerBytes));
    // The same on the same connection: nothing of the first is left behind.
    client.send(get("/"));
    EXPECT_TRUE(client.read_answer().body == answer.body);
    EXPECT_EQ(server.log.wait_for(2), (Events{"streamed", "streamed"}));
}

TEST(Server, SurvivesAHandlerThatThrows) {
    RunningServer server(&throw_up);
    Peer bystander = server.connect();
    bystander.send(get("/"));
    EXPECT_EQ(bystander.read_answer().body, "fine");
    Peer client = server.connect();
    client.send(get("/throw"));
    EXPECT_EQ(client.read_to_end(), "");
    EXPECT_EQ(client.end(), End::reset);
    bystander.send(get("/"));
    EXPECT_EQ(bystander.read_answer().body, "fine");
    EXPECT_EQ(server.connections(), 1u);
}

TEST(Server, EndsAConnectionAfterItsLastRequest) {
    RunningOptions options;
    options.limits.requests_per_connection_max = 3;
    RunningServer server(&echo, options);
    Peer client = server.connect();
    client.send(get("/1") + get("/2") + get("/3") + get("/4"));
    EXPECT_FALSE(client.read_answer().says_close());
    EXPECT_FALSE(client.read_answer().says_close());
    EXPECT_TRUE(client.read_answer().says_close());
    EXPECT_EQ(client.read_to_end(), "");
}

TEST(Server, ClosesConnectionsBeyondTheMaximum) {
    RunningOptions options;
    options.limits.connections_max = 2;
    RunningServer server(&echo, options);
    Peer first = server.connect();
    Peer second = server.connect();
    for (Peer* client : {&first, &second}) {
        client->send(get("/"));
        EXPECT_EQ(client->read_answer().status, 200);
    }
    Peer third = server.connect();
    EXPECT_EQ(third.read_to_end(), "");
    second.close();
    EXPECT_TRUE(eventually([&] { return server.connections() == 1; }));
    Peer fourth = server.connect();
    fourth.send(get("/"));
    EXPECT_EQ(fourth.read_answer().status, 200);
}

// Draining.

TEST(ServerDrain, LetsRunningCallsEndClosesIdleOnesAndRefusesNewOnes) {
    RunningOptions options;
    // Only the drain itself may end these connections.
    options.limits.first_byte_max = options.limits.head_max = options.limits.keep_alive_max =
        kNever;
    options.limits.body_grace = kNever;
    RunningServer server(&echo, options);
    Peer fresh = server.connect();
    Peer idle = server.connect();
    idle.send(get("/"));
    EXPECT_EQ(idle.read_answer().status, 200);
    Peer running = server.connect();
    running.send("POST /run HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n1");
    server.log.wait_for(2);
    EXPECT_TRUE(eventually([&] { return server.connections() == 3; }));
    server.drain(kNever);
    EXPECT_EQ(fresh.read_to_end(), "");
    EXPECT_EQ(idle.read_to_end(), "");
    EXPECT_EQ(idle.end(), End::closed);
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::connect(fd, server.address().raw(), server.address().size), -1);
    EXPECT_EQ(errno, ECONNREFUSED);
    ::close(fd);
    EXPECT_TRUE(eventually([&] { return server.connections() == 1; }));
    running.send("2");
    const Answer answer = running.read_answer();
    EXPECT_EQ(answer.body, "POST /run |12");
    EXPECT_TRUE(answer.says_close());  // said although the drain began after the request
    EXPECT_EQ(running.read_to_end(), "");
    EXPECT_EQ(running.end(), End::closed);
    running.close();
    server.join();
}

TEST(ServerDrain, CutsWhatIsLeftAfterTheGrace) {
    RunningServer server(&never_answer);
    Peer client = server.connect();
    client.send(get("/"));
    server.log.wait_for(1);
    server.drain(0s);
    EXPECT_EQ(client.read_to_end(), "");
    server.join();
    EXPECT_EQ(server.log.all(), (Events{"handling", "cancelled"}));
}

// A body read to its last byte leaves the socket's readiness flag up: the connection is idle all
// the same.
TEST(ServerDrain, FindsAConnectionIdleAfterABodyReadToItsLastByte) {
    RunningOptions options;
    options.limits.first_byte_max = options.limits.head_max = options.limits.keep_alive_max =
        kNever;
    RunningServer server(&echo, options);
    Peer client = server.connect();
    const std::string request = post("/", pattern(1000));
    client.send(std::string_view(request).substr(0, request.size() - 1000));
    server.log.wait_for(1);
    client.send(std::string_view(request).substr(request.size() - 1000));
    EXPECT_EQ(client.read_answer().status, 200);
    server.drain(kNever);
    EXPECT_EQ(client.read_to_end(), "");
    client.close();
    server.join();
}

// Out of descriptors: accept fails while connections wait. The thread must neither spin nor fail to
// end, and goes on once there are descriptors again.
class FewDescriptors {
public:
    FewDescriptors() {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        const int next = ::dup(0);
        ::close(next);
        rlimit few = before_;
        few.rlim_cur = static_cast<rlim_t>(next);
        EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
    }
    ~FewDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

private:
    rlimit before_{};
};

TEST(ServerDescriptors, RecoversWhenThereAreSomeAgain) {
    RunningServer server(&echo);
    Peer first = server.connect();
    first.send(get("/"));
    EXPECT_EQ(first.read_answer().status, 200);
    Peer client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    {
        const FewDescriptors few;
        ASSERT_EQ(::connect(client.fd(), server.address().raw(), server.address().size), 0);
        client.send(get("/late"));
        first.send(get("/served_meanwhile"));
        EXPECT_EQ(first.read_answer().body, "GET /served_meanwhile |");
    }
    EXPECT_EQ(client.read_answer().body, "GET /late |");
}

TEST(ServerDescriptors, DrainsWithoutAny) {
    RunningServer server(&echo);
    Peer first = server.connect();
    first.send(get("/"));
    EXPECT_EQ(first.read_answer().status, 200);
    Peer client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const FewDescriptors few;
    ASSERT_EQ(::connect(client.fd(), server.address().raw(), server.address().size), 0);
    first.send(get("/"));
    EXPECT_EQ(first.read_answer().status, 200);
    server.drain(0s);
    server.join();
}

// Threads.

TEST(ServerThreads, ShareTheConnectionsEvenly) {
    RunningOptions options;
    options.threads = 2;
    RunningServer server(&echo, options);
    std::vector<Peer> clients;
    for (int i = 0; i < 40; ++i) {
        clients.push_back(server.connect());
        clients.back().send(get("/"));
        EXPECT_EQ(clients.back().read_answer().status, 200);
    }
    const auto first = static_cast<int>(server.handled(0));
    const auto second = static_cast<int>(server.handled(1));
    EXPECT_EQ(first + second, 40);
    EXPECT_LE(std::abs(first - second), 2);
    // A connection stays where it is: every thread serves its own again.
    for (Peer& client : clients) {
        client.send(get("/"));
        EXPECT_EQ(client.read_answer().status, 200);
    }
    EXPECT_EQ(server.handled(0), 2u * static_cast<unsigned>(first));
    clients.clear();
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

TEST(ServerThreads, ServeManyClientsThatComeAndGo) {
    RunningOptions options;
    options.threads = 2;
    RunningServer server(&echo, options);
    std::atomic<int> right = 0;
    std::vector<std::thread> clients;
    for (int t = 0; t < 4; ++t) {
        clients.emplace_back([&, t] {
            for (int i = 0; i < 50; ++i) {
                Peer client = server.connect();
                const std::string body = pattern(static_cast<std::size_t>(t * 50 + i) * 100);
                for (int turn = 0; turn < 3; ++turn) {
                    client.send(post(fmt::format("/{}", turn), body));
                    right += client.read_answer().body == fmt::format("POST /{} |{}", turn, body);
                }
            }
        });
    }
    for (auto& client : clients) {
        client.join();
    }
    EXPECT_EQ(right, 4 * 50 * 3);
    EXPECT_EQ(server.handled(0) + server.handled(1), 4u * 50 * 3);
    EXPECT_TRUE(eventually([&] { return server.connections() == 0; }));
}

// A thread that has not begun to serve yet takes no connection from another one.
TEST(ServerThreads, LoseNoConnectionWhileOneOfThemStarts) {
    RunningOptions options;
    options.threads = 2;
    options.starts_last_thread = false;
    RunningServer server(&echo, options);
    // Its reactor runs already, and takes letters.
    aio::Reactor& late = server.reactor(1);
    std::thread early([&late] { late.run(); });
    std::vector<Peer> clients;
    for (int i = 0; i < 32; ++i) {
        clients.push_back(server.connect());
        clients.back().send(get("/"));
    }
    EXPECT_TRUE(eventually([&] { return server.handled(0) >= 4; }));
    late.stop();
    early.join();
    server.start(1);
    for (Peer& client : clients) {
        EXPECT_EQ(client.read_answer().status, 200);
    }
}

}  // namespace
}  // namespace weir::net
