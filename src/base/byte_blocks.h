// Sixteen bytes of text at a time, for what looks at every byte: which of them are in a set, as one
// bit each, the first byte lowest. Nothing is read past what is given. SSSE3, which x86-64-v2 has.
#pragma once

#include <tmmintrin.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir {

using Block = __m128i;
inline constexpr std::size_t kBlockBytes = 16;

inline Block load_block(const char* at) {
    return _mm_loadu_si128(reinterpret_cast<const Block*>(at));
}

// 1 to 15 bytes; the others are 0. Loads overlap where `count` is no power of two.
inline Block load_few(const char* at, std::size_t count) {
    std::uint64_t low = 0;
    std::uint64_t high = 0;
    if (count >= 8) {
        std::memcpy(&low, at, 8);
        std::memcpy(&high, at + count - 8, 8);
        high = high >> 8 >> (8 * (15 - count));
    } else if (count >= 4) {
        std::uint32_t first = 0;
        std::uint32_t last = 0;
        std::memcpy(&first, at, 4);
        std::memcpy(&last, at + count - 4, 4);
        low = first | std::uint64_t{last} << (8 * (count - 4));
    } else {
        const auto byte = [at](std::size_t i) {
            return std::uint64_t{static_cast<unsigned char>(at[i])};
        };
        low = byte(0) | byte(count / 2) << (8 * (count / 2)) | byte(count - 1) << (8 * (count - 1));
    }
    return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

inline unsigned bits_of(Block matches) { return static_cast<unsigned>(_mm_movemask_epi8(matches)); }

// Bytes that are not ASCII.
inline unsigned beyond_ascii(Block block) { return bits_of(block); }

inline bool is_ascii(std::string_view text) {
    const char* at = text.data();
    std::size_t left = text.size();
    for (; left >= kBlockBytes; left -= kBlockBytes, at += kBlockBytes) {
        if (beyond_ascii(load_block(at)) != 0) {
            return false;
        }
    }
    return left == 0 || beyond_ascii(load_few(at, left)) == 0;
}

// Any set of ASCII characters.
class AsciiSet {
public:
    constexpr AsciiSet() = default;
    constexpr explicit AsciiSet(std::string_view characters) {
        for (const char c : characters) {
            add(static_cast<unsigned char>(c));
        }
    }
    constexpr void add(unsigned char c) {
        rows_[c & 15] = static_cast<std::uint8_t>(rows_[c & 15] | 1u << (c >> 4 & 7));
    }
    constexpr void add(unsigned char first, unsigned char last) {
        for (unsigned c = first; c <= last; ++c) {
            add(static_cast<unsigned char>(c));
        }
    }

    unsigned in(Block block) const {
        // A row for each low nibble, with one bit for each high nibble. Above ASCII the row is 0
        // and the bits are all wanted: never equal.
        constexpr char kAll = static_cast<char>(0xff);
        const Block bit_of = _mm_setr_epi8(
            1, 2, 4, 8, 16, 32, 64, -128, kAll, kAll, kAll, kAll, kAll, kAll, kAll, kAll);
        const Block rows = _mm_load_si128(reinterpret_cast<const Block*>(rows_.data()));
        const Block row = _mm_shuffle_epi8(rows, block);
        const Block high = _mm_and_si128(_mm_srli_epi16(block, 4), _mm_set1_epi8(15));
        const Block bit = _mm_shuffle_epi8(bit_of, high);
        return bits_of(_mm_cmpeq_epi8(_mm_and_si128(row, bit), bit));
    }

private:
    alignas(kBlockBytes) std::array<std::uint8_t, kBlockBytes> rows_{};
};

// The place of the first character in (or not in) the set; the size where there is none.
template <bool kWanted>
std::size_t find_first(std::string_view text, const AsciiSet& set) {
    const auto found_in = [&set](Block block) {
        const unsigned in = set.in(block);
        return kWanted ? in : in ^ 0xffff;
    };
    std::size_t at = 0;
    for (; text.size() - at >= kBlockBytes; at += kBlockBytes) {
        if (const unsigned found = found_in(load_block(text.data() + at)); found != 0) {
            return at + static_cast<std::size_t>(std::countr_zero(found));
        }
    }
    if (const std::size_t left = text.size() - at; left > 0) {
        const unsigned found = found_in(load_few(text.data() + at, left)) | 1u << left;
        return at + static_cast<std::size_t>(std::countr_zero(found));
    }
    return at;
}
inline std::size_t find_in(std::string_view text, const AsciiSet& set) {
    return find_first<true>(text, set);
}
inline std::size_t find_not_in(std::string_view text, const AsciiSet& set) {
    return find_first<false>(text, set);
}

}  // namespace weir
