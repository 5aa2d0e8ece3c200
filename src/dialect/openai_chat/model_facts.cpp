#include "dialect/openai_chat/model_facts.h"

#include <algorithm>
#include <initializer_list>

namespace weir::dialect::openai_chat {
namespace {

// "openai/gpt-5-mini" of a router is gpt-5-mini.
std::string_view without_maker(std::string_view model) {
    return model.substr(model.rfind('/') + 1);
}

bool starts_with_any(std::string_view model, std::initializer_list<std::string_view> prefixes) {
    return std::any_of(prefixes.begin(), prefixes.end(), [model](std::string_view prefix) {
        return model.starts_with(prefix);
    });
}

}  // namespace

bool is_reasoning_model(std::string_view model) {
    const std::string_view name = without_maker(model);
    return starts_with_any(name, {"o1", "o3", "o4-", "gpt-5"}) && !name.starts_with("gpt-5-chat");
}

bool refuses_effort(std::string_view model) {
    return starts_with_any(without_maker(model), {"gpt-3.5", "gpt-4", "chatgpt", "gpt-5-chat"});
}

bool wants_google_signatures(std::string_view model) {
    return without_maker(model).starts_with("gemini");
}

}  // namespace weir::dialect::openai_chat
