#include "base/base64.h"

#include <array>

namespace weir {
namespace {

constexpr std::string_view kStandard =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kUrl =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::uint8_t kNone = 0xff;

using Table = std::array<std::uint8_t, 256>;

constexpr Table make_table(std::string_view alphabet) {
    Table table{};
    table.fill(kNone);
    for (std::size_t i = 0; i < alphabet.size(); ++i) {
        table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
    }
    return table;
}
constexpr Table kStandardTable = make_table(kStandard);
constexpr Table kUrlTable = make_table(kUrl);

const Table& table_of(Base64 alphabet) {
    return alphabet == Base64::standard ? kStandardTable : kUrlTable;
}

// Without the padding; nullopt where it is wrong.
std::optional<std::string_view> strip(std::string_view text) {
    const std::size_t size = text.size();
    while (text.ends_with('=') && size - text.size() < 2) {
        text.remove_suffix(1);
    }
    const bool padded = text.size() != size;
    if (text.size() % 4 == 1 || (padded && size % 4 != 0)) {
        return std::nullopt;
    }
    return text;
}

}  // namespace

std::string to_base64(std::string_view bytes, Base64 alphabet) {
    const std::string_view digits = alphabet == Base64::standard ? kStandard : kUrl;
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        std::uint32_t group = 0;
        for (std::size_t k = 0; k < 3; ++k) {
            const auto byte = k < count ? static_cast<unsigned char>(bytes[i + k]) : 0u;
            group = group << 8 | byte;
        }
        for (std::size_t k = 0; k <= count; ++k) {
            text += digits[group >> (18 - 6 * k) & 63];
        }
        if (alphabet == Base64::standard) {
            text.append(3 - count, '=');
        }
    }
    return text;
}

std::optional<std::string> from_base64(std::string_view text, Base64 alphabet) {
    const auto stripped = strip(text);
    if (!stripped) {
        return std::nullopt;
    }
    const Table& table = table_of(alphabet);
    std::string bytes;
    bytes.reserve(stripped->size() / 4 * 3 + 2);
    std::uint32_t group = 0;
    unsigned bits = 0;
    for (const char c : *stripped) {
        const std::uint8_t digit = table[static_cast<unsigned char>(c)];
        if (digit == kNone) {
            return std::nullopt;
        }
        group = (group << 6 | digit) & 0xffffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(group >> bits & 0xff);
        }
    }
    if ((group & ((1u << bits) - 1)) != 0) {
        return std::nullopt;
    }
    return bytes;
}

bool is_base64(std::string_view text, Base64 alphabet) {
    const auto stripped = strip(text);
    if (!stripped) {
        return false;
    }
    const Table& table = table_of(alphabet);
    for (const char c : *stripped) {
        if (table[static_cast<unsigned char>(c)] == kNone) {
            return false;
        }
    }
    return true;
}

}  // namespace weir
