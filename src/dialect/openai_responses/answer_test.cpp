// Whole answers, both ways, and errors.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/carrier.h"
#include "dialect/openai_responses/edge.h"

namespace weir::dialect::openai_responses {
namespace {

using Json = nlohmann::json;
using llm::Dialect;

constexpr AnswerTerms kTerms{.model = "shown", .request_id = "r1", .created = 7};

llm::Answer answer_of(std::vector<llm::Part> parts,
                      llm::FinishReason finish = llm::FinishReason::stop) {
    return {.choices = {{.parts = std::move(parts), .finish = finish}},
            .usage = llm::Usage{.input_tokens = 10,
                                .cache_read_tokens = 4,
                                .cache_write_tokens = 1,
                                .output_tokens = 6,
                                .reasoning_tokens = 2}};
}
Json encode(const llm::Answer& answer) { return Json::parse(client.encode_answer(answer, kTerms)); }
llm::Part text(std::string words) { return {.body = llm::Text{.text = std::move(words)}}; }

TEST(ResponsesAnswer, HasEveryKeyOfTheSpecification) {
    const Json body = encode(answer_of({text("hi")}));
    for (const auto* key :
         {"id",           "object",      "created_at",  "error",      "incomplete_details",
          "instructions", "model",       "tools",       "output",     "parallel_tool_calls",
          "metadata",     "tool_choice", "temperature", "top_p",      "status",
          "usage",        "text",        "reasoning",   "truncation", "previous_response_id"}) {
        EXPECT_TRUE(body.contains(key)) << key;
    }
    EXPECT_EQ(body["id"], "resp_r1");
    EXPECT_EQ(body["object"], "response");
    EXPECT_EQ(body["created_at"], 7);
    EXPECT_EQ(body["model"], "shown");
    EXPECT_EQ(body["status"], "completed");
    EXPECT_EQ(body["output"], Json::parse(R"([{"id":"msg_r1_0","type":"message",
        "status":"completed","role":"assistant","content":[{"type":"output_text",
        "annotations":[],"logprobs":[],"text":"hi"}]}])"));
    EXPECT_EQ(body["usage"], Json::parse(R"({"input_tokens":10,"input_tokens_details":
        {"cached_tokens":4,"cache_write_tokens":1},"output_tokens":6,"output_tokens_details":
        {"reasoning_tokens":2},"total_tokens":16})"));
}

TEST(ResponsesAnswer, EveryPartIsAnItem) {
    const llm::Signature claude{"sig", Dialect::anthropic};
    const llm::Signature gemini{"thought", Dialect::gemini};
    const Json output = encode(
        answer_of({{.body = llm::Reasoning{.text = "h\"m", .signature = claude}},
                   {.body = llm::Reasoning{.signature = claude, .redacted = true}},
                   text(""),
                   text("so"),
                   {.body = llm::Refusal{.text = "no"}},
                   {.body = llm::Media{.mime = "image/png", .data = "AAAA"}},
                   {.body = llm::ToolCall{.name = "f", .signature = gemini}},
                   {.body = llm::ToolCall{.id = "c2", .name = "g", .arguments = "{\"a\":1}"}}},
                  llm::FinishReason::tool_calls))["output"];
    const std::string sealed = carry_in_field(claude, Dialect::openai_responses);
    ASSERT_EQ(output.size(), 7u) << output.dump(1);
    EXPECT_EQ(output[0],
              (Json{{"id", "rs_r1_0"},
                    {"type", "reasoning"},
                    {"summary", {{{"type", "summary_text"}, {"text", "h\"m"}}}},
                    {"encrypted_content", sealed}}));
    EXPECT_EQ(output[1]["summary"], Json::array());
    EXPECT_EQ(output[1]["encrypted_content"], sealed);
    EXPECT_EQ(output[2]["content"][0]["text"], "so");
    EXPECT_EQ(output[3]["content"][0], Json::parse(R"({"type":"refusal","refusal":"no"})"));
    EXPECT_EQ(output[4], Json::parse(R"({"id":"ig_r1_4","type":"image_generation_call",
        "status":"completed","result":"AAAA"})"));
    EXPECT_EQ(output[5]["arguments"], "{}");
    EXPECT_EQ(output[5]["call_id"], carry_in_id("call_r1_5", gemini));
    EXPECT_EQ(output[6], Json::parse(R"({"id":"fc_r1_6","type":"function_call",
        "status":"completed","arguments":"{\"a\":1}","call_id":"c2","name":"g"})"));
}

struct FinishCase {
    llm::FinishReason finish;
    std::string_view status, reason, last_item;
};
TEST(ResponsesAnswer, SaysWhyItStopped) {
    using enum llm::FinishReason;
    for (const FinishCase& c :
         {FinishCase{stop, "completed", "", "completed"},
          FinishCase{stop_sequence, "completed", "", "completed"},
          FinishCase{tool_calls, "completed", "", "completed"},
          FinishCase{other, "completed", "", "completed"},
          FinishCase{length, "incomplete", "max_output_tokens", "incomplete"},
          FinishCase{content_filter, "incomplete", "content_filter", "incomplete"},
          FinishCase{error, "failed", "", "completed"}}) {
        const Json body = encode(answer_of({text("a"), text("b")}, c.finish));
        EXPECT_EQ(body["status"], c.status);
        EXPECT_EQ(body["incomplete_details"],
                  c.reason.empty() ? Json{} : Json({{"reason", c.reason}}));
        EXPECT_EQ(body["output"][0]["status"], "completed");
        EXPECT_EQ(body["output"][1]["status"], c.last_item);
        EXPECT_EQ(body["error"].is_null(), c.finish != error);
    }
}

TEST(ResponsesAnswer, CitationsWithoutAPlaceAreLeftOut) {
    llm::Text cited{.text = "abc"};
    cited.citations = {
        {.url = "https://a", .title = "A", .start = 0, .end = 3},
        {.url = "https://b", .title = "B", .of = Dialect::anthropic},
        {.json = R"({"type":"file_citation","file_id":"f"})", .of = Dialect::openai_responses}};
    const Json annotations =
        encode(answer_of({{.body = cited}}))["output"][0]["content"][0]["annotations"];
    EXPECT_EQ(annotations, Json::parse(R"([{"type":"url_citation","url":"https://a",
        "start_index":0,"end_index":3,"title":"A"},{"type":"file_citation","file_id":"f"}])"));
}

