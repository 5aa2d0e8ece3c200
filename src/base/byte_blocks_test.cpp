#include "base/byte_blocks.h"

#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

namespace weir {
namespace {

TEST(AsciiSet, HoldsWhatWasAddedAndNothingElse) {
    AsciiSet set("-_~\x7f");
    set.add(0);
    set.add('a', 'f');
    const std::string_view members("-_~\x7f\0abcdef", 11);
    for (unsigned value = 0; value < 256; ++value) {
        const char c = static_cast<char>(value);
        const bool expected = members.find(c) != std::string_view::npos;
        const std::string same(kBlockBytes, c);
        EXPECT_EQ(set.in(load_block(same.data())), expected ? 0xffffu : 0u) << value;
        for (std::size_t place = 0; place < kBlockBytes; ++place) {
            std::string one(kBlockBytes, 'z');
            one[place] = c;
            EXPECT_EQ(set.in(load_block(one.data())), expected ? 1u << place : 0u) << value;
        }
    }
    EXPECT_EQ(AsciiSet().in(load_block("0123456789abcdef")), 0u);
}

TEST(AsciiSet, IsLookedForInTextsOfAnySize) {
    const AsciiSet set("xy");
    for (std::size_t size = 0; size < 3 * kBlockBytes; ++size) {
        const std::string none(size, '\xf8');
        const std::string all(size, 'y');
        EXPECT_EQ(find_in(none, set), size);
        EXPECT_EQ(find_not_in(all, set), size);
        for (std::size_t i = 0; i < size; ++i) {
            std::string some = none.substr(0, i) + all.substr(i);
            EXPECT_EQ(find_in(some, set), i);
            some = all.substr(0, i) + none.substr(i);
            EXPECT_EQ(find_not_in(some, set), i);
        }
    }
}

TEST(ByteBlocks, FewBytesAreLoadedWithoutTheirNeighbours) {
    for (std::size_t count = 1; count < kBlockBytes; ++count) {
        // Of exactly this size: AddressSanitizer sees a read past it.
        std::vector<char> bytes(count);
        for (std::size_t i = 0; i < count; ++i) {
            bytes[i] = static_cast<char>(0x90 + i);
        }
        const Block block = load_few(bytes.data(), count);
        char stored[kBlockBytes];
        std::memcpy(stored, &block, sizeof stored);
        for (std::size_t i = 0; i < kBlockBytes; ++i) {
            EXPECT_EQ(stored[i], i < count ? bytes[i] : 0) << count << ' ' << i;
        }
        EXPECT_EQ(beyond_ascii(block), (1u << count) - 1);
    }
}

TEST(ByteBlocks, OneByteBeyondAsciiIsFoundAnywhere) {
    EXPECT_TRUE(is_ascii(""));
    for (std::size_t size = 1; size < 3 * kBlockBytes; ++size) {
        std::string text(size, '\x7f');
        EXPECT_TRUE(is_ascii(text));
        for (std::size_t i = 0; i < size; ++i) {
            text[i] = '\x80';
            EXPECT_FALSE(is_ascii(text)) << size << ' ' << i;
            text[i] = '\x7f';
        }
    }
}

}  // namespace
}  // namespace weir
