#include "dialect/anthropic/models.h"

#include "base/timestamp.h"
#include "dialect/json/writer.h"

namespace weir::dialect::anthropic {
namespace {

void write_model(std::string_view id, std::int64_t created, json::Writer& json) {
    constexpr std::int64_t kMicros = 1'000'000;
    json.object().field("type", "model").field("id", id).field("display_name", id);
    const std::string time = to_rfc3339(wall_from_micros(created * kMicros));
    json.field("created_at", time.substr(0, time.find('.')) + 'Z').end_object();  // whole seconds
}

void write_id(std::string_view name,
              const std::vector<std::string_view>& ids,
              std::size_t index,
              json::Writer& json) {
    json.key(name);
    if (ids.empty()) {
        json.null();
    } else {
        json.string(ids[index]);
    }
}

}  // namespace

std::string encode_model(std::string_view id, std::int64_t created) {
    std::string text;
    json::Writer json(text);
    write_model(id, created, json);
    return text;
}

std::string encode_models(const std::vector<std::string_view>& ids, std::int64_t created) {
    std::string text;
    json::Writer json(text);
    json.object().key("data").array();
    for (const std::string_view id : ids) {
        write_model(id, created, json);
    }
    json.end_array().field("has_more", false);
    write_id("first_id", ids, 0, json);
    write_id("last_id", ids, ids.size() - 1, json);
    json.end_object();
    return text;
}

}  // namespace weir::dialect::anthropic
