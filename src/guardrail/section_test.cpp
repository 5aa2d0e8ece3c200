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
                                        "guardrails: {output: {banned_words: [\"a\\x85b\"]}}",
                                        "guardrails: {output: {banned_words: [\"\\uFFFD\"]}}",
                                        "guardrails: {output: {max_length: 0}}",
                                        "guardrails: {output: {banned_words: foo}}"}) {
        EXPECT_FALSE(load(yaml).errors.empty()) << yaml;
    }
}

TEST(GuardrailsSection, SaysWhereABadPhraseStands) {
    const auto loaded =
        load("guardrails:\n  output:\n    banned_words:\n      - foo\n      - ''\n");
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(loaded.errors[0].place.line, 5);
    EXPECT_EQ(loaded.errors[0].key, "guardrails.output.banned_words[1]");
}

TEST(GuardrailsSection, LimitsPhrasesInLengthAndNumber) {
    const auto words = [](std::size_t count, std::size_t bytes) {
        std::string yaml = "guardrails:\n  output:\n    banned_words:\n";
        for (std::size_t i = 0; i < count; ++i) {
            yaml += "      - " + std::string(bytes, 'a') + "\n";
        }
        return load(yaml).errors.size();
    };
    EXPECT_EQ(words(1, kBannedWordBytesMax), 0u);
    EXPECT_EQ(words(1, kBannedWordBytesMax + 1), 1u);
    EXPECT_EQ(words(kBannedWordsMax, 1), 0u);
    EXPECT_EQ(words(kBannedWordsMax + 1, 1), 1u);
}

}  // namespace
}  // namespace weir::guardrail
