#include "dialect/sse/decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace weir::dialect::sse {
namespace {

std::vector<std::string> decode(const std::vector<std::string_view>& parts,
                                std::string* raw = nullptr) {
    Decoder decoder;
    std::vector<std::string> events;
    for (const auto part : parts) {
        const std::string copy(part);  // so that a view kept too long is seen by ASan
        decoder.feed(copy);
        Event event;
        for (;;) {
            const auto more = decoder.next(event);
            EXPECT_TRUE(more);
            if (!more || !*more) {
                break;
            }
            events.push_back(event.kind == Event::Kind::comment
                                 ? "comment"
                                 : fmt::format("{}|{}", event.name, event.data));
            if (raw != nullptr) {
                *raw += event.raw;
            }
        }
    }
    return events;
}

const std::string_view kStreams[] = {
    "data: a\n\ndata: b\n\n",
    "data: a\r\n\r\ndata: b\r\n\r\n",
    "data: a\r\rdata: b\r\r",
    "data: a\r\n\ndata: b\n\r\n",
    "\xef\xbb\xbf"
    "data: a\n\n: hello\n\ndata: b\n\n",
    "event: ping\ndata: {}\n\nid: 7\nretry: 3\ndata:x\ndata: y\ndata\n\n",
    "\n\n\ndata: a\n\n\n\n",
    "event: alone\n\ndata: after\n\n",
    ": c1\n: c2\n\n:\n\ndata: z\n\n",
    "data: \xc3\xa9\xf0\x9f\x98\x80\n\ndata: cut",
    "data: a\n\n\xef\xbb\xbf"
    "data: no mark here\n\ndata: b\n\n\ndata: c\ndata: d\n\n",
    "data: a\r\n\r\ndata: b\n\ndata: c\r\n\ndata: d\n\n",
};

TEST(SseDecoder, GivesTheSameEventsForEverySplit) {
    for (const auto stream : kStreams) {
        const auto whole = decode({stream});
        ASSERT_FALSE(whole.empty());
        for (std::size_t a = 0; a <= stream.size(); ++a) {
            for (std::size_t b = a; b <= stream.size(); ++b) {
                EXPECT_EQ(decode({stream.substr(0, a), stream.substr(a, b - a), stream.substr(b)}),
                          whole)
                    << stream << " cut at " << a << " and " << b;
            }
        }
    }
}

TEST(SseDecoder, ReadsFieldsAsTheStandardSays) {
    EXPECT_EQ(decode({kStreams[5]}), (std::vector<std::string>{"ping|{}", "|x\ny\n"}));
    EXPECT_EQ(decode({kStreams[4]}), (std::vector<std::string>{"|a", "comment", "|b"}));
    EXPECT_EQ(decode({kStreams[7]}), (std::vector<std::string>{"|after"}));
    EXPECT_EQ(decode({kStreams[9]}), (std::vector<std::string>{"|\xc3\xa9\xf0\x9f\x98\x80"}));
}

TEST(SseDecoder, RawBytesCanBeRelayed) {
    std::string raw;
    decode({"data: a\n\nevent: e\r\ndata: b\r\n\r\n"}, &raw);
    EXPECT_EQ(raw, "data: a\n\nevent: e\r\ndata: b\r\n\r\n");
}

// The last LF of a stream would otherwise be lost to the relay, and look like a broken event.
TEST(SseDecoder, LeavesNoHalfOfALineEndBehind) {
    const std::string_view stream = "data: a\r\n\r\ndata: b\r\n\r\n";
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        Decoder decoder;
        std::vector<std::string> raws;
        for (const auto part : {stream.substr(0, cut), stream.substr(cut)}) {
            decoder.feed(part);
            Event event;
            while (decoder.next(event).value()) {
                raws.emplace_back(event.raw);
            }
        }
        EXPECT_EQ(raws, (std::vector<std::string>{"data: a\r\n\r\n", "data: b\r\n\r\n"})) << cut;
        EXPECT_FALSE(decoder.has_partial()) << cut;
    }
}

TEST(SseDecoder, AnEventHasALimit) {
    Decoder decoder;
    Event event;
    const std::string part(1u << 20, 'x');
    Result<bool> result = false;
    decoder.feed("data: ");
    result = decoder.next(event);
    for (int i = 0; i < 17 && result; ++i) {
        decoder.feed(part);
        result = decoder.next(event);
    }
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code(), Code::upstream_invalid_response);
}

}  // namespace
}  // namespace weir::dialect::sse
