#include "tokens/merge.h"

#include <algorithm>

#include "base/assert.h"

namespace weir::tokens {
namespace {

constexpr std::uint32_t kNoRank = Vocabulary::kNoRank;
// Up to here looking through all pairs for every merge is faster than a heap, and needs no memory.
constexpr std::size_t kScanBytesMax = 64;

}  // namespace

std::int64_t Merger::count(std::string_view piece) {
    WEIR_ASSERT(!piece.empty() && piece.size() <= kPieceBytesMax);
    if (vocabulary_.rank(piece) != kNoRank) {
        return 1;
    }
    return piece.size() <= kScanBytesMax ? count_by_scan(piece) : count_by_heap(piece);
}

std::int64_t Merger::count_by_scan(std::string_view piece) const {
    // begins[i] is where part i begins; pairs[i] is the rank of parts i and i + 1, joined.
    WEIR_UNINITIALIZED std::array<std::uint32_t, kScanBytesMax + 1> begins;
    WEIR_UNINITIALIZED std::array<std::uint32_t, kScanBytesMax> pairs;
    std::size_t parts = piece.size();
    for (std::size_t i = 0; i <= parts; ++i) {
        begins[i] = static_cast<std::uint32_t>(i);
    }
    const auto pair_rank = [&](std::size_t i) {
        return i + 2 > parts ? kNoRank
                             : vocabulary_.rank(piece.substr(begins[i], begins[i + 2] - begins[i]));
    };
    for (std::size_t i = 0; i < parts; ++i) {
        pairs[i] = pair_rank(i);
    }
    for (;;) {
        const auto lowest = std::min_element(pairs.begin(), pairs.begin() + parts);
        if (*lowest == kNoRank) {
            return static_cast<std::int64_t>(parts);
        }
        const auto i = static_cast<std::size_t>(lowest - pairs.begin());
        std::copy(begins.begin() + i + 2, begins.begin() + parts + 1, begins.begin() + i + 1);
        std::copy(pairs.begin() + i + 2, pairs.begin() + parts, pairs.begin() + i + 1);
        --parts;
        pairs[i] = pair_rank(i);
        if (i > 0) {
            pairs[i - 1] = pair_rank(i - 1);
        }
    }
}

std::int64_t Merger::count_by_heap(std::string_view piece) {
    const auto size = static_cast<std::uint32_t>(piece.size());
    parts_.resize(size + 1);  // the last one stands for the end
    heap_.clear();
    for (std::uint32_t i = 0; i <= size; ++i) {
        parts_[i] = {.previous = i - 1, .next = i + 1, .rank = kNoRank};
    }
    for (std::uint32_t i = 0; i < size; ++i) {
        rank_pair(piece, i);
    }
    std::int64_t count = size;
    while (!heap_.empty()) {
        std::ranges::pop_heap(heap_, std::greater{});
        const auto rank = static_cast<std::uint32_t>(heap_.back() >> 32);
        const auto left = static_cast<std::uint32_t>(heap_.back());
        heap_.pop_back();
        if (parts_[left].rank != rank) {
            continue;  // one of the two has been merged with another meanwhile
        }
        const std::uint32_t right = parts_[left].next;
        parts_[left].next = parts_[right].next;
        parts_[parts_[right].next].previous = left;
        parts_[right].rank = kNoRank;
        --count;
        rank_pair(piece, left);
        if (left > 0) {
            rank_pair(piece, parts_[left].previous);
        }
    }
    return count;
}

void Merger::rank_pair(std::string_view piece, std::uint32_t part) {
    Part& left = parts_[part];
    const std::size_t end = left.next < piece.size() ? parts_[left.next].next : part;
    left.rank = vocabulary_.rank(piece.substr(part, end - part));
    if (left.rank != kNoRank) {
        heap_.push_back(std::uint64_t{left.rank} << 32 | part);
        std::ranges::push_heap(heap_, std::greater{});
    }
}

}  // namespace weir::tokens
