// Calls of other dialects' clients on their way to a provider of this one.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "dialect/openai_responses/edge.h"

namespace weir::dialect::openai_responses {
namespace {

using Json = nlohmann::json;
using llm::Role;

llm::Part text(std::string words) { return {.body = llm::Text{.text = std::move(words)}}; }
llm::Call call_of(llm::Dialect from, std::vector<llm::Message> messages) {
    return {.from = from, .messages = std::move(messages)};
}
llm::Call hello(llm::Dialect from) { return call_of(from, {{.parts = {text("hi")}}}); }

struct Encoded {
    Json body;
    std::vector<std::string> dropped;
};
Encoded encode(const llm::Call& call, std::string_view model = "gpt-4.1") {
    auto encoded = provider.encode_request(call, {.model = model});
    EXPECT_TRUE(encoded) << encoded.error().message();
    return {Json::parse(encoded->body), encoded->dropped};
}
std::string refused(const llm::Call& call) {
    const auto encoded = provider.encode_request(call, {.model = "gpt-4.1"});
    EXPECT_FALSE(encoded) << encoded->body;
    EXPECT_EQ(encoded.error().code(), Code::invalid_request);
    return encoded.error().parameter();
}

TEST(ResponsesEncode, AWholeConversationBecomesItems) {
    const auto encoded = encode(call_of(
        llm::Dialect::anthropic,
        {{.role = Role::system, .parts = {text("be brief"), text("and kind")}},
         {.parts = {text("look"),
                    {.body = llm::Media{.mime = "image/png", .data = "AAAA"}},
                    {.body = llm::Media{.kind = llm::MediaKind::file,
                                        .mime = "application/pdf",
                                        .data = "BBBB",
                                        .name = "a.pdf"}},
                    {.body = llm::Media{.kind = llm::MediaKind::file,
                                        .data = "plain words",
                                        .is_plain_text = true}}}},
         {.role = Role::assistant,
          .parts = {{.body =
                         llm::Reasoning{.text = "hm", .signature = {"s", llm::Dialect::anthropic}}},
                    text("let me see"),
                    {.body = llm::ToolCall{.id = "t1", .name = "f", .arguments = "{\"a\":1}"}},
                    {.body = llm::ToolCall{.id = "t2", .name = "g"}}}},
         {.parts = {{.body = llm::ToolResult{.call_id = "t1", .content = {text("one")}}},
                    {.body = llm::ToolResult{.call_id = "t2",
                                             .content = {text("two"),
                                                         {.body = llm::Media{.mime = "image/png",
                                                                             .data = "CCCC"}}},
                                             .is_error = true}},
                    text(""),
                    text("go on")}}}));
    EXPECT_EQ(encoded.body["instructions"], "be brief\n\nand kind");
    EXPECT_EQ(encoded.body["store"], false);  // nothing of it is kept over there
    EXPECT_EQ(encoded.body["input"], Json::parse(R"([
        {"type":"message","role":"user","content":[{"type":"input_text","text":"look"},
         {"type":"input_image","image_url":"data:image/png;base64,AAAA","detail":"auto"},
         {"type":"input_file","filename":"a.pdf","file_data":"data:application/pdf;base64,BBBB"},
         {"type":"input_file","filename":"document.txt",
          "file_data":"data:text/plain;base64,cGxhaW4gd29yZHM="}]},
        {"type":"message","role":"assistant","content":"let me see"},
        {"type":"function_call","call_id":"t1","name":"f","arguments":"{\"a\":1}"},
        {"type":"function_call","call_id":"t2","name":"g","arguments":"{}"},
        {"type":"function_call_output","call_id":"t1","output":"one"},
        {"type":"function_call_output","call_id":"t2","output":[{"type":"input_text",
         "text":"two"},{"type":"input_image","image_url":"data:image/png;base64,CCCC",
         "detail":"auto"}]},
        {"type":"message","role":"user","content":[{"type":"input_text","text":"go on"}]}])"))
        << encoded.body.dump(1);
    EXPECT_EQ(encoded.dropped, std::vector<std::string>{"is_error"});
}

TEST(ResponsesEncode, ThinkingGoesBackOnlyWithItsOwnSeal) {
    const auto think = [](llm::Dialect of, std::string seal) {
        return llm::Part{
            .body = llm::Reasoning{.text = "hm", .signature = {std::move(seal), of}, .id = "rs_1"}};
    };
    const auto encoded = encode(call_of(llm::Dialect::openai_chat,
                                        {{.parts = {text("x")}},
                                         {.role = Role::assistant,
                                          .parts = {think(llm::Dialect::anthropic, "foreign"),
                                                    think(llm::Dialect::openai_responses, ""),
                                                    think(llm::Dialect::openai_responses, "own"),
                                                    text("so")}},
                                         {.parts = {text("y")}}}),
                                "gpt-5");
    ASSERT_EQ(encoded.body["input"].size(), 4u) << encoded.body.dump(1);
    EXPECT_EQ(encoded.body["input"][1], Json::parse(R"({"type":"reasoning","id":"rs_1",
        "summary":[{"type":"summary_text","text":"hm"}],"encrypted_content":"own"})"));
    EXPECT_EQ(encoded.body["include"], Json::parse(R"(["reasoning.encrypted_content"])"));
}

TEST(ResponsesEncode, ToolsArriveWhole) {
    auto call = hello(llm::Dialect::openai_chat);
    call.tools = {{.name = "f", .description = "d", .schema = R"({"$ref":"#/x","type":"object"})"},
                  {.name = "g", .strict = true}};
    call.tool_choice = {.mode = llm::ToolChoice::Mode::named, .name = "g", .parallel = false};
    const auto encoded = encode(call);
    EXPECT_EQ(encoded.body["tools"], Json::parse(R"([
        {"type":"function","name":"f","description":"d",
         "parameters":{"$ref":"#/x","type":"object"},"strict":false},
        {"type":"function","name":"g","parameters":{"type":"object","properties":{}},
         "strict":true}])"));
    EXPECT_EQ(encoded.body["tool_choice"], Json::parse(R"({"type":"function","name":"g"})"));
    EXPECT_EQ(encoded.body["parallel_tool_calls"], false);
    call.tool_choice = {.mode = llm::ToolChoice::Mode::required, .allowed = {"f"}};
    EXPECT_EQ(encode(call).body["tool_choice"], Json::parse(R"({"type":"allowed_tools",
        "mode":"required","tools":[{"type":"function","name":"f"}]})"));
}

TEST(ResponsesEncode, OptionsTakeTheirPlaces) {
    auto call = hello(llm::Dialect::openai_chat);
    call.max_output_tokens = 100;
    call.temperature = 0;
    call.top_p = 0.5;
    call.format = {.kind = llm::OutputFormat::Kind::json_schema,
                   .name = "n",
                   .schema = R"({"type":"object"})",
                   .strict = true};
    call.verbosity = "low";
    call.logprobs = true;
    call.top_logprobs = 2;
    call.service_tier = "flex";
    call.seed = 1;
    call.presence_penalty = 1;
    call.frequency_penalty = 1;
    call.top_k = 5;
    call.user = "somebody";
    call.unknown = {{"metadata", "{}"}};
    const auto encoded = encode(call);
    EXPECT_EQ(encoded.body["max_output_tokens"], 100);
    EXPECT_EQ(encoded.body["temperature"], 0);
    EXPECT_EQ(encoded.body["text"], Json::parse(R"({"format":{"type":"json_schema","name":"n",
        "schema":{"type":"object"},"strict":true},"verbosity":"low"})"));
    EXPECT_EQ(encoded.body["include"], Json::parse(R"(["message.output_text.logprobs"])"));
    EXPECT_EQ(encoded.body["top_logprobs"], 2);
    EXPECT_EQ(encoded.body["service_tier"], "flex");
    EXPECT_FALSE(encoded.body.contains("stream"));
    auto dropped = encoded.dropped;
    std::sort(dropped.begin(), dropped.end());
    EXPECT_EQ(dropped,
              (std::vector<std::string>{
                  "frequency_penalty", "metadata", "presence_penalty", "seed", "top_k", "user"}));
    // A health check asks for one token; OpenAI gives no fewer than this.
    call.max_output_tokens = 1;
    EXPECT_EQ(encode(call).body["max_output_tokens"], 16);
}

struct EffortCase {
    std::string_view model;
    llm::Thinking thinking;
    std::string_view reasoning;  // JSON; empty: none is sent
};
TEST(ResponsesEncode, ThinkingIsAskedForAsTheModelTakesIt) {
    using Mode = llm::Thinking::Mode;
    for (const EffortCase& c :
         {EffortCase{
              "gpt-5", {.mode = Mode::on, .effort = llm::Effort::high}, R"({"effort":"high"})"},
          EffortCase{"gpt-5", {.mode = Mode::off}, R"({"effort":"minimal"})"},
          EffortCase{"gpt-5.2", {.mode = Mode::off}, R"({"effort":"none"})"},
          EffortCase{"o3", {.mode = Mode::off}, R"({"effort":"low"})"},
          EffortCase{"gpt-5",
                     {.mode = Mode::on, .budget_tokens = 10'000, .include_text = true},
                     R"({"effort":"high","summary":"auto"})"},
          EffortCase{"grok-4", {.mode = Mode::off}, ""},
          EffortCase{"gpt-4.1", {.mode = Mode::on, .effort = llm::Effort::low}, ""}}) {
        auto call = hello(llm::Dialect::anthropic);
        call.thinking = c.thinking;
        const auto encoded = encode(call, c.model);
        EXPECT_EQ(encoded.body.value("reasoning", Json{}),
                  c.reasoning.empty() ? Json{} : Json::parse(c.reasoning))
            << c.model;
    }
    auto call = hello(llm::Dialect::anthropic);
    call.temperature = 1;
    EXPECT_EQ(encode(call, "o3").dropped, std::vector<std::string>{"temperature"});
    EXPECT_FALSE(encode(call, "gpt-4o").body.contains("include"));  // it cannot seal anything
}

TEST(ResponsesEncode, WhatChangesTheMeaningIsRefusedInTheClientsWords) {
    using llm::Dialect;
    auto call = hello(Dialect::openai_chat);
    call.choices = 2;
    EXPECT_EQ(refused(call), "n");
    call = hello(Dialect::anthropic);
    call.stop = {"x"};
    EXPECT_EQ(refused(call), "stop_sequences");
    call.from = Dialect::gemini;
    EXPECT_EQ(refused(call), "generationConfig.stopSequences");
    call.from = Dialect::openai_chat;
    EXPECT_EQ(refused(call), "stop");
    call = hello(Dialect::openai_chat);
    call.logprobs = call.stream = true;
    EXPECT_EQ(refused(call), "logprobs");
    call = hello(Dialect::openai_chat);
    call.modalities = {"text", "audio"};
    EXPECT_EQ(refused(call), "modalities");
    call = hello(Dialect::anthropic);
    call.tools = {{.name = "web", .opaque_json = "{}", .of = Dialect::anthropic}};
    EXPECT_EQ(refused(call), "tools");

    const auto with = [](Dialect from, llm::Part part) {
        return call_of(from,
                       {{.role = Role::system, .parts = {text("s")}},
                        {.parts = {text("x"), std::move(part)}}});
    };
    const llm::Part audio{.body = llm::Media{.kind = llm::MediaKind::audio, .data = "AAAA"}};
    EXPECT_EQ(refused(with(Dialect::openai_chat, audio)), "messages[1].content[1]");
    EXPECT_EQ(refused(with(Dialect::anthropic, audio)), "messages[0].content[1]");
    EXPECT_EQ(refused(with(Dialect::gemini, audio)), "contents[0].parts[1]");
    EXPECT_EQ(refused(with(Dialect::anthropic, {.body = llm::Media{.file_id = "file_1"}})),
              "messages[0].content[1]");
    EXPECT_EQ(refused(with(Dialect::anthropic,
                           {.body = llm::Opaque{.of = Dialect::anthropic,
                                                .type = "server_tool_use",
                                                .json = "{}"}})),
              "messages[0].content[1]");
    EXPECT_TRUE(provider.encode_request(
        with(Dialect::openai_chat, {.body = llm::Media{.file_id = "file_1"}}), {.model = "m"}));
}

TEST(ResponsesEncode, CallsWithoutIdsFindTheirResults) {
    const auto encoded = encode(call_of(
        llm::Dialect::gemini,
        {{.parts = {text("x")}},
         {.role = Role::assistant,
          .parts = {{.body = llm::ToolCall{.name = "f"}}, {.body = llm::ToolCall{.name = "g"}}}},
         {.parts = {{.body = llm::ToolResult{.name = "g", .content = {text("2")}}},
                    {.body = llm::ToolResult{.name = "f", .content = {text("1")}}}}}}));
    EXPECT_EQ(encoded.body["input"][1]["call_id"], "call_1");
    EXPECT_EQ(encoded.body["input"][3]["call_id"], "call_2");
    EXPECT_EQ(encoded.body["input"][4]["call_id"], "call_1");
}

TEST(ResponsesEncode, FieldsThatThisProviderTakesPass) {
    auto call = hello(llm::Dialect::openai_chat);
    call.top_k = 5;
    call.unknown = {{"min_p", "0.1"}, {"other", "1"}};
    const auto encoded =
        provider.encode_request(call, {.model = "m", .passed_fields = {"min_p", "top_k"}});
    ASSERT_TRUE(encoded);
    const Json body = Json::parse(encoded->body);
    EXPECT_EQ(body["min_p"], 0.1);
    EXPECT_EQ(body["top_k"], 5);
    EXPECT_EQ(encoded->dropped, std::vector<std::string>{"other"});
}

TEST(ResponsesCount, AsksForWhatIsCountedAndReadsIt) {
    llm::Call call = hello(llm::Dialect::anthropic);
    call.max_output_tokens = 5;
    call.temperature = 0.5;
    call.stream = true;
    call.tools = {{.name = "f", .schema = "{}"}};
    const auto encoded = provider.encode_count(call, {.model = "gpt-4.1"});
    ASSERT_TRUE(encoded);
    const Json body = Json::parse(encoded->body);
    EXPECT_EQ(body.size(), 3u) << body;
    EXPECT_EQ(body["model"], "gpt-4.1");
    EXPECT_EQ(body["input"].size(), 1u);
    EXPECT_EQ(body["tools"][0]["name"], "f");
    EXPECT_EQ(client.encode_token_count(7),
              R"({"object":"response.input_tokens","input_tokens":7})");
    EXPECT_EQ(provider.decode_count(client.encode_token_count(7)).value(), 7);
    for (const auto& [answer, code] :
         {std::pair{"{}", Code::upstream_invalid_response},
          std::pair{R"({"input_tokens":-1})", Code::upstream_invalid_response},
          std::pair{"[", Code::upstream_invalid_response},
          std::pair{R"({"error":{"code":"rate_limit_exceeded","message":"x"}})",
                    Code::rate_limited}}) {
        EXPECT_EQ(provider.decode_count(answer).error().code(), code) << answer;
    }
}

TEST(ResponsesCount, IsNoStreamAndHasNoLimit) {
    json::Scratch scratch;
    const auto request =
        client.read_request({.surface = llm::Surface::count_tokens},
                            R"({"model":"m","input":"hi","stream":true,"max_output_tokens":5})",
                            scratch);
    ASSERT_TRUE(request);
    EXPECT_FALSE(request->stream);
    EXPECT_FALSE(request->max_output_tokens);
}

}  // namespace
}  // namespace weir::dialect::openai_responses
