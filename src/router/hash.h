// Hashes that are the same in every build, process and replica, so that all of them send the same
// caller to the same place. Not for secrets; nobody is kept from finding two texts of one hash.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace weir::router {

// splitmix64's finaliser: every bit of the input moves every bit of the output.
constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

constexpr std::uint64_t combine(std::uint64_t a, std::uint64_t b) {
    return mix(a ^ (mix(b + 0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u));
}

// Folds a product of 128 bits over eight bytes at a time: about ten bytes a nanosecond, for prompts
// are long. `seed` chains one text to what came before it.
inline std::uint64_t hash_text(std::string_view text, std::uint64_t seed = 0) {
    const auto fold = [](std::uint64_t a, std::uint64_t b) {
        const auto product = static_cast<unsigned __int128>(a) * b;
        return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
    };
    std::uint64_t hash = seed ^ 0xa0761d6478bd642fu ^ (text.size() * 0xe7037ed1a0b428dbu);
    while (text.size() >= 16) {
        std::uint64_t words[2];
        std::memcpy(words, text.data(), sizeof words);
        hash = fold(words[0] ^ 0x8ebc6af09c88c6e3u ^ hash, words[1] ^ 0x589965cc75374cc3u);
        text.remove_prefix(16);
    }
    std::uint64_t words[2] = {0, 0};
    std::memcpy(words, text.data(), text.size());
    hash = fold(words[0] ^ 0x1d8e4e27c47d124fu ^ hash, words[1] ^ 0xeb44accab455d165u);
    return mix(hash);
}

}  // namespace weir::router
