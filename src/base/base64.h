// Base64 (RFC 4648), standard and URL alphabet. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace weir {

enum class Base64 : std::uint8_t {
    standard,  // with padding
    url,       // without padding: fits into ids and paths
};

std::string to_base64(std::string_view bytes, Base64 alphabet);
// Padding is optional; anything outside the alphabet, white space included, is refused, as are bits
// left over that are not zero.
std::optional<std::string> from_base64(std::string_view text, Base64 alphabet);
// The same judgement without the bytes; for bodies of megabytes that are passed on as they are.
bool is_base64(std::string_view text, Base64 alphabet);

}  // namespace weir
