#include "router/rule_section.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace weir::router {
namespace {

// RFC 9110's token.
bool is_header_name(std::string_view text) {
    static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
    return !text.empty() && text.size() <= 128 && std::all_of(text.begin(), text.end(), [](char c) {
        return (to_lower(c) >= 'a' && to_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
               kOthers.find(c) != std::string_view::npos;
    });
}

// A text that only some can be; `expected` says which.
config::Type<std::string> text_where(bool (*is_good)(std::string_view), std::string_view expected) {
    return {[is_good, expected](
                const config::Position& at, std::string& into, config::Reporter& reporter) {
                if (at.node.kind != config::Node::Kind::scalar || !is_good(at.node.text)) {
                    config::detail::report_unexpected(at, expected, reporter);
                    return false;
                }
                into = at.node.text;
                return true;
            },
            R"({"type":"string"})"};
}

bool has_no_control(std::string_view text) {
    return std::none_of(text.begin(), text.end(), [](char c) {
        return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    });
}

bool is_tag(std::string_view text) {
    return !text.empty() && text.size() <= kTagBytesMax && trim(text) == text &&
           text.find(',') == std::string_view::npos && has_no_control(text);
}

bool is_header_value(std::string_view text) {
    return !text.empty() && trim(text) == text && has_no_control(text);
}

config::Type<std::optional<Pattern>> pattern_type() {
    return {
        [](const config::Position& at, std::optional<Pattern>& into, config::Reporter& reporter) {
            // An empty one is found everywhere; no header has a control character.
            if (at.node.kind != config::Node::Kind::scalar || at.node.text.empty() ||
                !has_no_control(at.node.text)) {
                config::detail::report_unexpected(
                    at, "a regular expression without control characters", reporter);
                return false;
            }
            auto pattern = Pattern::make(at.node.text);
            if (!pattern) {
                reporter.report(at.node.place, at.path, pattern.error().message());
                return false;
            }
            into = std::move(*pattern);
            return true;
        },
        R"({"type":"string","format":"regex"})"};
}

config::Type<TokenRange> token_range_type() {
    config::Object<TokenRange> range;
    range
        .field("min",
               &TokenRange::min,
               config::integer(0, kPromptTokensMax),
               "at least so many; 0 unless set")
        .field("max",
               &TokenRange::max,
               config::integer(0, kPromptTokensMax),
               "at most so many; no limit unless set")
        .check(
            [](const TokenRange& section, const config::Position& at, config::Reporter& reporter) {
                if (section.min > section.max) {
                    reporter.report(at.node.find("min")->place,
                                    at.path + ".min",
                                    fmt::format("no prompt has at least {} and at most {} tokens, "
                                                "so that this rule can never match",
                                                section.min,
                                                section.max));
                }
            });
    return range.type();
}

config::Type<HeaderCondition> header_type() {
    config::Object<HeaderCondition> header;
    header
        .required("name",
                  &HeaderCondition::name,
                  text_where(is_header_name, "the name of a header"),
                  "which one, in upper or lower case")
        .field("equals",
               &HeaderCondition::equals,
               config::optional(
                   text_where(is_header_value, "a header's value, which has no spaces around it")),
               "what it must say")
        .field("matches",
               &HeaderCondition::matches,
               pattern_type(),
               "an RE2 regular expression to find in it; begin with ^ and end with $$ (which is "
               "one dollar sign) for all of it")
        .check([](const HeaderCondition& section,
                  const config::Position& at,
                  config::Reporter& reporter) {
            if (section.equals.has_value() == section.matches.has_value()) {
                reporter.report(
                    at.node.place, at.path, "expected either `equals` or `matches`, one of them");
            }
        });
    auto type = header.type();
    return {[read = std::move(type.read)](
                const config::Position& at, HeaderCondition& into, config::Reporter& reporter) {
                const bool good = read(at, into, reporter);
                std::transform(into.name.begin(), into.name.end(), into.name.begin(), to_lower);
                return good;
            },
            std::move(type.schema)};
}

config::Type<WhenSection> when_type() {
    config::Object<WhenSection> when;
    when.field("model",
               &WhenSection::model,
               model_name(),
               "what the client called the model: its name or an alias")
        .field("key", &WhenSection::key, config::text(), "the name or the prefix of the API key")
        .field("tenant", &WhenSection::tenant, config::text(), "whose call it is")
        .field("tag",
               &WhenSection::tag,
               text_where(is_tag, "a tag of at most 64 bytes without commas"),
               "one of the call's tags")
        .field("prompt_tokens",
               &WhenSection::prompt_tokens,
               config::optional(token_range_type()),
               "how long the prompt is, as estimated from its bytes")
        .field("header",
               &WhenSection::header,
               config::optional(header_type()),
               "what a header of the request says");
    return when.type();
}

config::Type<UseSection> use_type() {
    config::Object<UseSection> use;
    use.field("strategy",
              &UseSection::strategy,
              config::optional(strategy_type()),
              "how the targets are put in order; weighted unless set")
        .field("targets",
               &UseSection::targets,
               targets_type(),
               "where such calls go; where the model's others go unless set")
        .field("model",
               &UseSection::model,
               model_name(),
               "in the place of both: the targets and the strategy of another configured model")
        .check(
            [](const UseSection& section, const config::Position& at, config::Reporter& reporter) {
                const bool is_own = section.strategy.has_value() || !section.targets.empty();
                if (is_own == !section.model.empty()) {
                    reporter.report(at.node.place,
                                    at.path,
                                    "expected `strategy`, `targets` or both, or else `model`");
                }
                if (section.strategy == Strategy::conditional) {
                    reporter.report(at.node.find("strategy")->place,
                                    at.path + ".strategy",
                                    "a rule has no rules of its own: name another strategy");
                }
            });
    auto type = use.type();
    return {[read = std::move(type.read)](
                const config::Position& at, UseSection& into, config::Reporter& reporter) {
                const bool good = read(at, into, reporter);
                if (const config::Node* model = at.node.find("model"); model != nullptr) {
                    into.model_place = model->place;
                }
                return good;
            },
            std::move(type.schema)};
}

bool covers(const HeaderCondition& wide, const HeaderCondition& narrow) {
    if (wide.name != narrow.name) {
        return false;
    }
    if (wide.equals) {
        return wide.equals == narrow.equals;
    }
    return narrow.equals ? wide.matches->is_found_in(*narrow.equals)
                         : wide.matches->expression() == narrow.matches->expression();
}

void check_order(const std::vector<RuleSection>& rules,
                 const config::Position& at,
                 config::Reporter& reporter) {
    for (std::size_t later = 1; later < rules.size(); ++later) {
        for (std::size_t earlier = 0; earlier < later; ++earlier) {
            if (covers(rules[earlier].when, rules[later].when)) {
                reporter.report(at.node.items[later].place,
                                fmt::format("{}[{}].when", at.path, later),
                                fmt::format("this rule can never match: every call it is for "
                                            "matches {}[{}] before it",
                                            at.path,
                                            earlier));
                break;
            }
        }
    }
}

}  // namespace

bool covers(const WhenSection& wide, const WhenSection& narrow) {
    const auto same = [](const std::string& one, const std::string& other) {
        return one.empty() || one == other;
    };
    if (!same(wide.model, narrow.model) || !same(wide.key, narrow.key) ||
        !same(wide.tenant, narrow.tenant) || !same(wide.tag, narrow.tag)) {
        return false;
    }
    if (wide.prompt_tokens) {
        const TokenRange range = narrow.prompt_tokens.value_or(TokenRange{});
        if (range.min < wide.prompt_tokens->min || range.max > wide.prompt_tokens->max) {
            return false;
        }
    }
    return !wide.header || (narrow.header && covers(*wide.header, *narrow.header));
}

config::Type<std::vector<RuleSection>> rules_type() {
    config::Object<RuleSection> rule;
    rule.required("when",
                  &RuleSection::when,
                  when_type(),
                  "which calls it is for: all that is named must hold; {} is every call")
        .required("use", &RuleSection::use, use_type(), "where they go");
    auto list = config::list(rule.type());
    return {[read = std::move(list.read)](const config::Position& at,
                                          std::vector<RuleSection>& into,
                                          config::Reporter& reporter) {
                if (!read(at, into, reporter)) {
                    return false;
                }
                if (into.size() > kRulesMax) {
                    reporter.report(
                        at.node.place,
                        at.path,
                        fmt::format("expected at most {} rules, found {}", kRulesMax, into.size()));
                    return false;
                }
                check_order(into, at, reporter);
                return true;
            },
            std::move(list.schema)};
}

}  // namespace weir::router
