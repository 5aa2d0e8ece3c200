#include "dialect/gemini/model_facts.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace weir::dialect::gemini {
namespace {

using Control = ModelFacts::Control;
using llm::Effort;

bool has(std::string_view model, std::string_view word) {
    return model.find(word) != std::string_view::npos;
}

struct Version {
    int major = 0, minor = 0;
    bool at_least(int a, int b) const { return major > a || (major == a && minor >= b); }
};

// "gemini-3.1-pro-preview"; nullopt: no Gemini.
std::optional<Version> version_of(std::string_view model) {
    constexpr std::string_view kName = "gemini-";
    const std::size_t at = model.find(kName);
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    // A name without a figure follows the newest.
    Version version{.major = 3, .minor = 9};
    const char* const begin = model.data() + at + kName.size();
    const char* const end = model.data() + model.size();
    int major = 0;
    const auto [after, error] = std::from_chars(begin, end, major);
    if (error == std::errc{}) {
        version = {.major = major, .minor = 0};
        if (after != end && *after == '.') {
            std::from_chars(after + 1, end, version.minor);
        }
    }
    return version;
}

// As Google's own translation from OpenAI's efforts has it for Gemini 2.5.
std::int64_t budget_of(Effort effort, const ModelFacts& facts) {
    switch (effort) {
        case Effort::none:
            return 0;
        case Effort::minimal:
        case Effort::low:
            return 1024;
        case Effort::medium:
            return 8192;
        case Effort::high:
            return 24576;
        case Effort::xhigh:
        case Effort::max:
            return facts.budget_max;
    }
    std::unreachable();
}

// The other way round: what a figure means where only levels are known.
Effort effort_of(std::int64_t budget) {
    if (budget == 0) {
        return Effort::none;
    }
    if (budget <= 1024) {
        return Effort::low;
    }
    return budget <= 8192 ? Effort::medium : Effort::high;
}

std::string_view level_of(Effort effort, const ModelFacts& facts) {
    switch (effort) {
        case Effort::none:
        case Effort::minimal:
            return facts.knows_minimal ? "MINIMAL" : "LOW";
        case Effort::low:
            return "LOW";
        case Effort::medium:
            return facts.knows_medium ? "MEDIUM" : "HIGH";
        case Effort::high:
        case Effort::xhigh:
        case Effort::max:
            return "HIGH";
    }
    std::unreachable();
}

}  // namespace

ModelFacts facts_of(std::string_view model) {
    ModelFacts facts;
    const auto version = version_of(model);
    if (!version) {
        return facts;
    }
    facts.makes_images = has(model, "-image");
    const bool only_speaks = has(model, "-tts") || has(model, "-embedding");
    const bool is_pro = has(model, "-pro");
    if (version->at_least(3, 0)) {
        facts.wants_signatures = true;
        facts.takes_media_in_results = true;
        facts.control = facts.makes_images || only_speaks ? Control::none : Control::level;
        facts.knows_minimal = !is_pro;
        facts.knows_medium = !is_pro || version->at_least(3, 1);
    } else if (version->at_least(2, 5) && !facts.makes_images && !only_speaks) {
        facts.control = Control::budget;
        facts.can_stop_thinking = !is_pro;
        facts.budget_min = is_pro ? 128 : has(model, "-lite") ? 512 : 1;
        facts.budget_max = is_pro ? 32768 : 24576;
    }
    return facts;
}

ThinkingConfig thinking_config(const ModelFacts& facts,
                               const llm::Thinking& thinking,
                               const llm::EffortBudgets& budgets) {
    using Mode = llm::Thinking::Mode;
    ThinkingConfig config;
    const bool is_off = thinking.mode == Mode::off || thinking.effort == Effort::none;
    if (facts.control == Control::none) {
        // Those that do not think do as they are told when they are told not to.
        config.is_lost =
            !is_off && (thinking.mode != Mode::unset || thinking.effort || thinking.budget_tokens);
        return config;
    }
    if (facts.control == Control::level) {
        if (is_off) {
            config.level = level_of(Effort::none, facts);
            config.is_lost = true;  // as little as it can, which is not nothing
        } else if (thinking.effort) {
            config.level = level_of(*thinking.effort, facts);
        } else if (thinking.budget_tokens && *thinking.budget_tokens >= 0) {
            config.level = level_of(effort_of(*thinking.budget_tokens), facts);
        }
        return config;
    }
    if (is_off) {
        config.budget = facts.can_stop_thinking ? 0 : facts.budget_min;
        config.is_lost = !facts.can_stop_thinking;
    } else if (thinking.budget_tokens || thinking.effort) {
        const std::int64_t wanted =
            thinking.budget_tokens
                ? *thinking.budget_tokens
                : budgets.of(*thinking.effort, budget_of(*thinking.effort, facts));
        config.budget = wanted < 0 ? -1 : std::clamp(wanted, facts.budget_min, facts.budget_max);
    } else if (thinking.mode != Mode::unset) {
        config.budget = -1;  // the smallest models do not think unless they are told to
    }
    return config;
}

}  // namespace weir::dialect::gemini
