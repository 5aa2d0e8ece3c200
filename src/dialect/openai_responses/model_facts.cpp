#include "dialect/openai_responses/model_facts.h"

#include "dialect/openai_chat/model_facts.h"

namespace weir::dialect::openai_responses {

bool may_think(std::string_view model) { return !openai_chat::refuses_effort(model); }

bool has_fixed_sampling(std::string_view model) { return openai_chat::is_reasoning_model(model); }

std::optional<llm::Effort> least_effort(std::string_view model) {
    if (!openai_chat::is_reasoning_model(model)) {
        return std::nullopt;
    }
    const std::string_view name = model.substr(model.rfind('/') + 1);
    if (name.starts_with("gpt-5.")) {
        return llm::Effort::none;  // since 5.1
    }
    return name.starts_with("gpt-5") ? llm::Effort::minimal : llm::Effort::low;
}

}  // namespace weir::dialect::openai_responses
