// The list of models as Gemini's clients expect it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::dialect::gemini {

struct ModelEntry {
    std::string_view id;                                       // without "models/"
    std::int64_t input_tokens_max = 0, output_tokens_max = 0;  // 0: not known
    bool makes_embeddings = false;                             // instead of answers
};

// {"name":"models/…","supportedGenerationMethods":[…],…}
std::string encode_model(const ModelEntry& model);
// {"models":[…]}, all on one page.
std::string encode_models(const std::vector<ModelEntry>& models);

}  // namespace weir::dialect::gemini
