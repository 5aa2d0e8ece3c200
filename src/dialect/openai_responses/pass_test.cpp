// What a relay is told of answers that pass as they came. Guardrails on whole streams:
// pipeline/pass_relay_responses_test.cpp.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/openai_responses/edge.h"
#include "dialect/openai_responses/responses_test.h"

namespace weir::dialect::openai_responses {
namespace {

using Json = nlohmann::json;

class Passing {
public:
    explicit Passing(const AnswerTerms& terms = {.request_id = "r"})
        : reader(pass.read_stream(terms)) {}
    // One event; its view.
    const AnswerView& read(std::string_view bytes) {
        data = bytes;
        const auto done = reader->read({.data = data}, scratch_, view);
        EXPECT_TRUE(done) << done.error().detail();
        return view;
    }
    Code refused(std::string_view bytes) {
        const auto done = reader->read({.data = bytes}, scratch_, view);
        EXPECT_FALSE(done) << bytes;
        return done.error().code();
    }
    std::string_view in(json::Span span) const { return span.in(data); }

    std::unique_ptr<StreamReader> reader;
    AnswerView view;
    std::string data;

private:
    json::Scratch scratch_;
};

TEST(ResponsesPass, TellsWhatAnEventIs) {
    Passing p;
    p.read(R"({"type":"response.created","response":{"model":"m","error":null,"usage":null}})");
    EXPECT_EQ(p.in(p.view.model), "\"m\"");
    EXPECT_FALSE(p.view.error.is_set() || p.view.is_terminal || p.view.usage);
    EXPECT_TRUE(p.view.outputs.empty());

    p.read(R"({"output_index":1,"content_index":2,"delta":"a\n","logprobs":[{"token":"a"}],
        "item_id":"msg","type":"response.output_text.delta"})");
    ASSERT_EQ(p.view.outputs.size(), 1u);
    EXPECT_EQ(p.in(p.view.outputs[0].text), "\"a\\n\"");
    EXPECT_EQ(p.in(p.view.outputs[0].logprobs), R"([{"token":"a"}])");
    EXPECT_FALSE(p.view.outputs[0].finish.is_set());
    const auto first = p.view.outputs[0].index;
    p.read(R"({"type":"response.output_text.delta","output_index":2,"content_index":1,
        "delta":"b","logprobs":[]})");
    EXPECT_NE(p.view.outputs[0].index, first);
    EXPECT_FALSE(p.view.outputs[0].logprobs.is_set());  // an empty list repeats nothing
    p.read(R"({"type":"response.output_text.done","output_index":1,"content_index":2,
        "text":"a\n","logprobs":[]})");
    EXPECT_EQ(p.view.outputs[0].index, first);
    EXPECT_TRUE(p.view.outputs[0].finish.is_set());
    EXPECT_FALSE(p.view.outputs[0].text.is_set());  // it was read in pieces

    p.read(R"({"type":"response.completed","response":{"model":"m","status":"completed",
        "output":[{"type":"message","content":[{"type":"output_text","text":"a\n"}]},
        {"type":"web_search_call"}],"usage":{"input_tokens":3,"input_tokens_details":
        {"cached_tokens":9},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":1}}}})");
    EXPECT_TRUE(p.view.is_terminal);
    EXPECT_TRUE(p.view.finished);
    EXPECT_TRUE(p.view.outputs.empty());  // what is repeated was screened before
    EXPECT_EQ(p.view.usage,
              (llm::Usage{.input_tokens = 3,
                          .cache_read_tokens = 3,
                          .output_tokens = 2,
                          .reasoning_tokens = 1,
                          .searches = 1}));
}

