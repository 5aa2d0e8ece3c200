#include "price/catalog.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace weir::price {
namespace {

Money usd(std::string_view text) { return *parse_usd(text); }

struct FindCase {
    std::string_view name, kind, asked, model;  // model empty: none
};
class Find : public testing::TestWithParam<FindCase> {};
TEST_P(Find, TheExactNameThenTheLongestThatAVersionContinues) {
    const CatalogEntry* found = find(GetParam().kind, GetParam().asked);
    if (GetParam().model.empty()) {
        EXPECT_EQ(found, nullptr) << found->model;
        return;
    }
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->model, GetParam().model);
    EXPECT_EQ(found->kind, GetParam().kind);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    Find,
    testing::Values(
        FindCase{"exact", "openai", "gpt-4o", "gpt-4o"},
        FindCase{"an_alias", "anthropic", "claude-opus-4-0", "claude-opus-4"},
        FindCase{"a_date", "openai", "gpt-4o-2024-08-06", "gpt-4o"},
        FindCase{"a_date_of_its_own", "openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"},
        FindCase{"a_date_of_the_longer_name", "openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"},
        FindCase{"a_short_date", "anthropic", "claude-opus-4-20250514", "claude-opus-4"},
        FindCase{"at", "anthropic", "claude-haiku-4-5@20251001", "claude-haiku-4-5"},
        FindCase{"a_colon",
                 "bedrock",
                 "global.anthropic.claude-haiku-4-5-20251001-v1:0",
                 "global.anthropic.claude-haiku-4-5-20251001"},
        FindCase{"latest", "mistral", "magistral-medium-latest", "magistral-medium"},
        FindCase{"preview", "gemini", "gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"},
        FindCase{"another_model", "openai", "gpt-5-ultra", ""},
        FindCase{"another_number", "anthropic", "claude-opus-4-9", ""},
        FindCase{"another_purpose", "gemini", "gemini-2.5-flash-preview-tts", ""},
        FindCase{"a_part_of_a_word", "openai", "gpt-4oo", ""},
        FindCase{"a_prefix_of_a_name", "openai", "gpt", ""},
        FindCase{"another_kind", "groq", "gpt-4o", ""},
        FindCase{"a_kind_without_prices", "vllm", "gpt-4o", ""},
        FindCase{"case_matters", "openai", "GPT-4o", ""},
        FindCase{"nothing", "openai", "", ""},
        FindCase{"only_boundaries", "openai", "-@:-", ""},
        FindCase{"only_a_version", "openai", "-2024-08-06", ""}),
    [](const auto& info) { return std::string(info.param.name); });

struct KnownCase {
    std::string_view kind, model, input, output, cache_read;
};
class Known : public testing::TestWithParam<KnownCase> {};
// Both lists say so, and so does the vendor's page where it was seen: a slip of the tool shows
// here.
TEST_P(Known, CostsWhatItsVendorSays) {
    const CatalogEntry* found = find(GetParam().kind, GetParam().model);
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->rates.tokens.input, usd(GetParam().input));
    EXPECT_EQ(found->rates.tokens.output, usd(GetParam().output));
    EXPECT_EQ(found->rates.tokens.cache_read.value_or(usd("0")), usd(GetParam().cache_read));
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    Known,
    testing::Values(KnownCase{"openai", "gpt-4o", "2.5", "10", "1.25"},
                    KnownCase{"openai", "gpt-4o-mini", "0.15", "0.6", "0.075"},
                    KnownCase{"openai", "gpt-4.1", "2", "8", "0.5"},
                    KnownCase{"openai", "gpt-4.1-mini", "0.4", "1.6", "0.1"},
                    KnownCase{"openai", "gpt-4.1-nano", "0.1", "0.4", "0.025"},
                    KnownCase{"openai", "gpt-5", "1.25", "10", "0.125"},
                    KnownCase{"openai", "gpt-5-mini", "0.25", "2", "0.025"},
                    KnownCase{"openai", "gpt-5-nano", "0.05", "0.4", "0.005"},
                    KnownCase{"openai", "gpt-5-pro", "15", "120", "0"},
                    KnownCase{"openai", "o3", "2", "8", "0.5"},
                    KnownCase{"openai", "o4-mini", "1.1", "4.4", "0.275"},
                    KnownCase{"openai", "text-embedding-3-large", "0.13", "0", "0"},
                    KnownCase{"openai", "text-embedding-3-small", "0.02", "0", "0"},
                    KnownCase{"anthropic", "claude-haiku-4-5", "1", "5", "0.1"},
                    KnownCase{"anthropic", "claude-sonnet-4-5", "3", "15", "0.3"},
                    KnownCase{"anthropic", "claude-opus-4-1", "15", "75", "1.5"},
                    KnownCase{"anthropic", "claude-opus-4-5", "5", "25", "0.5"},
                    KnownCase{"anthropic", "claude-sonnet-5", "2", "10", "0.2"},
                    KnownCase{"gemini", "gemini-2.5-pro", "1.25", "10", "0.125"},
                    KnownCase{"gemini", "gemini-2.5-flash", "0.3", "2.5", "0.03"},
                    KnownCase{"gemini", "gemini-2.5-flash-lite", "0.1", "0.4", "0.01"},
                    KnownCase{"gemini", "gemini-3-pro-preview", "2", "12", "0.2"},
                    KnownCase{"xai", "grok-4", "3", "15", "0.75"},
                    KnownCase{"deepseek", "deepseek-chat", "0.28", "0.42", "0.028"}),
    [](const auto& info) {
        std::string name = std::string(info.param.kind) + "_" + std::string(info.param.model);
        std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(c); }, '_');
        return name;
    });

