// Requests of clients: what admission reads, what a translation reads, what is refused by name.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dialect/carrier.h"
#include "dialect/json/splice.h"
#include "dialect/openai_responses/edge.h"

namespace weir::dialect::openai_responses {
namespace {

Result<Request> read(std::string_view body) {
    json::Scratch scratch;
    return client.read_request({.surface = llm::Surface::responses}, body, scratch);
}
Result<llm::Call> decode(std::string_view body) {
    const auto request = read(body);
    EXPECT_TRUE(request) << body << request.error().message();
    return client.decode_request(*request, body);
}
template <class T>
const T& part(const llm::Call& call, std::size_t message, std::size_t index) {
    return std::get<T>(call.messages.at(message).parts.at(index).body);
}

TEST(ResponsesRequest, KnowsWhatAdmissionNeeds) {
    const auto request = read(
        R"({"model":"g\u0070t","stream":true,"max_output_tokens":7,"input":"hi","x":{"model":1}})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->surface, llm::Surface::responses);
    EXPECT_EQ(request->model, "gpt");
    EXPECT_TRUE(request->stream);
    EXPECT_EQ(request->max_output_tokens, 7);
    EXPECT_TRUE(request->provider_ids.empty());
}

TEST(ResponsesRequest, OnlyTheModelChangesOnTheWayThrough) {
    for (const auto& [body, want] :
         {std::pair{R"({"model":"a", "input":"hi"})", R"({"model":"b", "input":"hi"})"},
          std::pair{R"({"input":"hi"})", R"({"model":"b","input":"hi"})"}}) {
        const auto request = read(body);
        ASSERT_TRUE(request) << request.error().message();
        json::Splice splice(body);
        rewrite(*request, "b", splice);
        EXPECT_EQ(splice.str(), want);
    }
}

TEST(ResponsesRequest, IdsOfAProviderAreFound) {
    const auto request = read(R"({"previous_response_id":"resp_1","conversation":{"id":"conv_1"},
        "prompt":{"id":"pmpt_1"},"tools":[{"type":"file_search","vector_store_ids":["vs_1"]}],
        "input":[{"type":"item_reference","id":"msg_1"},{"id":"rs_1"},{"role":"user","id":"no",
        "content":[{"type":"input_file","file_id":"file_1"},{"type":"input_image",
        "file_id":"file_2"},{"type":"input_file","file_id":"file_1"}]},
        {"type":"function_call_output","call_id":"c","output":[{"type":"input_file",
        "file_id":"file_3"}]}]})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->provider_ids,
              (std::vector<ProviderId>{{"resp_1", "previous_response_id", false},
                                       {"conv_1", "conversation", false},
                                       {"pmpt_1", "prompt", true},
                                       {"vs_1", "tools", true},
                                       {"msg_1", "input", false},
                                       {"rs_1", "input", false},
                                       {"file_1", "file_id", true},
                                       {"file_2", "file_id", true},
                                       {"file_3", "file_id", true}}));
}

TEST(ResponsesRequest, IdsOfFilesAreFoundWhereverToolsNameThem) {
    const auto request = read(R"({"input":[{"type":"code_interpreter_call","id":"ci_1",
        "container_id":"cntr_1","code":"","outputs":[]},{"type":"computer_call_output",
        "output":{"type":"computer_screenshot","file_id":"file_1"}},{"type":"shell_call",
        "environment":{"type":"container_reference","container_id":"cntr_2"}}],
        "tools":[{"type":"code_interpreter","container":"cntr_3"},{"type":"code_interpreter",
        "container":{"type":"auto","file_ids":["file_2"]}},{"type":"image_generation",
        "input_image_mask":{"file_id":"file_3"}},{"type":"namespace","tools":[{"type":
        "file_search","vector_store_ids":["vs_1"]}]},{"type":"function","name":"f","parameters":
        {"file_id":"no","properties":{"container":"no"}}}]})");
    ASSERT_TRUE(request) << request.error().message();
    std::vector<std::string> ids;
    for (const ProviderId& named : request->provider_ids) {
        EXPECT_TRUE(named.is_file) << named.id;
        ids.push_back(named.id);
    }
    EXPECT_EQ(ids,
              (std::vector<std::string>{
                  "cntr_1", "file_1", "cntr_2", "cntr_3", "file_2", "file_3", "vs_1"}));
}

