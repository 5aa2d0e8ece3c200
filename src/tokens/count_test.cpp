#include "tokens/count.h"

#include <gtest/gtest.h>

#include <thread>

#include "tokens/merge.h"
#include "tokens/vectors_test.h"

namespace weir::tokens {
namespace {

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    all.reserve(text.size() * times);
    for (std::size_t i = 0; i < times; ++i) {
        all += text;
    }
    return all;
}

TEST(Count, IsThatOfOpenAisOwnTokenizer) {
    for (const Vector& vector : read_vectors()) {
        EXPECT_EQ(count(Encoding::cl100k, vector.text), vector.cl100k) << vector.line;
        EXPECT_EQ(count(Encoding::o200k, vector.text), vector.o200k) << vector.line;
    }
}

// The longest token of this letter is eight of them, and a long run is made of these.
TEST(Count, OfAMebibyteOfOneLetterIsThatOfItsTokens) {
    const std::string text(kPieceBytesMax, 'a');
    EXPECT_EQ(count(Encoding::cl100k, text), static_cast<std::int64_t>(kPieceBytesMax / 8));
    EXPECT_EQ(count(Encoding::o200k, text), static_cast<std::int64_t>(kPieceBytesMax / 8));
}

// Three bytes each, so that the limit falls into one. The parts that are wanted need no cut.
TEST(Count, CutsAPieceLongerThanTheLimitBetweenCharacters) {
    const std::string text = repeated("字", kPieceBytesMax);
    constexpr std::size_t kPart = kPieceBytesMax / 3 * 3;
    static_assert(kPart < kPieceBytesMax);
    std::int64_t want = 0;
    for (std::size_t at = 0; at < text.size(); at += kPart) {
        want += count(Encoding::cl100k, std::string_view(text).substr(at, kPart));
    }
    EXPECT_EQ(count(Encoding::cl100k, text), want);
}

TEST(Count, OfNothingIsNothing) {
    EXPECT_EQ(count(Encoding::cl100k, {}), 0);
    EXPECT_EQ(count(Encoding::o200k, {}), 0);
}

// Their first use is at the same time: what one thread sees the others see.
TEST(Count, IsTheSameOnEveryThread) {
    std::vector<std::int64_t> counts(8);
    {
        std::vector<std::jthread> threads;
        for (std::int64_t& one : counts) {
            threads.emplace_back([&one] { one = count(Encoding::o200k, "Hello, wörld! 你好"); });
        }
    }
    for (const std::int64_t one : counts) {
        EXPECT_EQ(one, counts.front());
        EXPECT_GT(one, 4);
    }
}

TEST(Count, OfAChatAddsWhatTheCookbookSays) {
    const ChatMessage system{.role = "system", .content = "You are a helpful assistant."};
    const ChatMessage named{.role = "user", .content = "Hello!", .name = "alice"};
    const auto words = [](std::string_view text) { return count(Encoding::o200k, text); };
    EXPECT_EQ(count_chat(Encoding::o200k, {}), 3);
    EXPECT_EQ(count_chat(Encoding::o200k, std::span(&system, 1)), 3 + 3 + 1 + 6);
    const ChatMessage both[] = {system, named};
    EXPECT_EQ(count_chat(Encoding::o200k, both),
              3 + (3 + 1 + 6) + (3 + 1 + words("Hello!") + 1 + words("alice")));
}

// The figures of the cookbook's own example, which it compares with the API's answer.
TEST(Count, OfTheCookbooksExampleIsTheApis) {
    const ChatMessage messages[] = {
        {.role = "system",
         .content = "You are a helpful, pattern-following assistant that translates corporate "
                    "jargon into plain English."},
        {.role = "system",
         .content = "New synergies will help drive top-line growth.",
         .name = "example_user"},
        {.role = "system",
         .content = "Things working well together will increase revenue.",
         .name = "example_assistant"},
        {.role = "system",
         .content = "Let's circle back when we have more bandwidth to touch base on opportunities "
                    "for increased leverage.",
         .name = "example_user"},
        {.role = "system",
         .content = "Let's talk later when we're less busy about how to do better.",
         .name = "example_assistant"},
        {.role = "user",
         .content = "This late pivot means we don't have time to boil the ocean for the client "
                    "deliverable."},
    };
    EXPECT_EQ(count_chat(Encoding::cl100k, messages), 129);
    EXPECT_EQ(count_chat(Encoding::o200k, messages), 124);
}

TEST(Count, EstimatesAFifthMoreRoundedUp) {
    EXPECT_EQ(estimate(""), 0);
    EXPECT_EQ(estimate("a"), 2);
    EXPECT_EQ(estimate("a b c d e"), 6);
    EXPECT_EQ(estimate("a b c d e f"), 8);
}

}  // namespace
}  // namespace weir::tokens
