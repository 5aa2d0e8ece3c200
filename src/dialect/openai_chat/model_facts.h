// What OpenAI's models of each family take, known by their names (API-MAPPING 3.3, 3.4). Names of
// other makers are taken to be ordinary models. Pure.
#pragma once

#include <string_view>

namespace weir::dialect::openai_chat {

// o1, o3, o4 and gpt-5: they think, and take no sampling parameters but their defaults.
bool is_reasoning_model(std::string_view model);
// gpt-3.5, gpt-4 and chatgpt refuse `reasoning_effort`.
bool refuses_effort(std::string_view model);

// Wants its calls back with the signatures that they came with: Google's models behind this
// dialect. Others refuse a field that they do not know.
bool wants_google_signatures(std::string_view model);

}  // namespace weir::dialect::openai_chat
