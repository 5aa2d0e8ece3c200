#include "guardrail/section.h"

#include <gtest/gtest.h>

namespace weir::guardrail {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load({guardrails_section()}, yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
}

TEST(GuardrailsSection, ReadsRules) {
    const auto loaded =
        load("guardrails: {output: {max_length: 20000, banned_words: [foo, bar baz, Größe]}}");
    ASSERT_TRUE(loaded.errors.empty());
    const auto& output = loaded.snapshot->get<GuardrailsSection>().output;
    EXPECT_EQ(output.max_length, 20000);
    EXPECT_EQ(output.banned_words.size(), 3u);
}

TEST(GuardrailsSection, RefusesWhatIsNoPhrase) {
    for (const std::string_view yaml : {"guardrails: {output: {banned_words: ['']}}",
                                        "guardrails: {output: {banned_words: [' x']}}",
                                        "guardrails: {output: {banned_words: [\"a\\tb\"]}}",
                                        "guardrails: {output: {max_length: 0}}",
                                        "guardrails: {output: {banned_words: foo}}"}) {
        EXPECT_FALSE(load(yaml).errors.empty()) << yaml;
    }
}

}  // namespace
}  // namespace weir::guardrail
