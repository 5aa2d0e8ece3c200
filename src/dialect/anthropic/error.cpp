// Errors, both ways: Weir's codes out, a provider's words in.
#include <array>

#include "base/text.h"
#include "dialect/anthropic/codec.h"
#include "dialect/failure.h"

namespace weir::dialect::anthropic {
namespace {

struct TypeStatus {
    std::string_view type;
    int status;
};
constexpr std::array<TypeStatus, 10> kTypes{{
    {"invalid_request_error", 400},
    {"authentication_error", 401},
    {"billing_error", 402},
    {"permission_error", 403},
    {"not_found_error", 404},
    {"request_too_large", 413},
    {"rate_limit_error", 429},
    {"api_error", 500},
    {"timeout_error", 504},
    {"overloaded_error", 529},
}};

// Types follow the status, so that each SDK raises the class its user expects.
std::string_view type_of(int status) {
    switch (status) {
        case 401:
            return "authentication_error";
        case 403:
            return "permission_error";
        case 404:
            return "not_found_error";
        case 408:
        case 413:
        case 414:
        case 431:
            return "request_too_large";
        case 429:
            return "rate_limit_error";
        case 503:
            return "overloaded_error";
        case 504:
            return "timeout_error";
        default:
            return status >= 500 && status != 501 ? "api_error" : "invalid_request_error";
    }
}

// In a stream the provider's status is spent: 200 says nothing, nor the 500 that stands for it.
bool says_nothing(int status) { return status < 300 || status == 500; }

int status_of(const TypeStatus* known, int status) {
    return known != nullptr && says_nothing(status) ? known->status : status < 300 ? 500 : status;
}

bool contains(std::string_view text, std::string_view words) {
    return text.find(words) != std::string_view::npos;
}

// Anthropic says what is wrong with a request in words only.
Verdict::Cause refine(Verdict::Cause cause, std::string_view type, std::string_view message) {
    if (type == "billing_error" || contains(message, "credit balance is too low")) {
        return Verdict::Cause::credential;
    }
    if (cause != Verdict::Cause::request) {
        return cause;
    }
    if (contains(message, "prompt is too long") || contains(message, "exceed context limit") ||
        contains(message, "exceeds the maximum context") ||
        contains(message, "context_length_exceeded")) {
        return Verdict::Cause::context_length;
    }
    if (contains(message, "content filter")) {
        return Verdict::Cause::content_filter;
    }
    return cause;
}

// {"error":{"type","message"}}, and what gateways and look-alikes make of it.
void read_words(const Refusal& refusal, Verdict& verdict) {
    json::Document document;
    const auto root = document.parse(refusal.body, json::Duplicates::allowed);
    if (!root) {
        return;  // a proxy's HTML page has no words for us; its status says enough
    }
    const json::Value error = (*root)["error"];
    const json::Value holder = error.is_object() ? error : *root;
    verdict.code = holder["type"].string_or(holder["code"].string_or(""));
    verdict.message = error.is_string()
                          ? error.string_or("")
                          : holder["message"].string_or(holder["detail"].string_or(""));
    verdict.parameter = holder["param"].string_or("");
}

}  // namespace

std::string encode_error(const Error& error, std::string_view request_id) {
    std::string body;
    json::Writer json(body);
    json.object().field("type", "error").key("error").object();
    json.field("type", type_of(info(error.code()).status)).field("message", error.message());
    json.field("code", name(error.code())).end_object();
    json.field_unless_empty("request_id", request_id).end_object();
    return body;
}

Error decode_error(const Refusal& refusal) {
    Verdict verdict;
    read_words(refusal, verdict);
    const TypeStatus* known = nullptr;
    for (const TypeStatus& one : kTypes) {
        known = one.type == verdict.code ? &one : known;
    }
    const int status = status_of(known, refusal.status);
    verdict.cause = refine(cause_of_status(status), verdict.code, verdict.message);
    return make_error(status, std::move(verdict), refusal.retry_after);
}

}  // namespace weir::dialect::anthropic
