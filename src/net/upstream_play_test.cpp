// How connections are used again, given up, waited for and shared.
#include "net/upstream_bench_test.h"

namespace weir::net {
namespace {

using namespace std::chrono_literals;

aio::Task<void> carries_much_both_ways(Bench& bench) {
    const std::string body = pattern(5u << 20);
    const std::string request = fmt::format(
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
    std::string answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (std::size_t at = 0, turn = 0; at < body.size(); ++turn) {
        const std::string part = body.substr(at, 1 + turn * 7919 % 50'000);
        answer += fmt::format("{:x}\r\n{}\r\n", part.size(), part);
        at += part.size();
    }
    answer += "0\r\n\r\n";
    Outcome outcome;
    bench.scope.spawn(ask(bench.pool, outcome, patient(), request, Method::post));
    Wire wire = co_await bench.provider.accept();
    const std::string got = co_await wire.read(request.size());
    EXPECT_TRUE(got == request);
    co_await wire.send_much(answer);
    co_await bench.scope.join();
    EXPECT_TRUE(outcome.result.has_value());
    EXPECT_TRUE(outcome.body == body);
    EXPECT_EQ(bench.upstream->connections(), 1u);
}

// A provider may refuse a request while it still comes.
aio::Task<void> reads_an_answer_that_comes_before_the_request_is_sent(Bench& bench) {
    const std::string request =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n" + pattern(9'000'000);
    Outcome outcome;
    bench.scope.spawn(ask(bench.pool, outcome, patient(), request, Method::post));
    Wire wire = co_await bench.provider.accept();
    const std::string some = co_await wire.read(1000);
    wire.send("HTTP/1.1 413 No\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno");
    wire.close();  // with bytes unread: a reset
    co_await bench.scope.join();
    EXPECT_EQ(outcome.status, 413);
    EXPECT_EQ(outcome.body, "no");
}

// A request in parts.

aio::Task<void> ask_in_parts(UpstreamPool& pool,
                             Outcome& outcome,
                             std::string_view request,
                             std::size_t& parts) {
    Exchange exchange(pool);
    const std::string_view first[] = {request.substr(0, 50)};
    auto takes_more = co_await exchange.begin(first, patient());
    std::size_t at = 50;
    while (takes_more && *takes_more && at < request.size()) {
        const auto scratch = receive_scratch();
        const std::size_t size = std::min(scratch.size(), request.size() - at);
        std::copy_n(request.data() + at, size, scratch.data());
        const std::string_view pieces[] = {view_of(scratch.first(size / 2)),
                                           view_of(scratch.subspan(size / 2, size - size / 2))};
        takes_more = co_await exchange.send_more(pieces);
        std::memset(scratch.data(), '~', scratch.size());
        at += size;
        ++parts;
    }
    if (!takes_more) {
        outcome.result = std::unexpected(takes_more.error());
    } else {
        outcome.result = co_await exchange.finish(Method::post);
    }
    if (outcome.result) {
        outcome.status = exchange.head().status;
        const auto body = co_await exchange.read_body();
        outcome.body = body ? std::string(*body) : std::string();
    }
    outcome.was_sent = exchange.was_sent();
    outcome.ended = true;
}

aio::Task<void> sends_a_request_in_parts(Bench& bench) {
    Wire idle = co_await bench.warm_up();
    const std::string request =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n" + pattern(9'000'000);
    Outcome outcome;
    std::size_t parts = 0;
    bench.scope.spawn(ask_in_parts(bench.pool, outcome, request, parts));
    // Nothing of it could be sent again: what might have died meanwhile is not used.
    Wire wire = co_await bench.provider.accept();
    const std::string some = co_await wire.read(1000);
    EXPECT_LT(parts, 100u);  // who does not read, brakes
    const std::string rest = co_await wire.read(request.size() - some.size());
    EXPECT_TRUE(some + rest == request);
    wire.send(kHello);
    co_await bench.scope.join();
    EXPECT_TRUE(outcome.was_sent);
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(bench.upstream->connections(), 2u);  // both idle now
}

aio::Task<void> reads_an_answer_that_comes_before_the_last_part(Bench& bench) {
    const std::string request =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n" + pattern(9'000'000);
    Outcome outcome;
    std::size_t parts = 0;
    bench.scope.spawn(ask_in_parts(bench.pool, outcome, request, parts));
    Wire wire = co_await bench.provider.accept();
    const std::string some = co_await wire.read(1000);
    wire.send("HTTP/1.1 413 No\r\nContent-Length: 2\r\n\r\nno");
    wire.close();  // with bytes unread: a reset
    co_await bench.scope.join();
    EXPECT_EQ(outcome.status, 413);
    EXPECT_EQ(outcome.body, "no");
    EXPECT_EQ(bench.upstream->connections(), 0u);
}

// Compression that nobody asked for.

// "What does a weir do?"
constexpr char kGzipBytes[] =
    "\037\213\010\000\000\000\000\000\002\003\013\317\110\054\121\110\311\117\055\126"
    "\110\124\050\117\315\054\002\262\355\001\251\236\316\121\024\000\000\000";
constexpr std::string_view kGzip(kGzipBytes, sizeof kGzipBytes - 1);

aio::Task<void> opens_what_is_compressed(Bench& bench) {
    Outcome outcome;
    bench.spawn_ask(outcome);
    Wire wire = co_await bench.provider.accept();
    const std::string request = co_await wire.read(kGet.size());
    wire.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (const char byte : kGzip) {
        wire.send(fmt::format("1\r\n{}\r\n", byte));
        co_await turns();
    }
    wire.send("0\r\n\r\n");
    co_await bench.scope.join();
    EXPECT_TRUE(outcome.result.has_value());
    EXPECT_EQ(outcome.body, "What does a weir do?");
    // In one piece with its head, on the same connection.
    Outcome again;
    bench.spawn_ask(again);
    const std::string more = co_await wire.read(kGet.size());
    wire.send(
        fmt::format("HTTP/1.1 429 No\r\nContent-Encoding: GZIP\r\nContent-Length: {}\r\n\r\n{}",
                    kGzip.size(),
                    kGzip));
    co_await bench.scope.join();
    EXPECT_EQ(again.status, 429);
    EXPECT_EQ(again.body, "What does a weir do?");
    EXPECT_EQ(bench.provider.accepted(), 1u);
}

aio::Task<void> refuses_what_it_cannot_open(Bench& bench) {
    const std::string cut(kGzip.substr(0, kGzip.size() - 1));
    const std::pair<std::string_view, std::string> cases[] = {
        {"gzip", cut}, {"gzip", "plain"}, {"gzip", std::string(kGzip) + "x"}, {"br", "x"}};
    for (const auto& [coding, body] : cases) {
        Outcome outcome;
        bench.spawn_ask(outcome);
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        wire.send(fmt::format(
            "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Encoding: {}\r\nContent-Length: {}"
            "\r\n\r\n{}",
            coding,
            body.size(),
            body));
        co_await bench.scope.join();
        EXPECT_EQ(outcome.status, 503);  // of which there is no doubt
        EXPECT_EQ(code_of(outcome), Code::upstream_invalid_response) << coding << body;
    }
    // An answer without a body has nothing to open.
    Outcome outcome;
    bench.spawn_ask(outcome);
    Wire wire = co_await bench.provider.accept();
    const std::string request = co_await wire.read(kGet.size());
    wire.send("HTTP/1.1 200 OK\r\nContent-Encoding: zstd\r\nContent-Length: 0\r\n\r\n");
    co_await bench.scope.join();
    EXPECT_TRUE(outcome.result.has_value());
}

// Reuse.

aio::Task<void> uses_a_connection_again(Bench& bench) {
    Wire wire = co_await bench.warm_up();
    for (int i = 0; i < 50; ++i) {
        Outcome outcome;
        bench.spawn_ask(outcome);
        const std::string request = co_await wire.read(kGet.size());
        EXPECT_EQ(request, kGet);
        wire.send(kHello);
        co_await bench.scope.join();
        EXPECT_EQ(outcome.body, "hello");
    }
    EXPECT_EQ(bench.provider.accepted(), 1u);
    EXPECT_FALSE(bench.provider.has_caller());
}

aio::Task<void> uses_the_last_one_given_back_first(Bench& bench) {
    Outcome outcomes[3];
    std::vector<Wire> wires;
    for (Outcome& outcome : outcomes) {
        bench.spawn_ask(outcome);
        wires.push_back(co_await bench.provider.accept());
        const std::string request = co_await wires.back().read(kGet.size());
    }
    for (const std::size_t i : {1u, 2u, 0u}) {
        wires[i].send(kHello);
        co_await turns();
        EXPECT_TRUE(outcomes[i].ended);
    }
    EXPECT_EQ(bench.upstream->connections(), 3u);
    for (const std::size_t i : {0u, 2u, 1u}) {  // three calls at once
        bench.spawn_ask(outcomes[i]);
        const std::string request = co_await wires[i].read(kGet.size());
        EXPECT_EQ(request, kGet);
    }
    for (Wire& wire : wires) {
        wire.send(kHello);
    }
    co_await bench.scope.join();
    EXPECT_FALSE(bench.provider.has_caller());
}

aio::Task<void> ask_for_the_head_only(UpstreamPool& pool, Outcome& outcome) {
    Exchange exchange(pool);
    const std::string_view pieces[] = {kGet};
    outcome.result = co_await exchange.send(pieces, Method::get, patient());
    outcome.status = exchange.head().status;
}

aio::Task<void> drops_a_connection_whose_answer_was_not_read_to_its_end(Bench& bench) {
    Outcome outcome;
    bench.scope.spawn(ask_for_the_head_only(bench.pool, outcome));
    Wire wire = co_await bench.provider.accept();
    const std::string request = co_await wire.read(kGet.size());
    wire.send(kHello);
    co_await bench.scope.join();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(bench.upstream->connections(), 0u);
    const bool ended = co_await wire.ends();
    EXPECT_TRUE(ended);
}

aio::Task<void> does_not_use_what_the_provider_closed_while_idle(Bench& bench) {
    Wire first = co_await bench.warm_up();
    first.close();
    co_await turns();
    Outcome outcome;
    bench.spawn_ask(outcome);
    Wire second = co_await bench.provider.accept();
    const std::string request = co_await second.read(kGet.size());
    second.send(kHello);
    co_await bench.scope.join();
    EXPECT_EQ(outcome.body, "hello");
    EXPECT_EQ(bench.upstream->connections(), 1u);
}

aio::Task<void> send_when_it_rings(int bell_fd, Wire* wire, std::string_view bytes) {
    aio::Descriptor bell(bell_fd);
    const aio::Wake wake = co_await bell.wait(aio::Direction::read, aio::Deadline::never());
    EXPECT_EQ(wake, aio::Wake::ready);
    wire->send(bytes);
}

// Bytes that arrive between the loop's look and the read are read at once and announced later: that
// late announcement must not cost the connection.
aio::Task<void> keeps_a_connection_that_is_only_said_to_be_readable(Bench& bench) {
    Wire wire = co_await bench.warm_up();
    Outcome outcome;
    bench.spawn_ask(outcome);
    const std::string request = co_await wire.read(kGet.size());
    wire.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n");
    int bell[2];
    EXPECT_EQ(::pipe2(bell, O_CLOEXEC | O_NONBLOCK), 0);
    bench.scope.spawn(send_when_it_rings(bell[0], &wire, "b"));
    co_await turns();
    // One turn announces both, the bell first: "b" arrives before the client reads "a".
    EXPECT_EQ(::write(bell[1], "!", 1), 1);
    wire.send("a");
    co_await bench.scope.join();
    ::close(bell[1]);
    co_await turns();
    EXPECT_EQ(outcome.body, "ab");
    EXPECT_EQ(outcome.reads, 1u);
    bench.pool.reap(aio::Reactor::current().now());
    Outcome again;
    bench.spawn_ask(again);
    co_await turns();
    EXPECT_FALSE(bench.provider.has_caller());
    EXPECT_EQ(bench.upstream->connections(), 1u);
    bench.scope.cancel();
    co_await bench.scope.join();
}

aio::Task<void> reaps_what_is_old_or_closed(Bench& bench) {
    Outcome outcomes[2];
    std::vector<Wire> wires;
    for (Outcome& outcome : outcomes) {
        bench.spawn_ask(outcome);
        wires.push_back(co_await bench.provider.accept());
        const std::string request = co_await wires.back().read(kGet.size());
    }
    wires[0].send(kHello);
    wires[1].send(kHello);
    co_await bench.scope.join();
    const SteadyTime now = aio::Reactor::current().now();
    bench.pool.reap(now);
    EXPECT_EQ(bench.upstream->connections(), 2u);
    wires[0].close();
    co_await turns();
    bench.pool.reap(now);
    EXPECT_EQ(bench.upstream->connections(), 1u);
    bench.pool.reap(now + bench.upstream->options().idle_max - 1s);
    EXPECT_EQ(bench.upstream->connections(), 1u);
    bench.pool.reap(now + bench.upstream->options().idle_max + 1s);
    EXPECT_EQ(bench.upstream->connections(), 0u);
    const bool ended = co_await wires[1].ends();
    EXPECT_TRUE(ended);
}

// A reused connection that dies.

aio::Task<void> replaces_a_reused_connection_that_dies_before_a_byte(Bench& bench) {
    for (const bool by_reset : {false, true}) {
        Wire wire = co_await bench.warm_up();
        Outcome outcome;
        bench.spawn_ask(outcome);
        const std::string request = co_await wire.read(kGet.size());
        EXPECT_EQ(request, kGet);
        by_reset ? wire.reset() : wire.close();
        Wire second = co_await bench.provider.accept();
        const std::string again = co_await second.read(kGet.size());
        EXPECT_EQ(again, kGet);
        second.send(kHello);
        co_await bench.scope.join();
        EXPECT_EQ(outcome.body, "hello");
        EXPECT_EQ(bench.upstream->connections(), 1u);
        second.close();
        co_await turns();
        bench.pool.reap(aio::Reactor::current().now());
    }
}

aio::Task<void> replaces_a_connection_only_once(Bench& bench) {
    Wire wire = co_await bench.warm_up();
    Outcome outcome;
    bench.spawn_ask(outcome);
    const std::string request = co_await wire.read(kGet.size());
    wire.close();
    Wire second = co_await bench.provider.accept();
    const std::string again = co_await second.read(kGet.size());
    second.close();
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), Code::upstream_unavailable);
    EXPECT_FALSE(bench.provider.has_caller());
    EXPECT_EQ(bench.upstream->connections(), 0u);
}

aio::Task<void> does_not_replace_a_fresh_connection(Bench& bench) {
    for (const bool by_reset : {false, true}) {
        Outcome outcome;
        bench.spawn_ask(outcome);
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        by_reset ? wire.reset() : wire.close();
        co_await bench.scope.join();
        EXPECT_EQ(code_of(outcome), Code::upstream_unavailable);
        EXPECT_NE(outcome.result.error().detail(), "");
        EXPECT_TRUE(outcome.was_sent);
        EXPECT_FALSE(bench.provider.has_caller());
        EXPECT_EQ(bench.upstream->connections(), 0u);
    }
}

aio::Task<void> does_not_replace_a_connection_that_gave_a_byte(Bench& bench) {
    Wire wire = co_await bench.warm_up();
    Outcome outcome;
    bench.spawn_ask(outcome);
    const std::string request = co_await wire.read(kGet.size());
    wire.send("H");
    wire.close();
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), Code::upstream_invalid_response);
    EXPECT_FALSE(bench.provider.has_caller());
}

