#include "dialect/openai_chat/error.h"

#include "dialect/failure.h"
#include "dialect/json/scanner.h"
#include "dialect/json/value.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Kind;
using json::Span;

std::string_view type_of(Code code) {
    switch (code) {
        case Code::rate_limited:
        case Code::concurrency_limited:
        case Code::queue_full:
            return "rate_limit_exceeded";
        case Code::guardrail_blocked:
            return "guardrail";
        default:
            return info(code).status >= 500 ? "server_error" : "invalid_request_error";
    }
}

// The shapes of API-MAPPING 6.1: {"error":{…}}, {"error":"text"}, {"message":…}, {"detail":…}.
struct Words {
    enum Scope : int { kBody = json::kRoot + 1, kError };
    std::string_view text;
    std::string message, code, parameter;

    int open(int scope, std::string_view key, Kind kind) {
        if (scope == json::kRoot) {
            return kBody;
        }
        return scope == kBody && key == "error" && kind == Kind::object ? int{kError}
                                                                        : json::kIgnored;
    }
    void close(int, Span) {}
    void scalar(int scope, std::string_view key, Kind kind, Span span) {
        if (kind != Kind::string || (scope != kBody && scope != kError)) {
            return;
        }
        const bool says =
            key == "message" || (scope == kBody && (key == "error" || key == "detail"));
        std::string* const into = says             ? &message
                                  : key == "code"  ? &code
                                  : key == "param" ? &parameter
                                                   : nullptr;
        if (into != nullptr) {
            *into = json::read_string(span.in(text));
        }
    }
};

}  // namespace

std::string encode_error(const Error& error) {
    std::string body = "{\"error\":{\"message\":\"";
    json::append_escaped(body, error.message());
    body += "\",\"type\":\"";
    body += type_of(error.code());
    body += "\",\"param\":";
    if (error.parameter().empty()) {
        body += "null";
    } else {
        body += '"';
        json::append_escaped(body, error.parameter());
        body += '"';
    }
    body += ",\"code\":\"";
    body += name(error.code());
    body += "\"}}";
    return body;
}

Error decode_error(const Refusal& refusal) {
    Words words{.text = refusal.body};
    json::Scratch scratch;
    // A body that is no JSON (a proxy's HTML page) has no words for us; its status says enough.
    if (!json::scan(refusal.body, json::Duplicates::allowed, scratch, words)) {
        words = {};
    }
    Verdict verdict{.cause = cause_of_status(refusal.status),
                    .code = std::move(words.code),
                    .message = std::move(words.message),
                    .parameter = std::move(words.parameter)};
    if (verdict.cause == Verdict::Cause::request) {
        if (verdict.code == "context_length_exceeded") {
            verdict.cause = Verdict::Cause::context_length;
        } else if (verdict.code == "content_filter") {
            verdict.cause = Verdict::Cause::content_filter;
        }
    } else if (verdict.cause == Verdict::Cause::rate && verdict.code == "insufficient_quota") {
        verdict.cause = Verdict::Cause::credential;
    }
    return make_error(refusal.status, std::move(verdict), refusal.retry_after);
}

}  // namespace weir::dialect::openai_chat
