// /v1/responses/input_tokens: how large a response's input would be. Its request is one of
// /v1/responses but for what says how to answer.
#include <fmt/format.h>

#include "dialect/openai_responses/codec.h"
#include "dialect/token_count.h"

namespace weir::dialect::openai_responses {
namespace {

// All that the counter takes.
constexpr std::string_view kCounted[] = {"model",
                                         "input",
                                         "instructions",
                                         "tools",
                                         "tool_choice",
                                         "parallel_tool_calls",
                                         "reasoning",
                                         "text",
                                         "truncation"};

}  // namespace

Result<EncodedRequest> encode_count_request(const llm::Call& call, const Target& target) {
    WEIR_TRY(EncodedRequest request, encode_request(call, target));
    request.body = json::pick(request.body, kCounted);
    return request;
}

std::string encode_token_count(std::int64_t tokens) {
    return fmt::format(R"({{"object":"response.input_tokens","input_tokens":{}}})", tokens);
}

Result<std::int64_t> decode_token_count(std::string_view body) {
    return read_token_count(body, "input_tokens", &decode_error);
}

}  // namespace weir::dialect::openai_responses
