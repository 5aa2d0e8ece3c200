#include "net/inflate.h"

#include <gtest/gtest.h>
#include <zlib.h>

namespace weir::net {
namespace {

constexpr int kZlib = 15;
constexpr int kGzip = 15 + 16;
constexpr int kBare = -15;

std::string packed(std::string_view plain, int window) {
    z_stream zlib{};
    EXPECT_EQ(deflateInit2(&zlib, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY), Z_OK);
    std::string out(deflateBound(&zlib, plain.size()), '\0');
    zlib.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
    zlib.avail_in = static_cast<uInt>(plain.size());
    zlib.next_out = reinterpret_cast<Bytef*>(out.data());
    zlib.avail_out = static_cast<uInt>(out.size());
    EXPECT_EQ(deflate(&zlib, Z_FINISH), Z_STREAM_END);
    out.resize(zlib.total_out);
    deflateEnd(&zlib);
    return out;
}

// All that comes out, fed in pieces that end at `cuts`; unset: an error.
std::optional<std::string> unpacked(std::string_view bytes,
                                    Coding coding,
                                    std::vector<std::size_t> cuts = {},
                                    std::uint64_t most = kInflatedBytesMax) {
    Inflater inflater(coding, most);
    std::string plain;
    std::size_t at = 0;
    cuts.push_back(bytes.size());
    for (const std::size_t cut : cuts) {
        const std::string piece(bytes.substr(at, cut - at));  // dies: what is needed is copied
        inflater.feed(piece);
        at = cut;
        for (;;) {
            const auto next = inflater.next();
            if (!next) {
                EXPECT_EQ(next.error().code(), Code::upstream_invalid_response);
                return std::nullopt;
            }
            if (next->empty()) {
                break;
            }
            plain += *next;
        }
    }
    const auto ended = inflater.finish();
    EXPECT_TRUE(ended || ended.error().code() == Code::upstream_invalid_response);
    return ended ? std::optional(plain) : std::nullopt;
}

const std::string kText = "What does a weir do? It raises the water, and lets it over. ";

struct FramingCase {
    std::string_view name;
    Coding coding;
    int window;
};
class FramingTest : public testing::TestWithParam<FramingCase> {};

TEST_P(FramingTest, GivesTheSameForEverySplit) {
    const std::string bytes = packed(kText, GetParam().window);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        EXPECT_EQ(unpacked(bytes, GetParam().coding, {cut}), kText) << cut;
    }
    std::vector<std::size_t> each;
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
        each.push_back(cut);
    }
    EXPECT_EQ(unpacked(bytes, GetParam().coding, each), kText);
}

TEST_P(FramingTest, KnowsWhenSomethingIsMissing) {
    const std::string bytes = packed(kText, GetParam().window);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        EXPECT_EQ(unpacked(bytes.substr(0, size), GetParam().coding), std::nullopt) << size;
    }
}

TEST_P(FramingTest, CarriesMoreThanItsBuffer) {
    std::string large;
    for (int i = 0; i < 20'000; ++i) {
        large += std::to_string(i) + kText;
    }
    EXPECT_TRUE(unpacked(packed(large, GetParam().window), GetParam().coding) == large);
}

INSTANTIATE_TEST_SUITE_P(Inflate,
                         FramingTest,
                         testing::Values(FramingCase{"gzip", Coding::gzip, kGzip},
                                         FramingCase{"zlib", Coding::deflate, kZlib},
                                         FramingCase{"bare", Coding::deflate, kBare}),
                         [](const auto& info) { return std::string{info.param.name}; });

TEST(Inflate, RefusesABombBeforeItGoesOff) {
    const std::string bomb = packed(std::string(10u << 20, '\0'), kGzip);
    EXPECT_LT(bomb.size(), 20'000u);
    EXPECT_EQ(unpacked(bomb, Coding::gzip, {}, 1u << 20), std::nullopt);
    EXPECT_TRUE(unpacked(bomb, Coding::gzip, {}, 10u << 20));
}

TEST(Inflate, ReadsMembersOneAfterTheOther) {
    const std::string bytes = packed(kText, kGzip) + packed("", kGzip) + packed("And more.", kGzip);
    for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
        EXPECT_EQ(unpacked(bytes, Coding::gzip, {cut}), kText + "And more.") << cut;
    }
}

TEST(Inflate, RefusesWhatIsNoneOfThem) {
    const std::string gzip = packed(kText, kGzip);
    EXPECT_EQ(unpacked("{\"id\":\"x\"}", Coding::gzip), std::nullopt);
    EXPECT_EQ(unpacked(gzip, Coding::deflate), std::nullopt);
    EXPECT_EQ(unpacked(gzip + "x", Coding::gzip), std::nullopt);
    EXPECT_EQ(unpacked(packed(kText, kZlib) + "x", Coding::deflate), std::nullopt);
    EXPECT_EQ(unpacked("", Coding::gzip), std::nullopt);
    // The check of the data says so where nothing else does.
    for (std::size_t at = gzip.size() - 8; at < gzip.size(); ++at) {
        std::string wrong = gzip;
        wrong[at] = static_cast<char>(wrong[at] ^ 1);
        EXPECT_EQ(unpacked(wrong, Coding::gzip), std::nullopt) << at;
    }
}

TEST(Inflate, NamesTheCodingThatItDoesNotKnow) {
    EXPECT_EQ(read_coding("").value(), std::nullopt);
    EXPECT_EQ(read_coding("Identity").value(), std::nullopt);
    EXPECT_EQ(read_coding("GZIP").value(), Coding::gzip);
    EXPECT_EQ(read_coding("x-gzip").value(), Coding::gzip);
    EXPECT_EQ(read_coding("deflate").value(), Coding::deflate);
    for (const std::string_view other : {"br", "zstd", "gzip, gzip", "gzip,", "compress"}) {
        const auto read = read_coding(other);
        ASSERT_FALSE(read) << other;
        EXPECT_EQ(read.error().code(), Code::upstream_invalid_response);
        EXPECT_TRUE(read.error().detail().find(other) != std::string_view::npos) << other;
    }
}

}  // namespace
}  // namespace weir::net
