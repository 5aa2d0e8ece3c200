#include "tokens/utf8.h"

namespace weir::tokens {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

struct Sequence {
    std::size_t size;
    bool is_valid;
};

// What the first byte asks for. The second byte's range depends on it (RFC 3629, section 4).
struct Lead {
    std::size_t size = 0;  // 0: no sequence begins so
    unsigned char low = 0x80, high = 0xbf;
};

constexpr Lead lead(unsigned char byte) {
    if (byte < 0xc2 || byte > 0xf4) {
        return {};
    }
    if (byte < 0xe0) {
        return {.size = 2};
    }
    if (byte < 0xf0) {
        return {.size = 3,
                .low = static_cast<unsigned char>(byte == 0xe0 ? 0xa0 : 0x80),
                .high = static_cast<unsigned char>(byte == 0xed ? 0x9f : 0xbf)};
    }
    return {.size = 4,
            .low = static_cast<unsigned char>(byte == 0xf0 ? 0x90 : 0x80),
            .high = static_cast<unsigned char>(byte == 0xf4 ? 0x8f : 0xbf)};
}

// The one at the front of `text`, which is not empty; of a broken one, the part that was good.
Sequence first_sequence(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    if (byte(0) < 0x80) {
        return {1, true};
    }
    const Lead want = lead(byte(0));
    if (want.size == 0) {
        return {1, false};
    }
    for (std::size_t i = 1; i < want.size; ++i) {
        const unsigned char low = i == 1 ? want.low : 0x80;
        const unsigned char high = i == 1 ? want.high : 0xbf;
        if (i == text.size() || byte(i) < low || byte(i) > high) {
            return {i, false};
        }
    }
    return {want.size, true};
}

// How many bytes at the front are valid.
std::size_t valid_size(std::string_view text) {
    constexpr std::uint64_t kHighBits = 0x8080'8080'8080'8080;
    std::size_t at = 0;
    while (at < text.size()) {
        std::uint64_t eight = kHighBits;
        if (text.size() - at >= sizeof eight) {
            std::memcpy(&eight, text.data() + at, sizeof eight);
        }
        if ((eight & kHighBits) == 0) {
            at += sizeof eight;
            continue;
        }
        const Sequence sequence = first_sequence(text.substr(at));
        if (!sequence.is_valid) {
            return at;
        }
        at += sequence.size;
    }
    return at;
}

}  // namespace

std::string_view valid_utf8(std::string_view text, std::string& repaired) {
    std::size_t good = valid_size(text);
    if (good == text.size()) {
        return text;
    }
    repaired.clear();
    repaired.reserve(text.size() + text.size() / 2);
    while (good < text.size()) {
        repaired += text.substr(0, good);
        repaired += kReplacement;
        text.remove_prefix(good + first_sequence(text.substr(good)).size);
        good = valid_size(text);
    }
    repaired += text;
    return repaired;
}

}  // namespace weir::tokens
