#include <fmt/format.h>

#include <cstdio>

#include "cli/answer.h"
#include "cli/commands.h"

namespace weir::cli {

int reload(const Server& server) {
    // A refusal is an answer here: its errors are what the caller wants to read.
    const auto outcome = fetch(server, "POST", "/api/v1/reload", {}, 400);
    if (!outcome) {
        return 1;
    }
    const bool is_in_force = outcome->value("result", "") == "in_force";
    if (server.json) {
        fmt::print("{}\n", outcome->dump());
        return is_in_force ? 0 : 1;
    }
    if (!is_in_force) {
        fmt::print(stderr, "The configuration is refused, the old one stays in force:\n");
        for (const Json& error : outcome->at("errors")) {
            fmt::print(stderr, "{}\n", show(error));
        }
        return 1;
    }
    fmt::print("The configuration is in force.\n");
    for (const Json& key : outcome->at("needs_restart")) {
        fmt::print("{} changed: that needs a restart.\n", show(key));
    }
    return 0;
}

}  // namespace weir::cli
