// Reading what clients of the admin API send: JSON objects and queries whose every field is known,
// or the request is refused. Pure.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"

namespace weir::admin {

using Json = nlohmann::ordered_json;

// The body as an object that has only `known` fields; duplicate keys are refused. Errors:
// invalid_json, invalid_request, unknown_field naming the nearest known one.
Result<Json> read_object(std::string_view body, const std::vector<std::string_view>& known);

// Fields of such an object; absent and null are the same. Errors: invalid_request with the field.
Result<std::optional<std::string>> text_field(const Json& object, const char* key);
Result<std::optional<bool>> flag_field(const Json& object, const char* key);
Result<std::optional<std::int64_t>> number_field(const Json& object,
                                                 const char* key,
                                                 std::int64_t least,
                                                 std::int64_t most);
Result<std::vector<std::string>> texts_field(const Json& object, const char* key);
Result<std::optional<WallTime>> time_field(const Json& object, const char* key);

// The text of an answer. Never throws: a byte that is no UTF-8, wherever it came from, becomes
// U+FFFD.
std::string write(const Json& json);

// A segment of a path, percent-decoded. Errors: invalid_request.
Result<std::string> read_segment(std::string_view segment);

// "a=1&b=x%20y" as pairs, each name at most once. Errors: invalid_request, unknown_field.
using Query = std::vector<std::pair<std::string, std::string>>;
Result<Query> read_query(std::string_view query, const std::vector<std::string_view>& known);
std::optional<std::string> find(const Query& query, std::string_view name);
Result<std::optional<std::int64_t>> number_of(const Query& query,
                                              std::string_view name,
                                              std::int64_t least,
                                              std::int64_t most);
Result<std::optional<WallTime>> time_of(const Query& query, std::string_view name);

}  // namespace weir::admin
