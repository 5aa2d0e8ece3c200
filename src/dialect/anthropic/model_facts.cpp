#include "dialect/anthropic/model_facts.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>

#include "base/text.h"

namespace weir::dialect::anthropic {
namespace {

enum class Family : std::uint8_t { none, opus, sonnet, haiku, fable, mythos, other };

// "claude-opus-4-8" is Opus at 408, "claude-3-5-sonnet-20241022" Sonnet at 305.
struct Name {
    Family family = Family::none;  // none: no Claude
    int version = 0;
};
constexpr int kNewest = 9900;

Family family_of(std::string_view word) {
    static constexpr std::array<std::pair<std::string_view, Family>, 5> kFamilies{{
        {"opus", Family::opus},
        {"sonnet", Family::sonnet},
        {"haiku", Family::haiku},
        {"fable", Family::fable},
        {"mythos", Family::mythos},
    }};
    for (const auto& [name, family] : kFamilies) {
        if (name == word) {
            return family;
        }
    }
    return Family::other;
}

// The next word of "us.anthropic.claude-opus-4-8-20260528-v1:0"; takes it off.
std::string_view take_word(std::string_view& rest) {
    const std::size_t end = std::min(rest.find_first_of("-.@:/_ "), rest.size());
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return word;
}

Name read_name(std::string_view model) {
    std::string lower(model);
    std::transform(lower.begin(), lower.end(), lower.begin(), to_lower);
    const std::size_t begin = lower.find("claude");
    if (begin == std::string::npos) {
        return {};
    }
    std::string_view rest = std::string_view(lower).substr(begin);
    take_word(rest);
    Name name{.family = Family::other};
    int numbers = 0;
    while (!rest.empty()) {
        const std::string_view word = take_word(rest);
        int number = 0;
        const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
        const bool is_number = error == std::errc{} && end == word.data() + word.size();
        if (!is_number) {
            if (const Family family = family_of(word); family != Family::other) {
                name.family = family;
            } else if (numbers > 0) {
                break;  // "v1", "latest": the version is behind us
            }
        } else if (word.size() > 2 || numbers == 2) {
            break;  // a date
        } else {
            name.version = numbers++ == 0 ? number * 100 : name.version + number;
        }
    }
    if (numbers == 0) {
        name.version = kNewest;
    }
    return name;
}

std::int64_t output_tokens_max(const Name& name) {
    if (name.version < 305) {
        return 4096;
    }
    if (name.version < 307) {
        return 8192;
    }
    if (name.family == Family::opus && name.version < 405) {
        return 32'000;
    }
    const bool is_large =
        name.version >= 407 || (name.family == Family::opus && name.version >= 406);
    return is_large ? 128'000 : 64'000;
}

}  // namespace

ModelFacts facts_of(std::string_view model) {
    const Name name = read_name(model);
    if (name.family == Family::none) {
        return {};
    }
    const int version = name.version;
    const bool is_fable = name.family == Family::fable || name.family == Family::mythos;
    // "claude-mythos-preview" came before the fifth generation and knows less of it.
    const bool is_preview = model.find("preview") != std::string_view::npos;
    ModelFacts facts{.output_tokens_max = output_tokens_max(name)};
    facts.takes_sampling = version < 407;
    facts.takes_temperature_with_top_p = version < 401;
    facts.thinks_by_budget = version >= 307 && version < 407;
    facts.thinks_adaptively = version >= 406;
    facts.thinks_unasked = version >= 500;
    facts.can_be_kept_from_thinking = !is_fable;
    facts.takes_effort = version >= 406 || (name.family == Family::opus && version >= 405);
    facts.takes_xhigh_effort = version >= 407;
    facts.takes_max_effort = version >= 406;
    facts.takes_json_schema = version >= 401 && !is_preview;
    facts.takes_system_in_place = !is_preview && ((name.family == Family::opus && version >= 408) ||
                                                  (is_fable && version >= 500));
    facts.can_be_forced = !is_fable || (version < 501 && !is_preview);
    return facts;
}

std::int64_t budget_of(llm::Effort effort) {
    switch (effort) {
        case llm::Effort::none:
            return 0;
        case llm::Effort::minimal:
            return 1024;  // Anthropic's least
        case llm::Effort::low:
            return 2048;
        case llm::Effort::medium:
            return 8192;
        case llm::Effort::high:
            return 16'384;
        case llm::Effort::xhigh:
        case llm::Effort::max:
            return 32'768;
    }
    std::unreachable();
}

llm::Effort effort_of(std::int64_t budget_tokens) {
    return budget_tokens <= 2048   ? llm::Effort::low
           : budget_tokens <= 8192 ? llm::Effort::medium
                                   : llm::Effort::high;
}

std::string_view effort_word(llm::Effort effort, const ModelFacts& facts) {
    switch (effort) {
        case llm::Effort::none:
        case llm::Effort::minimal:
        case llm::Effort::low:
            return "low";
        case llm::Effort::medium:
            return "medium";
        case llm::Effort::high:
            return "high";
        case llm::Effort::xhigh:
            if (facts.takes_xhigh_effort) {
                return "xhigh";
            }
            [[fallthrough]];
        case llm::Effort::max:
            return facts.takes_max_effort ? "max" : "high";
    }
    std::unreachable();
}

}  // namespace weir::dialect::anthropic
