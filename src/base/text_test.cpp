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

TEST(Text, NearestNamesWhatWasMeantAndNothingElse) {
    const std::string_view known[] = {"listen", "operations", "threads"};
    EXPECT_EQ(nearest("lisen", known), "listen");
    EXPECT_EQ(nearest("thread", known), "threads");
    EXPECT_EQ(nearest("banana", known), "");
}

}  // namespace
}  // namespace weir
