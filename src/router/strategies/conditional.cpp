#include "router/strategies/conditional.h"

#include <algorithm>

namespace weir::router::strategies {
namespace {

bool matches(const HeaderCondition& condition, std::string_view value) {
    // An expression may match nothing at all; a header that is not there says nothing.
    if (value.empty()) {
        return false;
    }
    return condition.equals ? *condition.equals == value : condition.matches->is_found_in(value);
}

}  // namespace

bool matches(const WhenSection& when, const Traits& traits) {
    if (!when.model.empty() && when.model != traits.asked_model) {
        return false;
    }
    if (!when.key.empty() && when.key != traits.key_name && when.key != traits.key_prefix) {
        return false;
    }
    if (!when.tenant.empty() && when.tenant != traits.tenant) {
        return false;
    }
    if (!when.tag.empty() &&
        std::find(traits.tags.begin(), traits.tags.end(), when.tag) == traits.tags.end()) {
        return false;
    }
    if (when.prompt_tokens &&
        (traits.prompt_tokens < static_cast<std::uint64_t>(when.prompt_tokens->min) ||
         traits.prompt_tokens > static_cast<std::uint64_t>(when.prompt_tokens->max))) {
        return false;
    }
    return !when.header || matches(*when.header, traits.header(when.header->name));
}

const Rule* first_match(std::span<const Rule> rules, const Traits& traits) {
    const auto found = std::find_if(
        rules.begin(), rules.end(), [&](const Rule& rule) { return matches(rule.when, traits); });
    return found == rules.end() ? nullptr : &*found;
}

}  // namespace weir::router::strategies
