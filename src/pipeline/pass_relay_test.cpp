#include "pipeline/pass_relay.h"

#include <gtest/gtest.h>

#include "pipeline/chat_stream_test.h"

namespace weir::pipeline {
namespace {

std::string chunk(std::string_view delta, std::string_view finish = "null", int index = 0) {
    return fmt::format(
        R"(data: {{"id":"c1","object":"chat.completion.chunk","created":7,"model":"up","choices":[{{"index":{},"delta":{{{}}},"logprobs":null,"finish_reason":{}}}]}})"
        "\n\n",
        index,
        delta,
        finish);
}
std::string text(std::string_view words, int index = 0) {
    return chunk(fmt::format(R"("content":"{}")", words), "null", index);
}
const std::string kRole = chunk(R"("role":"assistant","content":"")");
const std::string kStop = chunk("", R"("stop")");
const std::string kUsage =
    R"(data: {"id":"c1","object":"chat.completion.chunk","created":7,"model":"up","choices":[],"usage":{"prompt_tokens":5,"completion_tokens":2,"total_tokens":7}})"
    "\n\n";
const std::string kDone = "data: [DONE]\n\n";

std::shared_ptr<const guardrail::OutputRules> rules(std::vector<std::string> words,
                                                    std::optional<std::int64_t> length = {}) {
    return guardrail::OutputRules::make(
        {.output = {.max_length = length, .banned_words = std::move(words)}});
}

struct Outcome {
    std::string out;
    std::string error;
    bool done = false, committed = false;
    llm::Usage usage;
    bool operator==(const Outcome&) const = default;
};

Outcome relay_in(ChatTerms terms, const std::vector<std::string_view>& parts) {
    StreamScratch scratch;
    PassRelay relay(terms.pass(), scratch);
    Outcome outcome;
    Result<void> taken{};
    for (const std::string_view part : parts) {
        taken = relay.feed(part, outcome.out);
        if (!taken) {
            break;
        }
    }
    if (taken && !relay.is_done()) {
        taken = relay.end(outcome.out);
    }
    outcome.error = taken ? "" : std::string(name(taken.error().code()));
    outcome.done = relay.is_done();
    outcome.committed = relay.is_committed();
    outcome.usage = relay.usage();
    return outcome;
}

// The words a client would put together, and the last reason.
std::string spoken(const std::string& out) {
    std::string words;
    dialect::sse::Decoder decoder;
    dialect::json::Scratch scratch;
    decoder.feed(out);
    dialect::sse::Event event;
    while (decoder.next(event).value()) {
        if (event.data == "[DONE]") {
            return words + " [DONE]";
        }
        const auto answer = view_of(event.data, scratch);
        for (const auto& choice : answer->outputs) {
            if (choice.text.size > 2) {
                words += choice.text.in(event.data).substr(1, choice.text.size - 2);
            }
            if (choice.finish.is_set()) {
                words += " <" + std::string(choice.finish.in(event.data)) + ">";
            }
        }
    }
    return words;
}

TEST(PassRelay, PassesByteForByteAndLeavesOutTheUsageNobodyAskedFor) {
    const std::string body = kRole + text("Hel") + text("lo") + kStop;
    const auto outcome = relay_in({}, {body + kUsage + kDone});
    EXPECT_EQ(outcome.out, body + kDone);
    EXPECT_EQ(outcome.error, "");
    EXPECT_EQ(outcome.usage.input_tokens, 5);
    EXPECT_FALSE(outcome.usage.estimated);
    EXPECT_EQ(relay_in({.include_usage = true}, {body + kUsage + kDone}).out,
              body + kUsage + kDone);
}

TEST(PassRelay, IsTheSameForEveryCut) {
    const auto with = rules({"lo wor", "secret"});
    const std::string body = ": hi\n\n" + kRole + text("Hel") + text("lo w") + text("a ") +
                             text("se") + text("cret x") + kStop + kUsage + kDone;
    for (const auto* banned : {static_cast<const guardrail::OutputRules*>(nullptr), with.get()}) {
        const ChatTerms terms{.public_model = "alias", .include_usage = true, .rules = banned};
        const Outcome whole = relay_in(terms, {body});
        for (std::size_t i = 0; i <= body.size(); ++i) {
            const std::string_view view = body;
            const Outcome cut = relay_in(terms, {view.substr(0, i), view.substr(i)});
            ASSERT_EQ(cut.out, whole.out) << i;
            ASSERT_EQ(cut.error, whole.error) << i;
        }
    }
}

TEST(PassRelay, SaysTheNameTheClientKnows) {
    const auto outcome = relay_in({.public_model = "alias"}, {kRole + text("x") + kStop + kDone});
    EXPECT_EQ(outcome.out.find(R"("model":"up")"), std::string::npos);
    EXPECT_NE(outcome.out.find(R"("model":"alias")"), std::string::npos);
}

TEST(PassRelay, EndsBeforeABannedWordThatIsSplitOverChunks) {
    const auto with = rules({"secret word"});
    const auto outcome =
        relay_in({.include_usage = true, .rules = with.get()},
                 {kRole + text("a sec") + text("ret wo") + text("rd!") + text("more")});
    EXPECT_EQ(spoken(outcome.out), R"(a  <"content_filter"> [DONE])");
    EXPECT_TRUE(outcome.done);
    EXPECT_TRUE(outcome.usage.estimated);
    EXPECT_NE(outcome.out.find("prompt_tokens"), std::string::npos);
}

TEST(PassRelay, ReleasesWhatWasHeldBackForNothing) {
    const auto with = rules({"secret word"});
    const auto outcome = relay_in({.rules = with.get()},
                                  {kRole + text("a sec") + text("ret") + kStop + kUsage + kDone});
    EXPECT_EQ(spoken(outcome.out), R"(a secret <"stop"> [DONE])");
}

TEST(PassRelay, EndsAtTheLongestLength) {
    const auto with = rules({}, 4);
    const auto outcome = relay_in({.rules = with.get()}, {kRole + text("abc") + text("defg")});
    EXPECT_EQ(spoken(outcome.out), R"(abcd <"length"> [DONE])");
}

TEST(PassRelay, StopsOneChoiceAndLetsTheOtherGoOn) {
    const auto with = rules({"bad"});
    const std::string body = text("good ", 0) + text("bad ", 1) + text("more", 1) +
                             text("words", 0) + chunk("", R"("stop")", 0) +
                             chunk("", R"("stop")", 1) + kUsage + kDone;
    const auto outcome = relay_in({.choices = 2, .rules = with.get()}, {body});
    EXPECT_EQ(spoken(outcome.out), R"(good  <"content_filter">words <"stop"> [DONE])");
    EXPECT_FALSE(outcome.usage.estimated);
}

TEST(PassRelay, StopsAChoiceThatSharesItsChunks) {
    const auto with = rules({"bad"});
    const std::string both =
        R"(data: {"id":"c1","model":"up","choices":[{"index":0,"delta":{"content":"fine "},"finish_reason":null},{"index":1,"delta":{"content":"bad "},"finish_reason":null}]})"
        "\n\n";
    const auto outcome = relay_in({.choices = 2, .rules = with.get()},
                                  {both + both + chunk("", R"("stop")", 0) + kDone});
    EXPECT_EQ(spoken(outcome.out), R"(fine  <"content_filter">fine  <"stop"> [DONE])");
}

struct Bad {
    std::string_view name;
    std::string body;
    std::string_view error;
    bool committed;
};
class PassRelayFails : public testing::TestWithParam<Bad> {};
TEST_P(PassRelayFails, WithItsName) {
    const auto outcome = relay_in({}, {GetParam().body});
    EXPECT_EQ(outcome.error, GetParam().error);
    EXPECT_EQ(outcome.committed, GetParam().committed);
    EXPECT_EQ(outcome.out.find("[DONE]"), std::string::npos);
    if (!outcome.committed) {
        EXPECT_EQ(outcome.out, "");
    }
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    PassRelayFails,
    testing::Values(
        Bad{"nothing", "", "upstream_invalid_response", false},
        Bad{"only_role", kRole, "upstream_invalid_response", false},
        Bad{"only_done", kDone, "upstream_invalid_response", false},
        Bad{"no_done", kRole + text("x") + kStop, "upstream_invalid_response", true},
        Bad{"no_json", "data: {nonsense\n\n", "upstream_invalid_response", false},
        Bad{"error_first", "data: {\"error\":{\"message\":\"m\"}}\n\n", "upstream_error", false},
        Bad{"error_later",
            text("x") + "data: {\"error\":{\"message\":\"m\"}}\n\n",
            "upstream_error",
            true},
        Bad{"endless_prelude",
            [] {
                std::string body;
                for (int i = 0; i < 300; ++i) {
                    body += kRole;
                }
                return body;
            }(),
            "upstream_invalid_response",
            false}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(PassRelay, TakesAFinishForTheEndWhereTheProviderIsKnownToLeaveItOut) {
    const auto outcome = relay_in({.may_omit_done = true}, {text("x") + kStop});
    EXPECT_EQ(outcome.out, text("x") + kStop + kDone);
}

// Completions have one shape for all their chunks, also for those that Weir makes.
TEST(PassRelay, CutsACompletionInItsOwnShapeAtEveryCut) {
    const auto words = [](std::string_view said, std::string_view finish = "null") {
        return fmt::format(
            R"(data: {{"id":"c1","object":"text_completion","created":7,"model":"up","choices":[{{"text":"{}","index":0,"logprobs":null,"finish_reason":{}}}]}})"
            "\n\n",
            said,
            finish);
    };
    const auto filter = rules({"secret"});
    const std::string stream = words("a se") + words("cret b") + words("", R"("stop")") + kDone;
    const ChatTerms terms{.rules = filter.get()};
    const auto whole = relay_in(terms, {stream});
    const std::string stop =
        R"(data: {"id":"c1","object":"text_completion","created":7,"model":"up","choices":[{"index":0,"text":"","logprobs":null,"finish_reason":"content_filter"}]})"
        "\n\n";
    EXPECT_EQ(whole.out, words("a ") + stop + kDone);
    for (std::size_t cut = 0; cut < stream.size(); ++cut) {
        const std::string_view view = stream;
        EXPECT_EQ(relay_in(terms, {view.substr(0, cut), view.substr(cut)}), whole) << cut;
    }
}

TEST(PassRelay, CountsWhatWasSentWhereTheProviderDoesNot) {
    const auto outcome =
        relay_in({.input_tokens_estimate = 9}, {text("x") + text("y") + kStop + kDone});
    EXPECT_EQ(outcome.usage.input_tokens, 9);
    EXPECT_EQ(outcome.usage.output_tokens, 2);
    EXPECT_TRUE(outcome.usage.estimated);
}

}  // namespace
}  // namespace weir::pipeline
