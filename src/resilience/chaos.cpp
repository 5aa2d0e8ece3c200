#include "resilience/chaos.h"

#include "base/random.h"
#include "base/text.h"

namespace weir::resilience {
namespace {

bool matches_key(const ChaosFacts& facts, std::string_view key) {
    return facts.key_name == key || facts.key_prefix.starts_with(key);
}

bool matches_header(const ChaosFacts& facts, std::string_view wanted) {
    if (!facts.header) {
        return false;
    }
    const std::size_t colon = wanted.find(':');
    const auto value = facts.header(wanted.substr(0, colon));
    return value && (colon == std::string_view::npos || *value == trim(wanted.substr(colon + 1)));
}

bool matches(const ChaosMatch& match, const ChaosFacts& facts) {
    return (match.model.empty() || match.model == facts.model) &&
           (match.provider.empty() || match.provider == facts.provider) &&
           (match.key.empty() || matches_key(facts, match.key)) &&
           (match.header.empty() || matches_header(facts, match.header));
}

bool is_in_force(const ChaosRule& rule, WallTime now) {
    return (!rule.from || now >= *rule.from) && (!rule.until || now < *rule.until);
}

}  // namespace

std::optional<Fault> decide(std::span<const ChaosRule> rules,
                            const ChaosFacts& facts,
                            std::uint64_t random,
                            WallTime now) {
    Random dice(random);
    for (const ChaosRule& rule : rules) {
        // Thrown for every rule, so that what one rule does not hang on what others match.
        const double thrown = dice.unit();
        if (thrown < rule.share && is_in_force(rule, now) && matches(rule.match, facts)) {
            return rule.fault;
        }
    }
    return std::nullopt;
}

}  // namespace weir::resilience
