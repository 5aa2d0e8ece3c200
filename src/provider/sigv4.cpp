#include "provider/sigv4.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "base/assert.h"
#include "base/text.h"
#include "base/timestamp.h"

namespace weir::provider::sigv4 {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";
constexpr std::string_view kTermination = "aws4_request";
constexpr std::string_view kHexDigits = "0123456789ABCDEF";
constexpr std::size_t kDayBytes = 8;  // "20150830"

using Digest = std::array<unsigned char, 32>;

// Fetched once: a fetch takes a lock and longer than the hash itself. Never freed, as threads may
// still hash while statics are destroyed. OpenSSL fails here only without memory or its default
// provider: nothing could be signed from then on, so the process ends.
const EVP_MD* sha256_algorithm() {
    static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    WEIR_ASSERT(algorithm != nullptr);
    return algorithm;
}

Digest sha256(std::string_view bytes) {
    Digest digest;
    WEIR_ASSERT(
        EVP_Digest(
            bytes.data(), bytes.size(), digest.data(), nullptr, sha256_algorithm(), nullptr) == 1);
    return digest;
}

Digest hmac(std::string_view key, std::string_view message) {
    Digest digest;
    unsigned size = 0;
    WEIR_ASSERT(HMAC(sha256_algorithm(),
                     key.data(),
                     static_cast<int>(key.size()),
                     reinterpret_cast<const unsigned char*>(message.data()),
                     message.size(),
                     digest.data(),
                     &size) != nullptr);
    WEIR_ASSERT(size == digest.size());
    return digest;
}

Secret secret_of(Digest digest) {
    Secret secret(std::string(digest.begin(), digest.end()));
    OPENSSL_cleanse(digest.data(), digest.size());
    return secret;
}

// "20150830T123600Z"
std::string basic_time(WallTime time) {
    constexpr std::size_t kSecondsEnd = 19;  // of "2015-08-30T12:36:00.000000Z"
    std::string text;
    for (const char c : to_rfc3339(time).substr(0, kSecondsEnd)) {
        if (c != '-' && c != ':') {
            text += c;
        }
    }
    return text + 'Z';
}

bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

void append_encoded(std::string& into, std::string_view text) {
    for (const char c : text) {
        if (is_unreserved(c)) {
            into += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            into += '%';
            into += kHexDigits[byte >> 4];
            into += kHexDigits[byte & 15];
        }
    }
}

// What is no escape stays as it is.
std::string percent_decoded(std::string_view text) {
    std::string decoded;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::optional<std::string> byte;
        if (text[i] == '%' && i + 2 < text.size()) {
            byte = from_hex(text.substr(i + 1, 2));
        }
        if (byte) {
            decoded += *byte;
            i += 2;
        } else {
            decoded += text[i];
        }
    }
    return decoded;
}

// RFC 3986's dots and doubled slashes resolved, each segment encoded once more.
std::string canonical_path(std::string_view path) {
    std::vector<std::string_view> segments;
    bool ends_with_slash = true;
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        const std::string_view segment = path.substr(at, end - at);
        if (segment == "..") {
            if (!segments.empty()) {
                segments.pop_back();
            }
        } else if (!segment.empty() && segment != ".") {
            segments.push_back(segment);
        }
        ends_with_slash = end < path.size() || segment == "." || segment == "..";
        at = end + 1;
    }
    std::string canonical;
    for (const std::string_view segment : segments) {
        canonical += '/';
        append_encoded(canonical, segment);
    }
    return canonical.empty() || ends_with_slash ? canonical + '/' : canonical;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> parameters;
    while (!query.empty()) {
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(query.size(), one.size() + 1));
        if (one.empty()) {
            continue;
        }
        const std::size_t equals = std::min(one.find('='), one.size());
        const std::string_view value = one.substr(std::min(equals + 1, one.size()));
        parameters.emplace_back(uri_encode(percent_decoded(one.substr(0, equals))),
                                uri_encode(percent_decoded(value)));
    }
    std::sort(parameters.begin(), parameters.end());
    std::string canonical;
    for (const auto& [name, value] : parameters) {
        canonical += fmt::format("{}{}={}", canonical.empty() ? "" : "&", name, value);
    }
    return canonical;
}

