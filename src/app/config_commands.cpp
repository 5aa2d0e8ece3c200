#include <fmt/format.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "app/commands.h"
#include "app/sections.h"

namespace weir::app {

int report(const Error& error) {
    fmt::print(stderr, "weir: {}\n", error.message());
    if (!error.detail().empty()) {
        fmt::print(stderr, "weir: ({})\n", error.detail());
    }
    return error.code() == Code::invalid_config ? kExitConfig : kExitFailure;
}

int check_config(const std::string& file, const config::Lookup& environment, bool json) {
    const auto loaded = load_configuration(file, environment);
    if (!loaded) {
        return report(loaded.error());
    }
    if (json) {
        auto errors = nlohmann::ordered_json::array();
        for (const auto& error : loaded->errors) {
            errors.push_back({{"file", error.file},
                              {"line", error.place.line},
                              {"column", error.place.column},
                              {"key", error.key},
                              {"message", error.message}});
        }
        fmt::print(
            "{}\n",
            nlohmann::ordered_json{{"valid", loaded->errors.empty()}, {"errors", std::move(errors)}}
                .dump());
    } else if (loaded->errors.empty()) {
        fmt::print("{}: valid\n", file.empty() ? "defaults" : file);
    } else {
        for (const auto& error : loaded->errors) {
            fmt::print(stderr, "{}\n", config::to_text(error));
        }
    }
    return loaded->errors.empty() ? 0 : kExitConfig;
}

int print_config_schema() {
    fmt::print("{}\n", config::json_schema(all_sections()));
    return 0;
}

}  // namespace weir::app
