// Text as guardrails read it: code points, what is part of a word, and which letters are the same
// letter. Pure tables of our own, so that a rule means the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace weir::guardrail {

struct CodePoint {
    std::uint32_t value = 0;  // U+FFFD for a byte that is no UTF-8
    std::uint32_t size = 0;   // bytes; 0: the text ends inside a sequence that is good so far
};
// The one at the front of `text`, which must not be empty.
CodePoint read_beyond_ascii(std::string_view text);
inline CodePoint read_code_point(std::string_view text) {
    const auto first = static_cast<unsigned char>(text.front());
    return first < 0x80 ? CodePoint{first, 1} : read_beyond_ascii(text);
}

// Letters, digits and '_' of scripts that put spaces between words. In Han, kana, Thai and their
// like a word has no visible edge: their characters count as none, so that a phrase of them is
// found anywhere.
bool is_word_beyond_ascii(std::uint32_t code_point);
inline bool is_word(std::uint32_t c) {
    if (c >= 0x80) {
        return is_word_beyond_ascii(c);
    }
    return (c | 0x20) - 'a' < 26 || c - '0' < 10 || c == '_';
}

// Simple case folding (Unicode's C and S mappings) of Latin-1, Latin Extended-A, Additional and
// most of B, modern Greek, Cyrillic, Armenian and full-width letters; other letters are themselves.
// Every kind of white space becomes a space.
std::uint32_t fold_beyond_ascii(std::uint32_t code_point);
constexpr std::uint32_t fold(std::uint32_t c) {
    if (c >= 0x80) {
        return fold_beyond_ascii(c);
    }
    if (c - 'A' < 26) {
        return c | 0x20;
    }
    return c - '\t' < 5 ? std::uint32_t{' '} : c;
}

}  // namespace weir::guardrail
