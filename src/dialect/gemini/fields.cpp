#include "dialect/gemini/fields.h"

#include "base/text.h"
#include "dialect/json/value.h"

namespace weir::dialect::gemini {

bool is_field(std::string_view key, std::string_view camel) {
    if (key == camel) {
        return true;
    }
    std::size_t at = 0;
    for (const char c : camel) {
        const bool is_upper = c >= 'A' && c <= 'Z';
        if (is_upper && (at == key.size() || key[at++] != '_')) {
            return false;
        }
        if (at == key.size() || key[at++] != to_lower(c)) {
            return false;
        }
    }
    return at == key.size();
}

json::Value field(json::Value object, std::string_view camel) {
    if (!object.is_object()) {
        return {};
    }
    json::Value found;
    for (const json::Value member : object) {
        if (is_field(member.key(), camel)) {
            found = member;
        }
    }
    return found.has_value() ? found : json::Value{};
}

std::optional<std::int64_t> integer(json::Value value) {
    if (const auto text = value.string()) {
        return json::read_integer(*text);
    }
    return value.integer();
}

std::string standard_base64(std::string text) {
    for (char& c : text) {
        c = c == '-' ? '+' : c == '_' ? '/' : c;
    }
    while (!text.empty() && text.size() % 4 != 0 && text.size() % 4 != 1) {
        text += '=';
    }
    return text;
}

}  // namespace weir::dialect::gemini
