// Signatures against those that AWS publishes (the requests of its Signature Version 4 test suite
// and of its documentation), and against vectors of two other signers (script/sigv4-vectors).
#include "provider/sigv4.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/timestamp.h"

namespace weir::provider::sigv4 {
namespace {

constexpr std::string_view kSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

Credentials example(std::string token = "") {
    return {.access_key_id = "AKIDEXAMPLE",
            .secret_access_key = Secret(std::string(kSecret)),
            .session_token = Secret(std::move(token))};
}
WallTime at(std::string_view rfc3339) { return parse_rfc3339(rfc3339).value(); }

struct Published {
    std::string_view name, method, path, query;
    std::vector<Field> headers;
    std::string_view body, signed_names, signature;
};

TEST(Sigv4, SignsAsAwsPublishes) {
    constexpr std::string_view kVanilla =
        "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31";
    constexpr std::string_view kNames = "host;x-amz-date";
    const std::vector<Published> cases = {
        {"get-vanilla", "GET", "/", "", {}, "", kNames, kVanilla},
        {"get-slash", "GET", "//", "", {}, "", kNames, kVanilla},
        {"get-slash-dot-slash", "GET", "/./", "", {}, "", kNames, kVanilla},
        {"get-relative", "GET", "/example/..", "", {}, "", kNames, kVanilla},
        {"get-relative-relative", "GET", "/example1/example2/../..", "", {}, "", kNames, kVanilla},
        {"get-utf8",
         "GET",
         "/\xe1\x88\xb4",
         "",
         {},
         "",
         kNames,
         "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        {"get-unreserved",
         "GET",
         "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
         "",
         {},
         "",
         kNames,
         "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        {"get-vanilla-empty-query-key",
         "GET",
         "/",
         "Param1=value1",
         {},
         "",
         kNames,
         "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
        {"get-vanilla-query-order-key-case",
         "GET",
         "/",
         "Param2=value2&Param1=value1",
         {},
         "",
         kNames,
         "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        {"get-vanilla-query-unreserved",
         "GET",
         "/",
         "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGH"
         "IJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz",
         {},
         "",
         kNames,
         "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
        {"post-vanilla",
         "POST",
         "/",
         "",
         {},
         "",
         kNames,
         "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
        {"post-x-www-form-urlencoded",
         "POST",
         "/",
         "",
         {{"Content-Type", "application/x-www-form-urlencoded"}},
         "Param1=value1",
         "content-type;host;x-amz-date",
         "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
    };
    const WallTime time = at("2015-08-30T12:36:00Z");
    const Credentials credentials = example();
    const SigningKey key(
        credentials.secret_access_key, {.region = "us-east-1", .service = "service"}, time);
    for (const Published& one : cases) {
        std::vector<Field> headers = one.headers;
        headers.push_back({"Host", "example.amazonaws.com"});
        const std::string hash = sha256_hex(one.body);
        const Signature signature = sign({.method = one.method,
                                          .path = one.path,
                                          .query = one.query,
                                          .headers = headers,
                                          .payload_sha256 = hash},
                                         credentials,
                                         key,
                                         time);
        EXPECT_EQ(signature.date, "20150830T123600Z");
        EXPECT_EQ(signature.authorization,
                  fmt::format("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/"
                              "aws4_request, SignedHeaders={}, Signature={}",
                              one.signed_names,
                              one.signature))
            << one.name;
    }
}

// The suite's post-sts-header-before: the token is signed as a field.
TEST(Sigv4, SignsTheSessionToken) {
    const Credentials credentials = example(
        "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfp"
        "SPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQ"
        "DYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+s"
        "cqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==");
    const WallTime time = at("2015-08-30T12:36:00Z");
    const SigningKey key(
        credentials.secret_access_key, {.region = "us-east-1", .service = "service"}, time);
    const std::vector<Field> headers = {{"Host", "example.amazonaws.com"}};
    const std::string hash = sha256_hex("");
    const Signature signature =
        sign({.method = "POST", .path = "/", .headers = headers, .payload_sha256 = hash},
             credentials,
             key,
             time);
    EXPECT_EQ(signature.authorization,
              "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
              "SignedHeaders=host;x-amz-date;x-amz-security-token, "
              "Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead");
}

// The worked example of AWS's documentation: IAM's ListUsers.
TEST(Sigv4, SignsTheDocumentedExample) {
    const WallTime time = at("2015-08-30T12:36:00Z");
    const Credentials credentials = example();
    const SigningKey key(
        credentials.secret_access_key, {.region = "us-east-1", .service = "iam"}, time);
    const std::vector<Field> headers = {
        {"Host", "iam.amazonaws.com"},
        {"Content-Type", "application/x-www-form-urlencoded; charset=utf-8"}};
    const std::string hash = sha256_hex("");
    EXPECT_EQ(hash, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    const Signature signature = sign({.method = "GET",
                                      .path = "/",
                                      .query = "Action=ListUsers&Version=2010-05-08",
                                      .headers = headers,
                                      .payload_sha256 = hash},
                                     credentials,
                                     key,
                                     time);
    EXPECT_TRUE(signature.authorization.ends_with(
        "Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"))
        << signature.authorization;
}

TEST(Sigv4, AgreesWithTwoOtherSigners) {
    std::ifstream in(WEIR_SOURCE_FOLDER "/src/provider/sigv4_vectors.json");
    ASSERT_TRUE(in) << "script/sigv4-vectors writes them";
    const auto vectors = nlohmann::json::parse(in);
    EXPECT_GT(vectors.size(), 10u);
    for (const auto& one : vectors) {
        const auto text = [&one](const char* key) { return one[key].get<std::string>(); };
        const Credentials credentials{.access_key_id = text("access_key_id"),
                                      .secret_access_key = Secret(text("secret_access_key")),
                                      .session_token = Secret(text("session_token"))};
        const WallTime time{std::chrono::seconds{one["time"].get<std::int64_t>()}};
        const SigningKey key(credentials.secret_access_key,
                             {.region = text("region"), .service = text("service")},
                             time);
        std::vector<std::pair<std::string, std::string>> kept = {{"host", text("host")}};
        for (const auto& header : one["headers"]) {
            kept.emplace_back(header[0].get<std::string>(), header[1].get<std::string>());
        }
        std::vector<Field> headers;
        for (const auto& [name, value] : kept) {
            headers.push_back({name, value});
        }
        const std::string method = text("method"), path = text("path"), query = text("query");
        const std::string hash = sha256_hex(text("body"));
        const Signature signature = sign({.method = method,
                                          .path = path,
                                          .query = query,
                                          .headers = headers,
                                          .payload_sha256 = hash},
                                         credentials,
                                         key,
                                         time);
        EXPECT_EQ(signature.date, text("date")) << text("name");
        EXPECT_EQ(signature.authorization, text("authorization")) << text("name");
    }
}

TEST(Sigv4, AKeyFitsItsDayInUtc) {
    const SigningKey key(
        Secret(std::string(kSecret)), {.region = "r", .service = "s"}, at("2026-11-21T12:00:00Z"));
    EXPECT_TRUE(key.fits(at("2026-11-21T00:00:00Z")));
    EXPECT_TRUE(key.fits(at("2026-11-21T23:59:59.999999Z")));
    EXPECT_FALSE(key.fits(at("2026-11-22T00:00:00Z")));
    EXPECT_FALSE(key.fits(at("2026-11-20T23:59:59Z")));
    EXPECT_FALSE(key.fits(at("2027-11-21T12:00:00Z")));
}

TEST(Sigv4, EncodesAllButTheUnreserved) {
    EXPECT_EQ(uri_encode("amazon.nova-micro-v1:0"), "amazon.nova-micro-v1%3A0");
    EXPECT_EQ(uri_encode("a/b c~_\xc3\xbc%"), "a%2Fb%20c~_%C3%BC%25");
}

// The order in which fields come, and the case of their names, change nothing.
TEST(Sigv4, TheOrderOfFieldsDoesNotMatter) {
    const WallTime time = at("2026-11-21T12:00:00Z");
    const Credentials credentials = example();
    const SigningKey key(credentials.secret_access_key, {.region = "r", .service = "s"}, time);
    const auto signed_with = [&](const std::vector<Field>& headers) {
        return sign({.method = "POST", .path = "/", .headers = headers, .payload_sha256 = "x"},
                    credentials,
                    key,
                    time)
            .authorization;
    };
    const std::string one = signed_with({{"host", "h"}, {"accept", "a"}, {"x-b", "1"}});
    EXPECT_EQ(signed_with({{"X-B", " 1 "}, {"ACCEPT", "a"}, {"Host", "h"}}), one);
    // Fields of one name become one, in their order.
    EXPECT_EQ(signed_with({{"host", "h"}, {"x", "1"}, {"x", "2"}}),
              signed_with({{"x", "1,2"}, {"host", "h"}}));
    EXPECT_NE(signed_with({{"host", "h"}, {"x", "2"}, {"x", "1"}}),
              signed_with({{"x", "1,2"}, {"host", "h"}}));
}

}  // namespace
}  // namespace weir::provider::sigv4
