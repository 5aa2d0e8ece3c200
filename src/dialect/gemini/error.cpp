// Google's error bodies, {"error":{code,message,status,details[]}}: Weir's errors out, providers'
// errors in (API-MAPPING section 6).
#include <fmt/format.h>

#include "dialect/failure.h"
#include "dialect/gemini/codec.h"
#include "dialect/gemini/fields.h"
#include "dialect/json/writer.h"

namespace weir::dialect::gemini {
namespace {

using json::Value;
using Cause = Verdict::Cause;

constexpr std::string_view kErrorInfo = "type.googleapis.com/google.rpc.ErrorInfo";
constexpr std::string_view kBadRequest = "type.googleapis.com/google.rpc.BadRequest";
constexpr std::string_view kRetryInfo = "type.googleapis.com/google.rpc.RetryInfo";
constexpr std::string_view kRequestInfo = "type.googleapis.com/google.rpc.RequestInfo";

// Google's canonical words. Their own HTTP status decides, but for the codes that say more.
std::string_view status_of(Code code) {
    switch (code) {
        case Code::conflict:
            return "ABORTED";
        case Code::cancelled:
            return "CANCELLED";
        default:
            break;
    }
    switch (info(code).status) {
        case 401:
            return "UNAUTHENTICATED";
        case 403:
            return "PERMISSION_DENIED";
        case 404:
            return "NOT_FOUND";
        case 429:
            return "RESOURCE_EXHAUSTED";
        case 501:
            return "UNIMPLEMENTED";
        case 503:
            return "UNAVAILABLE";
        case 504:
            return "DEADLINE_EXCEEDED";
        default:
            return info(code).status >= 500 ? "INTERNAL" : "INVALID_ARGUMENT";
    }
}

// What an error body says.
struct Words {
    int code = 0;
    std::string message, status, reason, field;
    std::optional<std::chrono::milliseconds> retry_delay;
};

void read_detail(Value detail, Words& words) {
    const std::string type = detail["@type"].string_or("");
    if (type == kErrorInfo) {
        words.reason = detail["reason"].string_or("");
    } else if (type == kBadRequest) {
        for (const Value violation : field(detail, "fieldViolations")) {
            if (words.field.empty()) {
                words.field = violation["field"].string_or("");
            }
        }
    } else if (type == kRetryInfo) {
        const std::string delay = field(detail, "retryDelay").string_or("");  // "34.4s"
        words.retry_delay =
            read_retry_after({.retry_after = delay, .retry_after_ms = {}, .reset = {}}, WallTime{});
    }
}

Words read_words(std::string_view body) {
    Words words;
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (!root) {
        return words;  // a proxy's HTML page: its status says enough
    }
    // Without alt=sse a stream's error is the one member of an array.
    const Value outer = root->is_array() && root->size() > 0 ? *root->begin() : *root;
    const Value error = outer["error"];
    words.code = static_cast<int>(integer(error["code"]).value_or(0) % 1000);
    words.message = error.is_object() ? error["message"].string_or("") : error.string_or("");
    words.status = error["status"].string_or("");
    for (const Value detail : error["details"]) {
        read_detail(detail, words);
    }
    return words;
}

Cause cause_of(int status, const Words& words) {
    if (words.reason.starts_with("API_KEY_")) {
        return Cause::credential;  // a bad key is a 400 here
    }
    if (words.status == "FAILED_PRECONDITION" || words.status == "UNAUTHENTICATED" ||
        words.status == "PERMISSION_DENIED") {
        // No billing, or a country that Google does not serve: the account's fault, not the call's.
        return Cause::credential;
    }
    if (words.status == "RESOURCE_EXHAUSTED") {
        return Cause::rate;
    }
    const Cause cause = cause_of_status(status);
    if (cause == Cause::request &&
        words.message.find("exceeds the maximum number of tokens") != std::string::npos) {
        return Cause::context_length;
    }
    return cause;
}

}  // namespace

std::string encode_error(const Error& error, std::string_view request_id) {
    std::string body;
    json::Writer json(body);
    json.object().key("error").object();
    json.field("code", std::int64_t{info(error.code()).status}).field("message", error.message());
    json.field("status", status_of(error.code())).key("details").array();
    json.object().field("@type", kErrorInfo).field("reason", name(error.code()));
    json.field("domain", "weir").end_object();
    if (!error.parameter().empty()) {
        json.object().field("@type", kBadRequest).key("fieldViolations").array();
        json.object().field("field", error.parameter()).field("description", error.message());
        json.end_object().end_array().end_object();
    }
    if (const auto wait = error.retry_after()) {
        const auto seconds = std::chrono::ceil<std::chrono::seconds>(*wait).count();
        json.object().field("@type", kRetryInfo);
        json.field("retryDelay", fmt::format("{}s", seconds)).end_object();
    }
    if (!request_id.empty()) {
        json.object().field("@type", kRequestInfo).field("requestId", request_id).end_object();
    }
    json.end_array().end_object().end_object();
    return body;
}

Error decode_error(const Refusal& refusal) {
    Words words = read_words(refusal.body);
    // In a stream the status was spent on 200: the one in the body is the real one.
    const bool says_error = words.code >= 400 && words.code < 600;
    const int status =
        says_error && (refusal.status < 400 || refusal.status == 500) ? words.code : refusal.status;
    const Cause cause = cause_of(status, words);
    return make_error(
        status,
        {.cause = cause,
         .code = words.reason.empty() ? std::move(words.status) : std::move(words.reason),
         .message = std::move(words.message),
         .parameter = std::move(words.field)},
        refusal.retry_after ? refusal.retry_after : words.retry_delay);
}

}  // namespace weir::dialect::gemini
