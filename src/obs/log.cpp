#include "obs/log.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <chrono>

#include "base/text.h"

namespace weir::obs {
namespace {

std::string_view name(Level level) {
    switch (level) {
        case Level::debug:
            return "debug";
        case Level::info:
            return "info";
        case Level::warn:
            return "warn";
        case Level::error:
            return "error";
    }
    std::unreachable();
}

bool is_credential_name(std::string_view key) {
    for (const std::string_view word :
         {"authorization", "api_key", "api-key", "token", "secret", "password", "cookie"}) {
        for (std::size_t at = 0; at + word.size() <= key.size(); ++at) {
            if (starts_with_ignoring_case(key.substr(at), word)) {
                return true;
            }
        }
    }
    return false;
}

bool is_key_byte(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
}

}  // namespace

std::string redact(std::string_view text) {
    constexpr std::size_t kShortestKey = 16;  // "sk-learn" is a word, not a key
    std::string clean;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t begin = std::string_view::npos;
        const std::string_view rest = text.substr(at);
        for (const std::string_view mark : {"sk-", "Bearer ", "bearer ", "gsk_", "AIza", "xai-"}) {
            if (rest.starts_with(mark) && (at == 0 || !is_key_byte(text[at - 1]))) {
                begin = mark.ends_with(' ') ? mark.size() : 0;
            }
        }
        std::size_t end = begin == std::string_view::npos ? 0 : begin;
        while (begin != std::string_view::npos && end < rest.size() && is_key_byte(rest[end])) {
            ++end;
        }
        if (begin == std::string_view::npos || (begin == 0 && end < kShortestKey)) {
            clean += text[at++];
            continue;
        }
        clean += rest.substr(0, begin);
        // Our own keys keep their visible prefix: it names the key without being one.
        clean += rest.starts_with("sk-weir-") ? rest.substr(0, 12) : std::string_view{};
        clean += "***";
        at += end;
    }
    return clean;
}

void Log::say(Level level, std::string_view event, std::initializer_list<LogField> fields) {
    if (level < least_) {
        return;
    }
    const auto now =
        std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
    std::string line =
        fmt::format("{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}.{:03}Z\",\"level\":\"{}\",\"event\":\"{}\"",
                    fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                    now.time_since_epoch().count() % 1000,
                    name(level),
                    event);
    for (const auto& [key, value] : fields) {
        line += fmt::format(",\"{}\":", key);
        if (value.is_number_) {
            line += fmt::format("{}", value.number_);
        } else {
            line += '"';
            append_json_text(line, is_credential_name(key) ? "***" : redact(value.text_));
            line += '"';
        }
    }
    line += "}\n";
    const std::lock_guard guard(lock_);
    [[maybe_unused]] const auto written = ::write(fd_, line.data(), line.size());
}

}  // namespace weir::obs