TEST(Catalog, LongInputsAndTiersOfTheFileHold) {
    const llm::Usage longer{.input_tokens = 200'001};
    EXPECT_EQ(token_rates_for(find("anthropic", "claude-sonnet-4-5")->rates,
                              ServiceTier::standard,
                              longer.input_tokens)
                  .input,
              usd("6"));
    const Rates& haiku = find("anthropic", "claude-haiku-4-5")->rates;
    const llm::Usage hour{.input_tokens = 1'000'000,
                          .cache_write_tokens = 1'000'000,
                          .cache_write_1h_tokens = 1'000'000};
    EXPECT_EQ(cost(haiku, hour), usd("2"));
    EXPECT_EQ(cost(haiku, hour, ServiceTier::batch), usd("1"));
    EXPECT_EQ(cost(find("openai", "whisper-1")->rates, {.audio_milliseconds = 60'000}),
              usd("0.006"));
    EXPECT_EQ(find("openai", "gpt-4o")->max_output_tokens, 16384);
}

// The rules of the file, of the table that was compiled from it.
TEST(Catalog, EveryEntryIsSound) {
    ASSERT_GT(catalog().size(), 300u);
    std::set<std::pair<std::string_view, std::string_view>> seen;
    for (const CatalogEntry& entry : catalog()) {
        SCOPED_TRACE(std::string(entry.kind) + " " + std::string(entry.model));
        EXPECT_TRUE(seen.emplace(entry.kind, entry.model).second);
        EXPECT_EQ(find(entry.kind, entry.model), &entry);
        EXPECT_TRUE(entry.date.size() == 10 && entry.date.starts_with("20")) << entry.date;
        EXPECT_FALSE(entry.source.empty());
        EXPECT_GE(entry.max_output_tokens.value_or(1), 1);
        std::vector<const TokenRates*> all{&entry.rates.tokens};
        for (const Variant& variant : entry.rates.variants) {
            all.push_back(&variant.tokens);
            EXPECT_TRUE(variant.tier != ServiceTier::standard || variant.above_input_tokens > 0);
        }
        for (const TokenRates* tokens : all) {
            EXPECT_GE(tokens->input, Money::zero());
            EXPECT_LE(tokens->input, usd("1000")) << "for a million tokens, not for one";
            EXPECT_LE(tokens->output, usd("1000"));
            EXPECT_LE(tokens->cache_read.value_or(tokens->input), tokens->input);
        }
    }
}

// Nothing that is used comes for nothing because its rate was forgotten.
TEST(Catalog, EveryEntryPricesWhatItsModelDoes) {
    const std::set<std::string_view> free{"omni-moderation"};
    for (const CatalogEntry& entry : catalog()) {
        const auto all = cost(entry.rates,
                              {.input_tokens = 1000,
                               .output_tokens = 1000,
                               .images = 1,
                               .audio_milliseconds = 60'000,
                               .searches = 1});
        ASSERT_TRUE(all) << entry.model;
        EXPECT_EQ(*all == Money::zero(), free.contains(entry.model))
            << entry.kind << " " << entry.model;
    }
}

}  // namespace
}  // namespace weir::price