// Trimmed, and runs of spaces made one.
std::string canonical_value(std::string_view value) {
    std::string canonical;
    for (const char c : trim(value)) {
        if (c != ' ' || canonical.back() != ' ') {
            canonical += c;
        }
    }
    return canonical;
}

struct CanonicalHeaders {
    std::string lines;         // "host:example.com\n…"
    std::string signed_names;  // "host;x-amz-date"
};

CanonicalHeaders canonical_headers(const Request& request,
                                   std::string_view date,
                                   const Secret& token) {
    std::map<std::string, std::string> fields = {{"x-amz-date", std::string(date)}};
    if (!token.empty()) {
        fields.emplace("x-amz-security-token", token.reveal());
    }
    for (const Field& field : request.headers) {
        std::string name(field.name);
        std::transform(name.begin(), name.end(), name.begin(), to_lower);
        std::string value = canonical_value(field.value);
        if (const auto known = fields.find(name); known != fields.end()) {
            known->second += ',' + value;  // fields of one name become one
        } else {
            fields.emplace(std::move(name), std::move(value));
        }
    }
    WEIR_ASSERT(fields.contains("host"));
    CanonicalHeaders canonical;
    for (const auto& [name, value] : fields) {
        canonical.lines += name + ':' + value + '\n';
        canonical.signed_names += (canonical.signed_names.empty() ? "" : ";") + name;
    }
    return canonical;
}

}  // namespace

SigningKey::SigningKey(const Secret& secret_access_key, const Scope& scope, WallTime time) {
    const std::string day = basic_time(time).substr(0, kDayBytes);
    scope_ = fmt::format("{}/{}/{}/{}", day, scope.region, scope.service, kTermination);
    std::string seed = "AWS4";
    seed += secret_access_key.reveal();
    key_ = Secret(std::move(seed));
    for (const std::string_view part : {std::string_view(day),
                                        std::string_view(scope.region),
                                        std::string_view(scope.service),
                                        kTermination}) {
        key_ = secret_of(hmac(key_.reveal(), part));
    }
}

bool SigningKey::fits(WallTime time) const {
    return scope_.starts_with(basic_time(time).substr(0, kDayBytes));
}

// A friend of the key, so that nobody else sees it.
struct Signer {
    static std::string_view scope(const SigningKey& key) { return key.scope_; }
    static Digest sign(const SigningKey& key, std::string_view text) {
        return hmac(key.key_.reveal(), text);
    }
};

Signature sign(const Request& request,
               const Credentials& credentials,
               const SigningKey& key,
               WallTime time) {
    WEIR_ASSERT(key.fits(time));
    std::string date = basic_time(time);
    const CanonicalHeaders headers = canonical_headers(request, date, credentials.session_token);
    const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}",
                                              request.method,
                                              canonical_path(request.path),
                                              canonical_query(request.query),
                                              headers.lines,
                                              headers.signed_names,
                                              request.payload_sha256);
    const std::string to_sign =
        fmt::format("{}\n{}\n{}\n{}", kAlgorithm, date, Signer::scope(key), sha256_hex(canonical));
    std::string authorization = fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}",
                                            kAlgorithm,
                                            credentials.access_key_id,
                                            Signer::scope(key),
                                            headers.signed_names,
                                            to_hex(Signer::sign(key, to_sign)));
    return {.date = std::move(date), .authorization = std::move(authorization)};
}

std::string sha256_hex(std::string_view bytes) { return to_hex(sha256(bytes)); }

std::string uri_encode(std::string_view text) {
    std::string encoded;
    append_encoded(encoded, text);
    return encoded;
}

}  // namespace weir::provider::sigv4
