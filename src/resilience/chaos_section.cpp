// The grammar of `chaos:`.
#include <charconv>

#include "base/text.h"
#include "base/timestamp.h"
#include "resilience/chaos.h"

namespace weir::resilience {
namespace {

constexpr int kStatusLeast = 400;
constexpr int kStatusMost = 599;
constexpr std::size_t kTextBytesMax = 256;

// As a rule is written; which of the keys were there matters.
struct Written {
    std::string name;
    ChaosMatch match;
    double share = 1;
    std::optional<WallTime> from, until;
    std::chrono::milliseconds latency{0};
    std::optional<std::int64_t> status;
    bool reset = false;
    bool stall = false;
    std::optional<std::int64_t> cut_after;
    bool corrupt = false;
    std::chrono::milliseconds slow_chunks{0};
};

config::Type<std::string> short_text(std::string expected) {
    return {[expected = std::move(expected)](
                const config::Position& at, std::string& into, config::Reporter& reporter) {
                if (at.node.kind != config::Node::Kind::scalar || at.node.text.empty() ||
                    at.node.text.size() > kTextBytesMax) {
                    config::detail::report_unexpected(at, expected, reporter);
                    return false;
                }
                into = at.node.text;
                return true;
            },
            R"({"type":"string"})"};
}

// 5, 5% or 0.1%: rules of one in a thousand are the point here.
std::optional<double> parse_share(std::string_view text) {
    if (text.ends_with('%')) {
        text.remove_suffix(1);
    }
    double percent = 0;
    const auto [end, fault] =
        std::from_chars(text.data(), text.data() + text.size(), percent, std::chars_format::fixed);
    if (fault != std::errc{} || end != text.data() + text.size() || !(percent > 0) ||
        percent > 100) {
        return std::nullopt;
    }
    return percent / 100;
}

config::Type<double> share() {
    return {[](const config::Position& at, double& into, config::Reporter& reporter) {
                const auto parsed = at.node.kind == config::Node::Kind::scalar
                                        ? parse_share(at.node.text)
                                        : std::nullopt;
                if (!parsed) {
                    config::detail::report_unexpected(
                        at, "a percentage above 0 and up to 100, such as 5 or 0.1%", reporter);
                    return false;
                }
                into = *parsed;
                return true;
            },
            R"({"type":["string","number"]})"};
}

config::Type<std::optional<WallTime>> moment() {
    return {
        [](const config::Position& at, std::optional<WallTime>& into, config::Reporter& reporter) {
            into = at.node.kind == config::Node::Kind::scalar ? parse_rfc3339(at.node.text)
                                                              : std::nullopt;
            if (!into) {
                config::detail::report_unexpected(
                    at, "a time such as 2026-11-21T06:00:00Z", reporter);
            }
            return into.has_value();
        },
        R"({"type":"string","format":"date-time"})"};
}

config::Type<ChaosMatch> match_type() {
    config::Object<ChaosMatch> match;
    match
        .field("model",
               &ChaosMatch::model,
               short_text("the name of a model"),
               "calls for this model, as clients name it")
        .field("provider",
               &ChaosMatch::provider,
               short_text("the name of a provider"),
               "attempts at this provider")
        .field("key",
               &ChaosMatch::key,
               short_text("a key's name or how it begins"),
               "calls with this API key: its name, or how the key begins")
        .field("header",
               &ChaosMatch::header,
               short_text("a header's name, or name: value"),
               "calls with this request header, as x-chaos or 'x-chaos: yes'");
    return match.type();
}

// The keys of which a rule may have one only, as they were written.
std::vector<std::string_view> exclusive_keys(const Written& rule) {
    std::vector<std::string_view> keys;
    const std::pair<std::string_view, bool> all[] = {{"status", rule.status.has_value()},
                                                     {"reset", rule.reset},
                                                     {"stall", rule.stall},
                                                     {"cut_after", rule.cut_after.has_value()},
                                                     {"corrupt", rule.corrupt}};
    for (const auto& [key, is_set] : all) {
        if (is_set) {
            keys.push_back(key);
        }
    }
    return keys;
}

void check_rule(const Written& rule, const config::Position& at, config::Reporter& reporter) {
    const auto keys = exclusive_keys(rule);
    for (std::size_t i = 1; i < keys.size(); ++i) {
        reporter.report(at.node.find(keys[i])->place,
                        config::detail::join_path(at.path, keys[i]),
                        "a rule has one of status, reset, stall, cut_after and corrupt; it has " +
                            std::string(keys[0]) + " already: make it two rules");
    }
    if (keys.empty() && rule.latency.count() == 0 && rule.slow_chunks.count() == 0) {
        reporter.report(at.node.place,
                        at.path,
                        "the rule does nothing: expected latency, status, reset, stall, cut_after, "
                        "corrupt or slow_chunks");
    }
    if (rule.from && rule.until && *rule.until <= *rule.from) {
        reporter.report(at.node.find("until")->place,
                        config::detail::join_path(at.path, "until"),
                        "the rule can never match: expected a time after 'from'");
    }
}

config::Type<Written> rule_type() {
    constexpr std::chrono::milliseconds kDelayLeast{1};
    config::Object<Written> rule;
    rule.field("name",
               &Written::name,
               short_text("a name"),
               "what x-weir-chaos and metrics call it; 'rule N' unless set")
        .field("match",
               &Written::match,
               match_type(),
               "which calls; all that is set must match, all calls unless set")
        .field("percent", &Written::share, share(), "of those calls; all unless set")
        .field("from", &Written::from, moment(), "not before this time")
        .field("until", &Written::until, moment(), "no longer from this time on")
        .field("latency",
               &Written::latency,
               config::duration(kDelayLeast, kChaosDelayMax),
               "waits before the provider is asked")
        .field("status",
               &Written::status,
               config::optional(config::integer(kStatusLeast, kStatusMost)),
               "the provider answers with this status instead")
        .field("reset", &Written::reset, config::boolean(), "the connection breaks at once")
        .field("stall", &Written::stall, config::boolean(), "no answer ever comes")
        .field("cut_after",
               &Written::cut_after,
               config::optional(config::integer(0, kChaosChunksMax)),
               "the stream breaks off after so many chunks")
        .field("corrupt", &Written::corrupt, config::boolean(), "bytes of the answer are changed")
        .field("slow_chunks",
               &Written::slow_chunks,
               config::duration(kDelayLeast, kChaosDelayMax),
               "waits before each chunk of a stream")
        .check(check_rule);
    return rule.type();
}

ChaosRule made_of(Written written, std::size_t number) {
    std::string name =
        written.name.empty() ? "rule " + std::to_string(number) : std::move(written.name);
    Fault fault{.name = name,
                .latency = written.latency,
                .status = static_cast<int>(written.status.value_or(0)),
                .reset = written.reset,
                .stall = written.stall,
                .corrupt = written.corrupt,
                .chunk_delay = written.slow_chunks};
    if (written.cut_after) {
        fault.cut_after = static_cast<std::uint32_t>(*written.cut_after);
    }
    return {.name = std::move(name),
            .match = std::move(written.match),
            .share = written.share,
            .from = written.from,
            .until = written.until,
            .fault = std::move(fault)};
}

config::Type<std::vector<ChaosRule>> rules_type() {
    auto written = config::list(rule_type());
    return {
        [read = std::move(written.read)](
            const config::Position& at, std::vector<ChaosRule>& into, config::Reporter& reporter) {
            std::vector<Written> rules;
            if (!read(at, rules, reporter)) {
                return false;
            }
            if (rules.size() > kChaosRulesMax) {
                config::detail::report_unexpected(at, "at most 256 rules", reporter);
                return false;
            }
            into.clear();
            for (Written& rule : rules) {
                into.push_back(made_of(std::move(rule), into.size() + 1));
            }
            return true;
        },
        std::move(written.schema)};
}

}  // namespace

config::Section chaos_section() {
    config::Object<ChaosSection> chaos;
    chaos
        .field("enabled",
               &ChaosSection::enabled,
               config::boolean(),
               "whether the rules are in force; off unless set")
        .field("rules",
               &ChaosSection::rules,
               rules_type(),
               "which calls fail and how; the first that matches counts");
    return config::section<ChaosSection>(
        "chaos", "faults on purpose, to see what clients make of them", chaos.type());
}

}  // namespace weir::resilience
