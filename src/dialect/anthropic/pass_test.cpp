#include <gtest/gtest.h>

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/transcript.h"

namespace weir::dialect::anthropic {
namespace {

AnswerView read_whole(std::string_view body) {
    json::Scratch scratch;
    AnswerView view;
    EXPECT_TRUE(read_answer(body, scratch, view)) << body;
    return view;
}

TEST(AnthropicPass, FindsTheTextsOfAWholeAnswer) {
    constexpr std::string_view kBody =
        R"({"model":"claude-x","id":"msg_1","content":[{"type":"thinking","thinking":"t","signature":"s"},{"text":"one","type":"text"},{"type":"tool_use","id":"a","name":"f","input":{"type":"text","text":"no"}},{"type":"text","text":"two","citations":[{"type":"text","text":"no"}]}],"stop_reason":"end_turn","usage":{"input_tokens":5,"cache_read_input_tokens":7,"output_tokens":3,"cache_creation":{"ephemeral_1h_input_tokens":2}}})";
    const AnswerView view = read_whole(kBody);
    ASSERT_EQ(view.outputs.size(), 4u);
    EXPECT_TRUE(view.outputs[0].has_other);
    EXPECT_EQ(view.outputs[1].text.in(kBody), "\"one\"");
    EXPECT_FALSE(view.outputs[1].has_other);
    EXPECT_TRUE(view.outputs[2].has_other);
    EXPECT_FALSE(view.outputs[2].text.is_set());
    EXPECT_EQ(view.outputs[3].text.in(kBody), "\"two\"");
    EXPECT_EQ(view.model.in(kBody), "\"claude-x\"");
    EXPECT_TRUE(view.finished);
    EXPECT_TRUE(view.is_terminal);
    EXPECT_FALSE(view.is_empty());
    ASSERT_TRUE(view.usage);
    EXPECT_EQ(view.usage->input_tokens, 14);
    EXPECT_EQ(view.usage->cache_write_1h_tokens, 2);
    EXPECT_EQ(view.usage->output_tokens, 3);
}

TEST(AnthropicPass, KnowsErrorsAndNonsense) {
    constexpr std::string_view kError = R"({"type":"error","error":{"type":"api_error"}})";
    EXPECT_EQ(read_whole(kError).error.in(kError), R"({"type":"api_error"})");
    EXPECT_TRUE(read_whole("{}").is_empty());
    EXPECT_FALSE(read_whole("{}").usage);
    json::Scratch scratch;
    AnswerView view;
    EXPECT_EQ(read_answer("[]", scratch, view).error().code(), Code::upstream_invalid_response);
    EXPECT_EQ(read_answer("x", scratch, view).error().code(), Code::upstream_invalid_response);
}

struct Reading {
    std::unique_ptr<StreamReader> reader = read_stream({});
    json::Scratch scratch{};
    AnswerView view{};

    const AnswerView& of(std::string_view data) {
        EXPECT_TRUE(reader->read({.data = data}, scratch, view)) << data;
        return view;
    }
};

TEST(AnthropicPass, LearnsFromEveryEvent) {
    Reading reading;
    constexpr std::string_view kStart =
        R"({"type":"message_start","message":{"model":"claude-x","content":[],"stop_reason":null,"usage":{"input_tokens":5,"output_tokens":1}}})";
    const AnswerView& view = reading.of(kStart);
    EXPECT_EQ(view.model.in(kStart), "\"claude-x\"");
    EXPECT_TRUE(view.outputs.empty());  // nothing is said yet: no commit
    EXPECT_FALSE(view.finished);
    EXPECT_EQ(view.usage->input_tokens, 5);
    EXPECT_TRUE(reading.of(R"({"type": "ping"})").outputs.empty());

    reading.of(
        R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})");
    EXPECT_FALSE(view.outputs[0].has_other);
    reading.of(
        R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"text"}})");
    EXPECT_TRUE(view.outputs[0].has_other);
    EXPECT_FALSE(view.usage);
    reading.of(R"({"type":"content_block_stop","index":0})");
    EXPECT_TRUE(view.outputs.empty());

    reading.of(
        R"({"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}})");
    ASSERT_EQ(view.outputs.size(), 1u);
    EXPECT_FALSE(view.outputs[0].finish.is_set());
    EXPECT_LE(view.outputs[0].text.size, 2u);
    constexpr std::string_view kDelta =
        R"({"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"hi"}   })";
    reading.of(kDelta);
    EXPECT_EQ(view.outputs[0].index, 1);
    EXPECT_EQ(view.outputs[0].text.in(kDelta), "\"hi\"");
    reading.of(R"({"type":"content_block_stop","index":1})");
    ASSERT_EQ(view.outputs.size(), 1u);
    EXPECT_EQ(view.outputs[0].index, 1);
    EXPECT_TRUE(view.outputs[0].finish.is_set());

    reading.of(
        R"({"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}})");
    EXPECT_TRUE(view.outputs[0].has_other);
    reading.of(R"({"type":"content_block_stop","index":2})");
    EXPECT_TRUE(view.outputs.empty());

    reading.of(
        R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":9}})");
    EXPECT_TRUE(view.finished);
    EXPECT_FALSE(view.is_terminal);
    EXPECT_EQ(view.usage->input_tokens, 5);  // cumulative, though the event tells only one
    EXPECT_EQ(view.usage->output_tokens, 9);
    reading.of(R"({"type":"message_stop"})");
    EXPECT_TRUE(view.is_terminal);
    constexpr std::string_view kError =
        R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})";
    EXPECT_TRUE(reading.of(kError).error.is_set());
}

// A text that says nothing has no end that anyone waits for.
TEST(AnthropicPass, AnEmptyTextIsNoOutput) {
    Reading reading;
    reading.of(
        R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})");
    reading.of(R"({"type":"content_block_stop","index":0})");
    EXPECT_TRUE(reading.view.outputs.empty());
}

// A guardrail cuts a text: what Weir says in the provider's place is a whole stream.
TEST(AnthropicPass, EndsAStreamThatAGuardrailCut) {
    Reading reading;
    std::string out =
        "data: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"model\":\"x\"}}\n\n"
        "data: {\"type\":\"content_block_start\",\"index\":3,\"content_block\":{\"type\":\"text\","
        "\"text\":\"\"}}\n\n";
    reading.reader->append_text(3, "so \"far\"", out);
    reading.reader->append_stop(3, llm::FinishReason::content_filter, out);
    reading.reader->append_terminal({.input_tokens = 8, .output_tokens = 2}, out);
    EXPECT_EQ(transcribe(out),
              "start m x\nbegin 0 text\ndelta 0 so \"far\"\nend 0\nfinish 5 \n"
              "usage 8 0 0 0 2 0 0\nend of stream\n");
    EXPECT_NE(out.find("event: message_delta\n"), std::string::npos);
    EXPECT_NE(out.find("event: message_stop\n"), std::string::npos);
}

// A provider that leaves its terminal out: only that is added.
TEST(AnthropicPass, RepeatsNoReason) {
    Reading reading;
    reading.of(R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{}})");
    std::string out;
    reading.reader->append_terminal({}, out);
    EXPECT_EQ(out, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n");
}

}  // namespace
}  // namespace weir::dialect::anthropic
