#include "tokens/vectors_test.h"

#include <charconv>
#include <fstream>

#include "base/assert.h"

namespace weir::tokens {
namespace {

std::uint32_t hex(std::string_view digits) {
    std::uint32_t value = 0;
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    WEIR_ASSERT(error == std::errc{} && end == digits.data() + digits.size());
    return value;
}

void append_utf8(std::string& to, std::uint32_t c) {
    const auto put = [&](std::uint32_t byte) { to += static_cast<char>(byte); };
    if (c < 0x80) {
        return put(c);
    }
    if (c < 0x800) {
        put(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            put(0xe0 | c >> 12);
        } else {
            put(0xf0 | c >> 18);
            put(0x80 | (c >> 12 & 0x3f));
        }
        put(0x80 | (c >> 6 & 0x3f));
    }
    put(0x80 | (c & 0x3f));
}

std::string unescape(std::string_view text) {
    std::string plain;
    while (!text.empty()) {
        std::size_t used = text.front() == '\\' ? 2 : 1;
        if (used == 1) {
            plain += text.front();
        } else if (text[1] == 'x') {
            plain += static_cast<char>(hex(text.substr(2, 2)));
            used = 4;
        } else if (text[1] == 'u') {
            used = text.find('}') + 1;
            append_utf8(plain, hex(text.substr(3, used - 4)));
        } else {
            constexpr std::string_view kNames = "nrt\\";
            plain += "\n\r\t\\"[kNames.find(text[1])];
        }
        text.remove_prefix(used);
    }
    return plain;
}

// Up to the next space, which is taken off too.
std::int64_t number(std::string_view& line) {
    const std::size_t end = line.find(' ');
    std::int64_t value = 0;
    WEIR_ASSERT(std::from_chars(line.data(), line.data() + end, value).ptr == line.data() + end);
    line.remove_prefix(end + 1);
    return value;
}

}  // namespace

std::vector<Vector> read_vectors() {
    std::ifstream in(WEIR_TOKENS_VECTORS);
    std::vector<Vector> all;
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with('#')) {
            continue;
        }
        std::string_view rest = line;
        Vector one{.cl100k = number(rest), .o200k = number(rest), .line = line};
        const std::int64_t times = number(rest);
        const std::string once = unescape(rest);
        for (std::int64_t i = 0; i < times; ++i) {
            one.text += once;
        }
        all.push_back(std::move(one));
    }
    WEIR_ASSERT(all.size() > 300);
    return all;
}

}  // namespace weir::tokens
