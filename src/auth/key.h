// An API key as text: "sk-weir-" and 32 random characters of base62, 190 bits. Shown once, when it
// is made; after that only its prefix (for people) and its HMAC (for look-ups) exist. Any thread.
#pragma once

#include <string_view>

#include "base/secret.h"

namespace weir::auth {

inline constexpr std::string_view kKeyMark = "sk-weir-";
inline constexpr std::size_t kKeyRandomSize = 32;
inline constexpr std::size_t kKeySize = kKeyMark.size() + kKeyRandomSize;
// What may be shown: the mark and four random characters, which leaves 166 bits unknown.
inline constexpr std::size_t kKeyPrefixSize = 12;

Secret make_key();

// The shape only: the mark, the size, the alphabet. Says nothing about whether the key exists.
bool has_key_shape(std::string_view credential);

// The part that may be shown and logged. The credential must have the shape.
std::string_view key_prefix(std::string_view credential);

}  // namespace weir::auth
