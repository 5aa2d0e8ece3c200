#include "auth/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <string>
#include <utility>

#include "base/assert.h"

namespace weir::auth {
namespace {

template <auto Free>
struct Freeing {
    template <class T>
    void operator()(T* it) const {
        Free(it);
    }
};
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freeing<&EVP_MD_CTX_free>>;
using MacContext = std::unique_ptr<EVP_MAC_CTX, Freeing<&EVP_MAC_CTX_free>>;
using KdfContext = std::unique_ptr<EVP_KDF_CTX, Freeing<&EVP_KDF_CTX_free>>;

// OpenSSL fails here only when it cannot allocate or has no default provider: nothing could be
// verified from then on, so the process ends.
template <class T>
T* required(T* it) {
    WEIR_ASSERT(it != nullptr);
    return it;
}

// Fetched once: a fetch takes a lock and three times as long as the hash itself. Never freed, as
// threads may still hash while statics are destroyed.
const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = required(EVP_MD_fetch(nullptr, "SHA256", nullptr));
    return algorithm;
}

OSSL_PARAM sha256_parameter() {
    static char name[] = "SHA256";
    return OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, name, 0);
}

OSSL_PARAM bytes_parameter(const char* name, std::string_view bytes) {
    return OSSL_PARAM_construct_octet_string(name, const_cast<char*>(bytes.data()), bytes.size());
}

DigestContext make_sha256_context() {
    DigestContext context(required(EVP_MD_CTX_new()));
    WEIR_ASSERT(EVP_DigestInit_ex2(context.get(), sha256_algorithm(), nullptr) == 1);
    return context;
}

}  // namespace

Digest sha256(std::string_view bytes) {
    thread_local const DigestContext context = make_sha256_context();
    Digest digest;
    // Without an algorithm the context begins anew with the one it has.
    WEIR_ASSERT(EVP_DigestInit_ex2(context.get(), nullptr, nullptr) == 1);
    WEIR_ASSERT(EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) == 1);
    WEIR_ASSERT(EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) == 1);
    return digest;
}

bool equal_in_constant_time(const Digest& a, const Digest& b) {
    return CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Secret derive(const Secret& key, std::string_view label) {
    static EVP_KDF* const hkdf = required(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
    const KdfContext context(required(EVP_KDF_CTX_new(hkdf)));
    const OSSL_PARAM parameters[] = {sha256_parameter(),
                                     bytes_parameter(OSSL_KDF_PARAM_KEY, key.reveal()),
                                     bytes_parameter(OSSL_KDF_PARAM_INFO, label),
                                     OSSL_PARAM_construct_end()};
    std::string out(sizeof(Digest), '\0');
    WEIR_ASSERT(EVP_KDF_derive(context.get(),
                               reinterpret_cast<unsigned char*>(out.data()),
                               out.size(),
                               parameters) == 1);
    return Secret(std::move(out));
}

struct Hmac::Keyed {
    MacContext context;
};

Hmac::Hmac(const Secret& key) : keyed_(std::make_unique<Keyed>()) {
    static EVP_MAC* const hmac = required(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
    keyed_->context.reset(required(EVP_MAC_CTX_new(hmac)));
    const OSSL_PARAM parameters[] = {sha256_parameter(), OSSL_PARAM_construct_end()};
    const auto bytes = key.reveal();
    WEIR_ASSERT(EVP_MAC_init(keyed_->context.get(),
                             reinterpret_cast<const unsigned char*>(bytes.data()),
                             bytes.size(),
                             parameters) == 1);
}
Hmac::~Hmac() = default;
Hmac::Hmac(Hmac&&) noexcept = default;
Hmac& Hmac::operator=(Hmac&&) noexcept = default;

Digest Hmac::operator()(std::string_view message) const {
    // The keyed context is only ever copied, so that any thread may use it.
    const MacContext context(required(EVP_MAC_CTX_dup(keyed_->context.get())));
    Digest digest;
    std::size_t size = 0;
    WEIR_ASSERT(EVP_MAC_update(context.get(),
                               reinterpret_cast<const unsigned char*>(message.data()),
                               message.size()) == 1);
    WEIR_ASSERT(EVP_MAC_final(context.get(), digest.data(), &size, digest.size()) == 1);
    WEIR_ASSERT(size == digest.size());
    return digest;
}

}  // namespace weir::auth
