#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/anthropic/codec.h"
#include "dialect/carrier.h"

namespace weir::dialect::anthropic {
namespace {

using Json = nlohmann::json;
using llm::Dialect;
using llm::FinishReason;

constexpr AnswerTerms kTerms{.model = "public", .request_id = "r1"};

llm::Answer answer_of(std::string_view body) {
    auto answer = decode_answer(body);
    EXPECT_TRUE(answer) << body << (answer ? "" : answer.error().detail());
    return answer ? std::move(*answer) : llm::Answer{.choices = {{}}};
}
Json encode(const llm::Answer& answer) { return Json::parse(encode_answer(answer, kTerms)); }

llm::Answer saying(std::vector<llm::Part> parts, FinishReason finish = FinishReason::stop) {
    llm::Answer answer{.choices = {{}}};
    answer.choices[0].parts = std::move(parts);
    answer.choices[0].finish = finish;
    return answer;
}

TEST(AnthropicAnswer, IsReadWhole) {
    const auto answer = answer_of(R"({"id":"msg_1","type":"message","role":"assistant",
        "model":"claude-x","content":[
          {"type":"thinking","thinking":"hm","signature":"c2ln"},
          {"type":"redacted_thinking","data":"c2VhbA"},
          {"type":"text","text":""},
          {"type":"text","text":"so","citations":[{"type":"web_search_result_location","url":"https://u","title":"T","cited_text":"c","encrypted_index":"e"}]},
          {"type":"web_search_tool_result","tool_use_id":"s","content":[]},
          {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1}}],
        "stop_reason":"tool_use","stop_sequence":null,"usage":{"input_tokens":10,
          "cache_creation_input_tokens":30,"cache_read_input_tokens":200,
          "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},
          "output_tokens":50,"output_tokens_details":{"thinking_tokens":7},
          "server_tool_use":{"web_search_requests":2,"web_fetch_requests":0},"service_tier":"priority"}})");
    EXPECT_EQ(answer.id, "msg_1");
    EXPECT_EQ(answer.model, "claude-x");
    EXPECT_EQ(answer.service_tier, "priority");
    ASSERT_EQ(answer.choices.size(), 1u);
    const auto& parts = answer.choices[0].parts;
    ASSERT_EQ(parts.size(), 5u);
    EXPECT_EQ(llm::as<llm::Reasoning>(parts[0])->signature,
              (llm::Signature{.text = "c2ln", .of = Dialect::anthropic}));
    EXPECT_TRUE(llm::as<llm::Reasoning>(parts[1])->redacted);
    const auto& citation = llm::as<llm::Text>(parts[2])->citations.at(0);
    EXPECT_EQ(citation.url, "https://u");
    EXPECT_EQ(citation.title, "T");
    EXPECT_FALSE(citation.start);  // its places are in the document
    EXPECT_EQ(llm::as<llm::Opaque>(parts[3])->type, "web_search_tool_result");
    EXPECT_EQ(llm::as<llm::ToolCall>(parts[4])->arguments, R"({"a":1})");
    EXPECT_EQ(answer.choices[0].finish, FinishReason::tool_calls);
    EXPECT_EQ(answer.usage,
              (llm::Usage{.input_tokens = 240,
                          .cache_read_tokens = 200,
                          .cache_write_tokens = 30,
                          .cache_write_1h_tokens = 20,
                          .output_tokens = 50,
                          .reasoning_tokens = 7,
                          .searches = 2,
                          .tier = llm::ServiceTier::priority}));
}

