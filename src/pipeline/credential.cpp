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
        return key;
    }
    return head.find("api-key");
}

}  // namespace weir::pipeline
