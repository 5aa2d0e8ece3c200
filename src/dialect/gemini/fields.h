// Google's JSON as its parser reads it: a field has two names ("maxOutputTokens" and
// "max_output_tokens"), null is the same as nothing, a 64-bit number may be a string, and base64
// may be of either alphabet. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "dialect/json/document.h"

namespace weir::dialect::gemini {

// `key` is the field that is called `camel` in camel case.
bool is_field(std::string_view key, std::string_view camel);
// The member of an object under either of its names; none where it is null.
json::Value field(json::Value object, std::string_view camel);
std::optional<std::int64_t> integer(json::Value value);
// Base64 of the URL's alphabet in the standard one, padded. What is no base64 stays so.
std::string standard_base64(std::string text);

}  // namespace weir::dialect::gemini
