#include <fmt/format.h>

#include "cli/answer.h"
#include "cli/commands.h"

namespace weir::cli {

int create_key(const Server& server, const NewKey& key) {
    Json request = Json::object();
    if (!key.name.empty()) {
        request["name"] = key.name;
    }
    request["allowed_models"] = key.allowed_models;
    request["allowed_providers"] = key.allowed_providers;
    request["tags"] = key.tags;
    if (key.requests_per_minute) {
        request["requests_per_minute"] = *key.requests_per_minute;
    }
    if (key.concurrency_max) {
        request["concurrency_max"] = *key.concurrency_max;
    }
    if (!key.expires_at.empty()) {
        request["expires_at"] = key.expires_at;
    }
    const auto made = fetch(server, "POST", "/api/v1/keys", request.dump());
    if (!made) {
        return 1;
    }
    if (server.json) {
        fmt::print("{}\n", made->dump());
    } else {
        fmt::print(
            "id   {}\nkey  {}   (shown this once)\n", show(made->at("id")), show(made->at("key")));
    }
    return 0;
}

int list_keys(const Server& server) {
    std::string after;
    for (;;) {
        const auto page = fetch(server, "GET", "/api/v1/keys?limit=1000" + after);
        if (!page) {
            return 1;
        }
        if (after.empty() && !server.json) {
            fmt::print(
                "{:36}  {:12}  {:20}  {:27}  {}\n", "ID", "PREFIX", "NAME", "CREATED", "STATE");
        }
        for (const Json& key : page->at("data")) {
            if (server.json) {
                fmt::print("{}\n", key.dump());
                continue;
            }
            const std::string state = !key.at("revoked_at").is_null() ? "revoked"
                                      : key.at("expires_at").is_null()
                                          ? "valid"
                                          : "valid until " + show(key.at("expires_at"));
            fmt::print("{:36}  {:12}  {:20}  {:27}  {}\n",
                       show(key.at("id")),
                       show(key.at("prefix")),
                       show(key.at("name")),
                       show(key.at("created_at")),
                       state);
        }
        if (page->at("next").is_null()) {
            return 0;
        }
        after = "&after=" + show(page->at("next"));
    }
}

int revoke_key(const Server& server, const std::string& id) {
    const auto revoked = fetch(server, "DELETE", "/api/v1/keys/" + percent_encode(id));
    if (!revoked) {
        return 1;
    }
    if (server.json) {
        fmt::print("{}\n", revoked->dump());
    } else {
        fmt::print("revoked {} ({})\n", show(revoked->at("id")), show(revoked->at("prefix")));
    }
    return 0;
}

}  // namespace weir::cli
