// A conversation that began at a provider of another dialect and goes on at one of its client's
// own: the request is decoded and encoded in one dialect. What is foreign stays out, and all that
// the client said in words of this dialect arrives, once.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/carrier.h"
#include "dialect/edge.h"
#include "dialect/json/document.h"

namespace weir::dialect {
namespace {

using Json = nlohmann::json;
using llm::Dialect;

struct MovedCase {
    std::string_view name;
    Dialect dialect;
    std::string_view model;
    std::string body;  // FIELD and ID stand for what Weir carried
    std::string_view want;
};

std::string with_carried(std::string body, Dialect dialect) {
    const llm::Signature signature{.text = "of another", .of = Dialect::bedrock};
    const auto replace = [&body](std::string_view what, const std::string& with) {
        for (std::size_t at = 0; (at = body.find(what, at)) != std::string::npos;) {
            body.replace(at, what.size(), with);
        }
    };
    replace("FIELD", carry_in_field(signature, dialect));
    replace("ID", carry_in_id("call_1", signature));
    return body;
}

class MovedTest : public testing::TestWithParam<MovedCase> {};

TEST_P(MovedTest, LeavesOnlyWhatIsForeign) {
    const Dialect dialect = GetParam().dialect;
    const std::string body = with_carried(GetParam().body, dialect);
    ASSERT_TRUE(may_carry(body));
    json::Scratch scratch;
    const ClientEdge& client = *client_edge(dialect);
    const auto request =
        client.read_request({.surface = llm::surface_of(dialect), .model = "m"}, body, scratch);
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_TRUE(request->has_history);
    const auto call = client.decode_request(*request, body);
    ASSERT_TRUE(call) << call.error().message();
    ASSERT_TRUE(carries_foreign(*call, dialect));
    const auto encoded = provider_edge(dialect).encode_request(
        *call, {.model = GetParam().model, .provider = "p", .output_tokens_max = 100});
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_FALSE(may_carry(encoded->body)) << encoded->body;
    EXPECT_TRUE(encoded->dropped.empty()) << encoded->dropped.front();
    json::Document document;
    EXPECT_TRUE(document.parse(encoded->body, json::Duplicates::refused)) << encoded->body;
    EXPECT_EQ(Json::parse(encoded->body), Json::parse(GetParam().want)) << encoded->body;
}

INSTANTIATE_TEST_SUITE_P(
    Dialects,
    MovedTest,
    testing::Values(
        MovedCase{
            "messages",
            Dialect::anthropic,
            "claude-sonnet-4-5",
            R"({"model":"m","max_tokens":50,"metadata":{"user_id":"u"},"container":"c1","service_tier":"auto",
                "messages":[{"role":"user","content":"hi"},{"role":"assistant","content":[
                {"type":"thinking","thinking":"hm","signature":"FIELD"},
                {"type":"redacted_thinking","data":"FIELD"},
                {"type":"tool_use","id":"ID","name":"f","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"ID","content":"dry"}]}]})",
            R"({"model":"claude-sonnet-4-5","max_tokens":50,"metadata":{"user_id":"u"},"container":"c1","service_tier":"auto",
                "messages":[{"role":"user","content":[{"type":"text","text":"hi"}]},
                {"role":"assistant","content":[{"type":"tool_use","id":"call_1","name":"f","input":{}}]},
                {"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":[{"type":"text","text":"dry"}]}]}]})"},
        MovedCase{
            "responses",
            Dialect::openai_responses,
            "gpt-5-mini",
            R"({"model":"m","store":true,"user":"u","metadata":{"a":"b"},"include":["reasoning.encrypted_content","file_search_call.results"],
                "input":[{"role":"user","content":"hi"},
                {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"FIELD"},
                {"type":"reasoning","id":"rs_2","summary":[]},
                {"type":"function_call","id":"fc_1","call_id":"ID","name":"f","arguments":"{}"},
                {"type":"function_call_output","call_id":"ID","output":"dry"}]})",
            R"({"model":"gpt-5-mini","store":true,"user":"u","metadata":{"a":"b"},"include":["reasoning.encrypted_content","file_search_call.results"],
                "input":[{"type":"message","role":"user","content":[{"type":"input_text","text":"hi"}]},
                {"type":"reasoning","id":"rs_2","summary":[]},
                {"type":"function_call","call_id":"call_1","name":"f","arguments":"{}"},
                {"type":"function_call_output","call_id":"call_1","output":"dry"}]})"},
        MovedCase{
            "chat",
            Dialect::openai_chat,
            "gpt-5-mini",
            R"({"model":"m","user":"u","metadata":{"a":"b"},"store":true,"service_tier":"flex",
                "messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"file","file":{"file_id":"f1"}}]},
                {"role":"assistant","content":null,"tool_calls":[{"id":"ID","type":"function","function":{"name":"f","arguments":"{}"}}]},
                {"role":"tool","tool_call_id":"ID","content":"dry"}]})",
            R"({"model":"gpt-5-mini","user":"u","metadata":{"a":"b"},"store":true,"service_tier":"flex",
                "messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"file","file":{"file_id":"f1"}}]},
                {"role":"assistant","content":null,"tool_calls":[{"id":"call_1","type":"function","function":{"name":"f","arguments":"{}"}}]},
                {"role":"tool","tool_call_id":"call_1","content":"dry"}]})"},
        MovedCase{"generate",
                  Dialect::gemini,
                  "gemini-3-pro",
                  R"({"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[
                {"text":"hm","thought":true,"thoughtSignature":"FIELD"},
                {"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"FIELD"}]},
                {"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{"a":1}}}]}],
                "cachedContent":"cachedContents/1","labels":{"a":"b"}})",
                  R"({"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[
                {"functionCall":{"id":"1","name":"f","args":{}},"thoughtSignature":"skip_thought_signature_validator"}]},
                {"role":"user","parts":[{"functionResponse":{"id":"1","name":"f","response":{"a":1}}}]}],
                "generationConfig":{},"cachedContent":"cachedContents/1","labels":{"a":"b"}})"}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::dialect
