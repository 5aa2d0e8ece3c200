#include "server/route.h"

#include "admin/api.h"

namespace weir::server {
namespace {

constexpr std::string_view kModels = "/models";

// The inference surface stands under both: SDKs say /v1, Weir's own API is /api/v1.
std::string_view without_prefix(std::string_view path) {
    for (const std::string_view prefix : {"/v1", "/api/v1"}) {
        if (path.starts_with(prefix)) {
            return path.substr(prefix.size());
        }
    }
    return {};
}

}  // namespace

Routed find_route(std::string_view path) {
    const std::string_view rest = without_prefix(path);
    if (rest == "/chat/completions") {
        return {.route = Route::chat, .allow = "POST"};
    }
    if (rest == "/embeddings") {
        return {.route = Route::embeddings, .allow = "POST"};
    }
    if (rest == kModels) {
        return {.route = Route::models, .allow = "GET, HEAD"};
    }
    // A model's name may have slashes.
    if (rest.starts_with(kModels) && rest.size() > kModels.size() + 1 &&
        rest[kModels.size()] == '/') {
        return {
            .route = Route::model, .allow = "GET, HEAD", .item = rest.substr(kModels.size() + 1)};
    }
    if (const auto allow = admin::allowed_methods(path); !allow.empty()) {
        return {.route = Route::admin, .allow = allow};
    }
    return {};
}

bool is_allowed(std::string_view allow, std::string_view method) {
    while (!allow.empty()) {
        const std::size_t comma = std::min(allow.find(", "), allow.size());
        if (allow.substr(0, comma) == method) {
            return true;
        }
        allow.remove_prefix(std::min(comma + 2, allow.size()));
    }
    return false;
}

}  // namespace weir::server
