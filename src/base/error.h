// The one error type and the one table of codes. Every failure in Weir is a value of Error;
// exceptions never steer the flow (a third party's throw is caught in the file that wraps it).
// Values are plain: any thread.
//
// `message` is safe for the client: what happened and what to do. `detail` is private: it goes to
// logs only, and may name providers and addresses, but never a secret.
#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/assert.h"

namespace weir {

// Names are the wire contract (`error.code`), see DESIGN section 10.
enum class Code : std::uint8_t {
    invalid_framing,
    invalid_json,
    invalid_request,
    unknown_field,
    context_length_exceeded,
    content_filter,
    guardrail_blocked,
    invalid_api_key,
    permission_denied,
    model_not_allowed,
    not_found,
    model_not_found,
    method_not_allowed,
    request_timeout,
    conflict,
    payload_too_large,
    uri_too_long,
    unsupported_media_type,
    expectation_failed,
    rate_limited,
    concurrency_limited,
    queue_full,
    headers_too_large,
    cancelled,
    internal,
    not_implemented,
    upstream_error,
    upstream_invalid_response,
    overloaded,
    upstream_unavailable,
    storage_unavailable,
    upstream_timeout,
    invalid_config,
};
inline constexpr std::size_t kCodeCount = static_cast<std::size_t>(Code::invalid_config) + 1;

// Who has to change something.
enum class Fault : std::uint8_t { client, weir, upstream };
std::string_view name(Fault fault);

struct CodeInfo {
    Code code;
    std::string_view name;  // `error.code` on the wire, label in metrics
    int status;             // HTTP
    bool retryable;         // may the same request succeed later, unchanged?
    Fault fault;
};
const CodeInfo& info(Code code);
inline std::string_view name(Code code) { return info(code).name; }

class [[nodiscard]] Error {
public:
    Error(Code code, std::string message);
    Error(const Error& other);
    Error& operator=(const Error& other);
    Error(Error&&) noexcept = default;
    Error& operator=(Error&&) noexcept = default;
    ~Error() = default;

    Code code() const { return code_; }
    const std::string& message() const { return words_->message; }
    const std::string& detail() const { return words_->detail; }
    // The request parameter at fault, in dotted form; empty where none is.
    const std::string& parameter() const { return words_->parameter; }
    // How long to wait before trying again; rounded up to whole seconds on the wire.
    std::optional<std::chrono::milliseconds> retry_after() const { return words_->retry_after; }

    Error&& with_detail(std::string detail) &&;
    Error&& with_parameter(std::string parameter) &&;
    Error&& with_retry_after(std::chrono::milliseconds delay) &&;

private:
    struct Words {
        std::string message, detail, parameter;
        std::optional<std::chrono::milliseconds> retry_after;
    };
    Code code_;
    std::unique_ptr<Words> words_;  // apart, so that Result<T> stays two words on the good path
};

template <class T>
using Result = std::expected<T, Error>;

// return fail(Code::not_found, "No such key.");
// The error may be refined before it is returned: fail(...).with_detail(...) gives an Error, which
// converts.
class [[nodiscard]] Failure {
public:
    explicit Failure(Error error) : error_(std::move(error)) {}
    Failure&& detail(std::string text) && {
        error_ = std::move(error_).with_detail(std::move(text));
        return std::move(*this);
    }
    Failure&& parameter(std::string text) && {
        error_ = std::move(error_).with_parameter(std::move(text));
        return std::move(*this);
    }
    Failure&& retry_after(std::chrono::milliseconds delay) && {
        error_ = std::move(error_).with_retry_after(delay);
        return std::move(*this);
    }
    template <class T>
    operator Result<T>() && {
        return std::unexpected(std::move(error_));
    }
    operator std::unexpected<Error>() && { return std::unexpected(std::move(error_)); }
    Error error() && { return std::move(error_); }

private:
    Error error_;
};

inline Failure fail(Code code, std::string message) {
    return Failure(Error(code, std::move(message)));
}
inline Failure fail(Error error) { return Failure(std::move(error)); }

}  // namespace weir

// WEIR_TRY(auto row, find(id));            declares `row`, or returns the error
// WEIR_TRY(check(id));                     the same for Result<void>
#define WEIR_TRY_GLUE_(a, b) a##b
#define WEIR_TRY_NAME_(line) WEIR_TRY_GLUE_(weir_result_, line)
#define WEIR_TRY_1_(return_, result, expression)          \
    if (auto result = (expression); !result) [[unlikely]] \
    return_ std::unexpected(std::move(result).error())
#define WEIR_TRY_2_(return_, result, variable, expression)  \
    auto result = (expression);                             \
    if (!result) [[unlikely]]                               \
        return_ std::unexpected(std::move(result).error()); \
    variable = std::move(*result)
#define WEIR_TRY_PICK_(_1, _2, picked, ...) picked
#define WEIR_TRY_A_(expression) WEIR_TRY_1_(return, WEIR_TRY_NAME_(__LINE__), expression)
#define WEIR_TRY_B_(variable, expression) \
    WEIR_TRY_2_(return, WEIR_TRY_NAME_(__LINE__), variable, expression)
#define WEIR_CO_TRY_A_(expression) WEIR_TRY_1_(co_return, WEIR_TRY_NAME_(__LINE__), expression)
#define WEIR_CO_TRY_B_(variable, expression) \
    WEIR_TRY_2_(co_return, WEIR_TRY_NAME_(__LINE__), variable, expression)
#define WEIR_TRY(...) WEIR_TRY_PICK_(__VA_ARGS__, WEIR_TRY_B_, WEIR_TRY_A_)(__VA_ARGS__)
#define WEIR_CO_TRY(...) WEIR_TRY_PICK_(__VA_ARGS__, WEIR_CO_TRY_B_, WEIR_CO_TRY_A_)(__VA_ARGS__)