// Faults.

aio::Task<void> says_that_nobody_listens(Bench& bench) {
    bench.provider.close();
    Outcome outcome;
    bench.spawn_ask(outcome);
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), Code::upstream_unavailable);
    EXPECT_NE(outcome.result.error().detail().find("refused"), std::string::npos);
    EXPECT_FALSE(outcome.was_sent);
    EXPECT_EQ(bench.upstream->connections(), 0u);
}

aio::Task<void> reads_a_head_as_large_as_is_allowed(Bench& bench) {
    Outcome outcome;
    bench.spawn_ask(outcome);
    Wire wire = co_await bench.provider.accept();
    const std::string request = co_await wire.read(kGet.size());
    co_await wire.send_much(head_of(kUpstreamHeadBytesMax));
    co_await bench.scope.join();
    EXPECT_EQ(outcome.status, 200);
    EXPECT_EQ(bench.upstream->connections(), 1u);
}

aio::Task<void> gives_up_waiting_for_the_answer(Bench& bench) {
    // The first byte's own limit, the limit over all, and a head that stops half-way.
    for (const int which : {0, 1, 2}) {
        const aio::Deadline guard = aio::Deadline::in(kHangGuard);
        Timing timing = patient();
        (which == 1 ? timing.total : timing.first_byte) = aio::Deadline::in(30ms);
        Outcome outcome;
        bench.scope.spawn(ask(bench.pool, outcome, timing));
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        if (which == 2) {
            wire.send("HTTP/1.1 200 ");
        }
        co_await bench.scope.join();
        EXPECT_EQ(code_of(outcome), Code::upstream_timeout) << which;
        // Not by the guard.
        EXPECT_FALSE(guard.has_passed(aio::Reactor::current().now())) << which;
        EXPECT_EQ(bench.upstream->connections(), 0u);
    }
}