TEST(ResponsesRequest, NoIdIsLostAmongMany) {
    std::string body = R"({"input":[{"role":"user","content":[)";
    for (std::size_t i = 0; i < 2 * kProviderIdsMax; ++i) {
        body +=
            fmt::format(R"({}{{"type":"input_file","file_id":"file_{}"}})", i == 0 ? "" : ",", i);
    }
    const auto request = read(body + "]}]}");
    ASSERT_TRUE(request);
    EXPECT_GT(request->provider_ids.size(), kProviderIdsMax);  // which refuses the call
}

struct BadField {
    std::string_view field, parameter;
};
TEST(ResponsesRequest, NamesTheParameterThatIsWrong) {
    for (const auto& c : {BadField{R"("model":1)", "model"},
                          BadField{R"("model":"")", "model"},
                          BadField{R"("model":null)", "model"},
                          BadField{R"("stream":"true")", "stream"},
                          BadField{R"("stream":{})", "stream"},
                          BadField{R"("max_output_tokens":0)", "max_output_tokens"},
                          BadField{R"("max_output_tokens":1.5)", "max_output_tokens"},
                          BadField{R"("max_output_tokens":[])", "max_output_tokens"},
                          BadField{R"("previous_response_id":1)", "previous_response_id"},
                          BadField{R"("previous_response_id":{})", "previous_response_id"},
                          BadField{R"("conversation":[])", "conversation"},
                          BadField{R"("prompt":"p")", "prompt"},
                          BadField{R"("tools":{})", "tools"},
                          BadField{R"("background":"yes")", "background"},
                          BadField{R"("background":true)", "background"}}) {
        const auto request = read(fmt::format(R"({{{},"input":"hi"}})", c.field));
        ASSERT_FALSE(request) << c.field;
        EXPECT_EQ(request.error().code(), Code::invalid_request) << c.field;
        EXPECT_EQ(request.error().parameter(), c.parameter) << c.field;
    }
    for (const auto* body : {"{}",
                             R"({"input":""})",
                             R"({"input":[]})",
                             R"({"input":1})",
                             R"({"input":null})",
                             R"({"input":{}})"}) {
        const auto request = read(body);
        ASSERT_FALSE(request) << body;
        EXPECT_EQ(request.error().parameter(), "input") << body;
    }
    for (const auto* body : {"", "{", "[]", "1", R"({"model":"a","model":"b","input":"x"})"}) {
        EXPECT_FALSE(read(body)) << body;
    }
    EXPECT_TRUE(read(R"({"previous_response_id":"resp_1"})"));  // the input may be over there
    EXPECT_TRUE(read(R"({"input":"x","background":true,"stream":true})"));
}

