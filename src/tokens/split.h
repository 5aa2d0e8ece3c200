// Cuts a text into the pieces that are then merged each for itself: the regular expressions that
// OpenAI publishes for its encodings, written by hand. One pass, O(n), no allocation; pure.
#pragma once

#include <string_view>

#include "tokens/characters.h"
#include "tokens/encoding.h"

namespace weir::tokens {

// Borrows the text, which must be valid UTF-8. The pieces, joined, are the text.
class Splitter {
public:
    Splitter(Encoding encoding, std::string_view text)
        : encoding_(encoding), text_(text), table_(CharacterTable::instance()) {}

    // Empty at the end of the text, never before.
    std::string_view next();

private:
    struct Character {
        unsigned kind = 0;  // one bit, as in a set of kinds; 0: the text has ended
        std::size_t size = 0;
        bool is(unsigned kinds) const { return (kind & kinds) != 0; }
    };
    Character character(std::size_t at) const;
    // Where characters of these kinds end.
    std::size_t skip(std::size_t at, unsigned kinds) const;

    // Each returns where its kind of piece ends, or `begin` where none begins there.
    std::size_t word_cl100k(std::size_t begin) const;
    std::size_t word_o200k(std::size_t begin) const;
    std::size_t number(std::size_t begin) const;
    std::size_t symbols(std::size_t begin) const;
    std::size_t white_space(std::size_t begin) const;
    std::size_t contraction(std::size_t begin) const;

    Encoding encoding_;
    std::string_view text_;
    const CharacterTable& table_;
    std::size_t at_ = 0;
};

}  // namespace weir::tokens
