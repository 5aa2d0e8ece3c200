#include "guardrail/code_point.h"

namespace weir::guardrail {
namespace {

constexpr std::uint32_t kReplacement = 0xfffd;

struct Range {
    std::uint32_t first, last;
};

bool is_in(std::uint32_t c, std::span<const Range> ranges) {
    for (const Range& range : ranges) {
        if (c <= range.last) {
            return c >= range.first;
        }
    }
    return false;
}

// Above ASCII: what is no part of a word, in order. Punctuation, symbols, private use, and the
// scripts without spaces.
constexpr Range kNoWord[] = {
    {0x80, 0xa9},     {0xab, 0xb4},       {0xb6, 0xb9},       {0xbb, 0xbf},     {0xd7, 0xd7},
    {0xf7, 0xf7},     {0x2c2, 0x2c5},     {0x37e, 0x37e},     {0x387, 0x387},   {0x55a, 0x55f},
    {0x589, 0x58a},   {0x5be, 0x5be},     {0x5f3, 0x5f4},     {0x600, 0x60f},   {0x61b, 0x61f},
    {0x66a, 0x66d},   {0x6d4, 0x6d4},     {0x964, 0x965},     {0xe00, 0xeff},   {0x1000, 0x11ff},
    {0x1780, 0x17ff}, {0x1680, 0x1680},   {0x2000, 0x206f},   {0x20a0, 0x20cf}, {0x2190, 0x2bff},
    {0x2e00, 0x2e7f}, {0x2e80, 0x31ff},   {0x3200, 0x9fff},   {0xac00, 0xd7ff}, {0xe000, 0xfaff},
    {0xfe10, 0xfe6f}, {0xfeff, 0xff0f},   {0xff1a, 0xff20},   {0xff3b, 0xff3e}, {0xff40, 0xff40},
    {0xff5b, 0xffff}, {0x1f000, 0x1faff}, {0x20000, 0x10ffff}};

}  // namespace

CodePoint read_beyond_ascii(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t first = byte(0);
    // RFC 3629: the second byte's range depends on the first.
    std::uint32_t size = 0;
    std::uint32_t low = 0x80;
    std::uint32_t high = 0xbf;
    std::uint32_t value = 0;
    if (first >= 0xc2 && first <= 0xdf) {
        size = 2;
        value = first & 0x1f;
    } else if (first >= 0xe0 && first <= 0xef) {
        size = 3;
        value = first & 0x0f;
        low = first == 0xe0 ? 0xa0 : 0x80;
        high = first == 0xed ? 0x9f : 0xbf;
    } else if (first >= 0xf0 && first <= 0xf4) {
        size = 4;
        value = first & 0x07;
        low = first == 0xf0 ? 0x90 : 0x80;
        high = first == 0xf4 ? 0x8f : 0xbf;
    } else {
        return {kReplacement, 1};
    }
    for (std::uint32_t i = 1; i < size; ++i) {
        if (i == text.size()) {
            return {kReplacement, 0};
        }
        if (byte(i) < low || byte(i) > high) {
            return {kReplacement, 1};
        }
        value = value << 6 | (byte(i) & 0x3fu);
        low = 0x80;
        high = 0xbf;
    }
    return {value, size};
}

bool is_word_beyond_ascii(std::uint32_t c) { return !is_in(c, kNoWord); }

std::uint32_t fold_beyond_ascii(std::uint32_t c) {
    const auto even_is_upper = [c](std::uint32_t first, std::uint32_t last) {
        return c >= first && c <= last && c % 2 == 0;
    };
    const auto odd_is_upper = [c](std::uint32_t first, std::uint32_t last) {
        return c >= first && c <= last && c % 2 == 1;
    };
    switch (c) {
        case 0x85:
        case 0xa0:
        case 0x1680:
        case 0x2028:
        case 0x2029:
        case 0x202f:
        case 0x205f:
        case 0x3000:
            return ' ';
        case 0xb5:
            return 0x3bc;  // micro sign
        case 0x130:
            return c;  // has no simple folding
        case 0x178:
            return 0xff;
        case 0x17f:
            return 's';
        case 0x386:
            return 0x3ac;
        case 0x38c:
            return 0x3cc;
        case 0x38e:
        case 0x38f:
            return c + 63;
        case 0x3c2:
            return 0x3c3;  // final sigma
        case 0x4c0:
            return 0x4cf;
        case 0x1e9e:
            return 0xdf;
        case 0x212a:
            return 'k';
        case 0x212b:
            return 0xe5;
        default:
            break;
    }
    if (c >= 0x2000 && c <= 0x200a) {
        return ' ';
    }
    if ((c >= 0xc0 && c <= 0xde && c != 0xd7) || (c >= 0x391 && c <= 0x3ab && c != 0x3a2) ||
        (c >= 0x410 && c <= 0x42f) || (c >= 0xff21 && c <= 0xff3a)) {
        return c + 32;
    }
    if (even_is_upper(0x100, 0x137) || odd_is_upper(0x139, 0x148) || even_is_upper(0x14a, 0x177) ||
        odd_is_upper(0x179, 0x17e) || odd_is_upper(0x1cd, 0x1dc) || even_is_upper(0x1de, 0x1ef) ||
        even_is_upper(0x1f8, 0x21f) || even_is_upper(0x222, 0x233) || even_is_upper(0x3d8, 0x3ef) ||
        even_is_upper(0x460, 0x481) || even_is_upper(0x48a, 0x4bf) || odd_is_upper(0x4c1, 0x4ce) ||
        even_is_upper(0x4d0, 0x52f) || even_is_upper(0x1e00, 0x1e95) ||
        even_is_upper(0x1ea0, 0x1eff)) {
        return c + 1;
    }
    if (c >= 0x388 && c <= 0x38a) {
        return c + 37;
    }
    if (c >= 0x400 && c <= 0x40f) {
        return c + 80;
    }
    return c >= 0x531 && c <= 0x556 ? c + 48 : c;
}

}  // namespace weir::guardrail
