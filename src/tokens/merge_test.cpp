#include "tokens/merge.h"

#include <gtest/gtest.h>

#include <string>

#include "base/random.h"

namespace weir::tokens {
namespace {

// The rule itself, with nothing clever: every merge looks at all pairs.
std::int64_t plain_rule(const Vocabulary& vocabulary, std::string_view piece) {
    std::vector<std::string> parts;
    for (const char byte : piece) {
        parts.emplace_back(1, byte);
    }
    for (;;) {
        std::size_t lowest = parts.size();
        std::uint32_t rank = Vocabulary::kNoRank;
        for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
            const std::uint32_t joined = vocabulary.rank(parts[i] + parts[i + 1]);
            if (joined < rank) {
                rank = joined;
                lowest = i;
            }
        }
        if (rank == Vocabulary::kNoRank) {
            return static_cast<std::int64_t>(parts.size());
        }
        parts[lowest] += parts[lowest + 1];
        parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(lowest) + 1);
    }
}

class Merge : public testing::TestWithParam<Encoding> {
protected:
    const Vocabulary& vocabulary_ = Vocabulary::of(GetParam());
    Merger merger_{vocabulary_};
};
INSTANTIATE_TEST_SUITE_P(Both,
                         Merge,
                         testing::Values(Encoding::cl100k, Encoding::o200k),
                         [](const auto& info) { return std::string(name(info.param)); });

TEST_P(Merge, EveryTokenIsOne) {
    for (std::uint32_t rank = 0; rank < vocabulary_.size(); ++rank) {
        ASSERT_EQ(vocabulary_.rank(vocabulary_.token(rank)), rank);
        ASSERT_EQ(merger_.count(vocabulary_.token(rank)), 1);
    }
}

TEST_P(Merge, EveryByteIsAToken) {
    for (int byte = 0; byte < 256; ++byte) {
        EXPECT_NE(vocabulary_.rank(std::string(1, static_cast<char>(byte))), Vocabulary::kNoRank);
    }
}

TEST_P(Merge, WhatIsNoTokenHasNoRank) {
    EXPECT_EQ(vocabulary_.rank(""), Vocabulary::kNoRank);
    EXPECT_EQ(vocabulary_.rank("qzqzqzqz"), Vocabulary::kNoRank);
    EXPECT_EQ(vocabulary_.rank("<|endoftext|>"), Vocabulary::kNoRank);
    EXPECT_EQ(vocabulary_.rank(std::string(100'000, ' ')), Vocabulary::kNoRank);
}

// Lengths on both sides of where the scan hands over to the heap; few letters, so that tokens
// overlap, or any bytes.
TEST_P(Merge, FollowsThePlainRule) {
    Random random(7);
    for (int round = 0; round < 400; ++round) {
        const std::string_view letters = round % 2 == 0 ? "aei nst" : "\x80\xe4\xbd\xa0 =-\n";
        std::string piece;
        const std::size_t size = 1 + random.below(160);
        while (piece.size() < size) {
            piece += round % 5 == 0 ? static_cast<char>(random.below(256))
                                    : letters[random.below(letters.size())];
        }
        const bool is_token = vocabulary_.rank(piece) != Vocabulary::kNoRank;
        ASSERT_EQ(merger_.count(piece), is_token ? 1 : plain_rule(vocabulary_, piece))
            << testing::PrintToString(piece);
    }
}

// Such a run is made of the longest token of it and a rest.
TEST_P(Merge, OneLetterAMebibyteLongIsMadeOfItsLongestToken) {
    const std::string piece(kPieceBytesMax, 'z');
    const std::int64_t part = merger_.count(std::string_view(piece).substr(0, 4096));
    EXPECT_EQ(merger_.count(piece), part * static_cast<std::int64_t>(kPieceBytesMax / 4096));
}

TEST_P(Merge, LoadedTablesAreModest) {
    const std::size_t limit_kib = GetParam() == Encoding::cl100k ? 2100 : 4300;
    EXPECT_LT(vocabulary_.loaded_bytes(), limit_kib * 1024);
}

}  // namespace
}  // namespace weir::tokens
