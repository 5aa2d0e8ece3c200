#include "dialect/openai_chat/models.h"

#include <fmt/format.h>

#include "dialect/json/value.h"

namespace weir::dialect::openai_chat {

std::string encode_model(std::string_view id, std::int64_t created) {
    std::string text = "{\"id\":\"";
    json::append_escaped(text, id);
    text += fmt::format("\",\"object\":\"model\",\"created\":{},\"owned_by\":\"weir\"}}", created);
    return text;
}

std::string encode_models(const std::vector<std::string_view>& ids, std::int64_t created) {
    std::string text = "{\"object\":\"list\",\"data\":[";
    for (std::size_t i = 0; i < ids.size(); ++i) {
        text += (i == 0 ? "" : ",") + encode_model(ids[i], created);
    }
    return text + "]}";
}

}  // namespace weir::dialect::openai_chat
