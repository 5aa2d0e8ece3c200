#include "dialect/anthropic/count_tokens.h"

#include "dialect/anthropic/codec.h"
#include "dialect/token_count.h"

namespace weir::dialect::anthropic {
namespace {

// All that the counter takes; anything else is an error there.
constexpr std::string_view kCounted[] = {"model",
                                         "messages",
                                         "system",
                                         "tools",
                                         "tool_choice",
                                         "thinking",
                                         "output_config",
                                         "cache_control"};

}  // namespace

Result<EncodedRequest> encode_count_request(const llm::Call& call, const Target& target) {
    WEIR_TRY(EncodedRequest request, encode_request(call, target));
    request.body = json::pick(request.body, kCounted);
    return request;
}

std::string encode_token_count(std::int64_t input_tokens) {
    return fmt::format(R"({{"input_tokens":{}}})", input_tokens);
}

Result<std::int64_t> decode_token_count(std::string_view body) {
    return read_token_count(body, "input_tokens", &decode_error);
}

}  // namespace weir::dialect::anthropic
