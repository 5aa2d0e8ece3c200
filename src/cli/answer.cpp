#include "cli/answer.h"

#include <fmt/format.h>

#include <cstdio>

namespace weir::cli {

std::optional<Json> fetch(const Server& server,
                          std::string_view method,
                          const std::string& path,
                          const std::string& body,
                          int expected) {
    const auto answer = ask(server, method, path, body);
    if (!answer) {
        fmt::print(stderr, "weir: {}\n", answer.error().message());
        return std::nullopt;
    }
    Json json = Json::parse(answer->body, nullptr, false);
    if (json.is_discarded()) {
        fmt::print(stderr, "weir: {} does not answer like a gateway\n", server.url);
        return std::nullopt;
    }
    const bool is_expected = answer->status == expected && !json.contains("error");
    if (answer->status >= 400 && !is_expected) {
        const Json message = json.value("error", Json::object()).value("message", Json(nullptr));
        fmt::print(stderr, "weir: {} ({})\n", show(message), answer->status);
        return std::nullopt;
    }
    return json;
}

std::string show(const Json& value) {
    if (value.is_null()) {
        return "-";
    }
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string percent_encode(std::string_view text) {
    std::string encoded;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '~';
        if (plain) {
            encoded += c;
        } else {
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return encoded;
}

}  // namespace weir::cli
