#include "simulate/failure.h"

#include <fmt/format.h>

#include <charconv>

#include "base/text.h"

namespace weir::simulate {
namespace {

std::string_view next_part(std::string_view& text, char separator) {
    const std::size_t end = text.find(separator);
    const std::string_view part = text.substr(0, end);
    text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    return trim(part);
}

weir::Failure refuse(std::string_view part) {
    return fail(
        Code::invalid_request,
        fmt::format("'{}' is no failure: use status=N, after=N, stall=10s, cut, reset, empty, "
                    "error-in-stream or refusal.",
                    part));
}

Result<std::chrono::milliseconds> parse_stall(std::string_view text) {
    const bool in_ms = text.ends_with("ms");
    const auto digits = text.substr(0, text.size() - (in_ms ? 2 : 1));
    const auto value = parse_decimal(digits);
    if (!value || (!in_ms && !text.ends_with('s')) || *value > 3'600'000) {
        return refuse(text);
    }
    const auto count = static_cast<std::int64_t>(*value);
    return std::chrono::milliseconds{in_ms ? count : count * 1000};
}

Result<void> set_part(Failure& failure, std::string_view part) {
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    const std::string_view value = equals == std::string_view::npos ? "" : part.substr(equals + 1);
    if (key == "status") {
        const auto status = parse_decimal(value);
        if (!status || *status < 200 || *status > 599) {
            return refuse(part);
        }
        failure.status = static_cast<int>(*status);
    } else if (key == "after") {
        const auto tokens = parse_decimal(value);
        if (!tokens) {
            return refuse(part);
        }
        failure.after_tokens = *tokens;
    } else if (key == "stall") {
        WEIR_TRY(failure.stall, parse_stall(value));
    } else if (part == "cut") {
        failure.cut = true;
    } else if (part == "reset") {
        failure.reset = true;
    } else if (part == "empty") {
        failure.empty = true;
    } else if (part == "error-in-stream") {
        failure.error_in_stream = true;
    } else if (part == "refusal") {
        failure.refuses = true;
    } else {
        return refuse(part);
    }
    return {};
}

}  // namespace

Result<Failure> parse_failure(std::string_view text) {
    Failure failure;
    while (!text.empty()) {
        WEIR_TRY(set_part(failure, next_part(text, ';')));
    }
    return failure;
}

Result<std::vector<FailureRate>> parse_failure_rates(std::string_view text) {
    std::vector<FailureRate> rates;
    while (!text.empty()) {
        const std::string_view part = next_part(text, ',');
        const std::size_t equals = part.find('=');
        if (equals == std::string_view::npos) {
            return refuse(part);
        }
        const std::string_view what = part.substr(0, equals);
        const std::string_view share = part.substr(equals + 1);
        FailureRate rate;
        const bool is_status = parse_decimal(what).has_value();
        WEIR_TRY(
            set_part(rate.failure, is_status ? fmt::format("status={}", what) : std::string(what)));
        const auto [end, error] =
            std::from_chars(share.data(), share.data() + share.size(), rate.share);
        if (error != std::errc{} || end != share.data() + share.size() || !(rate.share >= 0) ||
            rate.share > 1) {
            return refuse(part);
        }
        rates.push_back(rate);
    }
    return rates;
}

}  // namespace weir::simulate
