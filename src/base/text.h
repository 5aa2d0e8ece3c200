// Small text functions that more than one module needs. ASCII only unless they say UTF-8, no
// locale, no allocation unless returned.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace weir {

constexpr char to_lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }
bool equals_ignoring_case(std::string_view a, std::string_view b);
bool starts_with_ignoring_case(std::string_view text, std::string_view prefix);
std::string_view trim(std::string_view text);

// Digits only, no sign, no leading '+', no overflow.
std::optional<std::uint64_t> parse_decimal(std::string_view text);
// Lower-case hexadecimal.
std::string to_hex(std::span<const unsigned char> bytes);
std::optional<std::string> from_hex(std::string_view text);

// The bytes of the UTF-8 character at the front of `text`; 0 where there is none.
std::size_t utf8_character_size(std::string_view text);
bool is_utf8(std::string_view text);
// The longest front of `text` that has at most `bytes_max` bytes and does not end inside a
// character.
std::string_view cut_utf8(std::string_view text, std::size_t bytes_max);
// Appends `text` as it stands between the quotes of a JSON string. What is no UTF-8 becomes U+FFFD,
// so that a line or an answer can be read whoever chose the bytes in it.
void append_json_text(std::string& into, std::string_view text);

// The member of `known` nearest to `word` by edit distance, where it is near enough to be meant (at
// most a third of its length, at least 1); empty otherwise. For messages only: O(|word| x |known|).
std::string_view nearest(std::string_view word, std::span<const std::string_view> known);

// A short text without an allocation; what does not fit is cut.
template <std::size_t kSize>
class FixedText {
public:
    void assign(std::string_view text) {
        size_ = std::min(text.size(), kSize);
        std::copy_n(text.data(), size_, characters_.data());
    }
    std::string_view view() const { return {characters_.data(), size_}; }

private:
    std::size_t size_ = 0;
    std::array<char, kSize> characters_;
};

}  // namespace weir
