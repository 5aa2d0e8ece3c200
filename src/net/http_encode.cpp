#include "net/http_encode.h"

#include <fmt/format.h>

#include <ctime>

#include "base/assert.h"
#include "base/byte_blocks.h"

namespace weir::net {

std::string_view reason_phrase(int status) {
    switch (status) {
        case 100:
            return "Continue";
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        default:
            return "Status";
    }
}

void append_decimal(std::string& into, std::uint64_t value) {
    const fmt::format_int text(value);
    into.append(text.data(), text.size());
}

void append_status_line(std::string& into, int status) {
    into += "HTTP/1.1 ";
    append_decimal(into, static_cast<std::uint64_t>(status));
    into += ' ';
    into += reason_phrase(status);
    into += "\r\n";
}

void append_field(std::string& into, std::string_view name, std::string_view value) {
    // A line break in a value would let its author write the rest of the answer.
    static constexpr AsciiSet kBreaks("\r\n");
    WEIR_ASSERT(find_in(value, kBreaks) == value.size());
    // All of it in one step: a head is made of many of these.
    const std::size_t before = into.size();
    const std::size_t after = before + name.size() + value.size() + 4;
    // Not the size it is given: libstdc++ 12 says the capacity there when the text has moved.
    into.resize_and_overwrite(after, [&](char* text, std::size_t) {
        char* at = std::copy(name.begin(), name.end(), text + before);
        *at++ = ':';
        *at++ = ' ';
        at = std::copy(value.begin(), value.end(), at);
        *at++ = '\r';
        *at++ = '\n';
        return after;
    });
}

void append_field(std::string& into, std::string_view name, std::uint64_t value) {
    into += name;
    into += ": ";
    append_decimal(into, value);
    into += "\r\n";
}

void append_date(std::string& into, WallTime now) {
    struct Cached {
        std::int64_t second;
        char text[48];
        std::size_t size;
    };
    constinit static thread_local Cached cached{-1, {}, 0};
    const std::int64_t second = micros(now) / 1'000'000;
    if (cached.second != second) {
        const std::time_t time = second;
        std::tm utc{};
        ::gmtime_r(&time, &utc);
        cached.size = std::strftime(
            cached.text, sizeof cached.text, "date: %a, %d %b %Y %H:%M:%S GMT\r\n", &utc);
        cached.second = second;
    }
    into.append(cached.text, cached.size);
}

}  // namespace weir::net
