#include "base/base64.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

// RFC 4648, section 10.
TEST(Base64, WritesAndReadsTheVectorsOfTheRfc) {
    for (const auto& [bytes, text] :
         std::initializer_list<std::pair<std::string, std::string>>{{"", ""},
                                                                    {"f", "Zg=="},
                                                                    {"fo", "Zm8="},
                                                                    {"foo", "Zm9v"},
                                                                    {"foob", "Zm9vYg=="},
                                                                    {"fooba", "Zm9vYmE="},
                                                                    {"foobar", "Zm9vYmFy"},
                                                                    {"\xfb\xff\xfe", "+//+"}}) {
        EXPECT_EQ(to_base64(bytes, Base64::standard), text);
        EXPECT_EQ(from_base64(text, Base64::standard), bytes);
        EXPECT_TRUE(is_base64(text, Base64::standard));
        EXPECT_EQ(from_base64(to_base64(bytes, Base64::url), Base64::url), bytes);
    }
    EXPECT_EQ(to_base64("\xfb\xff\xfe", Base64::url), "-__-");
}

TEST(Base64, RefusesWhatIsNone) {
    for (const std::string_view bad :
         {"A", "AAAAA", "Zg=", "Zg===", "Z g=", "Zm9v\n", "+_", "Zh==", "=", "===="}) {
        EXPECT_FALSE(from_base64(bad, Base64::standard)) << bad;
    }
    EXPECT_TRUE(from_base64("Zg", Base64::standard));
    EXPECT_FALSE(is_base64("Zg$=", Base64::standard));
}

}  // namespace
}  // namespace weir