aio::Task<void> gives_up_waiting_for_more_of_the_answer(Bench& bench) {
    for (const bool by_total : {false, true}) {
        Timing timing = patient();
        if (by_total) {
            timing.total = aio::Deadline::in(100ms);
        } else {
            timing.idle_max = 50ms;
        }
        Outcome outcome;
        bench.scope.spawn(ask(bench.pool, outcome, timing));
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        wire.send(kHello.substr(0, kHello.size() - 2));
        co_await bench.scope.join();
        EXPECT_EQ(code_of(outcome), Code::upstream_timeout);
        EXPECT_EQ(outcome.body, "hel");
        EXPECT_EQ(bench.upstream->connections(), 0u);
    }
}

aio::Task<void> gives_up_sending_to_who_reads_nothing(Bench& bench) {
    Timing timing = patient();
    timing.idle_max = 50ms;
    const std::string request =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n" + pattern(9'000'000);
    Outcome outcome;
    bench.scope.spawn(ask(bench.pool, outcome, timing, request, Method::post));
    Wire wire = co_await bench.provider.accept();
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), Code::upstream_timeout);
}

aio::Task<void> gives_up_sending_at_the_limit_over_all(Bench& bench) {
    Timing timing = patient();
    timing.total = aio::Deadline::in(100ms);
    const std::string request =
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 64000000\r\n\r\n" + pattern(64'000'000);
    Outcome outcome;
    bench.scope.spawn(ask(bench.pool, outcome, timing, request, Method::post));
    Wire wire = co_await bench.provider.accept();
    // A little at a time: never a stall.
    std::size_t got = 0;
    while (!outcome.ended && got < request.size()) {
        const std::string some = co_await wire.read(1);
        got += some.size();
        co_await aio::sleep(aio::Deadline::in(10ms));
    }
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), Code::upstream_timeout);
    EXPECT_LT(got, request.size());
}