struct StopCase {
    std::string_view word;
    FinishReason finish;
    std::string_view back;
};
TEST(AnthropicAnswer, SaysWhyItStopped) {
    for (const auto& c :
         {StopCase{"end_turn", FinishReason::stop, "end_turn"},
          StopCase{"stop_sequence", FinishReason::stop_sequence, "stop_sequence"},
          StopCase{"max_tokens", FinishReason::length, "max_tokens"},
          StopCase{"model_context_window_exceeded", FinishReason::length, "max_tokens"},
          StopCase{"tool_use", FinishReason::tool_calls, "tool_use"},
          StopCase{"refusal", FinishReason::content_filter, "refusal"},
          StopCase{"pause_turn", FinishReason::stop, "end_turn"},
          StopCase{"compaction", FinishReason::stop, "end_turn"},
          StopCase{"Brand_New", FinishReason::other, "brand_new"}}) {
        const auto answer = answer_of(fmt::format(
            R"({{"content":[{{"type":"text","text":"x"}}],"stop_reason":"{}","stop_sequence":"S"}})",
            c.word));
        EXPECT_EQ(answer.choices[0].finish, c.finish) << c.word;
        const Json back = encode(answer);
        EXPECT_EQ(back["stop_reason"], c.back) << c.word;
        EXPECT_EQ(back["stop_sequence"], c.word == "stop_sequence" ? Json("S") : Json()) << c.word;
    }
    const auto open = answer_of(R"({"content":[{"type":"text","text":"x"}],"stop_reason":null})");
    EXPECT_EQ(open.choices[0].finish, FinishReason::none);
    EXPECT_EQ(encode(open)["stop_reason"], Json());
}

// Rule 7: a normal stop with a call in the answer is a stop for the call; others keep their
// meaning.
TEST(AnthropicAnswer, StopsForTheToolsThatItCalls) {
    constexpr std::string_view kCall =
        R"({{"content":[{{"type":"tool_use","id":"a","name":"f","input":{{}}}}],"stop_reason":"{}"}})";
    EXPECT_EQ(answer_of(fmt::format(kCall, "end_turn")).choices[0].finish,
              FinishReason::tool_calls);
    EXPECT_EQ(answer_of(fmt::format(kCall, "max_tokens")).choices[0].finish, FinishReason::length);
}

TEST(AnthropicAnswer, ThatCannotBeUsedIsAFailure) {
    for (const auto* body : {"",
                             "[]",
                             "{}",
                             R"({"content":"x"})",
                             R"({"content":[]})",
                             R"({"content":[{}],"usage":{"output_tokens":1}})",
                             R"({"content":[{"type":"tool_use","id":"a"}]})"}) {
        const auto answer = decode_answer(body);
        ASSERT_FALSE(answer) << body;
        EXPECT_EQ(answer.error().code(), Code::upstream_invalid_response) << body;
    }
    EXPECT_EQ(decode_answer(R"({"type":"error","error":{"type":"overloaded_error","message":"m"}})")
                  .error()
                  .code(),
              Code::upstream_error);
    // A refusal has no block at all, and max_tokens 0 asks for none.
    EXPECT_TRUE(
        answer_of(
            R"({"content":[],"stop_reason":"refusal","usage":{"input_tokens":5,"output_tokens":0}})")
            .choices[0]
            .parts.empty());
}

TEST(AnthropicAnswer, ComesBackAsItWas) {
    const Json body = Json::parse(R"({"id":"msg_1","type":"message","role":"assistant",
        "model":"public","content":[
          {"type":"thinking","thinking":"hm","signature":"c2ln"},
          {"type":"redacted_thinking","data":"c2VhbA"},
          {"type":"text","text":"so","citations":[{"type":"char_location","cited_text":"c","document_index":0}]},
          {"type":"server_tool_use","id":"s","name":"web_search","input":{"query":"q"}},
          {"type":"tool_use","id":"toolu_1","name":"f","input":{"a":[1,"\u00e9"]},
           "caller":{"type":"direct"}}],
        "stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null,
        "usage":{"input_tokens":10,
          "cache_creation_input_tokens":30,"cache_read_input_tokens":200,
          "cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},
          "output_tokens":50,"output_tokens_details":{"thinking_tokens":7},
          "server_tool_use":{"web_search_requests":2,"web_fetch_requests":0},
          "inference_geo":null,"service_tier":"standard"}})");
    EXPECT_EQ(encode(answer_of(body.dump())), body);
}