TEST(ResponsesRequest, ItemsBecomeMessages) {
    const auto call = decode(R"({"model":"m","instructions":"be brief","input":[
        {"role":"developer","content":"in French"},
        {"type":"message","role":"user","content":[{"type":"input_text","text":"what is this?"},
         {"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"low"},
         {"type":"input_image","image_url":"https://x/y.png"},
         {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"},
         {"type":"input_file","file_url":"https://x/z.pdf"},{"type":"input_file","file_id":"f1"},
         {"type":"input_audio","data":"x"}]},
        {"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"},
         {"type":"summary_text","text":"two"}],"encrypted_content":"sealed"},
        {"type":"message","role":"assistant","content":[{"type":"output_text","text":"a cat",
         "annotations":[{"type":"url_citation","url":"u","start_index":0,"end_index":5,
         "title":"t"}]},{"type":"refusal","refusal":"no more"}]},
        {"type":"function_call","id":"fc_1","call_id":"c1","name":"f","arguments":"{\"a\":1}"},
        {"type":"function_call","call_id":"c2","name":"g","arguments":""},
        {"type":"function_call_output","call_id":"c1","output":"yes"},
        {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text",
         "text":"see"},{"type":"input_image","image_url":"data:image/png;base64,CCCC"}]},
        {"role":"assistant","content":""},
        {"role":"user","content":"go on"}]})");
    ASSERT_TRUE(call) << call.error().message();
    EXPECT_EQ(call->from, llm::Dialect::openai_responses);
    ASSERT_EQ(call->messages.size(), 6u);
    EXPECT_EQ(call->messages[0].role, llm::Role::system);
    EXPECT_EQ(part<llm::Text>(*call, 0, 0).text, "be brief");
    EXPECT_EQ(call->messages[1].role, llm::Role::developer);
    EXPECT_EQ(part<llm::Media>(*call, 2, 1),
              (llm::Media{.mime = "image/png", .data = "AAAA", .detail = "low"}));
    EXPECT_EQ(part<llm::Media>(*call, 2, 2).url, "https://x/y.png");
    EXPECT_EQ(part<llm::Media>(*call, 2, 3),
              (llm::Media{.kind = llm::MediaKind::file,
                          .mime = "application/pdf",
                          .data = "BBBB",
                          .name = "a.pdf"}));
    EXPECT_EQ(part<llm::Media>(*call, 2, 4).url, "https://x/z.pdf");
    EXPECT_EQ(part<llm::Media>(*call, 2, 5).file_id, "f1");
    EXPECT_EQ(part<llm::Opaque>(*call, 2, 6).type, "input_audio");

    EXPECT_EQ(call->messages[3].role, llm::Role::assistant);
    ASSERT_EQ(call->messages[3].parts.size(), 5u);
    EXPECT_EQ(part<llm::Reasoning>(*call, 3, 0),
              (llm::Reasoning{.text = "one\n\ntwo",
                              .signature = {"sealed", llm::Dialect::openai_responses},
                              .is_summary = true,
                              .id = "rs_1"}));
    EXPECT_EQ(part<llm::Text>(*call, 3, 1).citations.at(0).end, 5);
    EXPECT_EQ(part<llm::Refusal>(*call, 3, 2).text, "no more");
    EXPECT_EQ(part<llm::ToolCall>(*call, 3, 3),
              (llm::ToolCall{.id = "c1", .name = "f", .arguments = "{\"a\":1}"}));

    EXPECT_EQ(call->messages[4].role, llm::Role::user);  // all results of a turn in one
    ASSERT_EQ(call->messages[4].parts.size(), 2u);
    EXPECT_EQ(part<llm::ToolResult>(*call, 4, 0).call_id, "c1");
    EXPECT_EQ(part<llm::ToolResult>(*call, 4, 1).content.size(), 2u);
    EXPECT_EQ(part<llm::Text>(*call, 5, 0).text, "go on");
}

