#include "tokens/encoding.h"

#include <gtest/gtest.h>

namespace weir::tokens {
namespace {

struct ModelCase {
    std::string_view model;
    std::optional<Encoding> want;
};
constexpr auto kCl100k = Encoding::cl100k;
constexpr auto kO200k = Encoding::o200k;

TEST(EncodingOf, KnowsAModelByItsName) {
    const ModelCase cases[] = {
        {"gpt-4o", kO200k},
        {"gpt-4o-mini-2024-07-18", kO200k},
        {"chatgpt-4o-latest", kO200k},
        {"gpt-4.1", kO200k},
        {"gpt-4.1-nano", kO200k},
        {"gpt-4.5-preview", kO200k},
        {"gpt-5", kO200k},
        {"gpt-5-mini", kO200k},
        {"gpt-5.1-codex", kO200k},
        {"gpt-oss-120b", kO200k},
        {"o1", kO200k},
        {"o1-preview", kO200k},
        {"o3-mini", kO200k},
        {"o4-mini-2025-04-16", kO200k},
        {"ft:gpt-4o-mini:acme::1", kO200k},
        {"openai/gpt-4o:extended", kO200k},
        {"gpt-4", kCl100k},
        {"gpt-4-0613", kCl100k},
        {"gpt-4-turbo", kCl100k},
        {"gpt-3.5-turbo", kCl100k},
        {"ft:gpt-3.5-turbo:acme::1", kCl100k},
        {"gpt-35-turbo-16k", kCl100k},
        {"text-embedding-ada-002", kCl100k},
        {"text-embedding-3-small", kCl100k},
        {"davinci-002", kCl100k},
    };
    for (const ModelCase& one : cases) {
        EXPECT_EQ(encoding_of(one.model), one.want) << one.model;
    }
}

TEST(EncodingOf, DoesNotGuess) {
    for (const std::string_view model : {"",
                                         "claude-sonnet-4-5",
                                         "gemini-2.5-pro",
                                         "text-embedding-004",
                                         "gpt-6",
                                         "gpt-4.2",
                                         "gpt-40",
                                         "o10",
                                         "o2",
                                         "mistral-large",
                                         "gpt-2",
                                         "anthropic/gpt-4o"}) {
        EXPECT_EQ(encoding_of(model), std::nullopt) << model;
    }
}

TEST(EncodingOf, NamesAreOpenAis) {
    EXPECT_EQ(name(Encoding::cl100k), "cl100k_base");
    EXPECT_EQ(name(Encoding::o200k), "o200k_base");
}

}  // namespace
}  // namespace weir::tokens
