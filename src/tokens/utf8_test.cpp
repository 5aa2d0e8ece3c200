#include "tokens/utf8.h"

#include <gtest/gtest.h>

namespace weir::tokens {
namespace {

std::string repair(std::string_view text) {
    std::string repaired;
    return std::string(valid_utf8(text, repaired));
}

TEST(Utf8, ValidTextIsNotCopied) {
    const std::string_view text =
        "plain ascii, d\u00fcrr, \u4e16\u754c, \U0001f600, \xf4\x8f\xbf\xbf \xee\x80\x80";
    std::string repaired;
    EXPECT_EQ(valid_utf8(text, repaired).data(), text.data());
    EXPECT_TRUE(repaired.empty());
}

TEST(Utf8, ABrokenSequenceIsOneReplacement) {
    EXPECT_EQ(repair("\xe2\x82"), "\ufffd");
    EXPECT_EQ(repair("\xe2\x82x"), "\ufffdx");
    EXPECT_EQ(repair("\xf0\x9f\x98\xf0\x9f\x98\x80"), "\ufffd\U0001f600");
    EXPECT_EQ(repair("12345678\xc3"), "12345678\ufffd");
}

TEST(Utf8, BytesThatBeginNothingAreOneReplacementEach) {
    EXPECT_EQ(repair("\x80\xbf"), "\ufffd\ufffd");
    EXPECT_EQ(repair("a\xc0\x80z"), "a\ufffd\ufffdz");        // overlong
    EXPECT_EQ(repair("\xe0\x9f\xbf"), "\ufffd\ufffd\ufffd");  // overlong
    EXPECT_EQ(repair("\xed\xa0\x80"), "\ufffd\ufffd\ufffd");  // a surrogate
    EXPECT_EQ(repair("\xf0\x8f\xbf\xbf"), "\ufffd\ufffd\ufffd\ufffd");
    EXPECT_EQ(repair("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd");  // above U+10FFFF
    EXPECT_EQ(repair("\xff\xfe"), "\ufffd\ufffd");
}

// Wherever the broken byte stands, the words of eight around it are looked at as bytes.
TEST(Utf8, FindsABrokenByteAtEveryPlace) {
    for (std::size_t at = 0; at < 40; ++at) {
        std::string text(40, 'a');
        text[at] = '\xff';
        const std::string want = text.substr(0, at) + "\ufffd" + text.substr(at + 1);
        EXPECT_EQ(repair(text), want) << at;
    }
}

}  // namespace
}  // namespace weir::tokens
