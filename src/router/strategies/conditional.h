// Rules: which calls go elsewhere. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "router/function_ref.h"
#include "router/model.h"

namespace weir::router::strategies {

// What rules are about. Nothing is empty, where there is none.
struct Traits {
    std::string_view asked_model;  // what the client called it
    std::string_view key_name;
    std::string_view key_prefix;
    std::string_view tenant;
    std::span<const std::string_view> tags;
    std::uint64_t prompt_tokens = 0;
    // The value of the request's header of that name, in lower case; empty: it has none.
    FunctionRef<std::string_view(std::string_view name)> header;
};

bool matches(const WhenSection& when, const Traits& traits);
// Null: none does.
const Rule* first_match(std::span<const Rule> rules, const Traits& traits);

}  // namespace weir::router::strategies
