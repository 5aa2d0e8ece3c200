// What AWS says when it refuses, whole or in the middle of a stream.
#include <algorithm>
#include <array>

#include "base/text.h"
#include "dialect/bedrock/codec.h"
#include "dialect/failure.h"

namespace weir::dialect::bedrock {
namespace {

using Cause = Verdict::Cause;
using json::Value;

struct Row {
    std::string_view type;
    Cause cause;
    int status;  // where the stream does not say one
};
constexpr auto kExceptions = std::to_array<Row>({
    {"ValidationException", Cause::request, 400},
    {"ThrottlingException", Cause::rate, 429},
    {"TooManyRequestsException", Cause::rate, 429},
    {"ServiceQuotaExceededException", Cause::rate, 429},
    {"AccessDeniedException", Cause::credential, 403},
    {"UnrecognizedClientException", Cause::credential, 403},
    {"InvalidSignatureException", Cause::credential, 403},
    {"SignatureDoesNotMatch", Cause::credential, 403},
    {"IncompleteSignatureException", Cause::credential, 403},
    {"MissingAuthenticationTokenException", Cause::credential, 403},
    {"InvalidClientTokenId", Cause::credential, 403},
    {"ExpiredTokenException", Cause::credential, 403},
    {"OptInRequired", Cause::credential, 403},
    {"ResourceNotFoundException", Cause::target, 404},
    {"UnknownOperationException", Cause::target, 404},
    {"ModelTimeoutException", Cause::timeout, 408},
    // 429 on the wire, but the model's state: the credential needs no rest.
    {"ModelNotReadyException", Cause::failure, 429},
    {"ModelErrorException", Cause::failure, 424},
    {"ModelStreamErrorException", Cause::failure, 424},
    {"ServiceUnavailableException", Cause::failure, 503},
    {"InternalServerException", Cause::failure, 500},
});

// AWS says with one exception and in words alone whether the prompt was too long, the operator
// named a model that is not there, or the account may not.
struct Words {
    std::string_view words;
    Cause cause;
};
constexpr auto kValidationWords = std::to_array<Words>({
    {"input is too long", Cause::context_length},
    {"prompt is too long", Cause::context_length},
    {"input tokens exceeded", Cause::context_length},
    {"too many input tokens", Cause::context_length},
    {"exceeds maximum length", Cause::context_length},
    {"exceed context limit", Cause::context_length},
    {"maximum context length", Cause::context_length},
    {"content filtering policy", Cause::content_filter},
    {"model identifier is invalid", Cause::target},
    {"on-demand throughput", Cause::target},
    {"operation not allowed", Cause::credential},
});

bool contains_ignoring_case(std::string_view text, std::string_view lower_words) {
    const auto found = std::search(
        text.begin(), text.end(), lower_words.begin(), lower_words.end(), [](char a, char b) {
            return to_lower(a) == b;
        });
    return found != text.end();
}

// "com.amazon.coral.service#ValidationException:http://…" -> "ValidationException"
std::string_view bare(std::string_view type) {
    type = type.substr(0, type.find(':'));
    if (const std::size_t hash = type.rfind('#'); hash != std::string_view::npos) {
        type.remove_prefix(hash + 1);
    }
    return trim(type);
}

const Row* find_row(std::string_view type) {
    const auto* const row =
        std::find_if(kExceptions.begin(), kExceptions.end(), [type](const Row& one) {
            return equals_ignoring_case(one.type, type);
        });
    return row == kExceptions.end() ? nullptr : row;
}

Cause cause_of(const Row* row, int status, std::string_view message) {
    const Cause cause = row != nullptr ? row->cause : cause_of_status(status);
    if (cause != Cause::request) {
        return cause;
    }
    for (const Words& one : kValidationWords) {
        if (contains_ignoring_case(message, one.words)) {
            return one.cause;
        }
    }
    return cause;
}

}  // namespace

Error error_of(Exception exception) {
    const std::string_view type = bare(exception.type);
    const Row* const row = find_row(type);
    if (exception.status == 0) {
        exception.status = row != nullptr ? row->status : kServerError;
    }
    const Cause cause = cause_of(row, exception.status, exception.message);
    return make_error(exception.status,
                      {.cause = cause,
                       .code = std::string(type),
                       .message = std::move(exception.message),
                       .parameter = {}},
                      exception.retry_after);
}

Error decode_error(const Refusal& refusal) {
    json::Document document;
    // A body that is no JSON (a proxy's page) has no words for us.
    const auto parsed = document.parse(refusal.body, json::Duplicates::allowed);
    const Value root = parsed ? *parsed : Value{};
    const std::string named = root["__type"].string_or("");
    // Either spelling is seen: it depends on which part of AWS refuses.
    const Value message = root["message"] ? root["message"] : root["Message"];
    return error_of({.status = refusal.status,
                     .type = refusal.error_type.empty() ? named : refusal.error_type,
                     .message = message.string_or(""),
                     .retry_after = refusal.retry_after});
}

}  // namespace weir::dialect::bedrock
