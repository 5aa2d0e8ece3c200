#include "dialect/gemini/gemini_test.h"

namespace weir::dialect::gemini {
namespace {

struct Seen {
    std::string text;
    AnswerView view;
    std::string outputs() const {
        std::string out;
        for (const auto& o : view.outputs) {
            out += fmt::format("{}:{}{}{}{};",
                               o.index,
                               o.text.in(text),
                               o.finish.is_set() ? " " + std::string(o.finish.in(text)) : "",
                               o.has_other ? " other" : "",
                               o.logprobs.is_set() ? " " + std::string(o.logprobs.in(text)) : "");
        }
        return out;
    }
};
Seen see(std::string text) {
    Seen seen{.text = std::move(text), .view = {}};
    json::Scratch scratch;
    const auto read = pass.read_answer(seen.text, scratch, seen.view);
    EXPECT_TRUE(read) << seen.text;
    return seen;
}

TEST(GeminiPass, FindsTextsFinishAndUsage) {
    const auto text = [](std::string_view candidate) {
        return see(fmt::format(R"({{"candidates":[{}]}})", candidate)).outputs();
    };
    EXPECT_EQ(text(R"({"content":{"parts":[{"text":"a"},{"text":"b"}]},"index":2})"),
              R"(2:"a";2:"b";)");
    EXPECT_EQ(text(R"({"content":{"parts":[{"text":"th","thought":true},{"text":"b"}]}})"),
              R"(0:"b" other;)");
    EXPECT_EQ(
        text(R"({"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP"})"),
        R"(0: "STOP" other;)");
    EXPECT_EQ(text(R"({"content":{"parts":[{"text":""}]},"finishReason":"STOP","index":0})"),
              R"(0:"" "STOP";)");
    EXPECT_EQ(
        text(R"({"finishReason":"FINISH_REASON_UNSPECIFIED","content":{"parts":[{"text":"a"}]}})"),
        R"(0:"a";)");
    EXPECT_EQ(text(R"({"content":{"parts":[{"text":"a"}]},"groundingMetadata":{"x":["a"]}})"),
              R"(0:"a" {"x":["a"]};)");
    EXPECT_EQ(
        text(
            R"({"content":{"parts":[{"text":"a"}]},"groundingMetadata":{"x":1},"logprobsResult":{"y":2}})"),
        R"(0:"a" {"y":2};0: {"x":1};)");
    EXPECT_EQ(text(R"({"content":{"parts":[{"text":"a"}]},"index":1},{"finishReason":"STOP"})"),
              R"(1:"a";0: "STOP";)");
    const Seen seen = see(
        R"({"candidates":[{"finishReason":"MAX_TOKENS","groundingMetadata":{"webSearchQueries":["a","b"]}}],)"
        R"("usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":2,"thoughtsTokenCount":1,)"
        R"("promptTokensDetails":[{"modality":"AUDIO","tokenCount":2}]},"modelVersion":"m\"x","responseId":"r"})");
    EXPECT_EQ(usage_text(*seen.view.usage),
              "in 3 (cached 0, audio 2) out 3 (thought 1, audio 0, image 0) searches 2");
    EXPECT_TRUE(seen.view.finished);
    EXPECT_FALSE(seen.view.is_terminal);
    EXPECT_EQ(seen.view.model.in(seen.text), R"("m\"x")");
    const Seen blocked = see(R"({"promptFeedback":{"blockReason":"SAFETY"}})");
    EXPECT_TRUE(blocked.view.finished);
    EXPECT_EQ(blocked.outputs(), "0: other;");
    EXPECT_EQ(see(R"({"error":{"code":1}})").view.error.size, 10u);
    json::Scratch scratch;
    AnswerView view;
    EXPECT_FALSE(pass.read_answer("[]", scratch, view));
    EXPECT_FALSE(pass.read_answer("{", scratch, view));
}

TEST(GeminiPass, MakesEventsThatClientsAccept) {
    const auto reader = pass.read_stream({.model = "pub"});
    json::Scratch scratch;
    AnswerView view;
    const std::string data =
        R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}],"modelVersion":"m","responseId":"r\"1"})";
    ASSERT_TRUE(reader->read({.name = {}, .data = data, .raw = data}, scratch, view));
    std::string out;
    reader->append_text(1, "kept \"", out);
    reader->append_stop(1, llm::FinishReason::content_filter, out);
    reader->append_stop(0, llm::FinishReason::length, out);
    reader->append_terminal({.input_tokens = 2, .output_tokens = 3}, out);
    EXPECT_TRUE(reader->ends_with_body());
    EXPECT_EQ(reader->finish_word(llm::FinishReason::content_filter), "SAFETY");
    const auto lines = events_of(out, out.size());
    EXPECT_EQ(lines,
              (std::vector<std::string>{
                  "start r\"1 pub",
                  "begin 1.0 text",
                  "delta 1.0 kept \"",
                  "usage in 2 (cached 0, audio 0) out 3 (thought 0, audio 0, image 0) searches 0",
                  "finish 0 length ",
                  "end 1.0",
                  "finish 1 content_filter ",
                  "end of stream"}));
    EXPECT_NE(out.find("\r\n\r\n"), std::string::npos);
}

}  // namespace
}  // namespace weir::dialect::gemini
