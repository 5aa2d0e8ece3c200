// The list of models as OpenAI's clients expect it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dialect::openai_chat {

// {"id":…,"object":"model","created":…,"owned_by":"weir"}; `created` in seconds of Unix time.
std::string encode_model(std::string_view id, std::int64_t created);
// {"object":"list","data":[…]}
std::string encode_models(const std::vector<std::string_view>& ids, std::int64_t created);

}  // namespace weir::dialect::openai_chat
