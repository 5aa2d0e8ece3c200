#include "net/http_encode.h"

#include <gtest/gtest.h>

namespace weir::net {
namespace {

TEST(HttpEncode, FieldsFollowOneAnotherHoweverTheTextGrows) {
    for (std::size_t before = 0; before < 100; ++before) {
        for (std::size_t value = 0; value < 100; value += 7) {
            const std::string begin(before, 'b');
            const std::string text(value, 'v');
            std::string head;
            head.reserve(before);
            head = begin;
            append_field(head, "first", text);
            append_field(head, "second", text);
            EXPECT_EQ(head, begin + "first: " + text + "\r\nsecond: " + text + "\r\n");
        }
    }
}

TEST(HttpEncodeDeathTest, ALineBreakInAValueEndsTheProgram) {
    std::string head;
    for (const std::size_t place : {0, 15, 16, 39}) {
        for (const char c : {'\r', '\n'}) {
            std::string value(40, 'v');
            value[place] = c;
            EXPECT_DEATH(append_field(head, "name", value), "");
        }
    }
    append_field(head, "name", "tab\tand \x80\xff\x7f");
    EXPECT_EQ(head, "name: tab\tand \x80\xff\x7f\r\n");
}

}  // namespace
}  // namespace weir::net
