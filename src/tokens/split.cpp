// The patterns, alternatives in order, as OpenAI's tokenizer has them:
//
// cl100k:  (?i:'s|'t|'re|'ve|'m|'ll|'d) | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N}{1,3}
//          | ?[^\s\p{L}\p{N}]+[\r\n]* | \s*[\r\n]+ | \s+(?!\S) | \s+
// o200k:   [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|…)?
//          | [^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|…)?
//          | \p{N}{1,3} | ?[^\s\p{L}\p{N}]+[\r\n/]* | \s*[\r\n]+ | \s+(?!\S) | \s+
//
// A newer spelling of cl100k takes white space at the end of a text as one piece (\s++$). Counts
// are the same: no token goes on with other white space after a line end and ends there.
#include "tokens/split.h"

#include "base/text.h"

namespace weir::tokens {
namespace {

constexpr unsigned set(auto... kinds) { return ((1u << static_cast<unsigned>(kinds)) | ...); }

using enum CharKind;
constexpr unsigned kLetters = set(upper, lower, letter);
constexpr unsigned kSymbols = set(other, mark);
constexpr unsigned kSpaces = set(space, newline);
// What cannot stand before a word as a part of it, without being a letter of it.
constexpr unsigned kNoPrefix = set(newline, CharKind::number);
// o200k: a word is a head of the first, then a tail of the second. Both hold what has no case.
constexpr unsigned kHead = set(upper, letter, mark);
constexpr unsigned kTail = set(lower, letter, mark);
constexpr unsigned kCaseless = kHead & kTail;

constexpr std::size_t kDigitsMax = 3;

}  // namespace

Splitter::Character Splitter::character(std::size_t at) const {
    if (at >= text_.size()) {
        return {};
    }
    const auto byte = [&](std::size_t i) {
        return std::uint32_t{static_cast<unsigned char>(text_[at + i])};
    };
    std::uint32_t value = byte(0);
    std::size_t size = 1;
    if (value >= 0xf0) {
        value = (value & 0x07) << 18 | (byte(1) & 0x3f) << 12 | (byte(2) & 0x3f) << 6 |
                (byte(3) & 0x3f);
        size = 4;
    } else if (value >= 0xe0) {
        value = (value & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f);
        size = 3;
    } else if (value >= 0x80) {
        value = (value & 0x1f) << 6 | (byte(1) & 0x3f);
        size = 2;
    }
    return {set(table_.kind(value)), size};
}

std::size_t Splitter::skip(std::size_t at, unsigned kinds) const {
    for (Character c = character(at); c.is(kinds); c = character(at)) {
        at += c.size;
    }
    return at;
}

std::string_view Splitter::next() {
    const std::size_t begin = at_;
    at_ = encoding_ == Encoding::cl100k ? word_cl100k(begin) : word_o200k(begin);
    for (const auto kind : {&Splitter::number, &Splitter::symbols, &Splitter::white_space}) {
        if (at_ == begin) {
            at_ = (this->*kind)(begin);
        }
    }
    return text_.substr(begin, at_ - begin);
}

std::size_t Splitter::word_cl100k(std::size_t begin) const {
    if (const std::size_t end = contraction(begin); end > begin) {
        return end;
    }
    const Character first = character(begin);
    if (first.is(kLetters)) {
        return skip(begin + first.size, kLetters);
    }
    const std::size_t letters = begin + first.size;
    const std::size_t end = first.is(kNoPrefix) ? letters : skip(letters, kLetters);
    return end > letters ? end : begin;
}

std::size_t Splitter::word_o200k(std::size_t begin) const {
    const Character first = character(begin);
    if (first.is(kNoPrefix)) {
        return begin;
    }
    const std::size_t head = first.is(kLetters) ? begin : begin + first.size;
    std::size_t end = head;
    std::size_t caseless_end = begin;
    Character c = character(end);
    for (; c.is(kHead); c = character(end)) {
        end += c.size;
        if (c.is(kCaseless)) {
            caseless_end = end;
        }
    }
    if (c.is(kTail)) {
        end = skip(end, kTail);
    } else if (caseless_end > begin) {
        // No tail behind the head: it gives back what follows its last caseless character, which
        // then is the tail.
        end = caseless_end;
    } else if (first.is(set(mark))) {
        // A mark that is no prefix to anything is a tail of its own.
        end = head;
    } else if (end == head) {
        return begin;
    }
    return contraction(end);
}

// By code points, as the pattern counts.
std::size_t Splitter::number(std::size_t begin) const {
    std::size_t end = begin;
    for (std::size_t digits = 0; digits < kDigitsMax; ++digits) {
        const Character c = character(end);
        end += c.is(set(CharKind::number)) ? c.size : 0;
    }
    return end;
}

std::size_t Splitter::symbols(std::size_t begin) const {
    const std::size_t first = begin + (text_.substr(begin).starts_with(' ') ? 1 : 0);
    std::size_t end = skip(first, kSymbols);
    if (end == first) {
        return begin;
    }
    const std::string_view more = encoding_ == Encoding::cl100k ? "\r\n" : "\r\n/";
    while (end < text_.size() && more.contains(text_[end])) {
        ++end;
    }
    return end;
}

std::size_t Splitter::white_space(std::size_t begin) const {
    std::size_t end = begin;
    std::size_t last = begin;       // where the last character of the run begins
    std::size_t lines_end = begin;  // behind its last line end
    for (Character c = character(end); c.is(kSpaces); c = character(end)) {
        last = end;
        end += c.size;
        if (c.is(set(newline))) {
            lines_end = end;
        }
    }
    if (lines_end > begin) {
        return lines_end;
    }
    // The last one is left for the word behind it, unless it is the only one.
    return end == text_.size() || last == begin ? end : last;
}

// The long s is an s to OpenAI's pattern, for it ignores case as Unicode does.
std::size_t Splitter::contraction(std::size_t begin) const {
    const std::string_view rest = text_.substr(begin, 3);
    if (!rest.starts_with('\'')) {
        return begin;
    }
    for (const std::string_view word : {"'s", "'t", "'re", "'ve", "'m", "'ll", "'d", "'\u017f"}) {
        if (starts_with_ignoring_case(rest, word)) {
            return begin + word.size();
        }
    }
    return begin;
}

}  // namespace weir::tokens
