#include "dialect/aws/event_stream.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/text.h"
#include "dialect/aws/crc32.h"

namespace weir::dialect::aws {
namespace {

// What AWS's SDKs are tested with (their event stream test suite), byte for byte.
constexpr std::string_view kEmpty = "000000100000000005c248eb7d98c8ff";
constexpr std::string_view kPayloadOnly =
    "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936";
constexpr std::string_view kInt32Header =
    "0000002d0000001041c424b80a6576656e742d74797065040000a00c7b27666f6f273a27626172277d36f480a0";
constexpr std::string_view kAllHeaders =
    "000000cc000000af0fae64ca0a6576656e742d74797065040000a00c0c636f6e74656e742d74797065070010617070"
    "6c69636174696f6e2f6a736f6e0a626f6f6c2066616c73650109626f6f6c207472756500046279746502cf08627974"
    "652062756606001449276d2061206c6974746c6520746561706f74210974696d657374616d70080000000000845fed"
    "05696e74313603002a05696e7436340500000000028757b20475756964090102030405060708090a0b0c0d0e0f107b"
    "27666f6f273a27626172277daba5f10c";

std::string bytes_of(std::string_view hex) { return from_hex(hex).value(); }

struct Got {
    std::vector<std::string> frames;
    std::string error;
    bool has_partial = false;
    bool operator==(const Got&) const = default;
};

Got read(std::initializer_list<std::string_view> parts) {
    FrameDecoder decoder;
    Got got;
    for (const std::string_view part : parts) {
        const std::string copy(part);  // dies before the next part comes
        decoder.feed(copy);
        for (;;) {
            Frame frame;
            const auto more = decoder.next(frame);
            if (!more) {
                got.error = more.error().detail();
                return got;
            }
            if (!*more) {
                break;
            }
            std::string text;
            for (const Header& header : frame.headers) {
                text += fmt::format("{}={}:{}{},",
                                    header.name,
                                    static_cast<int>(header.kind),
                                    header.text,
                                    header.number);
            }
            got.frames.push_back(text + std::string(frame.payload));
        }
    }
    got.has_partial = decoder.has_partial();
    return got;
}

TEST(Crc32, IsThatOfGzip) {
    EXPECT_EQ(crc32(""), 0u);
    EXPECT_EQ(crc32("123456789"), 0xcbf43926u);
    EXPECT_EQ(crc32("The quick brown fox jumps over the lazy dog"), 0x414fa339u);
    // Of two parts as of the whole, at every cut: the eight-byte steps fall differently.
    const std::string text = "a text of more than sixteen bytes, \xff\x00\x80 and no ASCII";
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        EXPECT_EQ(crc32(text.substr(cut), crc32(text.substr(0, cut))), crc32(text));
    }
}

TEST(EventStream, ReadsWhatAwsPublishes) {
    EXPECT_EQ(read({bytes_of(kEmpty)}).frames, std::vector<std::string>{""});
    EXPECT_EQ(read({bytes_of(kPayloadOnly)}).frames, std::vector<std::string>{"{'foo':'bar'}"});
    EXPECT_EQ(read({bytes_of(kInt32Header)}).frames,
              std::vector<std::string>{"event-type=4:40972,{'foo':'bar'}"});
    const std::string uuid = bytes_of("0102030405060708090a0b0c0d0e0f10");
    EXPECT_EQ(read({bytes_of(kAllHeaders)}).frames,
              std::vector<std::string>{
                  "event-type=4:40972,content-type=7:application/json0,bool false=1:0,bool "
                  "true=0:1,byte=2:-49,byte buf=6:I'm a little teapot!0,timestamp=8:8675309,"
                  "int16=3:42,int64=5:42424242,uuid=9:" +
                  uuid + "0,{'foo':'bar'}"});
}

TEST(EventStream, WritesWhatAwsPublishes) {
    const std::string uuid = bytes_of("0102030405060708090a0b0c0d0e0f10");
    const std::vector<Header> headers = {
        {.name = "event-type", .kind = HeaderKind::int32, .number = 40972},
        {.name = "content-type", .kind = HeaderKind::string, .text = "application/json"},
        {.name = "bool false", .kind = HeaderKind::false_},
        {.name = "bool true", .kind = HeaderKind::true_},
        {.name = "byte", .kind = HeaderKind::int8, .number = -49},
        {.name = "byte buf", .kind = HeaderKind::bytes, .text = "I'm a little teapot!"},
        {.name = "timestamp", .kind = HeaderKind::timestamp, .number = 8675309},
        {.name = "int16", .kind = HeaderKind::int16, .number = 42},
        {.name = "int64", .kind = HeaderKind::int64, .number = 42424242},
        {.name = "uuid", .kind = HeaderKind::uuid, .text = uuid}};
    std::string out = "before";  // appends
    append_frame(out, headers, "{'foo':'bar'}");
    EXPECT_EQ(out, "before" + bytes_of(kAllHeaders));
    out.clear();
    append_frame(out, {}, "");
    EXPECT_EQ(out, bytes_of(kEmpty));
}

TEST(EventStream, EverySplitGivesTheSameFrames) {
    const std::string stream =
        bytes_of(kAllHeaders) + bytes_of(kEmpty) + bytes_of(kInt32Header) + bytes_of(kPayloadOnly);
    const Got whole = read({stream});
    ASSERT_EQ(whole.frames.size(), 4u);
    EXPECT_FALSE(whole.has_partial);
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        ASSERT_EQ(read({stream.substr(0, cut), stream.substr(cut)}), whole) << cut;
    }
    FrameDecoder decoder;
    std::size_t frames = 0;
    for (const char c : stream) {  // one byte at a time
        decoder.feed({&c, 1});
        Frame frame;
        while (decoder.next(frame).value()) {
            ++frames;
        }
    }
    EXPECT_EQ(frames, 4u);
    EXPECT_FALSE(decoder.has_partial());
}

