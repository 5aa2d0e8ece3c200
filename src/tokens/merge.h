// Byte-pair merging of one piece: the adjacent pair whose joined bytes have the lowest rank becomes
// one, the leftmost of equals, until no pair is a token.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "tokens/vocabulary.h"

namespace weir::tokens {

// A piece longer than this is cut before it is merged, which may add a token or two per cut: no
// text has a word of a megabyte, and the heap takes 28 bytes per byte of the piece.
inline constexpr std::size_t kPieceBytesMax = 1u << 20;

// Of one thread; keeps its memory from piece to piece.
class Merger {
public:
    explicit Merger(const Vocabulary& vocabulary) : vocabulary_(vocabulary) {}
    // The rank of every merge follows from the vocabulary: what it borrows must outlive it.
    explicit Merger(const Vocabulary&&) = delete;

    // How many tokens the piece becomes. Not empty, at most kPieceBytesMax. O(n log n).
    std::int64_t count(std::string_view piece);

private:
    std::int64_t count_by_scan(std::string_view piece) const;
    std::int64_t count_by_heap(std::string_view piece);
    void rank_pair(std::string_view piece, std::uint32_t part);

    // A part is named by where its first byte stands in the piece.
    struct Part {
        std::uint32_t previous, next;
        std::uint32_t rank;  // of this part joined with the next; kNoRank: no token, or gone
    };
    const Vocabulary& vocabulary_;
    std::vector<Part> parts_;
    std::vector<std::uint64_t> heap_;  // rank above the part's name: lowest rank, then leftmost
};

}  // namespace weir::tokens
