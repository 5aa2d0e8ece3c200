#include "dialect/failure.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"
#include "base/timestamp.h"

namespace weir::dialect {
namespace {

using std::chrono::milliseconds;

// Nobody waits longer: a wrong header must not take a provider away for good.
constexpr std::int64_t kWaitMsMax = 86'400'000;

milliseconds bounded_wait(double ms) {
    return milliseconds{
        static_cast<std::int64_t>(std::clamp(ms, 0.0, static_cast<double>(kWaitMsMax)))};
}

// "1.5", "6m0s", "120ms", "1h2m3.5s".
std::optional<milliseconds> read_duration(std::string_view text) {
    double total = 0;
    if (text.empty()) {
        return std::nullopt;
    }
    while (!text.empty()) {
        double value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc{} || value < 0) {
            return std::nullopt;
        }
        text.remove_prefix(static_cast<std::size_t>(end - text.data()));
        double unit = 1000;
        if (text.starts_with("ms")) {
            unit = 1;
            text.remove_prefix(2);
        } else if (text.starts_with("s")) {
            text.remove_prefix(1);
        } else if (text.starts_with("m")) {
            unit = 60'000;
            text.remove_prefix(1);
        } else if (text.starts_with("h")) {
            unit = 3'600'000;
            text.remove_prefix(1);
        } else if (!text.empty()) {
            return std::nullopt;
        }
        total += value * unit;
    }
    return bounded_wait(total);
}

// A point in time as seconds of Unix time. Smaller figures are durations.
constexpr double kEpochSecondsMin = 1'000'000'000;

std::optional<milliseconds> read_wait(std::string_view text, WallTime now) {
    for (const auto time : {parse_http_date(text), parse_rfc3339(text)}) {
        if (time) {
            return bounded_wait(static_cast<double>((*time - now).count()) / 1000);
        }
    }
    const auto duration = read_duration(text);
    if (!duration) {
        return std::nullopt;
    }
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_plain = error == std::errc{} && end == text.data() + text.size();
    if (is_plain && number >= kEpochSecondsMin) {
        const double seconds = number >= kEpochSecondsMin * 1000 ? number / 1000 : number;
        return bounded_wait(seconds * 1000 - static_cast<double>(micros(now)) / 1000);
    }
    return duration;
}

Code code_of(Verdict::Cause cause) {
    switch (cause) {
        case Verdict::Cause::request:
            return Code::invalid_request;
        case Verdict::Cause::context_length:
            return Code::context_length_exceeded;
        case Verdict::Cause::content_filter:
            return Code::content_filter;
        case Verdict::Cause::credential:
        case Verdict::Cause::target:
        case Verdict::Cause::failure:
            return Code::upstream_error;
        case Verdict::Cause::rate:
            return Code::rate_limited;
        case Verdict::Cause::timeout:
            return Code::upstream_timeout;
    }
    std::unreachable();
}

// Its own words reach the client only where the client's request was at fault.
std::string message_of(const Verdict& verdict) {
    switch (verdict.cause) {
        case Verdict::Cause::request:
        case Verdict::Cause::context_length:
        case Verdict::Cause::content_filter:
            return verdict.message.empty() ? "The model provider refused the request as malformed."
                                           : bounded(verdict.message);
        case Verdict::Cause::credential:
        case Verdict::Cause::target:
            return "The model provider refused the gateway; tell its operator.";
        case Verdict::Cause::rate:
            return "The model provider is limiting requests; try again later.";
        case Verdict::Cause::timeout:
            return "The model provider did not answer in time; try again.";
        case Verdict::Cause::failure:
            return "The model provider failed; try again.";
    }
    std::unreachable();
}

}  // namespace

Failure unusable_answer(std::string why) {
    return fail(Code::upstream_invalid_response,
                "The model provider gave an answer that cannot be used; try again.")
        .detail(std::move(why));
}

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

Verdict::Cause cause_of_status(int status) {
    switch (status) {
        case 400:
        case 413:
        case 422:
            return Verdict::Cause::request;
        case 401:
        case 402:
        case 403:
            return Verdict::Cause::credential;
        case 404:
            return Verdict::Cause::target;
        case 408:
        case 504:
            return Verdict::Cause::timeout;
        case 429:
            return Verdict::Cause::rate;
        default:
            return Verdict::Cause::failure;
    }
}

Error make_error(int status,
                 Verdict verdict,
                 std::optional<std::chrono::milliseconds> retry_after) {
    Failure failure = fail(code_of(verdict.cause), message_of(verdict))
                          .detail(fmt::format(
                              "status {}: {} {}", status, verdict.code, bounded(verdict.message)));
    const bool is_request = info(code_of(verdict.cause)).fault == Fault::client &&
                            verdict.cause != Verdict::Cause::rate;
    if (is_request && !verdict.parameter.empty()) {
        failure = std::move(failure).parameter(bounded(std::move(verdict.parameter)));
    }
    if (retry_after) {
        failure = std::move(failure).retry_after(*retry_after);
    }
    return std::move(failure).error();
}

std::optional<milliseconds> read_retry_after(const RetryHeaders& headers, WallTime now) {
    if (const auto ms = parse_decimal(headers.retry_after_ms)) {
        return milliseconds{
            static_cast<std::int64_t>(std::min<std::uint64_t>(*ms, std::uint64_t{kWaitMsMax}))};
    }
    if (const auto wait = read_wait(headers.retry_after, now)) {
        return wait;
    }
    return read_wait(headers.reset, now);
}

}  // namespace weir::dialect
