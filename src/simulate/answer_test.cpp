#include "simulate/answer.h"

#include <gtest/gtest.h>

#include "simulate/failure.h"

namespace weir::simulate {
namespace {

TEST(Answer, FollowsFromSeedAndPromptAlone) {
    const auto prompt =
        read_chat(R"({"model":"m","messages":[{"role":"user","content":"hello"}]})");
    ASSERT_TRUE(prompt);
    EXPECT_EQ(answer(1, *prompt).tokens, answer(1, *prompt).tokens);
    EXPECT_NE(answer(1, *prompt).tokens, answer(2, *prompt).tokens);
}

TEST(Answer, StopsAtTheLimitAndSaysSo) {
    const auto prompt =
        read_chat(R"({"messages":[{"content":[{"type":"text","text":"hello"}]}],"max_tokens":3})");
    ASSERT_TRUE(prompt);
    const auto made = answer(1, *prompt);
    EXPECT_EQ(made.tokens.size(), 3u);
    EXPECT_TRUE(made.cut_by_limit);
}

TEST(Answer, RefusesWhatIsNoRequest) {
    EXPECT_EQ(read_chat("nonsense").error().code(), Code::invalid_json);
    EXPECT_EQ(read_chat(R"({"messages":[]})").error().parameter(), "messages");
    EXPECT_EQ(read_embeddings(R"({"input":1})").error().parameter(), "input");
}

TEST(Failure, ReadsTheHeaderGrammar) {
    const auto failure = parse_failure("status=503;after=3;stall=10s");
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->status, 503);
    EXPECT_EQ(failure->after_tokens, 3u);
    EXPECT_EQ(failure->stall, std::chrono::seconds{10});
    EXPECT_TRUE(parse_failure("cut")->cut);
    EXPECT_TRUE(parse_failure("error-in-stream;after=2")->error_in_stream);
    EXPECT_FALSE(parse_failure("explode"));
    EXPECT_FALSE(parse_failure("status=abc"));
}

TEST(Failure, ReadsTheRatesOfTheCommandLine) {
    const auto rates = parse_failure_rates("429=0.1,reset=0.01");
    ASSERT_TRUE(rates);
    ASSERT_EQ(rates->size(), 2u);
    EXPECT_EQ((*rates)[0].failure.status, 429);
    EXPECT_DOUBLE_EQ((*rates)[0].share, 0.1);
    EXPECT_TRUE((*rates)[1].failure.reset);
    EXPECT_FALSE(parse_failure_rates("429=1.5"));
    EXPECT_FALSE(parse_failure_rates("nonsense=0.1"));
}

}  // namespace
}  // namespace weir::simulate
