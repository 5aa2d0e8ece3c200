// The process log: events, not sentences, as JSON lines. Everything that looks like a credential is
// struck out here, in the sink, so that no call site can forget to. Any thread; a line is one
// write.
//
//   log.warn("provider.attempt_failed", {{"provider", name}, {"attempt", 2}});
#pragma once

#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <string>
#include <string_view>

namespace weir::obs {

enum class Level : std::uint8_t { debug, info, warn, error };

class LogValue {
public:
    LogValue(std::string_view text) : text_(text) {}
    LogValue(const char* text) : text_(text) {}
    LogValue(const std::string& text) : text_(text) {}
    LogValue(std::int64_t number) : number_(number), is_number_(true) {}
    LogValue(int number) : number_(number), is_number_(true) {}
    LogValue(std::size_t number) : number_(static_cast<std::int64_t>(number)), is_number_(true) {}

private:
    friend class Log;
    std::string_view text_;
    std::int64_t number_ = 0;
    bool is_number_ = false;
};

struct LogField {
    std::string_view key;
    LogValue value;
};

class Log {
public:
    // Does not own `fd`.
    explicit Log(int fd, Level least = Level::info) : fd_(fd), least_(least) {}
    void debug(std::string_view event, std::initializer_list<LogField> fields = {}) {
        say(Level::debug, event, fields);
    }
    void info(std::string_view event, std::initializer_list<LogField> fields = {}) {
        say(Level::info, event, fields);
    }
    void warn(std::string_view event, std::initializer_list<LogField> fields = {}) {
        say(Level::warn, event, fields);
    }
    void error(std::string_view event, std::initializer_list<LogField> fields = {}) {
        say(Level::error, event, fields);
    }

private:
    void say(Level level, std::string_view event, std::initializer_list<LogField> fields);
    int fd_;
    Level least_;
    std::mutex lock_;
};

// `text` with everything that looks like a key or bearer token replaced by "***".
std::string redact(std::string_view text);

}  // namespace weir::obs