TEST(EventStream, KnowsThatAFrameHasNotEnded) {
    const std::string frame = bytes_of(kAllHeaders);
    for (std::size_t size = 1; size < frame.size(); ++size) {
        const Got got = read({frame.substr(0, size)});
        EXPECT_TRUE(got.has_partial) << size;
        EXPECT_TRUE(got.frames.empty()) << size;
    }
}

TEST(EventStream, EveryFlippedByteIsFound) {
    const std::string stream = bytes_of(kInt32Header);
    for (std::size_t at = 0; at < stream.size(); ++at) {
        std::string broken = stream;
        broken[at] = static_cast<char>(broken[at] ^ 0x40);
        const Got got = read({broken});
        EXPECT_TRUE(got.frames.empty()) << at;
        EXPECT_NE(got.error, "") << at;
    }
}

// A frame with right checksums over whatever lengths and headers.
std::string sealed(std::uint32_t total, std::uint32_t headers_size, std::string_view rest) {
    const auto number = [](std::uint32_t value) {
        std::string bytes;
        for (int shift = 24; shift >= 0; shift -= 8) {
            bytes += static_cast<char>(value >> shift);
        }
        return bytes;
    };
    std::string frame = number(total) + number(headers_size);
    frame += number(crc32(frame));
    frame += rest;
    return frame + number(crc32(frame));
}

struct Broken {
    std::string_view name;
    std::string bytes;
    std::string_view error;
};

TEST(EventStream, RefusesWhatCannotBe) {
    const auto headers = [](std::string_view bytes) {
        const auto size = static_cast<std::uint32_t>(bytes.size());
        return sealed(16 + size, size, bytes);
    };
    std::string many;
    for (std::size_t i = 0; i <= kHeadersMax; ++i) {
        many += std::string_view("\x01x\x00", 3);
    }
    using std::string_view_literals::operator""sv;
    const std::vector<Broken> cases = {
        {"html", "<html><body>502 Bad Gateway</body></html>", "checksum of a frame's lengths"},
        {"total too small", sealed(15, 0, ""), "a frame of 15 bytes"},
        {"headers beyond the frame", sealed(16, 1, ""), "cannot hold 1 of headers"},
        {"length wraps", sealed(16, 0xffffffff, ""), "cannot hold"},
        {"frame too large", sealed((16u << 20) + 1, 0, ""), "too large"},
        {"headers too large", sealed(1u << 20, (128u << 10) + 1, ""), "too large"},
        {"name is empty", headers("\x00\x00"sv), "header is broken"},
        {"name is cut", headers("\x05xy"sv), "header is broken"},
        {"kind is missing", headers("\x01x"sv), "header is broken"},
        {"kind is unknown", headers("\x01x\x0a"sv), "header is broken"},
        {"text is cut", headers("\x01x\x07\x00\x03yy"sv), "header is broken"},
        {"text has no length", headers("\x01x\x07\x00"sv), "header is broken"},
        {"number is cut", headers("\x01x\x05\x00\x00"sv), "header is broken"},
        {"uuid is cut", headers("\x01x\x09 too short"sv), "header is broken"},
        {"too many headers", headers(many), "more headers"},
    };
    for (const Broken& one : cases) {
        const Got got = read({one.bytes});
        EXPECT_NE(got.error.find(one.error), std::string::npos) << one.name << ": " << got.error;
        // The same wherever it is cut.
        for (std::size_t cut = 0; cut <= std::min<std::size_t>(one.bytes.size(), 64); ++cut) {
            EXPECT_EQ(read({one.bytes.substr(0, cut), one.bytes.substr(cut)}).error, got.error)
                << one.name << " at " << cut;
        }
    }
}

TEST(EventStream, CarriesEventsAndExceptions) {
    std::string out;
    append_event(out, "messageStart", R"({"role":"assistant"})");
    append_exception(out, "throttlingException", "{}");
    FrameDecoder decoder;
    decoder.feed(out);
    Frame frame;
    ASSERT_TRUE(decoder.next(frame).value());
    EXPECT_EQ(frame.text(":event-type"), "messageStart");
    EXPECT_EQ(frame.text(":message-type"), "event");
    EXPECT_EQ(frame.text(":content-type"), "application/json");
    EXPECT_EQ(frame.text(":exception-type"), "");
    EXPECT_EQ(frame.payload, R"({"role":"assistant"})");
    ASSERT_TRUE(decoder.next(frame).value());
    EXPECT_EQ(frame.text(":exception-type"), "throttlingException");
    EXPECT_EQ(frame.text(":message-type"), "exception");
    EXPECT_FALSE(decoder.next(frame).value());
}

TEST(EventStream, TakesTheLargestFrame) {
    std::string out;
    append_frame(out, {}, std::string(kFrameBytesMax - 16, 'x'));
    EXPECT_EQ(out.size(), kFrameBytesMax);
    const Got got =
        read({std::string_view(out).substr(0, 1000), std::string_view(out).substr(1000)});
    ASSERT_EQ(got.frames.size(), 1u) << got.error;
    EXPECT_EQ(got.frames[0].size(), kFrameBytesMax - 16);
}

}  // namespace
}  // namespace weir::dialect::aws
