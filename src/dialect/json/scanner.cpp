#include "dialect/json/scanner.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <bit>
#include <cstring>

namespace weir::dialect::json {
namespace {

// Beyond this an object's keys go into a hash table; below, a look along the hashes is faster.
constexpr std::size_t kLinearKeys = 16;

int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::uint64_t mix(std::uint64_t a, std::uint64_t b) {
    const auto product = static_cast<unsigned __int128>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

std::uint64_t hash_key(std::uint64_t seed, std::string_view key) {
    std::uint64_t h = seed ^ (key.size() * 0x9e3779b97f4a7c15u);
    while (key.size() >= 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, key.data(), 8);
        h = mix(h ^ word, 0xa0761d6478bd642fu);
        key.remove_prefix(8);
    }
    std::uint64_t tail = 0;
    std::memcpy(&tail, key.data(), key.size());
    return mix(h ^ tail, 0xe7037ed1a0b428dbu);
}

void append_utf8(std::string& into, std::uint32_t point) {
    if (point < 0x80) {
        into.push_back(static_cast<char>(point));
    } else if (point < 0x800) {
        into.push_back(static_cast<char>(0xc0 | point >> 6));
        into.push_back(static_cast<char>(0x80 | (point & 0x3f)));
    } else if (point < 0x10000) {
        into.push_back(static_cast<char>(0xe0 | point >> 12));
        into.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
        into.push_back(static_cast<char>(0x80 | (point & 0x3f)));
    } else {
        into.push_back(static_cast<char>(0xf0 | point >> 18));
        into.push_back(static_cast<char>(0x80 | (point >> 12 & 0x3f)));
        into.push_back(static_cast<char>(0x80 | (point >> 6 & 0x3f)));
        into.push_back(static_cast<char>(0x80 | (point & 0x3f)));
    }
}

std::uint32_t read_hex4(const char* at) {
    std::uint32_t value = 0;
    for (int i = 0; i < 4; ++i) {
        value = value << 4 | static_cast<std::uint32_t>(hex_value(at[i]));
    }
    return value;
}

}  // namespace

namespace detail {

const char* skip_rest_of_string(const char* at,
                                const char* end,
                                bool& escaped,
                                const char*& fault) {
    for (;;) {
        // 32 bytes at a time, then 16, up to the next quote, backslash or control character.
        while (end - at >= 32 &&
               one_bit_each(_mm_or_si128(special_in_string(at), special_in_string(at + 16))) == 0) {
            at += 32;
        }
        while (end - at >= 16) {
            if (const unsigned special = one_bit_each(special_in_string(at)); special != 0) {
                at += std::countr_zero(special);
                break;
            }
            at += 16;
        }
        while (at < end && *at != '"' && *at != '\\' && static_cast<unsigned char>(*at) > 0x1f) {
            ++at;
        }
        if (at < end && *at == '"') {
            return at + 1;
        }
        fault = at;
        if (at == end || *at != '\\' || end - at < 2) {
            return nullptr;
        }
        escaped = true;
        switch (at[1]) {
            case '"':
            case '\\':
            case '/':
            case 'b':
            case 'f':
            case 'n':
            case 'r':
            case 't':
                at += 2;
                break;
            case 'u':
                if (end - at < 6) {
                    return nullptr;
                }
                for (int i = 2; i < 6; ++i) {
                    if (hex_value(at[i]) < 0) {
                        return nullptr;
                    }
                }
                at += 6;
                break;
            default:
                return nullptr;
        }
    }
}

const char* skip_number(const char* at, const char* end, const char*& fault) {
    const auto skip_digits = [&at, end] {
        const char* const begin = at;
        while (at < end && *at >= '0' && *at <= '9') {
            ++at;
        }
        return at > begin;
    };
    fault = at;
    if (at < end && *at == '-') {
        ++at;
    }
    if (at < end && *at == '0') {
        ++at;
    } else if (!skip_digits()) {
        return nullptr;
    }
    if (at < end && *at == '.') {
        ++at;
        if (!skip_digits()) {
            return nullptr;
        }
    }
    if (at < end && (*at == 'e' || *at == 'E')) {
        ++at;
        if (at < end && (*at == '+' || *at == '-')) {
            ++at;
        }
        if (!skip_digits()) {
            return nullptr;
        }
    }
    return at;
}

Failure refuse(std::string_view expected, std::size_t offset) {
    return fail(
        Code::invalid_json,
        fmt::format("The body is not valid JSON: expected {} at byte {}.", expected, offset));
}

std::size_t find_invalid_utf8(std::string_view text) {
    if (simdjson::validate_utf8(text.data(), text.size())) [[likely]] {
        return std::string_view::npos;
    }
    // Only to say where: the longest valid prefix, found by halving.
    std::size_t good = 0;
    std::size_t bad = text.size();
    while (bad - good > 8) {
        std::size_t middle = good + (bad - good) / 2;
        while (middle > good && (static_cast<unsigned char>(text[middle]) & 0xc0) == 0x80) {
            --middle;  // not inside a character
        }
        if (middle == good) {
            break;
        }
        (simdjson::validate_utf8(text.data() + good, middle - good) ? good : bad) = middle;
    }
    while (good < bad) {
        const auto lead = static_cast<unsigned char>(text[good]);
        const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (good + size > text.size() || !simdjson::validate_utf8(text.data() + good, size)) {
            break;
        }
        good += size;
    }
    return good;
}

}  // namespace detail

bool KeySet::is_same(const Scratch::Key& other, std::uint64_t hash, std::string_view key) const {
    if (other.hash != hash) {
        return false;
    }
    const std::string_view raw = text_.substr(other.at, other.size);
    if (raw.find('\\') == std::string_view::npos) {
        return raw == key;
    }
    std::string unescaped;
    append_unescaped(unescaped, raw);
    return unescaped == key;
}

bool KeySet::insert(std::size_t first, std::string_view key, std::string_view raw) {
    auto& keys = scratch_.keys_;
    const std::uint64_t hash = hash_key(scratch_.seed_, key);
    const Scratch::Key entry{hash,
                             static_cast<std::uint32_t>(raw.data() - text_.data()),
                             static_cast<std::uint32_t>(raw.size())};
    if (keys.size() - first < kLinearKeys) {
        for (std::size_t i = first; i < keys.size(); ++i) {
            if (is_same(keys[i], hash, key)) {
                return false;
            }
        }
        keys.push_back(entry);
        return true;
    }
    // Objects that grow large share one table. Slots of objects that have ended are dead, and
    // reused.
    if (keys.size() - first == kLinearKeys) {
        for (std::size_t i = first; i < keys.size(); ++i) {
            enter_table(i);
        }
    }
    const auto& table = scratch_.table_;
    const std::size_t mask = table.size() - 1;
    for (std::size_t at = hash & mask; table[at].index_plus_1 != 0; at = (at + 1) & mask) {
        const std::size_t index = table[at].index_plus_1 - 1;
        if (index >= first && index < keys.size() && is_same(keys[index], hash, key)) {
            return false;
        }
    }
    keys.push_back(entry);
    enter_table(keys.size() - 1);
    return true;
}

void KeySet::enter_table(std::size_t index) {
    const auto& keys = scratch_.keys_;
    auto& table = scratch_.table_;
    if ((used_slots_ + 1) * 2 > table.size()) {
        // At least four times what lives: as many inserts as a rebuild costs come before the next
        // one.
        std::size_t size = 64;
        while (size < keys.size() * 4) {
            size *= 2;
        }
        table.assign(size, {});
        used_slots_ = 0;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            enter_table(i);
        }
        return;
    }
    const std::uint64_t hash = keys[index].hash;
    const std::size_t mask = table.size() - 1;
    std::size_t at = hash & mask;
    for (; table[at].index_plus_1 != 0; at = (at + 1) & mask) {
        const std::size_t other = table[at].index_plus_1 - 1;
        const bool alive =
            other < keys.size() && other != index && keys[other].hash == table[at].hash;
        if (!alive) {
            break;
        }
    }
    used_slots_ += table[at].index_plus_1 == 0 ? 1 : 0;
    table[at] = {hash, static_cast<std::uint32_t>(index + 1)};
}

