#include "net/http_body.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>

namespace weir::net {
namespace {

struct Scanned {
    bool ok = true;
    bool done = false;
    std::size_t used = 0;
    std::string payload;
    bool operator==(const Scanned&) const = default;
};

Scanned scan(std::string_view text, std::size_t first_cut) {
    ChunkedScanner scanner(Code::invalid_framing);
    Scanned scanned;
    for (const auto part : {text.substr(0, first_cut), text.substr(first_cut)}) {
        const auto step =
            scanner.scan(part, [&](std::string_view span) { scanned.payload += span; });
        if (!step) {
            return {.ok = false, .done = false, .used = 0, .payload = {}};
        }
        scanned.used += step->used;
        scanned.done = step->done;
        if (step->done) {
            break;
        }
    }
    return scanned;
}

// Every cut gives what the whole gives.
Scanned scan_all_ways(std::string_view text) {
    const Scanned whole = scan(text, text.size());
    for (std::size_t cut = 0; cut < text.size(); ++cut) {
        EXPECT_EQ(scan(text, cut), whole) << "cut at " << cut << " of " << text;
    }
    return whole;
}

TEST(ChunkedBody, FindsPayloadAndEnd) {
    const auto scanned = scan_all_ways(
        "5;a=b\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-T: v\r\n\r\nGET");
    EXPECT_TRUE(scanned.ok && scanned.done);
    EXPECT_EQ(scanned.payload, "helloabcdefghijklmnopqrstuvwxyz");
    EXPECT_EQ(scanned.used,
              std::string_view(
                  "5;a=b\r\nhello\r\n1A\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\nX-T: v\r\n\r\n")
                  .size());
    EXPECT_TRUE(scan_all_ways("0\r\n\r\n").done);
    EXPECT_TRUE(scan_all_ways("0000000000000005\r\nhello\r\n0\r\n\r\n").done);
}

TEST(ChunkedBody, RefusesEverySloppiness) {
    for (const std::string_view bad : {"0x5\r\nhello\r\n0\r\n\r\n",
                                       "+5\r\nhello\r\n0\r\n\r\n",
                                       "-1\r\n",
                                       "0_2e\r\n",
                                       " 5\r\nhello\r\n",
                                       "5 \r\nhello\r\n",
                                       "00000000000000005\r\nhello\r\n",
                                       "ffffffffffffffff\r\n",
                                       "5\nhello\r\n0\r\n\r\n",
                                       "5\r\nhello\n0\r\n\r\n",
                                       "5\r\nhelloX\r\n",
                                       "5;a\rb\r\nhello\r\n",
                                       "5;a\nb\r\nhello\r\n",
                                       "\r\n",
                                       ";a\r\n",
                                       "0\r\nTransfer-Encoding: chunked\r\n\r\n",
                                       "0\r\nContent-Length: 5\r\n\r\n",
                                       "0\r\nHost: a\r\n\r\n",
                                       "0\r\nAuthorization: Bearer x\r\n\r\n",
                                       "0\r\nno colon\r\n\r\n",
                                       "0\r\n folded: x\r\n\r\n",
                                       "0\r\n: x\r\n\r\n",
                                       "0\r\nX: y\nZ: w\r\n\r\n",
                                       "0\n\n"}) {
        EXPECT_FALSE(scan_all_ways(bad).ok) << bad;
    }
}

TEST(ChunkedBody, LimitsHoldToTheByte) {
    const auto extension = [](std::size_t size) {
        return fmt::format("1;{}\r\na\r\n0\r\n\r\n", std::string(size, 'e'));
    };
    EXPECT_TRUE(scan_all_ways(extension(kChunkExtensionBytesMax)).ok);
    EXPECT_FALSE(scan_all_ways(extension(kChunkExtensionBytesMax + 1)).ok);
    const auto trailers = [](std::size_t count) {
        std::string text = "0\r\n";
        for (std::size_t i = 0; i < count; ++i) {
            text += "X: y\r\n";
        }
        return text + "\r\n";
    };
    EXPECT_TRUE(scan_all_ways(trailers(kTrailerFieldsMax)).ok);
    EXPECT_FALSE(scan_all_ways(trailers(kTrailerFieldsMax + 1)).ok);
}

TEST(ChunkedBody, HeadsAreWrittenAsTheyAreRead) {
    for (const std::size_t size :
         {std::size_t{1}, std::size_t{15}, std::size_t{16}, std::size_t{0x1a2b}}) {
        char head[20];
        std::string text(head, write_chunk_head(size, head));
        text += std::string(size, 'x') + "\r\n0\r\n\r\n";
        const auto scanned = scan(text, text.size());
        EXPECT_TRUE(scanned.done);
        EXPECT_EQ(scanned.payload.size(), size);
    }
}

}  // namespace
}  // namespace weir::net
