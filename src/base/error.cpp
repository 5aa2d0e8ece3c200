#include "base/error.h"

#include <array>

namespace weir {
namespace {

constexpr std::array<CodeInfo, kCodeCount> kCodes{{
    {Code::invalid_framing, "invalid_framing", 400, false, Fault::client},
    {Code::invalid_json, "invalid_json", 400, false, Fault::client},
    {Code::invalid_request, "invalid_request", 400, false, Fault::client},
    {Code::unknown_field, "unknown_field", 400, false, Fault::client},
    {Code::context_length_exceeded, "context_length_exceeded", 400, false, Fault::client},
    {Code::content_filter, "content_filter", 400, false, Fault::client},
    {Code::guardrail_blocked, "guardrail_blocked", 400, false, Fault::client},
    {Code::invalid_api_key, "invalid_api_key", 401, false, Fault::client},
    {Code::permission_denied, "permission_denied", 403, false, Fault::client},
    {Code::model_not_allowed, "model_not_allowed", 403, false, Fault::client},
    {Code::not_found, "not_found", 404, false, Fault::client},
    {Code::model_not_found, "model_not_found", 404, false, Fault::client},
    {Code::method_not_allowed, "method_not_allowed", 405, false, Fault::client},
    {Code::request_timeout, "request_timeout", 408, true, Fault::client},
    {Code::conflict, "conflict", 409, false, Fault::client},
    {Code::payload_too_large, "payload_too_large", 413, false, Fault::client},
    {Code::uri_too_long, "uri_too_long", 414, false, Fault::client},
    {Code::unsupported_media_type, "unsupported_media_type", 415, false, Fault::client},
    {Code::expectation_failed, "expectation_failed", 417, false, Fault::client},
    {Code::rate_limited, "rate_limited", 429, true, Fault::client},
    {Code::concurrency_limited, "concurrency_limited", 429, true, Fault::client},
    {Code::queue_full, "queue_full", 429, true, Fault::weir},
    {Code::headers_too_large, "headers_too_large", 431, false, Fault::client},
    {Code::cancelled, "cancelled", 499, false, Fault::client},  // logs only: nobody is left to read
                                                                // it
    {Code::internal, "internal", 500, false, Fault::weir},
    {Code::not_implemented, "not_implemented", 501, false, Fault::client},
    {Code::upstream_error, "upstream_error", 502, true, Fault::upstream},
    {Code::upstream_invalid_response, "upstream_invalid_response", 502, true, Fault::upstream},
    {Code::overloaded, "overloaded", 503, true, Fault::weir},
    {Code::upstream_unavailable, "upstream_unavailable", 503, true, Fault::upstream},
    {Code::storage_unavailable, "storage_unavailable", 503, true, Fault::weir},
    {Code::upstream_timeout, "upstream_timeout", 504, true, Fault::upstream},
    {Code::invalid_config, "invalid_config", 500, false, Fault::weir},
}};

constexpr bool in_order() {
    for (std::size_t i = 0; i < kCodes.size(); ++i) {
        if (kCodes[i].code != static_cast<Code>(i)) {
            return false;
        }
    }
    return true;
}
static_assert(in_order(), "kCodes is indexed by Code");

}  // namespace

std::string_view name(Fault fault) {
    switch (fault) {
        case Fault::client:
            return "client";
        case Fault::weir:
            return "weir";
        case Fault::upstream:
            return "upstream";
    }
    std::unreachable();
}

const CodeInfo& info(Code code) { return kCodes[static_cast<std::size_t>(code)]; }

Error::Error(Code code, std::string message)
    : code_(code), words_(std::make_unique<Words>(Words{.message = std::move(message)})) {}

Error::Error(const Error& other)
    : code_(other.code_), words_(std::make_unique<Words>(*other.words_)) {}

Error& Error::operator=(const Error& other) {
    if (this != &other) {
        code_ = other.code_;
        words_ = std::make_unique<Words>(*other.words_);
    }
    return *this;
}

Error&& Error::with_detail(std::string detail) && {
    words_->detail = std::move(detail);
    return std::move(*this);
}

Error&& Error::with_parameter(std::string parameter) && {
    words_->parameter = std::move(parameter);
    return std::move(*this);
}

Error&& Error::with_retry_after(std::chrono::milliseconds delay) && {
    words_->retry_after = delay;
    return std::move(*this);
}

}  // namespace weir