struct EventCase {
    std::string_view data;
    bool has_other;
};
TEST(ResponsesPass, KnowsWhatIsAnAnswerThoughNoText) {
    for (const EventCase& c :
         {EventCase{R"({"type":"response.in_progress","response":{}})", false},
          EventCase{R"({"type":"response.output_item.added","item":{"type":"message"}})", false},
          EventCase{R"({"type":"response.output_item.added","item":{"type":"reasoning"}})", false},
          EventCase{R"({"type":"response.output_item.added","item":{"type":"function_call"}})",
                    true},
          EventCase{R"({"type":"response.output_item.added","item":{"type":"web_search_call"}})",
                    true},
          EventCase{R"({"type":"response.content_part.added","part":{"type":"output_text"}})",
                    false},
          EventCase{R"({"type":"response.reasoning_summary_text.delta","delta":"x"})", true},
          EventCase{R"({"type":"response.reasoning_text.delta","delta":"x"})", true},
          EventCase{R"({"type":"response.refusal.delta","delta":"x"})", true},
          EventCase{R"({"type":"response.function_call_arguments.delta","delta":"x"})", true},
          EventCase{R"({"type":"response.something.new","x":[{"y":1}]})", false},
          EventCase{R"({"type":"keepalive"})", false}}) {
        Passing p;
        p.read(c.data);
        EXPECT_EQ(!p.view.outputs.empty() && p.view.outputs[0].has_other, c.has_other) << c.data;
        EXPECT_FALSE(p.view.is_terminal) << c.data;
    }
}

TEST(ResponsesPass, ErrorsAreSeenWhereverTheyStand) {
    for (const auto* data :
         {R"({"type":"error","code":"server_error","message":"x","param":null})",
          R"({"type":"error","error":{"message":"x"}})",
          R"({"error":"x"})",
          R"({"type":"response.failed","response":{"status":"failed","error":{"code":"x"}}})",
          R"({"type":"response.failed","response":{"status":"failed","error":null}})",
          R"({"type":"response.cancelled","response":{"status":"cancelled"}})"}) {
        Passing p;
        EXPECT_TRUE(p.read(data).error.is_set()) << data;
    }
}

// A text that comes only in what repeats it would pass no guardrail.
TEST(ResponsesPass, NoTextPassesUnread) {
    constexpr std::string_view kItem =
        R"({"type":"message","content":[{"type":"output_text","text":"secret"}]})";
    Passing whole;
    whole.read(R"({"type":"response.output_text.done","output_index":0,"content_index":0,
        "text":"secret"})");
    EXPECT_EQ(whole.in(whole.view.outputs.at(0).text), "\"secret\"");
    EXPECT_TRUE(whole.view.outputs[0].finish.is_set());
    for (
        const std::string& data :
        {fmt::format(R"({{"type":"response.output_item.done","output_index":0,"item":{}}})", kItem),
         fmt::format(
             R"({{"type":"response.completed","response":{{"status":"completed","output":[{}]}}}})",
             kItem)}) {
        Passing p;
        EXPECT_EQ(p.refused(data), Code::upstream_invalid_response);
    }
    for (const auto* data :
         {"[]",
          "{",
          "7",
          R"({"type":"response.output_text.delta","output_index":-1,"delta":"x"})",
          R"({"type":"response.output_text.delta","output_index":99999999999,"delta":"x"})",
          R"({"type":"response.output_text.delta","content_index":65536,"delta":"x"})",
          R"({"type":"response.output_text.delta","output_index":"0.5e9","content_index":1.5,
              "delta":"x"})"}) {
        Passing p;
        EXPECT_EQ(p.refused(data), Code::upstream_invalid_response) << data;
    }
}

TEST(ResponsesPass, AnEmptyAnswerIsNoneUnlessItWasCut) {
    Passing p;
    EXPECT_FALSE(p.read(R"({"type":"response.completed","response":{"output":[]}})").finished);
    EXPECT_TRUE(p.read(R"({"type":"response.incomplete","response":{"output":[]}})").finished);

    json::Scratch scratch;
    AnswerView view;
    const auto is_empty = [&](std::string_view body) {
        EXPECT_TRUE(pass.read_answer(body, scratch, view)) << body;
        return view.is_empty();
    };
    EXPECT_TRUE(is_empty(R"({"status":"completed","output":[]})"));
    EXPECT_TRUE(is_empty(R"({"status":"queued","output":[]})"));
    EXPECT_FALSE(is_empty(R"({"status":"incomplete","output":[]})"));
    EXPECT_FALSE(is_empty(R"({"status":"completed","output":[{"type":"function_call"}]})"));
    EXPECT_FALSE(pass.read_answer("[]", scratch, view));
    ASSERT_TRUE(pass.read_answer(R"({"status":"failed","error":null,"output":[]})", scratch, view));
    EXPECT_TRUE(view.error.is_set());
}

