#include "admin/api.h"

#include "admin/fields.h"

#include <optional>

namespace weir::admin {
namespace {

constexpr std::string_view kKeys = "/api/v1/keys";
constexpr std::string_view kUsage = "/api/v1/usage";
constexpr std::string_view kReload = "/api/v1/reload";
constexpr std::string_view kTargets = "/api/v1/router/targets";
constexpr std::string_view kRoutings = "/api/v1/router/models";

// The last segment of "/api/v1/keys/<id>"; empty where there is none or more than one.
std::string_view item_of(std::string_view path, std::string_view collection) {
    if (path.size() <= collection.size() + 1 || !path.starts_with(collection) ||
        path[collection.size()] != '/') {
        return {};
    }
    const std::string_view item = path.substr(collection.size() + 1);
    return item.find('/') == std::string_view::npos ? item : std::string_view{};
}

Result<Uuid> read_id(std::string_view text, std::string_view what) {
    const auto id = parse_uuid(text);
    if (!id) {
        return fail(Code::not_found, fmt::format("There is no such {}.", what));
    }
    return *id;
}

}  // namespace

std::string_view allowed_methods(std::string_view path) {
    if (path == kKeys) {
        return "GET, POST";
    }
    if (!item_of(path, kKeys).empty()) {
        return "GET, DELETE";
    }
    if (path == kUsage || !item_of(path, kUsage).empty()) {
        return "GET";
    }
    if (path == kReload) {
        return "POST";
    }
    if (path == kTargets) {
        return "GET";
    }
    if (!item_of(path, kRoutings).empty()) {
        return "GET, PUT";
    }
    return {};
}

Result<Reply> Api::handle(const Request& request) {
    const bool is_get = request.method == "GET";
    if (request.path == kKeys) {
        return is_get ? list_keys(request) : create_key(request);
    }
    if (const auto item = item_of(request.path, kKeys); !item.empty()) {
        WEIR_TRY(const Uuid id, read_id(item, "key"));
        return is_get ? show_key(id) : revoke_key(id);
    }
    if (request.path == kUsage) {
        return list_usage(request);
    }
    if (const auto item = item_of(request.path, kUsage); !item.empty()) {
        WEIR_TRY(const Uuid id, read_id(item, "request"));
        return show_usage(id);
    }
    if (request.path == kReload) {
        return reload(request);
    }
    if (request.path == kTargets) {
        return list_targets();
    }
    if (const auto item = item_of(request.path, kRoutings); !item.empty()) {
        WEIR_TRY(const std::string name, read_segment(item));
        return is_get ? show_routing(name) : change_routing(name, request);
    }
    return fail(Code::not_found, "There is nothing here.");
}

}  // namespace weir::admin
