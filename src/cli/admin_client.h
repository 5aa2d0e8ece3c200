// The admin API as its commands see it: one request, one answer, over HTTP like any client's.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::cli {

struct Server {
    std::string url;      // "http://127.0.0.1:8080"
    std::string ca_file;  // empty: the system's authorities
    Secret admin_key;
    bool json = false;  // print what the API says, as it says it
};

struct Answer {
    int status = 0;
    std::string body;
};

// Blocks. Errors: invalid_config (no such URL, no admin key), upstream_unavailable and its kin.
Result<Answer> ask(const Server& server,
                   std::string_view method,
                   const std::string& path,
                   const std::string& body);

}  // namespace weir::cli
