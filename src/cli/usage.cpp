#include <fmt/format.h>

#include "cli/answer.h"
#include "cli/commands.h"

namespace weir::cli {
namespace {

int show_call(const Server& server, const std::string& request_id) {
    const auto call = fetch(server, "GET", "/api/v1/usage/" + percent_encode(request_id));
    if (!call) {
        return 1;
    }
    if (server.json) {
        fmt::print("{}\n", call->dump());
        return 0;
    }
    for (const auto& [key, value] : call->items()) {
        if (key != "attempts") {
            fmt::print("{:20} {}\n", key, show(value));
        }
    }
    for (const Json& attempt : call->at("attempts")) {
        fmt::print("attempt              {} {} {} {} us\n",
                   show(attempt.at("provider")),
                   show(attempt.at("model")),
                   show(attempt.at("code")),
                   show(attempt.at("duration_us")));
    }
    return 0;
}

}  // namespace

int show_usage(const Server& server, const UsageQuery& query) {
    if (!query.request_id.empty()) {
        return show_call(server, query.request_id);
    }
    std::string path = fmt::format("/api/v1/usage?limit={}", query.limit);
    const auto filter = [&path](std::string_view name, const std::string& value) {
        if (!value.empty()) {
            path += fmt::format("&{}={}", name, percent_encode(value));
        }
    };
    filter("model", query.model);
    filter("provider", query.provider);
    filter("code", query.code);
    filter("key_id", query.key_id);
    filter("from", query.from);
    filter("to", query.to);
    const auto page = fetch(server, "GET", path);
    if (!page) {
        return 1;
    }
    if (!server.json) {
        fmt::print("{:27}  {:36}  {:20}  {:12}  {:>8}  {:>8}  {}\n",
                   "CREATED",
                   "REQUEST",
                   "MODEL",
                   "CODE",
                   "INPUT",
                   "OUTPUT",
                   "USD");
    }
    for (const Json& call : page->at("data")) {
        if (server.json) {
            fmt::print("{}\n", call.dump());
            continue;
        }
        fmt::print("{:27}  {:36}  {:20}  {:12}  {:>8}  {:>8}  {}\n",
                   show(call.at("created_at")),
                   show(call.at("request_id")),
                   show(call.at("model")),
                   show(call.at("code")),
                   show(call.at("input_tokens")),
                   show(call.at("output_tokens")),
                   show(call.at("cost_usd")));
    }
    return 0;
}

}  // namespace weir::cli
