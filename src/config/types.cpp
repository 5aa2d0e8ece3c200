#include "config/types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/text.h"

namespace weir::config {
namespace detail {

void report_unexpected(const Position& at, std::string_view expected, Reporter& reporter) {
    std::string found;
    switch (at.node.kind) {
        case Node::Kind::null:
            found = "nothing";
            break;
        case Node::Kind::scalar:
            found = fmt::format("'{}'", cut_utf8(at.node.text, 80));
            break;
        case Node::Kind::list:
            found = "a list";
            break;
        case Node::Kind::map:
            found = "a map";
            break;
    }
    reporter.report(at.node.place, at.path, fmt::format("expected {}, found {}", expected, found));
}

void report_unknown_key(const Node::Entry& entry,
                        const std::string& path,
                        const std::vector<std::string_view>& known,
                        Reporter& reporter) {
    const std::string_view near = nearest(entry.key, known);
    std::string message = "unknown key";
    if (!near.empty()) {
        message += fmt::format("; did you mean '{}'?", near);
    } else {
        message += "; known here:";
        for (std::size_t i = 0; i < known.size(); ++i) {
            message += (i == 0 ? " " : ", ") + std::string(known[i]);
        }
    }
    reporter.report(entry.place, join_path(path, entry.key), std::move(message));
}

std::string quote_json(std::string_view text) {
    std::string quoted = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            quoted += '\\';
        }
        quoted += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
    return quoted + '"';
}

std::string join_path(std::string_view path, std::string_view key) {
    return path.empty() ? std::string(key) : fmt::format("{}.{}", path, key);
}

}  // namespace detail

namespace {
// Files, names and credentials have none; in a header of ours one would begin another line.
bool has_control(std::string_view text) {
    return std::any_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}
}  // namespace

Type<std::string> text() {
    return {[](const Position& at, std::string& into, Reporter& reporter) {
                if (at.node.kind != Node::Kind::scalar || at.node.text.empty() ||
                    has_control(at.node.text)) {
                    detail::report_unexpected(at, "text without control characters", reporter);
                    return false;
                }
                into = at.node.text;
                return true;
            },
            R"({"type":"string"})"};
}

Type<Secret> secret() {
    return {[](const Position& at, Secret& into, Reporter& reporter) {
                if (at.node.kind != Node::Kind::scalar || at.node.text.empty()) {
                    reporter.report(at.node.place, at.path, "expected a secret, such as ${NAME}");
                    return false;
                }
                if (has_control(at.node.text)) {
                    reporter.report(
                        at.node.place, at.path, "a secret must be a single line of plain text");
                    return false;
                }
                into = Secret(at.node.text);
                return true;
            },
            R"({"type":"string","writeOnly":true})"};
}

Type<bool> boolean() {
    return {[](const Position& at, bool& into, Reporter& reporter) {
                if (at.node.kind == Node::Kind::scalar &&
                    (at.node.text == "true" || at.node.text == "false")) {
                    into = at.node.text == "true";
                    return true;
                }
                detail::report_unexpected(at, "true or false", reporter);
                return false;
            },
            R"({"type":"boolean"})"};
}

Type<std::int64_t> integer(std::int64_t least, std::int64_t most) {
    const std::string expected = fmt::format("a whole number from {} to {}", least, most);
    return {[least, most, expected](const Position& at, std::int64_t& into, Reporter& reporter) {
                std::int64_t value = 0;
                const std::string& digits = at.node.text;
                const auto [end, error] =
                    std::from_chars(digits.data(), digits.data() + digits.size(), value);
                if (at.node.kind != Node::Kind::scalar || error != std::errc{} ||
                    end != digits.data() + digits.size() || value < least || value > most) {
                    detail::report_unexpected(at, expected, reporter);
                    return false;
                }
                into = value;
                return true;
            },
            fmt::format(R"({{"type":"integer","minimum":{},"maximum":{}}})", least, most)};
}

Type<std::chrono::milliseconds> duration(std::chrono::milliseconds least,
                                         std::chrono::milliseconds most) {
    Type<std::chrono::milliseconds> any = detail::from_parser(
        &parse_duration, R"({"type":"string","pattern":"^[0-9]+(ms|s|m|h|d)$"})");
    return {[read = any.read, least, most](
                const Position& at, std::chrono::milliseconds& into, Reporter& reporter) {
                std::chrono::milliseconds value{};
                if (!read(at, value, reporter)) {
                    return false;
                }
                if (value < least || value > most) {
                    detail::report_unexpected(
                        at,
                        fmt::format("a duration from {}ms to {}ms", least.count(), most.count()),
                        reporter);
                    return false;
                }
                into = value;
                return true;
            },
            any.schema};
}

Type<Rate> rate() {
    return detail::from_parser(&parse_rate,
                               R"({"type":"string","pattern":"^[0-9]+/(s|min|h|d)$"})");
}
Type<double> percent() {
    return detail::from_parser(&parse_percent, R"({"type":"string","pattern":"^[0-9]+%$"})");
}
Type<std::uint64_t> size() {
    return detail::from_parser(
        &parse_size, R"({"type":["string","integer"],"pattern":"^[0-9]+(B|[KMG]i?B)?$"})");
}
Type<Money> money() {
    return detail::from_parser(&parse_money,
                               R"({"type":"string","pattern":"^[0-9]+(\\.[0-9]{1,9})? USD$"})");
}

}  // namespace weir::config
