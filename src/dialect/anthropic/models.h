// The list of models as Anthropic's clients expect it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dialect::anthropic {

// {"type":"model","id":…,"display_name":…,"created_at":…}; `created` in seconds of Unix time.
std::string encode_model(std::string_view id, std::int64_t created);
// {"data":[…],"has_more":false,"first_id":…,"last_id":…}: one page, all of them.
std::string encode_models(const std::vector<std::string_view>& ids, std::int64_t created);

}  // namespace weir::dialect::anthropic
