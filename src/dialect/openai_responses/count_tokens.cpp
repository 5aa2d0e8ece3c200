// /v1/responses/input_tokens: how large a response's input would be. Its request is one of
// /v1/responses but for what says how to answer.
#include <fmt/format.h>

#include "dialect/failure.h"
#include "dialect/openai_responses/codec.h"

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
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (root && (*root)["error"].has_value()) {
        return std::unexpected(decode_error({.status = kServerError, .body = body}));
    }
    const auto count = root ? (*root)["input_tokens"].integer() : std::nullopt;
    if (!count || *count < 0) {
        return unusable_answer("the answer holds no count of tokens");
    }
    return *count;
}

}  // namespace weir::dialect::openai_responses