void KeySet::truncate(std::size_t first) { scratch_.keys_.resize(first); }

void append_unescaped(std::string& into, std::string_view text) {
    while (!text.empty()) {
        const std::size_t backslash = text.find('\\');
        into.append(text.substr(0, backslash));
        if (backslash == std::string_view::npos) {
            return;
        }
        text.remove_prefix(backslash);
        std::size_t used = 2;
        switch (text[1]) {
            case 'b':
                into.push_back('\b');
                break;
            case 'f':
                into.push_back('\f');
                break;
            case 'n':
                into.push_back('\n');
                break;
            case 'r':
                into.push_back('\r');
                break;
            case 't':
                into.push_back('\t');
                break;
            case 'u': {
                std::uint32_t point = read_hex4(text.data() + 2);
                used = 6;
                if (point >= 0xd800 && point < 0xe000) {
                    std::uint32_t low = 0;
                    if (point < 0xdc00 && text.size() >= 12 && text[6] == '\\' && text[7] == 'u') {
                        low = read_hex4(text.data() + 8);
                    }
                    if (low >= 0xdc00 && low < 0xe000) {
                        point = 0x10000 + ((point - 0xd800) << 10) + (low - 0xdc00);
                        used = 12;
                    } else {
                        point = 0xfffd;
                    }
                }
                append_utf8(into, point);
                break;
            }
            default:
                into.push_back(text[1]);
        }
        text.remove_prefix(used);
    }
}

}  // namespace weir::dialect::json
