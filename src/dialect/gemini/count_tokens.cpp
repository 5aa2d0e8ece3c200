#include "dialect/gemini/count_tokens.h"

#include <fmt/format.h>

#include "dialect/gemini/codec.h"
#include "dialect/gemini/encode.h"
#include "dialect/json/document.h"
#include "dialect/json/writer.h"
#include "dialect/token_count.h"

namespace weir::dialect::gemini {

Result<EncodedRequest> encode_count_request(const llm::Call& call, const Target& target) {
    WEIR_TRY(EncodedRequest request, encode_request(call, target));
    std::string body;
    json::Writer json(body);
    json.object().key("generateContentRequest").object();
    json.field("model", resource_of(target.model));
    // Never empty: a request has contents.
    json.raw(std::string_view(request.body).substr(1));
    body += '}';
    request.body = std::move(body);
    return request;
}

std::string encode_count(std::int64_t tokens) {
    return fmt::format(R"({{"totalTokens":{}}})", tokens);
}

Result<std::int64_t> decode_count(std::string_view body) {
    return read_token_count(body, "totalTokens", &decode_error);
}

}  // namespace weir::dialect::gemini