TEST(ResponsesRequest, OptionsAreUnderstood) {
    const auto call = decode(R"({"model":"m","input":"hi","tools":[{"type":"function","name":"f",
        "description":"d","parameters":{"type":"object","properties":{}},"strict":true},
        {"type":"web_search","search_context_size":"low"}],"tool_choice":{"type":"allowed_tools",
        "mode":"required","tools":[{"type":"function","name":"f"}]},"parallel_tool_calls":false,
        "text":{"format":{"type":"json_schema","name":"n","schema":{"a":1e400},"strict":true},
        "verbosity":"low"},"reasoning":{"effort":"high","summary":"auto"},"temperature":0,
        "top_p":0.5,"top_logprobs":3,"include":["message.output_text.logprobs",
        "reasoning.encrypted_content"],"service_tier":"flex","user":"u","store":true,
        "metadata":{"a":"b"},"truncation":"auto","previous_response_id":null})");
    ASSERT_TRUE(call) << call.error().message();
    ASSERT_EQ(call->tools.size(), 2u);
    EXPECT_EQ(call->tools[0].schema, R"({"type":"object","properties":{}})");
    EXPECT_EQ(call->tools[0].strict, true);
    EXPECT_EQ(call->tools[1].opaque_json, R"({"type":"web_search","search_context_size":"low"})");
    EXPECT_EQ(call->tool_choice.mode, llm::ToolChoice::Mode::required);
    EXPECT_EQ(call->tool_choice.allowed, std::vector<std::string>{"f"});
    EXPECT_EQ(call->tool_choice.parallel, false);
    EXPECT_EQ(call->format.schema, R"({"a":1e400})");
    EXPECT_EQ(call->verbosity, "low");
    EXPECT_EQ(call->thinking.effort, llm::Effort::high);
    EXPECT_TRUE(call->thinking.include_text);
    EXPECT_EQ(call->temperature, 0.0);
    EXPECT_TRUE(call->logprobs);
    EXPECT_EQ(call->top_logprobs, 3);
    EXPECT_EQ(call->service_tier, "flex");
    EXPECT_EQ(call->user, "u");
    std::vector<std::string> unknown;
    for (const auto& field : call->unknown) {
        unknown.push_back(field.name);
    }
    EXPECT_EQ(unknown, (std::vector<std::string>{"store", "metadata", "truncation"}));
}

TEST(ResponsesRequest, WhatAnotherProviderKeepsIsRefusedByName) {
    for (const auto& c : {BadField{R"("previous_response_id":"resp_1")", "previous_response_id"},
                          BadField{R"("conversation":"conv_1")", "conversation"},
                          BadField{R"("prompt":{"id":"p"})", "prompt"},
                          BadField{R"("tool_choice":{"type":"web_search_preview"})", "tool_choice"},
                          BadField{R"("tool_choice":"maybe")", "tool_choice"},
                          BadField{R"("tools":[{"type":"function"}])", "tools[0]"},
                          BadField{R"("tools":[{"name":"f"}])", "tools[0]"},
                          BadField{R"("tools":[{"type":"function","name":"f","parameters":1}])",
                                   "tools[0].parameters"},
                          BadField{R"("text":{"format":{"type":"xml"}})", "text.format"},
                          BadField{R"("text":{"format":{"type":"json_schema"}})", "text.format"},
                          BadField{R"("reasoning":{"effort":"extreme"})", "reasoning.effort"},
                          BadField{R"("temperature":"hot")", "temperature"},
                          BadField{R"("instructions":[])", "instructions"}}) {
        const auto call = decode(fmt::format(R"({{"model":"m","input":"hi",{}}})", c.field));
        ASSERT_FALSE(call) << c.field;
        EXPECT_EQ(call.error().code(), Code::invalid_request) << c.field;
        EXPECT_EQ(call.error().parameter(), c.parameter) << c.field;
    }
    for (const auto& c :
         {BadField{R"({"role":"robot","content":"x"})", "input[0].role"},
          BadField{R"({"role":"user"})", "input[0]"},
          BadField{R"({"role":"user","content":1})", "input[0].content"},
          BadField{R"({"role":"user","content":[{"text":"x"}]})", "input[0].content[0]"},
          BadField{R"({"role":"user","content":[{"type":"input_text"}]})", "input[0].content[0]"},
          BadField{R"({"role":"user","content":[{"type":"input_image"}]})", "input[0].content[0]"},
          BadField{R"({"role":"user","content":[{"type":"input_image","image_url":"data:x"}]})",
                   "input[0].content[0].image_url"},
          BadField{R"({"type":"function_call","name":"f"})", "input[0]"},
          BadField{R"({"type":"function_call","call_id":"c","name":"f","arguments":{}})",
                   "input[0].arguments"},
          BadField{R"({"type":"function_call_output","output":"x"})", "input[0]"},
          BadField{R"({})", "input[0]"},
          BadField{R"(7)", "input[0]"}}) {
        const auto call = decode(fmt::format(R"({{"model":"m","input":[{}]}})", c.field));
        ASSERT_FALSE(call) << c.field;
        EXPECT_EQ(call.error().parameter(), c.parameter) << c.field;
    }
}