TEST(ResponsesPass, WholeAnswersShowAllTheirTexts) {
    const std::string body = R"({"output":[{"type":"reasoning","content":[{"type":"reasoning_text",
        "text":"hm"}]},{"content":[{"text":"one","annotations":[{"type":"x","text":"no"}],
        "type":"output_text"},{"type":"refusal","refusal":"no"},{"type":"output_text",
        "text":"two"}],"type":"message"}],"model":"m","error":null,"status":"completed"})";
    json::Scratch scratch;
    AnswerView view;
    ASSERT_TRUE(pass.read_answer(body, scratch, view));
    std::vector<std::string_view> texts;
    std::vector<std::int64_t> indexes;
    for (const auto& output : view.outputs) {
        if (output.text.is_set()) {
            texts.push_back(output.text.in(body));
            indexes.push_back(output.index);
        }
    }
    EXPECT_EQ(texts, (std::vector<std::string_view>{"\"one\"", "\"two\""}));
    EXPECT_NE(indexes[0], indexes[1]);
}

// Two texts in one item, the first whole: what Weir says at a stop holds both.
TEST(ResponsesPass, AStopRepeatsWhatPassedOfTheItem) {
    Passing p({.model = "alias", .request_id = "r"});
    p.read(R"({"type":"response.created","sequence_number":0,"response":{"id":"resp_1","model":"m",
        "status":"in_progress","output":[],"usage":null,"incomplete_details":null}})");
    p.read(R"({"type":"response.output_text.delta","sequence_number":1,"item_id":"msg_1",
        "output_index":0,"content_index":0,"delta":"on\u0065"})");
    p.read(R"({"type":"response.output_text.done","sequence_number":2,"output_index":0,
        "content_index":0,"text":"one"})");
    p.read(R"({"type":"response.output_text.delta","sequence_number":3,"item_id":"msg_1",
        "output_index":0,"content_index":1,"delta":"two "})");
    p.reader->replace_text(p.view.outputs[0].index, "two");
    p.read(R"({"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1",
        "output_index":0,"content_index":1,"delta":"bad"})");
    const auto index = p.view.outputs[0].index;
    std::string out;
    p.reader->append_text(index, " ", out);
    p.reader->append_stop(index, llm::FinishReason::content_filter, out);
    p.reader->append_terminal({.input_tokens = 3, .output_tokens = 1}, out);
    const auto events = events_of(out);
    ASSERT_EQ(events.size(), 5u);
    std::vector<Json> data;
    for (const auto& event : events) {
        data.push_back(Json::parse(event.data));
        EXPECT_EQ(data.back()["sequence_number"], 3 + data.size());
    }
    EXPECT_EQ(data[0]["delta"], " ");
    EXPECT_EQ(data[0]["item_id"], "msg_1");
    EXPECT_EQ(data[1]["text"], "two ");
    EXPECT_EQ(data[2]["part"]["text"], "two ");
    EXPECT_EQ(data[3]["item"]["content"][0]["text"], "one");
    EXPECT_EQ(data[3]["item"]["content"][1]["text"], "two ");
    const Json& response = data[4]["response"];
    EXPECT_EQ(response["id"], "resp_1");
    EXPECT_EQ(response["model"], "alias");
    EXPECT_EQ(response["status"], "incomplete");
    EXPECT_EQ(response["output"], Json::array({data[3]["item"]}));
    EXPECT_EQ(response["usage"]["total_tokens"], 4);
}

}  // namespace
}  // namespace weir::dialect::openai_responses
