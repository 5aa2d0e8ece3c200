// The tokens of an encoding and their ranks: which pieces are one token, and which pair is merged
// first. Embedded in the library as packed by ranks/pack.mjs; immutable once loaded.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "tokens/encoding.h"

namespace weir::tokens {

class Vocabulary {
public:
    // Inflated by the first call (some 10 ms), kept until the process ends. Any thread may
    // call; others wait for the first.
    static const Vocabulary& of(Encoding encoding);

    static constexpr std::uint32_t kNoRank = ~std::uint32_t{0};
    // kNoRank: these bytes are no token. Every single byte is one.
    std::uint32_t rank(std::string_view bytes) const;

    std::size_t size() const { return begins_.size() - 1; }
    std::string_view token(std::uint32_t rank) const {
        return std::string_view(bytes_).substr(begins_[rank], begins_[rank + 1] - begins_[rank]);
    }
    // The memory it holds.
    std::size_t loaded_bytes() const;

private:
    explicit Vocabulary(std::span<const unsigned char> packed);
    void index();

    std::string bytes_;                  // of all tokens, in order of rank
    std::vector<std::uint32_t> begins_;  // where each begins in `bytes_`, and the end
    std::vector<std::uint32_t> slots_;   // open addressing: part of the hash above the rank
    std::size_t token_bytes_max_ = 0;
};

}  // namespace weir::tokens
