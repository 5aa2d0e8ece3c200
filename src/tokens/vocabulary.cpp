#include "tokens/vocabulary.h"

#include <zlib.h>

#include <bit>

#include "base/assert.h"

extern "C" {
// embed.S
extern const unsigned char weir_cl100k_base[], weir_cl100k_base_end[];
extern const unsigned char weir_o200k_base[], weir_o200k_base_end[];
}

namespace weir::tokens {
namespace {

constexpr std::size_t kHeadBytes = 8;

// A slot is a rank of 18 bits and 14 bits of the hash, which spare nearly every look at the bytes
// of another token.
constexpr unsigned kRankBits = 18;
constexpr std::uint32_t kRankMask = (1u << kRankBits) - 1;
constexpr std::uint32_t kEmpty = ~std::uint32_t{0};
// Rounded up to a power of two; fewer, and chains of taken slots grow long. A text cannot make them
// longer: what is hashed into the table is known when it is built.
constexpr std::size_t kSlotsPerToken = 2;

template <class Number>
std::uint64_t read(const char* from) {
    Number number;
    std::memcpy(&number, from, sizeof number);
    return number;
}

std::uint64_t mix(std::uint64_t hash, std::uint64_t word) {
    hash = (hash ^ word) * 0x9e37'79b9'7f4a'7c15;
    return hash ^ hash >> 32;
}

// Eight bytes at a time; the last eight may overlap those before. `bytes` is not empty.
std::uint64_t hash_of(std::string_view bytes) {
    const char* const data = bytes.data();
    const std::size_t size = bytes.size();
    std::uint64_t hash = size;
    if (size > 8) {
        for (std::size_t at = 0; at + 8 < size; at += 8) {
            hash = mix(hash, read<std::uint64_t>(data + at));
        }
        return mix(hash, read<std::uint64_t>(data + size - 8));
    }
    if (size >= 4) {
        return mix(hash, read<std::uint32_t>(data) | read<std::uint32_t>(data + size - 4) << 32);
    }
    return mix(hash,
               read<std::uint8_t>(data) | read<std::uint8_t>(data + size / 2) << 8 |
                   read<std::uint8_t>(data + size - 1) << 16);
}

std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32) & ~kRankMask;
}

std::uint32_t number_at(std::span<const unsigned char> packed, std::size_t at) {
    WEIR_ASSERT(packed.size() >= at + sizeof(std::uint32_t));
    std::uint32_t number = 0;
    std::memcpy(&number, packed.data() + at, sizeof number);
    return number;
}

}  // namespace

const Vocabulary& Vocabulary::of(Encoding encoding) {
    // Never destroyed: a thread may still count while the process ends.
    switch (encoding) {
        case Encoding::cl100k: {
            static const auto& cl100k = *new Vocabulary({weir_cl100k_base, weir_cl100k_base_end});
            return cl100k;
        }
        case Encoding::o200k: {
            static const auto& o200k = *new Vocabulary({weir_o200k_base, weir_o200k_base_end});
            return o200k;
        }
    }
    std::unreachable();
}

// The data is our own binary's: what is wrong with it is a broken build.
Vocabulary::Vocabulary(std::span<const unsigned char> packed) {
    const std::uint32_t count = number_at(packed, 0);
    WEIR_ASSERT(count < kRankMask);
    std::vector<unsigned char> raw(number_at(packed, sizeof count));
    uLongf size = raw.size();
    const auto deflated = packed.subspan(kHeadBytes);
    WEIR_ASSERT(uncompress(raw.data(), &size, deflated.data(), deflated.size()) == Z_OK);
    WEIR_ASSERT(size == raw.size() && size > count);

    begins_.reserve(count + 1);
    begins_.push_back(0);
    for (const unsigned char token_size : std::span(raw).first(count)) {
        begins_.push_back(begins_.back() + token_size);
        token_bytes_max_ = std::max<std::size_t>(token_bytes_max_, token_size);
    }
    WEIR_ASSERT(begins_.back() == raw.size() - count);
    bytes_.assign(raw.begin() + count, raw.end());
    index();
}

void Vocabulary::index() {
    slots_.resize(std::bit_ceil(size() * kSlotsPerToken), kEmpty);
    for (std::uint32_t rank = 0; rank < size(); ++rank) {
        const std::uint64_t hash = hash_of(token(rank));
        std::size_t slot = hash & (slots_.size() - 1);
        while (slots_[slot] != kEmpty) {
            slot = (slot + 1) & (slots_.size() - 1);
        }
        slots_[slot] = tag_of(hash) | rank;
    }
}

std::uint32_t Vocabulary::rank(std::string_view bytes) const {
    if (bytes.empty() || bytes.size() > token_bytes_max_) {
        return kNoRank;
    }
    const std::uint64_t hash = hash_of(bytes);
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t slot = hash & (slots_.size() - 1); slots_[slot] != kEmpty;
         slot = (slot + 1) & (slots_.size() - 1)) {
        const std::uint32_t found = slots_[slot];
        if ((found & ~kRankMask) == tag && token(found & kRankMask) == bytes) {
            return found & kRankMask;
        }
    }
    return kNoRank;
}

std::size_t Vocabulary::loaded_bytes() const {
    return bytes_.capacity() + (begins_.capacity() + slots_.capacity()) * sizeof(std::uint32_t);
}

}  // namespace weir::tokens