aio::Task<void> ends_at_a_cancellation(Bench& bench) {
    for (const std::string_view sent : {"", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\n\r\nsome"}) {
        Outcome outcome;
        bench.spawn_ask(outcome);
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        wire.send(sent);
        co_await turns();
        EXPECT_FALSE(outcome.ended);
        bench.scope.cancel();
        co_await bench.scope.join();
        EXPECT_EQ(code_of(outcome), Code::cancelled);
        EXPECT_EQ(bench.upstream->connections(), 0u);
        const bool ended = co_await wire.ends();
        EXPECT_TRUE(ended);
    }
}

// connections_max.

aio::Task<void> waits_for_a_place(Bench& bench) {
    Outcome first;
    Outcome second;
    bench.spawn_ask(first);
    Wire wire = co_await bench.provider.accept();
    std::string request = co_await wire.read(kGet.size());
    bench.spawn_ask(second);
    co_await turns();
    EXPECT_FALSE(bench.provider.has_caller());
    EXPECT_EQ(bench.upstream->connections(), 1u);
    wire.send(kHello);  // the second call takes the first one's connection over
    request = co_await wire.read(kGet.size());
    EXPECT_EQ(request, kGet);
    EXPECT_TRUE(first.ended);
    Outcome third;
    bench.spawn_ask(third);
    wire.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    Wire next = co_await bench.provider.accept();  // or its place
    request = co_await next.read(kGet.size());
    EXPECT_EQ(request, kGet);
    next.send(kHello);
    co_await bench.scope.join();
    EXPECT_EQ(first.body, "hello");
    EXPECT_EQ(second.status, 200);
    EXPECT_EQ(third.body, "hello");
}

aio::Task<void> is_overloaded(Bench& bench) {
    Outcome first;
    bench.spawn_ask(first);
    Wire wire = co_await bench.provider.accept();
    Timing timing = patient();
    timing.connect_max = 30ms;
    Outcome second;
    bench.scope.spawn(ask(bench.pool, second, timing));
    EXPECT_TRUE(co_await wire.read(kGet.size()) == kGet);
    while (!second.ended) {
        co_await aio::yield();
    }
    EXPECT_EQ(code_of(second), Code::overloaded);
    EXPECT_TRUE(second.result.error().retry_after().has_value());
    EXPECT_FALSE(second.was_sent);
    Outcome cancelled;
    aio::Scope apart;
    apart.spawn(ask(bench.pool, cancelled, patient()));
    co_await turns();
    apart.cancel();
    co_await apart.join();
    EXPECT_EQ(code_of(cancelled), Code::cancelled);
    EXPECT_EQ(bench.upstream->connections(), 1u);
    wire.send(kHello);
    co_await bench.scope.join();
    EXPECT_EQ(first.body, "hello");
}

// A connection taken over from another call is a reused one too.
aio::Task<void> replaces_one_taken_over(Bench& bench) {
    Outcome first;
    Outcome second;
    bench.spawn_ask(first);
    Wire wire = co_await bench.provider.accept();
    std::string request = co_await wire.read(kGet.size());
    bench.spawn_ask(second);
    co_await turns();
    wire.send(kHello);
    request = co_await wire.read(kGet.size());
    EXPECT_EQ(request, kGet);
    wire.close();
    while (!second.ended && !bench.provider.has_caller()) {
        co_await aio::yield();
    }
    if (second.ended) {
        ADD_FAILURE() << "not replaced: " << second.result.error().detail();
        co_return;
    }
    Wire next = co_await bench.provider.accept();
    request = co_await next.read(kGet.size());
    next.send(kHello);
    co_await bench.scope.join();
    EXPECT_EQ(second.body, "hello");
}

// Names.

aio::Task<void> finds_by_name(Bench& bench) {
    // localhost may be ::1 first, where nobody listens: the next address is tried.
    for (int i = 0; i < 2; ++i) {
        Outcome outcome;
        bench.spawn_ask(outcome);
        Wire wire = co_await bench.provider.accept();
        const std::string request = co_await wire.read(kGet.size());
        wire.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        co_await bench.scope.join();
        EXPECT_EQ(outcome.status, 200);
        EXPECT_EQ(bench.upstream->connections(), 0u);
    }
}

aio::Task<void> finds_nothing(Bench& bench) {
    Outcome outcome;
    bench.spawn_ask(outcome);
    co_await bench.scope.join();
    EXPECT_EQ(code_of(outcome), Code::upstream_unavailable);
    EXPECT_NE(outcome.result.error().detail().find("no-such-host.invalid"), std::string::npos);
    EXPECT_EQ(bench.upstream->connections(), 0u);
}

struct PlayCase {
    std::string_view name;
    Test test;
    UpstreamOptions options{.host = "127.0.0.1", .connections_max = 100};
};
class UpstreamPlay : public testing::TestWithParam<PlayCase> {};

// Whatever a test does, no descriptor and no place under connections_max is lost (the Upstream
// itself asserts the latter).
TEST_P(UpstreamPlay, Holds) {
    const std::size_t before = open_descriptors();
    {
        aio::Reactor reactor;
        reactor.run(in_bench(GetParam().test, GetParam().options));
    }
    EXPECT_EQ(open_descriptors(), before);
}

INSTANTIATE_TEST_SUITE_P(
    All,
    UpstreamPlay,
    testing::Values(
        PlayCase{"CarriesMuchBothWays", &carries_much_both_ways},
        PlayCase{"ReadsAnAnswerThatComesBeforeTheRequestIsSent",
                 &reads_an_answer_that_comes_before_the_request_is_sent},
        PlayCase{"SendsARequestInParts", &sends_a_request_in_parts},
        PlayCase{"ReadsAnAnswerThatComesBeforeTheLastPart",
                 &reads_an_answer_that_comes_before_the_last_part},
        PlayCase{"OpensWhatIsCompressed", &opens_what_is_compressed},
        PlayCase{"RefusesWhatItCannotOpen", &refuses_what_it_cannot_open},
        PlayCase{"UsesAConnectionAgain", &uses_a_connection_again},
        PlayCase{"UsesTheLastOneGivenBackFirst", &uses_the_last_one_given_back_first},
        PlayCase{"DropsAConnectionWhoseAnswerWasNotReadToItsEnd",
                 &drops_a_connection_whose_answer_was_not_read_to_its_end},
        PlayCase{"DoesNotUseWhatTheProviderClosedWhileIdle",
                 &does_not_use_what_the_provider_closed_while_idle},
        PlayCase{"KeepsAConnectionThatIsOnlySaidToBeReadable",
                 &keeps_a_connection_that_is_only_said_to_be_readable},
        PlayCase{"ReapsWhatIsOldOrClosed", &reaps_what_is_old_or_closed},
        PlayCase{"ReplacesAReusedConnectionThatDiesBeforeAByte",
                 &replaces_a_reused_connection_that_dies_before_a_byte},
        PlayCase{"ReplacesAConnectionOnlyOnce", &replaces_a_connection_only_once},
        PlayCase{"DoesNotReplaceAFreshConnection", &does_not_replace_a_fresh_connection},
        PlayCase{"DoesNotReplaceAConnectionThatGaveAByte",
                 &does_not_replace_a_connection_that_gave_a_byte},
        PlayCase{"SaysThatNobodyListens", &says_that_nobody_listens},
        PlayCase{"ReadsAHeadAsLargeAsIsAllowed", &reads_a_head_as_large_as_is_allowed},
        PlayCase{"GivesUpWaitingForTheAnswer", &gives_up_waiting_for_the_answer},
        PlayCase{"GivesUpWaitingForMoreOfTheAnswer", &gives_up_waiting_for_more_of_the_answer},
        PlayCase{"GivesUpSendingToWhoReadsNothing", &gives_up_sending_to_who_reads_nothing},
        PlayCase{"GivesUpSendingAtTheLimitOverAll", &gives_up_sending_at_the_limit_over_all},
        PlayCase{"EndsAtACancellation", &ends_at_a_cancellation},
        PlayCase{"WaitsForAPlaceUnderTheMaximum",
                 &waits_for_a_place,
                 {.host = "127.0.0.1", .connections_max = 1}},
        PlayCase{"IsOverloadedWhereNoPlaceComesFree",
                 &is_overloaded,
                 {.host = "127.0.0.1", .connections_max = 1}},
        PlayCase{"ReplacesAConnectionTakenOverFromAnotherCall",
                 &replaces_one_taken_over,
                 {.host = "127.0.0.1", .connections_max = 1}},
        PlayCase{"FindsAHostByItsName", &finds_by_name, {.host = "localhost"}},
        PlayCase{"SaysThatAHostIsUnknown", &finds_nothing, {.host = "no-such-host.invalid"}}),
    [](const auto& info) { return std::string{info.param.name}; });

// Threads.

aio::Task<void> echo_length(ServerCall& call, EventLog&) {
    const auto body = co_await call.read_body(1u << 20);
    co_await answer(call, body ? 200 : 400, body ? std::string(*body) : "");
}

aio::Task<void> ask_often(UpstreamPool& pool, int calls, std::size_t max, std::atomic<int>& right) {
    for (int i = 0; i < calls; ++i) {
        const std::string body = pattern(static_cast<std::size_t>(i) * 97);
        const std::string request = fmt::format(
            "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {}\r\n\r\n{}", body.size(), body);
        Outcome outcome;
        co_await ask(pool, outcome, patient(), request, Method::post);
        EXPECT_TRUE(outcome.result.has_value());
        // fetch_add may be over the maximum for an instant, by one for each thread.
        EXPECT_LE(pool.upstream().connections(), max + 2);
        right += outcome.body == body;
    }
}

aio::Task<void> ask_from_a_thread(std::shared_ptr<Upstream> upstream,
                                  int callers,
                                  std::size_t max,
                                  std::atomic<int>& right) {
    UpstreamPool pool(std::move(upstream));
    aio::Scope scope;
    for (int i = 0; i < callers; ++i) {
        scope.spawn(ask_often(pool, 50, max, right));
    }
    co_await scope.join();
}

TEST(UpstreamThreads, ShareTheMaximum) {
    RunningServer server(&echo_length, {.threads = 2});
    aio::BlockingPool names("names", 1, 4);
    Resolver resolver(names);
    constexpr std::size_t kMax = 4;
    auto upstream = std::make_shared<Upstream>(UpstreamOptions{.host = "127.0.0.1",
                                                               .port = server.address().port(),
                                                               .connections_max = kMax,
                                                               .threads = 2},
                                               resolver);
    std::atomic<int> right = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 2; ++t) {
        threads.emplace_back([&] {
            aio::Reactor reactor;
            reactor.run(ask_from_a_thread(upstream, 8, kMax, right));
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_EQ(right, 2 * 8 * 50);
    EXPECT_EQ(upstream->connections(), 0u);
}

}  // namespace
}  // namespace weir::net
