// A one-pass scanner over a whole JSON text (RFC 8259): the full grammar is checked, nothing is
// built. The caller's visitor is told of the values it asked for, as spans of the text, so that a
// body can be read and spliced without ever being re-serialised. Pure; no recursion.
//
// A visitor follows the structure by scopes: small numbers of its own choosing. The text's
// outermost value is reported in scope kRoot. For each value in a scope other than kIgnored it gets
// one call:
//
//   int open(int scope, std::string_view key, Kind kind)          an array or object begins;
//   returns the scope
//                                                                 of what is inside, kIgnored to
//                                                                 skip it
//   void close(int scope, Span span)                              … and ends; `scope` is the one
//   inside void scalar(int scope, std::string_view key, Kind, Span)      a string (with its
//   quotes), number, word
//
// `key` is unescaped; empty inside arrays and at the root.
#pragma once

#include <emmintrin.h>

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/error.h"

namespace weir::dialect::json {

inline constexpr std::size_t kDepthMax = 64;
// Of one object. Bounds the memory of the duplicate check.
inline constexpr std::size_t kKeysMax = 65'536;

enum class Kind : std::uint8_t { string, number, true_, false_, null, object, array };

struct Span {
    std::size_t at = 0;
    std::size_t size = 0;
    bool is_set() const { return size > 0; }
    std::size_t end() const { return at + size; }
    std::string_view in(std::string_view text) const { return text.substr(at, size); }
};

inline constexpr int kIgnored = 0;
inline constexpr int kRoot = 1;

enum class Duplicates : std::uint8_t { refused, allowed };

// Memory that scans reuse: one per thread. The seed keeps a client from choosing keys that collide.
class Scratch {
public:
    explicit Scratch(std::uint64_t seed = 0) : seed_(seed) {}

private:
    template <class Visitor>
    friend class Scan;
    friend class KeySet;
    struct Key {
        std::uint64_t hash;
        std::uint32_t at, size;  // raw, in the text
    };
    struct Slot {
        std::uint64_t hash = 0;
        std::uint32_t index_plus_1 = 0;  // 0: empty
    };
    std::uint64_t seed_;
    std::vector<Key> keys_;    // of all open objects, the innermost last
    std::vector<Slot> table_;  // open addressing over keys_, for objects that grow large
    std::string unescaped_;
};

namespace detail {

// These return one past the end of what they skipped, or nullptr at a fault, whose place is in
// `fault`.
const char* skip_rest_of_string(const char* at, const char* end, bool& escaped, const char*& fault);
const char* skip_number(const char* at, const char* end, const char*& fault);
Failure refuse(std::string_view expected, std::size_t offset);
// The offset of the first byte that is no UTF-8; npos where all is.
std::size_t find_invalid_utf8(std::string_view text);

// Of 16 bytes, those that are a quote, a backslash or a control character.
inline __m128i special_in_string(const char* at) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    return _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"')),
                                     _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))),
                        _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes));
}
inline unsigned one_bit_each(__m128i bytes) {
    return static_cast<unsigned>(_mm_movemask_epi8(bytes));
}

// `at`: after the quote.
inline const char* skip_string(const char* at, const char* end, bool& escaped, const char*& fault) {
    // Keys and most values are this short.
    if (end - at >= 16) {
        if (const unsigned special = one_bit_each(special_in_string(at)); special != 0) {
            at += std::countr_zero(special);
            if (*at == '"') {
                return at + 1;
            }
        }
    }
    return skip_rest_of_string(at, end, escaped, fault);
}

inline const char* skip_space(const char* at, const char* end) {
    while (at < end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) {
        ++at;
    }
    return at;
}

}  // namespace detail

// The keys of the object that is open now; see Scratch.
class KeySet {
public:
    KeySet(Scratch& scratch, std::string_view text) : scratch_(scratch), text_(text) {
        scratch_.keys_.clear();
        scratch_.table_.clear();
    }
    // false: the key was there. `key` is unescaped, `raw` its bytes in the text.
    bool insert(std::size_t first, std::string_view key, std::string_view raw);
    std::size_t size() const { return scratch_.keys_.size(); }
    void truncate(std::size_t first);

private:
    bool is_same(const Scratch::Key& other, std::uint64_t hash, std::string_view key) const;
    void enter_table(std::size_t index);
    Scratch& scratch_;
    std::string_view text_;
    std::size_t used_slots_ = 0;
};

template <class Visitor>
class Scan {
public:
    Scan(std::string_view text, Duplicates duplicates, Scratch& scratch, Visitor& visitor)
        : text_(text),
          duplicates_(duplicates),
          scratch_(scratch),
          keys_(scratch, text),
          visitor_(visitor) {}

    Result<void> run();

private:
    struct Level {
        std::size_t begin;      // offset of the bracket
        std::size_t first_key;  // in Scratch::keys_
        int scope;              // inside
        bool is_object;
    };
    std::size_t offset(const char* at) const { return static_cast<std::size_t>(at - text_.data()); }
    Failure refuse(std::string_view expected, const char* at) const {
        return detail::refuse(expected, offset(at));
    }

    std::string_view text_;
    Duplicates duplicates_;
    Scratch& scratch_;
    KeySet keys_;
    Visitor& visitor_;
};

