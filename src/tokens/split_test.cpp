#include "tokens/split.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tokens/utf8.h"
#include "tokens/vectors_test.h"

namespace weir::tokens {
namespace {

using Pieces = std::vector<std::string>;

Pieces split(Encoding encoding, std::string_view text) {
    Splitter splitter(encoding, text);
    Pieces pieces;
    for (std::string_view piece = splitter.next(); !piece.empty(); piece = splitter.next()) {
        pieces.emplace_back(piece);
    }
    return pieces;
}
Pieces cl100k(std::string_view text) { return split(Encoding::cl100k, text); }
Pieces o200k(std::string_view text) { return split(Encoding::o200k, text); }

TEST(Split, PiecesJoinedAreTheText) {
    for (const Vector& vector : read_vectors()) {
        std::string repaired;
        const std::string_view text = valid_utf8(vector.text, repaired);
        for (const Encoding encoding : {Encoding::cl100k, Encoding::o200k}) {
            std::string joined;
            for (const std::string& piece : split(encoding, text)) {
                joined += piece;
            }
            EXPECT_EQ(joined, text) << vector.line;
        }
    }
}

TEST(Split, AWordTakesOneCharacterBeforeIt) {
    EXPECT_EQ(cl100k("a b\tc\u00a0d!e  f"), (Pieces{"a", " b", "\tc", "\u00a0d", "!e", " ", " f"}));
    EXPECT_EQ(o200k("\nx 1 y"), (Pieces{"\n", "x", " ", "1", " y"}));
}

TEST(Split, OnlyO200kLooksAtCase) {
    EXPECT_EQ(cl100k("parseJSONResponse"), (Pieces{"parseJSONResponse"}));
    // The capital of the next word stays with those before it.
    EXPECT_EQ(o200k("parseJSONResponse"), (Pieces{"parse", "JSONResponse"}));
    EXPECT_EQ(o200k("AB字CD"), (Pieces{"AB字", "CD"}));
    EXPECT_EQ(o200k("AB字CDe"), (Pieces{"AB字CDe"}));
}

TEST(Split, AContractionIsAPieceOrTheEndOfOne) {
    EXPECT_EQ(cl100k("it'sand WE'LL'x"), (Pieces{"it", "'s", "and", " WE", "'LL", "'x"}));
    EXPECT_EQ(o200k("it'sand WE'LL'x"), (Pieces{"it's", "and", " WE'LL", "'x"}));
    EXPECT_EQ(cl100k("it'\u017fand"), (Pieces{"it", "'\u017f", "and"}));
}

TEST(Split, AMarkIsALetterToO200kAndASymbolToCl100k) {
    EXPECT_EQ(cl100k("e\u0301a"), (Pieces{"e", "\u0301a"}));
    EXPECT_EQ(o200k("e\u0301a"), (Pieces{"e\u0301a"}));
    EXPECT_EQ(o200k("\u0301AB"), (Pieces{"\u0301", "AB"}));
    EXPECT_EQ(o200k("\u0301Ab"), (Pieces{"\u0301Ab"}));
}

TEST(Split, NumbersComeInThrees) {
    EXPECT_EQ(cl100k("1234567"), (Pieces{"123", "456", "7"}));
    EXPECT_EQ(o200k("\u0661\u0662\u0663\u0664"), (Pieces{"\u0661\u0662\u0663", "\u0664"}));
}

TEST(Split, SymbolsTakeLineEndsAndO200kSlashes) {
    EXPECT_EQ(cl100k(" }\r\n\n/x"), (Pieces{" }\r\n\n", "/x"}));
    EXPECT_EQ(o200k(" }\r\n\n/x"), (Pieces{" }\r\n\n/", "x"}));
}

TEST(Split, WhiteSpaceLeavesItsLastForTheNextWord) {
    EXPECT_EQ(cl100k("a   b"), (Pieces{"a", "  ", " b"}));
    EXPECT_EQ(cl100k("a \n  \n  b"), (Pieces{"a", " \n  \n", " ", " b"}));
    EXPECT_EQ(o200k("a   "), (Pieces{"a", "   "}));
    EXPECT_EQ(o200k("a  1"), (Pieces{"a", " ", " ", "1"}));
}

}  // namespace
}  // namespace weir::tokens
