#include "dialect/openai_chat/error.h"

#include <fmt/format.h>

#include "base/text.h"
#include "dialect/json/scanner.h"
#include "dialect/json/value.h"

namespace weir::dialect::openai_chat {
namespace {

using json::Kind;
using json::Span;

constexpr std::size_t kWordsMax = 512;

std::string_view type_of(Code code) {
    switch (code) {
        case Code::rate_limited:
        case Code::concurrency_limited:
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

std::string bounded(std::string text) {
    if (text.size() > kWordsMax) {
        std::size_t end = kWordsMax;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) {
            --end;
        }
        text.resize(end);
    }
    return text;
}

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

Error decode_error(int status,
                   std::string_view body,
                   std::optional<std::chrono::milliseconds> retry_after) {
    Words words{.text = body};
    json::Scratch scratch;
    // A body that is no JSON (a proxy's HTML page) has no words for us; its status says enough.
    if (!json::scan(body, json::Duplicates::allowed, scratch, words)) {
        words = {};
    }
    std::string private_words =
        fmt::format("status {}: {} {}", status, words.code, bounded(words.message));
    const auto say = [&](Code code, std::string message) {
        Failure failure = fail(code, std::move(message)).detail(std::move(private_words));
        if (retry_after) {
            failure = std::move(failure).retry_after(*retry_after);
        }
        return std::move(failure).error();
    };
    switch (status) {
        case 400:
        case 413:
        case 422: {
            const Code code = words.code == "context_length_exceeded"
                                  ? Code::context_length_exceeded
                              : words.code == "content_filter" ? Code::content_filter
                                                               : Code::invalid_request;
            Error error =
                say(code,
                    words.message.empty() ? "The model provider refused the request as malformed."
                                          : bounded(words.message));
            return words.parameter.empty()
                       ? error
                       : std::move(error).with_parameter(bounded(words.parameter));
        }
        // Weir's credential at the provider, or its configuration: not the client's fault, nor its
        // business.
        case 401:
        case 402:
        case 403:
        case 404:
            return say(Code::upstream_error,
                       "The model provider refused the gateway; tell its operator.");
        case 408:
        case 504:
            return say(Code::upstream_timeout,
                       "The model provider did not answer in time; try again.");
        case 429:
            if (words.code == "insufficient_quota") {
                return say(Code::upstream_error,
                           "The model provider refused the gateway; tell its operator.");
            }
            return say(Code::rate_limited,
                       "The model provider is limiting requests; try again later.");
        default:
            return say(Code::upstream_error, "The model provider failed; try again.");
    }
}

Failure unusable_answer(std::string why) {
    return fail(Code::upstream_invalid_response,
                "The model provider gave an answer that cannot be used; try again.")
        .detail(std::move(why));
}

std::optional<std::chrono::milliseconds> read_retry_after(std::string_view retry_after,
                                                          std::string_view retry_after_ms) {
    constexpr std::uint64_t kDayMs = 86'400'000;
    if (const auto ms = parse_decimal(retry_after_ms)) {
        return std::chrono::milliseconds{static_cast<std::int64_t>(std::min(*ms, kDayMs))};
    }
    if (const auto seconds = parse_decimal(retry_after)) {
        return std::chrono::milliseconds{
            static_cast<std::int64_t>(std::min(*seconds, kDayMs / 1000) * 1000)};
    }
    return std::nullopt;
}

}  // namespace weir::dialect::openai_chat
