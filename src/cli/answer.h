// What the commands do with an answer of the admin API.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "cli/admin_client.h"

namespace weir::cli {

using Json = nlohmann::ordered_json;

// The answer's JSON; nullopt after saying on stderr what went wrong. An answer of the status
// `expected` without an error in it is an answer like any other.
std::optional<Json> fetch(const Server& server,
                          std::string_view method,
                          const std::string& path,
                          const std::string& body = {},
                          int expected = 200);

// "-" for null, the text of strings, JSON for the rest.
std::string show(const Json& value);

std::string percent_encode(std::string_view text);

}  // namespace weir::cli
