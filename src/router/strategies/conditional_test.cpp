#include "router/strategies/conditional.h"

#include <gtest/gtest.h>

#include "config/snapshot.h"
#include "router/section.h"

namespace weir::router::strategies {
namespace {

struct Case {
    std::string_view name;
    std::string_view when;  // YAML
    bool wanted;            // of the call below
};
class Conditional : public testing::TestWithParam<Case> {};
TEST_P(Conditional, Matches) {
    const auto loaded = config::load(
        {models_section()},
        fmt::format("models: [{{name: m, aliases: [n], targets: [{{provider: p, model: x}}], "
                    "rules: [{{when: {{{}}}, use: {{strategy: cost}}}}]}}]",
                    GetParam().when),
        "weir.yaml",
        [](std::string_view) { return std::optional<std::string>(); });
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const WhenSection& when = loaded.snapshot->get<ModelsSection>().models[0].rules[0].when;
    const std::string_view tags[] = {"batch", "eu"};
    const auto header = [](std::string_view name) {
        return name == "x-team" ? std::string_view("search-7") : std::string_view();
    };
    const Traits traits{.asked_model = "m",
                        .key_name = "ci",
                        .key_prefix = "wk_ab",
                        .tenant = "acme",
                        .tags = tags,
                        .prompt_tokens = 1000,
                        .header = header};
    EXPECT_EQ(matches(when, traits), GetParam().wanted);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    Conditional,
    testing::Values(
        Case{"everything", "", true},
        Case{"model", "model: m", true},
        Case{"alias_that_was_not_used", "model: n", false},
        Case{"key_by_name", "key: ci", true},
        Case{"key_by_prefix", "key: wk_ab", true},
        Case{"key_by_half_a_prefix", "key: wk_", false},
        Case{"tenant", "tenant: acme", true},
        Case{"another_tenant", "tenant: acm", false},
        Case{"one_of_its_tags", "tag: eu", true},
        Case{"no_tag_of_it", "tag: us", false},
        Case{"long_enough", "prompt_tokens: {min: 1000}", true},
        Case{"too_short", "prompt_tokens: {min: 1001}", false},
        Case{"short_enough", "prompt_tokens: {max: 1000}", true},
        Case{"too_long", "prompt_tokens: {max: 999}", false},
        Case{"header_in_any_case", "header: {name: X-Team, equals: search-7}", true},
        Case{"header_says_more", "header: {name: x-team, equals: search}", false},
        Case{"header_has_it", "header: {name: x-team, matches: arch}", true},
        Case{"header_has_it_not_in_front", "header: {name: x-team, matches: ^arch}", false},
        Case{"header_that_is_not_there", "header: {name: x-other, matches: '.*'}", false},
        Case{"all_hold", "key: ci, tag: batch, prompt_tokens: {min: 1}", true},
        Case{"one_does_not", "key: ci, tag: batch, prompt_tokens: {min: 1001}", false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(ConditionalRules, TheFirstThatMatchesDecides) {
    const Rule rules[] = {{.when = {.tag = "none"}, .group = 1},
                          {.when = {.tenant = "acme"}, .group = 2},
                          {.when = {}, .group = 3}};
    const auto header = [](std::string_view) { return std::string_view(); };
    EXPECT_EQ(first_match(rules, {.tenant = "acme", .header = header})->group, 2u);
    EXPECT_EQ(first_match(rules, {.tenant = "other", .header = header})->group, 3u);
    EXPECT_EQ(first_match(std::span(rules).first(2), {.header = header}), nullptr);
}

}  // namespace
}  // namespace weir::router::strategies
