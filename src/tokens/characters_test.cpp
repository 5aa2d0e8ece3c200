#include "tokens/characters.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>
#include <string>

namespace weir::tokens {
namespace {

constexpr std::uint32_t kEnd = 0x110000;

char letter_of(CharKind kind) { return "osnUlLmd"[static_cast<std::size_t>(kind)]; }

// As regular expressions over all of Unicode 16.0.0 count them.
TEST(Characters, AreAsManyAsUnicodeHas) {
    std::array<std::size_t, 8> counts{};
    for (std::uint32_t c = 0; c < kEnd; ++c) {
        ++counts[static_cast<std::size_t>(CharacterTable::instance().kind(c))];
    }
    const auto of = [&](CharKind kind) { return counts[static_cast<std::size_t>(kind)]; };
    EXPECT_EQ(of(CharKind::space), 23u);
    EXPECT_EQ(of(CharKind::newline), 2u);
    EXPECT_EQ(of(CharKind::upper), 1858u + 31u);
    EXPECT_EQ(of(CharKind::lower), 2258u);
    EXPECT_EQ(of(CharKind::letter), 404u + 136'477u);
    EXPECT_EQ(of(CharKind::mark), 2501u);
    EXPECT_EQ(of(CharKind::number), 1911u);
}

TEST(Characters, AreOfTheKindPythonSays) {
    std::ifstream in(WEIR_TOKENS_CHARACTERS);
    std::size_t checked = 0;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with('#')) {
            continue;
        }
        std::istringstream fields(line);
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::string kinds;
        fields >> std::hex >> first >> last >> kinds;
        ASSERT_TRUE(kinds.size() == 1 || kinds.size() == last - first + 1) << line;
        for (std::uint32_t c = first; c <= last; ++c) {
            const char want = kinds.size() == 1 ? kinds[0] : kinds[c - first];
            ASSERT_EQ(letter_of(CharacterTable::instance().kind(c)), want) << std::hex << c;
            ++checked;
        }
    }
    EXPECT_GT(checked, 200'000u);
}

TEST(Characters, AreKnownAboveTheFlatTable) {
    const CharacterTable& table = CharacterTable::instance();
    EXPECT_EQ(table.kind(0x1ffff), CharKind::other);
    EXPECT_EQ(table.kind(0x20000), CharKind::letter);
    EXPECT_EQ(table.kind(0x2a6df), CharKind::letter);
    EXPECT_EQ(table.kind(0x2a6e0), CharKind::other);
    EXPECT_EQ(table.kind(0xe0100), CharKind::mark);
    EXPECT_EQ(table.kind(0x10ffff), CharKind::other);
}

}  // namespace
}  // namespace weir::tokens
