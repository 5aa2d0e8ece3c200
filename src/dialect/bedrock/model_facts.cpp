#include "dialect/bedrock/model_facts.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/text.h"

namespace weir::dialect::bedrock {
namespace {

using Thinking = ModelFacts::Thinking;
using Forcing = ModelFacts::Forcing;
using Family = ModelFacts::Family;

// 3.7 is 307, 4 is 400. Dates are no versions: those have two digits at most.
int version(int major, int minor) { return major * 100 + minor; }

std::optional<int> small_number(std::string_view word) {
    const auto number = word.size() <= 2 ? parse_decimal(word) : std::nullopt;
    return number ? std::optional(static_cast<int>(*number)) : std::nullopt;
}

std::string_view take_word(std::string_view& text) {
    const std::size_t end = text.find_first_of("-:");
    const std::string_view word = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return word;
}

// "claude-3-7-sonnet-…", "claude-opus-4-5-…", "claude-fable-5".
int claude_version(std::string_view after_claude) {
    while (!after_claude.empty()) {
        if (const auto major = small_number(take_word(after_claude))) {
            const auto minor = small_number(take_word(after_claude));
            return version(*major, minor.value_or(0));
        }
    }
    return 0;
}

ModelFacts facts_of_claude(std::string_view after_claude) {
    const int at = claude_version(after_claude);
    const bool is_fable = after_claude.starts_with("fable");
    ModelFacts facts{.family = Family::claude, .forcing = Forcing::named};
    const bool always_thinks = at >= version(5, 5) || (is_fable && at >= version(5, 0));
    facts.thinking = always_thinks         ? Thinking::always
                     : at >= version(4, 7) ? Thinking::adaptive
                     : at >= version(4, 6) ? Thinking::either
                     : at >= version(3, 7) ? Thinking::budget
                                           : Thinking::none;
    if (at >= version(5, 5) || (is_fable && at >= version(5, 1))) {
        facts.forcing = Forcing::none;
    }
    const bool is_opus_45 = after_claude.starts_with("opus") && at == version(4, 5);
    // Bedrock's ceiling is below Anthropic's own for the newest.
    facts.takes_xhigh = at >= version(4, 7);
    facts.effort_max = facts.takes_xhigh     ? llm::Effort::xhigh
                       : at >= version(4, 6) ? llm::Effort::max
                       : is_opus_45          ? llm::Effort::high
                                             : llm::Effort::none;
    facts.takes_sampling = at < version(4, 7);
    facts.takes_both_samplings = at < version(4, 1);
    facts.takes_top_k = facts.takes_sampling;
    facts.caches = at >= version(3, 7) || after_claude.starts_with("3-5-haiku");
    facts.caches_tools = facts.caches;
    facts.caches_for_hour = at >= version(4, 5);
    facts.marks_errors = at >= version(3, 0);
    facts.has_structured_output = at >= version(4, 5);
    facts.has_strict_tools = at == version(4, 5) || at == version(4, 6);
    facts.signs_thinking = true;
    return facts;
}

ModelFacts facts_of_nova(std::string_view after_nova) {
    ModelFacts facts{.family = Family::nova, .forcing = Forcing::named};
    if (after_nova.starts_with("2-")) {
        facts.thinking = Thinking::nova;
        facts.effort_max = llm::Effort::high;
    }
    facts.takes_top_k = true;
    facts.caches = true;
    facts.marks_errors = true;
    facts.has_structured_output = false;
    return facts;
}

// Of the others, those that answer by a schema.
constexpr auto kStructured = std::to_array<std::string_view>({"deepseek.v3-v1",
                                                              "google.gemma-3",
                                                              "minimax.minimax-m2",
                                                              "mistral.ministral-3",
                                                              "mistral.mistral-large-3",
                                                              "mistral.voxtral",
                                                              "moonshot.kimi-k2",
                                                              "nvidia.nemotron-nano-3",
                                                              "openai.gpt-oss",
                                                              "qwen.qwen3"});

ModelFacts facts_of_other(std::string_view model) {
    const auto contains = [model](std::string_view words) {
        return model.find(words) != std::string_view::npos;
    };
    ModelFacts facts{.family = Family::other};
    if (contains("meta.llama")) {
        facts.family = Family::llama;
        facts.forcing = Forcing::none;
    } else if (contains("openai.gpt-oss")) {
        facts.family = Family::openai;
        facts.thinking = Thinking::effort;
        facts.effort_max = llm::Effort::high;
    }
    facts.has_structured_output = std::any_of(kStructured.begin(), kStructured.end(), contains);
    return facts;
}

constexpr auto kMakers = std::to_array<std::string_view>({"ai21.",
                                                          "amazon.",
                                                          "cohere.",
                                                          "deepseek.",
                                                          "google.",
                                                          "meta.",
                                                          "minimax.",
                                                          "mistral.",
                                                          "moonshot",
                                                          "nvidia.",
                                                          "openai.",
                                                          "qwen.",
                                                          "writer.",
                                                          "zai."});

}  // namespace

ModelFacts facts_of(std::string_view model) {
    constexpr std::string_view kClaude = "claude-";
    constexpr std::string_view kNova = "amazon.nova-";
    if (const std::size_t at = model.find(kClaude); at != std::string_view::npos) {
        return facts_of_claude(model.substr(at + kClaude.size()));
    }
    if (const std::size_t at = model.find(kNova); at != std::string_view::npos) {
        return facts_of_nova(model.substr(at + kNova.size()));
    }
    const bool is_known =
        std::any_of(kMakers.begin(), kMakers.end(), [model](std::string_view maker) {
            return model.find(maker) != std::string_view::npos;
        });
    // Whoever it is may sign its thinking.
    return is_known ? facts_of_other(model)
                    : ModelFacts{.forcing = Forcing::named, .signs_thinking = true};
}

}  // namespace weir::dialect::bedrock