// Checks `text` and tells `visitor`. Error: invalid_json with the byte offset of the fault.
template <class Visitor>
Result<void> scan(std::string_view text,
                  Duplicates duplicates,
                  Scratch& scratch,
                  Visitor& visitor) {
    if (const std::size_t bad = detail::find_invalid_utf8(text); bad != std::string_view::npos) {
        return detail::refuse("valid UTF-8", bad);
    }
    return Scan<Visitor>(text, duplicates, scratch, visitor).run();
}

// Unescapes what lies between the quotes; lone surrogates become U+FFFD. The text must have been
// scanned.
void append_unescaped(std::string& into, std::string_view between_quotes);

template <class Visitor>
Result<void> Scan<Visitor>::run() {
    WEIR_UNINITIALIZED Level levels[kDepthMax];
    std::size_t depth = 0;
    const char* const end = text_.data() + text_.size();
    const char* at = text_.data();
    std::string_view key;
    bool closing_allowed = false;  // an empty container may end where a first member is expected

    for (;;) {
        // Here a value is expected, or in an object a member.
        at = detail::skip_space(at, end);
        if (depth > 0 && levels[depth - 1].is_object &&
            !(closing_allowed && at < end && *at == '}')) {
            if (at == end || *at != '"') {
                return refuse("a string as key", at);
            }
            const char* const key_begin = ++at;
            bool escaped = false;
            const char* fault = nullptr;
            at = detail::skip_string(at, end, escaped, fault);
            if (at == nullptr) [[unlikely]] {
                return refuse("a valid string", fault);
            }
            const std::string_view raw(key_begin, static_cast<std::size_t>(at - 1 - key_begin));
            key = raw;
            if (escaped) [[unlikely]] {
                scratch_.unescaped_.clear();
                append_unescaped(scratch_.unescaped_, raw);
                key = scratch_.unescaped_;
            }
            if (duplicates_ == Duplicates::refused) {
                const std::size_t first = levels[depth - 1].first_key;
                if (keys_.size() - first >= kKeysMax) {
                    return refuse("fewer keys in one object", key_begin);
                }
                if (!keys_.insert(first, key, raw)) [[unlikely]] {
                    return refuse("each key once: this one is a duplicate", key_begin);
                }
            }
            at = detail::skip_space(at, end);
            if (at == end || *at != ':') {
                return refuse("':'", at);
            }
            at = detail::skip_space(at + 1, end);
        } else {
            key = {};
        }
        if (at == end) {
            return refuse("a value", at);
        }

        const int scope = depth == 0 ? kRoot : levels[depth - 1].scope;
        const char* const begin = at;
        bool ended = true;  // a whole value lies behind us
        Kind kind = Kind::null;
        switch (*at) {
            case '{':
            case '[': {
                const bool is_object = *at == '{';
                if (depth == kDepthMax) {
                    return refuse("at most 64 levels of nesting", at);
                }
                const int inside =
                    scope == kIgnored
                        ? kIgnored
                        : visitor_.open(scope, key, is_object ? Kind::object : Kind::array);
                levels[depth++] = {offset(at), keys_.size(), inside, is_object};
                ++at;
                closing_allowed = true;
                at = detail::skip_space(at, end);
                if (at < end && *at == (is_object ? '}' : ']')) {
                    break;  // empty: closed below
                }
                closing_allowed = false;
                continue;
            }
            case '"': {
                bool escaped = false;
                const char* fault = nullptr;
                at = detail::skip_string(at + 1, end, escaped, fault);
                if (at == nullptr) [[unlikely]] {
                    return refuse("a valid string", fault);
                }
                kind = Kind::string;
                break;
            }
            case 't':
                if (!std::string_view(at, static_cast<std::size_t>(end - at)).starts_with("true")) {
                    return refuse("a value", at);
                }
                at += 4;
                kind = Kind::true_;
                break;
            case 'f':
                if (!std::string_view(at, static_cast<std::size_t>(end - at))
                         .starts_with("false")) {
                    return refuse("a value", at);
                }
                at += 5;
                kind = Kind::false_;
                break;
            case 'n':
                if (!std::string_view(at, static_cast<std::size_t>(end - at)).starts_with("null")) {
                    return refuse("a value", at);
                }
                at += 4;
                break;
            default: {
                const char* fault = at;
                at = detail::skip_number(at, end, fault);
                if (at == nullptr) {
                    return refuse("a value", fault);
                }
                kind = Kind::number;
            }
        }
        if (!closing_allowed && scope != kIgnored) {
            visitor_.scalar(
                scope, key, kind, Span{offset(begin), static_cast<std::size_t>(at - begin)});
        }
        // Behind a value: a comma, or the end of the container, or of the text.
        while (ended) {
            at = detail::skip_space(at, end);
            if (depth == 0) {
                if (at != end) {
                    return refuse("the end", at);
                }
                return {};
            }
            Level& level = levels[depth - 1];
            if (!closing_allowed && at < end && *at == ',') {
                ++at;
                ended = false;
                continue;
            }
            if (at == end || *at != (level.is_object ? '}' : ']')) {
                return refuse(level.is_object ? "',' or '}'" : "',' or ']'", at);
            }
            ++at;
            closing_allowed = false;
            keys_.truncate(level.first_key);
            --depth;
            if (level.scope != kIgnored) {
                visitor_.close(level.scope, Span{level.begin, offset(at) - level.begin});
            }
        }
    }
}

}  // namespace weir::dialect::json
