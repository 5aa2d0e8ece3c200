#include "pipeline/credential.h"

#include "base/text.h"

namespace weir::pipeline {

std::string_view credential_of(const net::RequestHead& head) {
    constexpr std::string_view kBearer = "bearer ";
    const std::string_view authorization = head.find(net::KnownHeader::authorization);
    if (authorization.size() > kBearer.size() &&
        equals_ignoring_case(authorization.substr(0, kBearer.size()), kBearer)) {
        std::string_view token = authorization.substr(kBearer.size());
        while (token.starts_with(' ')) {
            token.remove_prefix(1);
        }
        return token;
    }
    if (const auto key = head.find(net::KnownHeader::x_api_key); !key.empty()) {
        return key;  // Anthropic's clients
    }
    if (const auto key = head.find("x-goog-api-key"); !key.empty()) {
        return key;  // Gemini's
    }
    if (const auto key = head.find("api-key"); !key.empty()) {
        return key;  // Azure's
    }
    // Gemini's again. Nothing logs a query.
    constexpr std::string_view kKey = "key=";
    std::string_view query = head.query;
    while (!query.empty() && !query.starts_with(kKey)) {
        const std::size_t next = query.find('&');
        query.remove_prefix(next == std::string_view::npos ? query.size() : next + 1);
    }
    return query.empty() ? query : query.substr(kKey.size(), query.find('&') - kKey.size());
}

}  // namespace weir::pipeline
