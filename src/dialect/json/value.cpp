#include "dialect/json/value.h"

#include <charconv>

namespace weir::dialect::json {

std::optional<std::int64_t> read_integer(std::string_view number) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), value);
    if (error != std::errc{} || end != number.data() + number.size()) {
        return std::nullopt;
    }
    return value;
}

std::string read_string(std::string_view quoted) {
    std::string text;
    append_unescaped(text, between_quotes(quoted));
    return text;
}

std::string_view view_string(std::string_view quoted, std::string& aside) {
    const std::string_view raw = between_quotes(quoted);
    if (raw.find('\\') == std::string_view::npos) {
        return raw;
    }
    aside.clear();
    append_unescaped(aside, raw);
    return aside;
}

void append_escaped(std::string& into, std::string_view text) {
    static constexpr char kHex[] = "0123456789abcdef";
    // Most of any text needs no escape: it is copied in runs.
    std::size_t copied = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        into += text.substr(copied, i - copied);
        copied = i + 1;
        switch (c) {
            case '"':
                into += "\\\"";
                break;
            case '\\':
                into += "\\\\";
                break;
            case '\n':
                into += "\\n";
                break;
            case '\r':
                into += "\\r";
                break;
            case '\t':
                into += "\\t";
                break;
            default:
                into += "\\u00";
                into.push_back(kHex[byte >> 4]);
                into.push_back(kHex[byte & 15]);
        }
    }
    into += text.substr(copied);
}

std::string compacted(std::string_view value) {
    std::string out;
    out.reserve(value.size());
    bool in_string = false;
    bool after_backslash = false;
    for (const char c : value) {
        if (in_string) {
            in_string = c != '"' || after_backslash;
            after_backslash = c == '\\' && !after_backslash;
        } else if (c == ' ' || c == '\n' || c == '\r' || c == '\t') {
            continue;
        } else {
            in_string = c == '"';
        }
        out += c;
    }
    return out;
}

}  // namespace weir::dialect::json