TEST(ResponsesAnswer, LogprobsCrossToChatAndBack) {
    const auto answer = provider.decode_answer(
        R"({"status":"completed","output":[{"type":"message","content":[{"type":"output_text",
        "text":"hi","logprobs":[{"token":"hi","logprob":-0.1,"bytes":[104],"top_logprobs":[]}]}]}]})");
    ASSERT_TRUE(answer);
    EXPECT_EQ(Json::parse(answer->choices[0].logprobs_json)["content"][0]["token"], "hi");
    EXPECT_EQ(encode(*answer)["output"][0]["content"][0]["logprobs"][0]["logprob"], -0.1);
}

TEST(ResponsesAnswer, IsDecodedWithItsFinish) {
    const auto decode = [](std::string_view rest) {
        return provider.decode_answer(fmt::format(
            R"({{"id":"resp_9","model":"m","created_at":5.0,"usage":{{"input_tokens":7,
            "input_tokens_details":{{"cached_tokens":161}},"output_tokens":3,
            "output_tokens_details":{{"reasoning_tokens":11}}}},{}}})",
            rest));
    };
    constexpr std::string_view kCall =
        R"("output":[{"type":"function_call","call_id":"c","name":"f","arguments":""}])";
    auto answer = decode(fmt::format(R"("status":"completed",{})", kCall));
    ASSERT_TRUE(answer) << answer.error().detail();
    EXPECT_EQ(answer->created, 5);
    EXPECT_EQ(answer->choices[0].finish, llm::FinishReason::tool_calls);
    EXPECT_EQ(answer->usage->cache_read_tokens, 7);  // Azure said more than there was
    EXPECT_EQ(answer->usage->reasoning_tokens, 3);
    answer = decode(fmt::format(
        R"("status":"incomplete","incomplete_details":{{"reason":"max_output_tokens"}},{})",
        kCall));
    EXPECT_EQ(answer->choices[0].finish, llm::FinishReason::length);
    answer = decode(
        R"("status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[])");
    EXPECT_EQ(answer->choices[0].finish, llm::FinishReason::content_filter);
    answer = decode(R"("status":"incomplete","incomplete_details":{"reason":"tea"},"output":[])");
    EXPECT_EQ(answer->choices[0].finish, llm::FinishReason::other);
    EXPECT_EQ(answer->choices[0].finish_word, "tea");
    answer = decode(R"("status":"completed","output":[{"type":"web_search_call"},
        {"type":"web_search_call"},{"type":"brand_new_thing"}])");
    EXPECT_EQ(answer->usage->searches, 2);
    EXPECT_EQ(std::get<llm::Opaque>(answer->choices[0].parts[2].body).type, "brand_new_thing");

    for (const auto* bad : {"",
                            "<html>",
                            "[]",
                            "{}",
                            R"({"status":"in_progress","output":[]})",
                            R"({"status":"cancelled","output":[]})"}) {
        const auto refused = provider.decode_answer(bad);
        ASSERT_FALSE(refused) << bad;
        EXPECT_EQ(refused.error().code(), Code::upstream_invalid_response) << bad;
    }
}

