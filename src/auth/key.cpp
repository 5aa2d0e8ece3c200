#include "auth/key.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/assert.h"
#include "base/random.h"

namespace weir::auth {
namespace {

constexpr std::string_view kAlphabet =
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
static_assert(kAlphabet.size() == 62);

bool in_alphabet(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

}  // namespace

Secret make_key() {
    // Bytes from 248 up are thrown away: 256 is no multiple of 62, and the first characters of the
    // alphabet would come more often.
    constexpr unsigned kFair = 256 / 62 * 62;
    std::string key;
    key.reserve(kKeySize);
    key = kKeyMark;
    while (key.size() < kKeySize) {
        std::array<unsigned char, kKeyRandomSize> bytes;
        secure_random(bytes);
        for (const unsigned byte : bytes) {
            if (byte < kFair && key.size() < kKeySize) {
                key += kAlphabet[byte % kAlphabet.size()];
            }
        }
    }
    return Secret(std::move(key));
}

bool has_key_shape(std::string_view credential) {
    return credential.size() == kKeySize && credential.starts_with(kKeyMark) &&
           std::ranges::all_of(credential.substr(kKeyMark.size()), in_alphabet);
}

std::string_view key_prefix(std::string_view credential) {
    WEIR_ASSERT(has_key_shape(credential));
    return credential.substr(0, kKeyPrefixSize);
}

}  // namespace weir::auth
