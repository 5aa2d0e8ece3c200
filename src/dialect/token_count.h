// What a provider's counter of tokens answers: an object with one number. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/error.h"
#include "dialect/edge.h"

namespace weir::dialect {

// Errors: upstream_invalid_response, or what an error inside the answer means.
Result<std::int64_t> read_token_count(std::string_view body,
                                      std::string_view member,
                                      Error (*decode_error)(const Refusal& refusal));

}  // namespace weir::dialect