struct ErrorCase {
    int status;
    std::string_view body;
    Code code;
};
TEST(ResponsesError, MeansTheSameHoweverItIsSaid) {
    for (const ErrorCase& c :
         {ErrorCase{400,
                    R"({"error":{"message":"bad","param":"input","code":null}})",
                    Code::invalid_request},
          ErrorCase{400,
                    R"({"error":{"message":"no","code":"model_not_found"}})",
                    Code::upstream_error},  // on this surface it is 400
          ErrorCase{400,
                    R"({"error":{"message":"long","code":"context_length_exceeded"}})",
                    Code::context_length_exceeded},
          ErrorCase{
              400, R"({"error":{"message":"x","code":"content_filter"}})", Code::content_filter},
          ErrorCase{400,
                    R"({"code":"invalid-argument","error":"Incorrect API key provided."})",
                    Code::upstream_error},
          ErrorCase{401, R"({"error":{"message":"key sk-1 is bad"}})", Code::upstream_error},
          ErrorCase{404, R"({"error":{"message":"x"}})", Code::upstream_error},
          ErrorCase{429, R"({"error":{"message":"slow"}})", Code::rate_limited},
          ErrorCase{429,
                    R"({"error":{"message":"x","code":"insufficient_quota"}})",
                    Code::upstream_error},
          ErrorCase{500, "<html>", Code::upstream_error},
          ErrorCase{504, "", Code::upstream_timeout},
          // What a stream says, where the status was spent on 200.
          ErrorCase{500,
                    R"({"type":"error","code":"rate_limit_exceeded","message":"x"})",
                    Code::rate_limited},
          ErrorCase{500,
                    R"({"type":"error","error":{"code":"invalid_prompt","message":"x"}})",
                    Code::invalid_request},
          ErrorCase{500,
                    R"({"type":"response.failed","response":{"error":{"code":"server_error",
                       "message":"x"}}})",
                    Code::upstream_error},
          ErrorCase{500,
                    R"({"status":"failed","error":{"code":"invalid_image_url",
                       "message":"x"}})",
                    Code::invalid_request}}) {
        const Error error = provider.decode_error({.status = c.status, .body = c.body});
        EXPECT_EQ(error.code(), c.code) << c.status << c.body;
        EXPECT_EQ(error.message().find("sk-1"), std::string::npos);
    }
    const auto failed = provider.decode_answer(
        R"({"status":"failed","error":{"code":"rate_limit_exceeded","message":"x"},"output":[]})");
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), Code::rate_limited);
}

}  // namespace
}  // namespace weir::dialect::openai_responses
