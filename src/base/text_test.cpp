#include "base/text.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Text, DecimalTakesDigitsOnly) {
    EXPECT_EQ(parse_decimal("0"), 0u);
    EXPECT_EQ(parse_decimal("18446744073709551615"), 18446744073709551615u);
    for (const auto* bad : {"", "+5", "-1", "0x5", "1_0", "5, 5", " 5", "18446744073709551616"}) {
        EXPECT_EQ(parse_decimal(bad), std::nullopt) << bad;
    }
}

TEST(Text, HexGoesThereAndBack) {
    const unsigned char bytes[] = {0x00, 0xff, 0x1a};
    EXPECT_EQ(to_hex(bytes), "00ff1a");
    EXPECT_EQ(from_hex("00FF1a"), std::string("\x00\xff\x1a", 3));
    EXPECT_EQ(from_hex("0"), std::nullopt);
    EXPECT_EQ(from_hex("zz"), std::nullopt);
}

TEST(Text, CutsBetweenCharactersOnly) {
    const std::string_view text = "a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80";
    const std::size_t kept[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
    for (std::size_t most = 0; most < std::size(kept); ++most) {
        EXPECT_EQ(cut_utf8(text, most), text.substr(0, kept[most])) << most;
    }
}

TEST(Text, KnowsUtf8) {
    for (const std::string_view good : {"",
                                        "a\x7f",
                                        "\xc2\x80",
                                        "\xdf\xbf",
                                        "\xe0\xa0\x80",
                                        "\xed\x9f\xbf",
                                        "\xee\x80\x80",
                                        "\xf0\x90\x80\x80",
                                        "\xf4\x8f\xbf\xbf"}) {
        EXPECT_TRUE(is_utf8(good)) << testing::PrintToString(good);
    }
    for (const std::string_view bad : {"\x80",
                                       "\xc1\xbf",
                                       "\xc3",
                                       "\xc3(",
                                       "\xe0\x9f\xbf",
                                       "\xe2\x82",
                                       "\xed\xa0\x80",
                                       "\xf0\x8f\xbf\xbf",
                                       "\xf0\x9f\x98",
                                       "\xf4\x90\x80\x80",
                                       "\xf5\x80\x80\x80",
                                       "\xff"}) {
        EXPECT_FALSE(is_utf8(bad)) << testing::PrintToString(bad);
    }
}

TEST(Text, JsonTextIsJsonWhateverTheBytes) {
    std::string into;
    append_json_text(into, std::string_view("a\"\\\n\0\x1b\x7f\xc3\xa9\xff\xe2\x82", 12));
    EXPECT_EQ(into,
              "a\\\"\\\\\\u000a\\u0000\\u001b\\u007f\xc3\xa9\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(Text, NearestNamesWhatWasMeantAndNothingElse) {
    const std::string_view known[] = {"listen", "operations", "threads"};
    EXPECT_EQ(nearest("lisen", known), "listen");
    EXPECT_EQ(nearest("thread", known), "threads");
    EXPECT_EQ(nearest("banana", known), "");
}

}  // namespace
}  // namespace weir
