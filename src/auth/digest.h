// The three things auth asks of OpenSSL: SHA-256, HMAC-SHA-256 and HKDF-SHA-256, with algorithms
// fetched once and contexts kept. Any thread.
#pragma once

#include <array>
#include <memory>
#include <string_view>

#include "base/secret.h"

namespace weir::auth {

using Digest = std::array<unsigned char, 32>;

// About 100 ns for a key: the context is the thread's own.
Digest sha256(std::string_view bytes);

// Whether both are equal; the time taken depends on nothing but the size.
bool equal_in_constant_time(const Digest& a, const Digest& b);

// HKDF-SHA-256 (RFC 5869) with an empty salt: 32 bytes for `label` out of `key`.
Secret derive(const Secret& key, std::string_view label);

// HMAC-SHA-256 under one key.
class Hmac {
public:
    explicit Hmac(const Secret& key);
    ~Hmac();
    Hmac(Hmac&&) noexcept;
    Hmac& operator=(Hmac&&) noexcept;

    Digest operator()(std::string_view message) const;

private:
    struct Keyed;
    std::unique_ptr<Keyed> keyed_;
};

}  // namespace weir::auth
