// What Gemini's models of each family take, known by their names (API-MAPPING 3.4 and section 7).
// Names without a version ("gemini-flash-latest") are the newest family; what is no Gemini takes
// no part in thinking. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "llm/call.h"

namespace weir::dialect::gemini {

struct ModelFacts {
    // How a model is told how much to think: not at all, in tokens (2.5), by a level (3 and later).
    // Both in one request are refused, as is the wrong one.
    enum class Control : std::uint8_t { none, budget, level };
    Control control = Control::none;
    std::int64_t budget_min = 0, budget_max = 0;
    bool can_stop_thinking = false;
    bool knows_minimal = false, knows_medium = false;
    // History must hold the signatures of its calls (Gemini 3), and of pictures where it makes
    // them.
    bool wants_signatures = false;
    bool makes_images = false;
    // Media may lie inside a function's result.
    bool takes_media_in_results = false;
};
ModelFacts facts_of(std::string_view model);

// What Google documents for a call in the history that has no signature, since another model made
// it: the check is left out. https://ai.google.dev/gemini-api/docs/thought-signatures
inline constexpr std::string_view kNoSignature = "skip_thought_signature_validator";

// What thinkingConfig is to say; neither: the model decides.
struct ThinkingConfig {
    std::optional<std::int64_t> budget;
    std::string_view level;
    bool is_lost = false;  // the model cannot do as it was told
};
ThinkingConfig thinking_config(const ModelFacts& facts,
                               const llm::Thinking& thinking,
                               const llm::EffortBudgets& budgets);

}  // namespace weir::dialect::gemini
