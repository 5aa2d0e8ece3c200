// What kind of character a code point is, as far as the split patterns ask. From Unicode 16.0.0,
// the version that OpenAI's tokenizer is built with; unicode_runs.inc holds the data.
#pragma once

#include <array>
#include <cstdint>

namespace weir::tokens {

enum class CharKind : std::uint8_t {
    other,    // punctuation, symbols, controls, unassigned
    space,    // \s, but for line ends
    newline,  // \r and \n
    upper,    // \p{Lu} and \p{Lt}
    lower,    // \p{Ll}
    letter,   // \p{Lm} and \p{Lo}: no case
    mark,     // \p{M}
    number,   // \p{N}
};

// Immutable; any thread may ask. 64 KiB, spread out from the runs at its first use.
class CharacterTable {
public:
    static const CharacterTable& instance();

    CharKind kind(std::uint32_t code_point) const {
        return code_point < kFlatEnd ? flat(code_point) : sparse(code_point);
    }

private:
    CharacterTable();
    CharKind flat(std::uint32_t code_point) const {
        const unsigned two = two_each_[code_point / 2];
        return static_cast<CharKind>(code_point % 2 == 0 ? two & 0xf : two >> 4);
    }
    static CharKind sparse(std::uint32_t code_point);

    // Scripts in use, emoji among them. Above are rare ideographs, in long runs.
    static constexpr std::uint32_t kFlatEnd = 0x20000;
    std::array<std::uint8_t, kFlatEnd / 2> two_each_{};
};

}  // namespace weir::tokens
