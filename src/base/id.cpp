#include "base/id.h"

#include <cstring>

#include "base/random.h"

namespace weir {
namespace {

// One getrandom for 51 ids instead of one each; plain thread-local data, no destructor.
struct RandomPool {
    unsigned char bytes[510] = {};
    std::size_t used = sizeof bytes;
};
constinit thread_local RandomPool pool;

constexpr std::size_t kRandomBytes = 10;  // 74 random bits after version and variant

constexpr char kHex[] = "0123456789abcdef";
constexpr bool dash_before(std::size_t byte) {
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    if (c >= 'A' && c <= 'F') {
        return c - 'A' + 10;
    }
    return -1;
}

}  // namespace

Uuid make_uuid_v7(WallTime now) {
    if (pool.used + kRandomBytes > sizeof pool.bytes) {
        secure_random(pool.bytes);
        pool.used = 0;
    }
    Uuid id;
    auto ms = static_cast<std::uint64_t>(micros(now) / 1000);
    for (std::size_t i = 6; i-- > 0; ms >>= 8) {
        id.bytes[i] = static_cast<std::uint8_t>(ms);
    }
    std::memcpy(id.bytes.data() + 6, pool.bytes + pool.used, kRandomBytes);
    pool.used += kRandomBytes;
    id.bytes[6] = static_cast<std::uint8_t>(0x70 | (id.bytes[6] & 0x0f));
    id.bytes[8] = static_cast<std::uint8_t>(0x80 | (id.bytes[8] & 0x3f));
    return id;
}

char* write_text(const Uuid& id, char* into) {
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (dash_before(i)) {
            *into++ = '-';
        }
        *into++ = kHex[id.bytes[i] >> 4];
        *into++ = kHex[id.bytes[i] & 15];
    }
    return into;
}

std::string to_text(const Uuid& id) {
    std::string text(kUuidTextSize, '\0');
    write_text(id, text.data());
    return text;
}

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != kUuidTextSize) {
        return std::nullopt;
    }
    Uuid id;
    std::size_t at = 0;
    for (std::size_t i = 0; i < id.bytes.size(); ++i) {
        if (dash_before(i) && text[at++] != '-') {
            return std::nullopt;
        }
        const int high = hex_value(text[at]);
        const int low = hex_value(text[at + 1]);
        if (high < 0 || low < 0) {
            return std::nullopt;
        }
        id.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
        at += 2;
    }
    return id;
}

}  // namespace weir