TEST(ResponsesRequest, ForeignSignaturesComeBackFromWhereTheyRode) {
    const llm::Signature gemini{"thought", llm::Dialect::gemini};
    const llm::Signature claude{"c2ln", llm::Dialect::anthropic};
    const auto call = decode(fmt::format(
        R"({{"model":"m","input":[
        {{"type":"reasoning","id":"rs_1","summary":[{{"type":"summary_text","text":"hm"}}],
          "encrypted_content":"{}"}},
        {{"type":"reasoning","id":"rs_2","summary":[],"encrypted_content":"{}"}},
        {{"type":"function_call","call_id":"{}","name":"f","arguments":"{{}}"}},
        {{"type":"function_call_output","call_id":"{}","output":"x"}}]}})",
        carry_in_field(claude, llm::Dialect::openai_responses),
        carry_in_field(claude, llm::Dialect::openai_responses),
        carry_in_id("c1", gemini),
        carry_in_id("c1", gemini)));
    ASSERT_TRUE(call) << call.error().message();
    const auto& thought = part<llm::Reasoning>(*call, 0, 0);
    EXPECT_EQ(thought.signature, claude);
    EXPECT_FALSE(thought.is_summary);  // the model's own words, which Weir showed as a summary
    EXPECT_TRUE(part<llm::Reasoning>(*call, 0, 1).redacted);
    const auto& tool = part<llm::ToolCall>(*call, 0, 2);
    EXPECT_EQ(tool.id, "c1");
    EXPECT_EQ(tool.signature, gemini);
    EXPECT_EQ(part<llm::ToolResult>(*call, 1, 0).call_id, "c1");
}

TEST(ResponsesRequest, ToolsOfTheProviderTravelAsTheyCame) {
    const auto call = decode(R"({"model":"m","input":[{"role":"user","content":"x"},
        {"type":"web_search_call","id":"ws_1","status":"completed"},
        {"type":"computer_call_output","call_id":"c","output":{}},
        {"type":"mcp_approval_response","approve":true}]})");
    ASSERT_TRUE(call) << call.error().message();
    ASSERT_EQ(call->messages.size(), 4u);
    EXPECT_EQ(call->messages[1].role, llm::Role::assistant);
    EXPECT_EQ(part<llm::Opaque>(*call, 1, 0).json,
              R"({"type":"web_search_call","id":"ws_1","status":"completed"})");
    EXPECT_EQ(call->messages[2].role, llm::Role::user);
    EXPECT_EQ(part<llm::Opaque>(*call, 3, 0).type, "mcp_approval_response");
}

// Vercel's SDK sends references in the place of items unless it is told `store: false`.
TEST(ResponsesRequest, ReferencesAreDroppedWhereTheAnswerDoesWithoutThem) {
    const auto call = decode(R"({"model":"m","input":[{"role":"user","content":"x"},
        {"type":"item_reference","id":"rs_1"},
        {"type":"function_call","call_id":"c","name":"f","arguments":"{}"}]})");
    ASSERT_TRUE(call) << call.error().message();
    ASSERT_EQ(call->messages.size(), 2u);
    EXPECT_EQ(call->messages[1].parts.size(), 1u);
    for (const std::string_view reference :
         {R"({"type":"item_reference","id":"msg_9"})", R"({"id":"fc_1"})"}) {
        const auto refused = decode(fmt::format(
            R"({{"model":"m","input":[{{"role":"user","content":"x"}},{}]}})", reference));
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().parameter(), "input[1]");
        EXPECT_NE(refused.error().message().find("store: false"), std::string::npos);
    }
}

}  // namespace
}  // namespace weir::dialect::openai_responses