// Words of other dialects for a tier, and ids that would say whose they are, do not come through.
TEST(AnthropicAnswer, NamesNoOtherProvider) {
    auto answer = saying({{.body = llm::Text{.text = "x"}}});
    answer.id = "chatcmpl-7";
    for (const auto& [said, told] : {std::pair{"default", "standard"},
                                     std::pair{"flex", "standard"},
                                     std::pair{"priority", "priority"},
                                     std::pair{"batch", "batch"}}) {
        answer.service_tier = said;
        EXPECT_EQ(encode(answer)["usage"]["service_tier"], told);
    }
    answer.service_tier.clear();
    EXPECT_TRUE(encode(answer)["usage"]["service_tier"].is_null());
    EXPECT_EQ(encode(answer)["id"], "msg_r1");
}

// API-MAPPING 9, number 7: neither counted twice nor left out, in both directions.
TEST(AnthropicAnswer, CountsCachedTokensBesideTheInput) {
    auto answer = saying({{.body = llm::Text{.text = "x"}}});
    answer.usage = llm::Usage{
        .input_tokens = 100, .cache_read_tokens = 60, .cache_write_tokens = 30, .output_tokens = 9};
    const Json usage = encode(answer)["usage"];
    EXPECT_EQ(usage["input_tokens"], 10);
    EXPECT_EQ(usage["cache_read_input_tokens"], 60);
    EXPECT_EQ(usage["cache_creation_input_tokens"], 30);
    EXPECT_EQ(answer_of(encode_answer(answer, kTerms)).usage, answer.usage);
    answer.usage->cache_read_tokens = 500;  // a provider that contradicts itself
    EXPECT_EQ(encode(answer)["usage"]["input_tokens"], 0);
}

TEST(AnthropicAnswer, CarriesForeignSignatures) {
    const llm::Signature gemini{.text = "R2Vt", .of = Dialect::gemini};
    const auto answer = saying({
        {.body = llm::Reasoning{.text = "hm", .signature = gemini}},
        {.body = llm::Reasoning{.signature = gemini, .redacted = true}},
        {.body = llm::ToolCall{.id = "call_1", .name = "f", .signature = gemini}},
    });
    const Json body = encode(answer);
    EXPECT_EQ(
        read_carried_field(body["content"][0]["signature"].get<std::string>(), Dialect::anthropic),
        gemini);
    EXPECT_EQ(body["content"][1]["type"], "redacted_thinking");
    EXPECT_EQ(read_carried_id(body["content"][2]["id"].get_ref<const std::string&>()).signature,
              gemini);
    EXPECT_EQ(body["content"][2]["input"], Json::object());
}

TEST(AnthropicAnswer, NeverSaysAnEmptyBlockAndNeverBreaksItsJson) {
    auto answer = saying({{.body = llm::Text{}},
                          {.body = llm::Reasoning{}},
                          {.body = llm::Media{.mime = "image/png", .data = "AA=="}},
                          {.body = llm::Opaque{.of = Dialect::gemini, .type = "x", .json = "{}"}},
                          {.body = llm::ToolCall{.name = "f", .arguments = "{\"a\":"}}},
                         FinishReason::tool_calls);
    const Json body = encode(answer);
    EXPECT_EQ(body["content"], Json::parse(R"([{"type":"tool_use","id":"toolu_r1_4","name":"f",
        "input":{"INVALID_JSON":"{\"a\":"},"caller":{"type":"direct"}}])"));
    EXPECT_EQ(body["id"], "msg_r1");
    EXPECT_EQ(body["usage"]["output_tokens"], 0);
    EXPECT_EQ(encode({})["content"], Json::array());
}

TEST(AnthropicAnswer, ARefusalIsOne) {
    const Json body = encode(saying({{.body = llm::Refusal{.text = "No."}}}));
    EXPECT_EQ(body["content"], Json::parse(R"([{"type":"text","text":"No."}])"));
    EXPECT_EQ(body["stop_reason"], "refusal");
}

