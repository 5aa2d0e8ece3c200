// What OpenAI's models of each family take on this surface, known by their names (API-MAPPING 3.3,
// 3.4). Names of other makers are taken to be models that may think and sample freely. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "llm/call.h"

namespace weir::dialect::openai_responses {

// OpenAI refuses less; others do not mind.
inline constexpr std::int64_t kOutputTokensMin = 16;

// Takes `reasoning`, and can seal its thinking for the next turn.
bool may_think(std::string_view model);
// Takes no temperature and no top_p.
bool has_fixed_sampling(std::string_view model);
// The least thinking that the model can be asked for; nullopt: nobody knows, say nothing.
std::optional<llm::Effort> least_effort(std::string_view model);

}  // namespace weir::dialect::openai_responses
