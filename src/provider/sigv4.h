// AWS's signature of a request, version 4 (header form, as every service but S3 wants it). Pure:
// time and credentials come in, header fields go out.
//
// A request is signed as it is sent: with its fields, its encoded path and query, and the SHA-256
// of its body. The key depends on the day only; whoever signs much keeps it (SigningKey::fits()).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/secret.h"

namespace weir::provider::sigv4 {

struct Credentials {
    std::string access_key_id;
    Secret secret_access_key;
    Secret session_token;  // empty: the credentials are lasting ones
};

struct Scope {
    std::string region;   // "us-east-1"
    std::string service;  // "bedrock"
};

// Derived from the secret for one UTC day, region and service. Holds a secret: no formatter.
class SigningKey {
public:
    SigningKey(const Secret& secret_access_key, const Scope& scope, WallTime time);
    // Whether the key is that of the time's day.
    bool fits(WallTime time) const;

private:
    friend struct Signer;
    std::string scope_;  // "20150830/us-east-1/bedrock/aws4_request"
    Secret key_;
};

struct Field {
    std::string_view name, value;
};

struct Request {
    std::string_view method;  // upper case
    // As sent: "/model/a%3Ab/converse". What is signed is this, encoded once more.
    std::string_view path;
    std::string_view query;  // as sent, without the question mark
    // What is signed beside the fields that sign() makes: `host` must be there, names in any case.
    // What a proxy may change (user-agent, connection) must not.
    std::span<const Field> headers;
    std::string_view payload_sha256;  // sha256_hex() of the body
};

// To be sent as `x-amz-date` and `authorization`; with the session token, where there is one, as
// `x-amz-security-token`: the signature covers it, too.
struct Signature {
    std::string date;
    std::string authorization;
};

// `key` must fit `time` and belong to `credentials`.
Signature sign(const Request& request,
               const Credentials& credentials,
               const SigningKey& key,
               WallTime time);

// In lower-case hexadecimal.
std::string sha256_hex(std::string_view bytes);
// Percent-encoded as AWS wants it: all but letters, digits, '-', '.', '_' and '~'. For a segment of
// a path or a part of a query.
std::string uri_encode(std::string_view text);

}  // namespace weir::provider::sigv4