struct ErrorCase {
    Code code;
    std::string_view type;
};
TEST(AnthropicError, IsTypedByItsStatus) {
    for (const auto& c : {ErrorCase{Code::invalid_json, "invalid_request_error"},
                          ErrorCase{Code::guardrail_blocked, "invalid_request_error"},
                          ErrorCase{Code::invalid_api_key, "authentication_error"},
                          ErrorCase{Code::model_not_allowed, "permission_error"},
                          ErrorCase{Code::model_not_found, "not_found_error"},
                          ErrorCase{Code::conflict, "invalid_request_error"},
                          ErrorCase{Code::payload_too_large, "request_too_large"},
                          ErrorCase{Code::request_timeout, "request_too_large"},
                          ErrorCase{Code::rate_limited, "rate_limit_error"},
                          ErrorCase{Code::upstream_error, "api_error"},
                          ErrorCase{Code::internal, "api_error"},
                          ErrorCase{Code::overloaded, "overloaded_error"},
                          ErrorCase{Code::upstream_timeout, "timeout_error"}}) {
        const Json body = Json::parse(encode_error(Error(c.code, "say \"it\""), "req_1"));
        EXPECT_EQ(body["type"], "error");
        EXPECT_EQ(body["error"]["type"], c.type) << name(c.code);
        EXPECT_EQ(body["error"]["message"], "say \"it\"");
        EXPECT_EQ(body["error"]["code"], name(c.code));
        EXPECT_EQ(body["request_id"], "req_1");
    }
}

struct RefusalCase {
    int status;
    std::string_view body;
    Code code;
};
TEST(AnthropicError, OfAProviderMeansWhatItSays) {
    for (
        const auto& c : {
            RefusalCase{
                400,
                R"({"type":"error","error":{"type":"invalid_request_error","message":"bad"}})",
                Code::invalid_request},
            RefusalCase{
                400,
                R"({"error":{"type":"invalid_request_error","message":"prompt is too long: 5 tokens > 4 maximum"}})",
                Code::context_length_exceeded},
            RefusalCase{
                400,
                R"({"error":{"message":"input length and `max_tokens` exceed context limit: 1 + 2 > 2"}})",
                Code::context_length_exceeded},
            RefusalCase{
                400,
                R"({"error":{"type":"invalid_request_error","message":"Output blocked by content filtering policy"}})",
                Code::content_filter},
            RefusalCase{
                400,
                R"({"error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the Anthropic API."}})",
                Code::upstream_error},
            RefusalCase{
                401,
                R"({"error":{"type":"authentication_error","message":"invalid x-api-key"}})",
                Code::upstream_error},
            RefusalCase{404,
                        R"({"error":{"type":"not_found_error","message":"model: x"}})",
                        Code::upstream_error},
            RefusalCase{413, "<html>", Code::invalid_request},
            RefusalCase{429, R"({"error":{"type":"rate_limit_error"}})", Code::rate_limited},
            RefusalCase{504, R"({"error":{"type":"timeout_error"}})", Code::upstream_timeout},
            RefusalCase{529, R"({"error":{"type":"overloaded_error"}})", Code::upstream_error},
            // In a stream the type stands for the status.
            RefusalCase{
                500, R"({"type":"error","error":{"type":"rate_limit_error"}})", Code::rate_limited},
            RefusalCase{500,
                        R"({"type":"error","error":{"type":"timeout_error"}})",
                        Code::upstream_timeout},
            RefusalCase{
                200,
                R"({"type":"error","error":{"type":"invalid_request_error","message":"m"}})",
                Code::invalid_request},
            RefusalCase{500, R"({"error":"text"})", Code::upstream_error},
            RefusalCase{200, "", Code::upstream_error},
        }) {
        const Error error = decode_error({.status = c.status, .body = c.body});
        EXPECT_EQ(error.code(), c.code) << c.status << c.body;
    }
    const Error private_words = decode_error(
        {.status = 401, .body = R"({"error":{"type":"authentication_error","message":"secret"}})"});
    EXPECT_EQ(private_words.message().find("secret"), std::string::npos);
    EXPECT_NE(private_words.detail().find("secret"), std::string::npos);
    const Error shared_words =
        decode_error({.status = 400, .body = R"({"error":{"message":"top_k: no"}})"});
    EXPECT_EQ(shared_words.message(), "top_k: no");
    const Error later =
        decode_error({.status = 429, .body = "{}", .retry_after = std::chrono::milliseconds{1500}});
    EXPECT_EQ(later.retry_after(), std::chrono::milliseconds{1500});
}

}  // namespace
}  // namespace weir::dialect::anthropic
