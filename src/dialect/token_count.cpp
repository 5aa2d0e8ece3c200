#include "dialect/token_count.h"

#include "dialect/failure.h"
#include "dialect/json/document.h"

namespace weir::dialect {

Result<std::int64_t> read_token_count(std::string_view body,
                                      std::string_view member,
                                      Error (*decode_error)(const Refusal& refusal)) {
    json::Document document;
    const auto root = document.parse(body, json::Duplicates::allowed);
    if (root && (*root)["error"].has_value()) {
        return std::unexpected(decode_error({.status = kServerError, .body = body}));
    }
    const auto count = root ? (*root)[member].integer() : std::nullopt;
    if (!count || *count < 0) {
        return unusable_answer("the answer holds no count of tokens");
    }
    return *count;
}

}  // namespace weir::dialect
