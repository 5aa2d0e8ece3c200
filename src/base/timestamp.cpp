#include "base/timestamp.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "base/text.h"

namespace weir {
namespace {

// Takes `digits` digits off the front.
std::optional<int> take(std::string_view& text, std::size_t digits) {
    if (text.size() < digits) {
        return std::nullopt;
    }
    const auto value = parse_decimal(text.substr(0, digits));
    if (!value) {
        return std::nullopt;
    }
    text.remove_prefix(digits);
    return static_cast<int>(*value);
}

bool skip(std::string_view& text, char c, char or_else) {
    if (text.empty() || (text.front() != c && text.front() != or_else)) {
        return false;
    }
    text.remove_prefix(1);
    return true;
}

// Takes ".123" off the front, in microseconds; 0 where there is none.
std::optional<int> take_fraction(std::string_view& text) {
    if (!text.starts_with('.')) {
        return 0;
    }
    text.remove_prefix(1);
    int value = 0;
    std::size_t digits = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++digits) {
        if (digits < 6) {
            value = value * 10 + (text.front() - '0');
        }
        text.remove_prefix(1);
    }
    if (digits == 0 || digits > 9) {
        return std::nullopt;
    }
    for (std::size_t i = digits; i < 6; ++i) {
        value *= 10;
    }
    return value;
}

// Takes "Z" or "+01:00".
std::optional<std::chrono::minutes> take_offset(std::string_view& text) {
    if (skip(text, 'Z', 'z')) {
        return std::chrono::minutes{0};
    }
    const int sign = text.starts_with('-') ? -1 : 1;
    if (!skip(text, '+', '-')) {
        return std::nullopt;
    }
    const auto hours = take(text, 2);
    const bool separated = skip(text, ':', ':');
    const auto minutes = take(text, 2);
    if (!hours || !separated || !minutes || *hours > 23 || *minutes > 59) {
        return std::nullopt;
    }
    return std::chrono::minutes{sign * (*hours * 60 + *minutes)};
}

}  // namespace

std::string to_rfc3339(WallTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z",
                       static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()),
                       clock.hours().count(),
                       clock.minutes().count(),
                       clock.seconds().count(),
                       clock.subseconds().count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    const auto year = take(text, 4);
    const bool dash = skip(text, '-', '-');
    const auto month = take(text, 2);
    const bool second_dash = skip(text, '-', '-');
    const auto day = take(text, 2);
    const bool t = skip(text, 'T', 't');
    const auto hour = take(text, 2);
    const bool colon = skip(text, ':', ':');
    const auto minute = take(text, 2);
    const bool second_colon = skip(text, ':', ':');
    const auto second = take(text, 2);
    if (!year || !dash || !month || !second_dash || !day || !t || !hour || !colon || !minute ||
        !second_colon || !second) {
        return std::nullopt;
    }
    const auto fraction = take_fraction(text);
    const auto offset = take_offset(text);
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!fraction || !offset || !text.empty() || !date.ok() || *hour > 23 || *minute > 59 ||
        *second > 60) {
        return std::nullopt;
    }
    return WallTime{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{*hour} +
                    std::chrono::minutes{*minute} + std::chrono::seconds{*second} - *offset +
                    std::chrono::microseconds{*fraction}};
}

std::optional<WallTime> parse_http_date(std::string_view text) {
    constexpr std::array<std::string_view, 12> kMonths = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    constexpr std::size_t kSize = 29;
    if (text.size() != kSize || text.substr(3, 2) != ", " || !text.ends_with(" GMT")) {
        return std::nullopt;
    }
    text.remove_prefix(5);
    const auto day = take(text, 2);
    const bool space = skip(text, ' ', ' ');
    const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(0, 3));
    text.remove_prefix(3);
    const bool second_space = skip(text, ' ', ' ');
    const auto year = take(text, 4);
    const bool third_space = skip(text, ' ', ' ');
    const auto hour = take(text, 2);
    const bool colon = skip(text, ':', ':');
    const auto minute = take(text, 2);
    const bool second_colon = skip(text, ':', ':');
    const auto second = take(text, 2);
    if (!day || !space || month == kMonths.end() || !second_space || !year || !third_space ||
        !hour || !colon || !minute || !second_colon || !second) {
        return std::nullopt;
    }
    const std::chrono::year_month_day date{
        std::chrono::year{*year},
        std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
        std::chrono::day{static_cast<unsigned>(*day)}};
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) {
        return std::nullopt;
    }
    return WallTime{std::chrono::sys_days{date}.time_since_epoch() + std::chrono::hours{*hour} +
                    std::chrono::minutes{*minute} + std::chrono::seconds{*second}};
}

}  // namespace weir
