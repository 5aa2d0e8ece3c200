// Reading scanned values: integers, booleans, strings. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/json/scanner.h"

namespace weir::dialect::json {

// "12", "-3"; nullopt for fractions, exponents and what does not fit.
std::optional<std::int64_t> read_integer(std::string_view number);
// The text between the quotes of a string value, unescaped.
std::string read_string(std::string_view quoted);
// The same without a copy where nothing is escaped; else the text is in `aside`.
std::string_view view_string(std::string_view quoted, std::string& aside);
inline std::string_view between_quotes(std::string_view quoted) {
    return quoted.substr(1, quoted.size() - 2);
}
// Appends `text` (UTF-8) escaped, without quotes.
void append_escaped(std::string& into, std::string_view text);

// The same value without the spaces between its tokens: providers and clients print their objects
// for people, and where one becomes a string every space would be a token. `value` is valid JSON.
std::string compacted(std::string_view value);

}  // namespace weir::dialect::json
