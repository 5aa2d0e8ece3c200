#include "net/http_head.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::net {
namespace {

// Parses whole and again byte by byte in a buffer that moves: both must agree.
Result<RequestHead> parse(const std::string& text) {
    RequestHeadParser whole;
    const auto result = whole.parse(text);
    RequestHeadParser dripped;
    Result<bool> last = false;
    std::size_t fed = 0;
    std::string copy;
    while (fed < text.size() && last && !*last) {
        copy = text.substr(0, ++fed);
        last = dripped.parse(copy);
    }
    EXPECT_EQ(result.has_value(), last.has_value()) << text;
    if (!result) {
        EXPECT_EQ(result.error().code(), last.error().code()) << text;
        return std::unexpected(result.error());
    }
    EXPECT_EQ(*result, *last) << text;
    EXPECT_EQ(whole.size(), dripped.size());
    if (!*result) {
        return fail(Code::internal, "incomplete");
    }
    EXPECT_EQ(whole.head().path, dripped.head().path);
    EXPECT_EQ(whole.head().fields.size(), dripped.head().fields.size());
    return whole.head();
}

std::string post(std::string_view fields) {
    return fmt::format("POST /v1/x HTTP/1.1\r\nHost: a\r\n{}\r\n", fields);
}

TEST(RequestHead, RefusesWhatTwoParsersCouldReadInTwoWays) {
    const std::string bad[] = {
        post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n"),
        post("Content-Length: 5\r\nContent-Length: 5\r\n"),
        post("Content-Length: 5\r\nContent-Length: 6\r\n"),
        post("Content-Length: 5, 5\r\n"),
        post("Content-Length: +5\r\n"),
        post("Content-Length: -5\r\n"),
        post("Content-Length: 0x5\r\n"),
        post("Content-Length: 1_0\r\n"),
        post("Content-Length: \r\n"),
        post("Content-Length: 9999999999999999999\r\n"),
        post("Transfer-Encoding: xchunked\r\n"),
        post("Transfer-Encoding: chunked, identity\r\n"),
        post("Transfer-Encoding: \x0b"
             "chunked\r\n"),
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        post("Transfer-Encoding: gzip\r\n"),
        post("X: a\r\n folded\r\n"),
        post("X : a\r\n"),
        post(": a\r\n"),
        post("X\r\n"),
        post("X_User: a\r\n"),
        post("X: a\nb\r\n"),
        post("X: a\rb\r\n"),
        post(std::string("X: a\0b\r\n", 8)),
        post("X: a\x7f\r\n"),
        post("Host: b\r\n"),
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: \r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.2\r\nHost: a\r\n\r\n",
        "GET / HTTP/2.0\r\nHost: a\r\n\r\n",
        "GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET http://evil/ HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET * HTTP/1.1\r\nHost: a\r\n\r\n",
        "G@T / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / \r\nHost: a\r\n\r\n",
        "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    };
    for (const auto& text : bad) {
        const auto head = parse(text);
        ASSERT_FALSE(head) << text;
        EXPECT_EQ(head.error().code(), Code::invalid_framing) << text;
    }
}

TEST(RequestHead, ReportsAFaultBeforeTheHeadIsComplete) {
    RequestHeadParser parser;
    const auto result = parser.parse("GET / HTTP/1.1\nHost");
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::invalid_framing);
}

TEST(RequestHead, AcceptsWhatIsValidButOdd) {
    const std::string text =
        "\r\nPOST //v1/../x%2f?a=b?c HTTP/1.1\r\nhOsT: [::1]:80\r\nCONTENT-LENGTH:   007\t\r\n"
        "Connection: foo, CLOSE\r\nX:\r\nExpect: 100-Continue\r\nx: \xc3\xa9\r\n\r\n";
    const auto head = parse(text);
    ASSERT_TRUE(head);
    EXPECT_EQ(head->path, "//v1/../x%2f");
    EXPECT_EQ(head->query, "a=b?c");
    EXPECT_EQ(head->content_length, 7u);
    EXPECT_FALSE(head->keep_alive);
    EXPECT_TRUE(head->expects_continue);
    EXPECT_EQ(head->fields.size(), 6u);
}

struct KeepCase {
    std::string_view text;
    bool keep_alive;
};
TEST(RequestHead, KnowsWhenAConnectionMayStay) {
    for (const auto& c :
         {KeepCase{"GET / HTTP/1.1\r\nHost: a\r\n\r\n", true},
          KeepCase{"GET / HTTP/1.0\r\n\r\n", false},
          KeepCase{"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", true},
          KeepCase{"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", false}}) {
        const auto head = parse(std::string(c.text));
        ASSERT_TRUE(head);
        EXPECT_EQ(head->keep_alive, c.keep_alive) << c.text;
    }
}

Code outcome(const std::string& text) {
    RequestHeadParser parser;
    const auto result = parser.parse(text);
    return result ? (*result ? Code::cancelled : Code::internal)
                  : result.error().code();  // cancelled: accepted
}

TEST(RequestHead, LimitsHoldToTheByte) {
    const HeadLimits limits;
    const auto line = [&](std::size_t size) {
        const std::string_view frame = "GET / HTTP/1.1";
        return "GET /" + std::string(size - frame.size(), 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n";
    };
    EXPECT_EQ(outcome(line(limits.request_line_bytes_max - 1)), Code::cancelled);
    EXPECT_EQ(outcome(line(limits.request_line_bytes_max)), Code::cancelled);
    EXPECT_EQ(outcome(line(limits.request_line_bytes_max + 1)), Code::uri_too_long);

    const auto field = [](std::size_t size) {
        return post("X: " + std::string(size - 3, 'a') + "\r\n");
    };
    EXPECT_EQ(outcome(field(limits.field_bytes_max - 1)), Code::cancelled);
    EXPECT_EQ(outcome(field(limits.field_bytes_max)), Code::cancelled);
    EXPECT_EQ(outcome(field(limits.field_bytes_max + 1)), Code::headers_too_large);

    const auto all = [&](std::size_t size) {
        std::string fields = "Host: a\r\n";
        while (size - fields.size() > 5000) {
            fields += "X: " + std::string(4000, 'a') + "\r\n";
        }
        fields += "X: " + std::string(size - fields.size() - 5, 'a') + "\r\n";
        return "GET / HTTP/1.1\r\n" + fields + "\r\n";
    };
    EXPECT_EQ(outcome(all(limits.fields_bytes_max - 1)), Code::cancelled);
    EXPECT_EQ(outcome(all(limits.fields_bytes_max)), Code::cancelled);
    EXPECT_EQ(outcome(all(limits.fields_bytes_max + 1)), Code::headers_too_large);

    const auto many = [](std::size_t count) {
        std::string fields;
        for (std::size_t i = 1; i < count; ++i) {
            fields += "X: a\r\n";
        }
        return post(fields);
    };
    EXPECT_EQ(outcome(many(kFieldsMax - 1)), Code::cancelled);
    EXPECT_EQ(outcome(many(kFieldsMax)), Code::cancelled);
    EXPECT_EQ(outcome(many(kFieldsMax + 1)), Code::headers_too_large);
}

TEST(RequestHead, AnEndlessLineIsRefusedWithoutItsEnd) {
    EXPECT_EQ(outcome(std::string(20'000, 'a')), Code::uri_too_long);
    EXPECT_EQ(outcome("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'a')), Code::headers_too_large);
}

TEST(ResponseHead, IsReadAsStrictly) {
    ResponseHeadParser parser;
    parser.reset(Method::post);
    const auto good = parser.parse("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: y\r\n\r\nabc");
    ASSERT_TRUE(good && *good);
    EXPECT_EQ(parser.head().status, 200);
    EXPECT_EQ(parser.head().content_length, 3u);
    EXPECT_FALSE(parser.head().has_no_body);
    for (const std::string_view bad :
         {"HTTP/1.1 20 OK\r\n\r\n",
          "HTTP/1.1 2000 OK\r\n\r\n",
          "HTTP/2 200\r\n\r\n",
          "HTTP/1.1 200 OK\n\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\n",
          "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
          "HTTP/1.1 200 OK\r\nX : y\r\n\r\n",
          "garbage\r\n\r\n"}) {
        parser.reset(Method::post);
        const auto result = parser.parse(bad);
        ASSERT_FALSE(result) << bad;
        EXPECT_EQ(result.error().code(), Code::upstream_invalid_response) << bad;
    }
}

TEST(ResponseHead, KnowsWhichAnswersHaveNoBody) {
    for (const auto& [method, status] :
         {std::pair{Method::head, 200}, {Method::get, 204}, {Method::get, 304}}) {
        ResponseHeadParser parser;
        parser.reset(method);
        const auto result =
            parser.parse(fmt::format("HTTP/1.1 {} X\r\nContent-Length: 9\r\n\r\n", status));
        ASSERT_TRUE(result && *result);
        EXPECT_TRUE(parser.head().has_no_body);
    }
}

}  // namespace
}  // namespace weir::net
