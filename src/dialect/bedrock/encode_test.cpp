// Calls of other dialects' clients, written for Converse.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "dialect/bedrock/edge.h"
#include "dialect/bedrock/model_facts.h"
#include "dialect/json/document.h"

namespace weir::dialect::bedrock {
namespace {

constexpr std::string_view kSonnet45 = "us.anthropic.claude-sonnet-4-5-20250929-v1:0";
constexpr std::string_view kOpus47 = "anthropic.claude-opus-4-7";
constexpr std::string_view kOpus46 = "anthropic.claude-opus-4-6-v1";
constexpr std::string_view kFable = "global.anthropic.claude-fable-5";
constexpr std::string_view kNovaLite = "amazon.nova-lite-v1:0";
constexpr std::string_view kNova2 = "us.amazon.nova-2-lite-v1:0";
constexpr std::string_view kLlama = "meta.llama3-3-70b-instruct-v1:0";
constexpr std::string_view kGptOss = "openai.gpt-oss-120b-1:0";
constexpr std::string_view kMistral = "mistral.mistral-large-2407-v1:0";
constexpr std::string_view kProfile =
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123";

llm::Part text(std::string_view words, bool is_marked = false) {
    return {.body = llm::Text{.text = std::string(words)}, .cache = {.is_set = is_marked}};
}
llm::Message said(llm::Role role, std::vector<llm::Part> parts) {
    return {.role = role, .parts = std::move(parts)};
}
llm::Call call_of(std::vector<llm::Message> messages) { return {.messages = std::move(messages)}; }
llm::Call hello() { return call_of({said(llm::Role::user, {text("Hello")})}); }
llm::Part tool_call(std::string id, std::string name, std::string arguments = "") {
    return {.body = llm::ToolCall{
                .id = std::move(id), .name = std::move(name), .arguments = std::move(arguments)}};
}
llm::Part result(std::string id, std::string_view words, bool is_error = false) {
    return {.body = llm::ToolResult{
                .call_id = std::move(id), .content = {text(words)}, .is_error = is_error}};
}
llm::Tool tool(std::string name) {
    return {.name = std::move(name),
            .description = "does",
            .schema = R"({"type":"object","properties":{"a":{"$ref":"#/x"}}})"};
}
constexpr std::string_view kToolJson =
    R"({"toolSpec":{"name":"f","description":"does","inputSchema":{"json":{"type":"object","properties":{"a":{"$ref":"#/x"}}}}}})";

Result<EncodedRequest> encode(const llm::Call& call,
                              std::string_view model = kSonnet45,
                              Target target = {}) {
    target.model = model;
    auto encoded = provider.encode_request(call, target);
    if (encoded) {  // whatever it says, it is JSON without a key twice
        json::Document document;
        const auto parsed = document.parse(encoded->body, json::Duplicates::refused);
        EXPECT_TRUE(parsed) << encoded->body;
    }
    return encoded;
}

std::string body(const llm::Call& call,
                 std::string_view model = kSonnet45,
                 const Target& target = {}) {
    const auto encoded = encode(call, model, target);
    return encoded ? encoded->body
                   : fmt::format("{}: {} {}",
                                 name(encoded.error().code()),
                                 encoded.error().parameter(),
                                 encoded.error().message());
}

constexpr std::string_view kHelloMessages =
    R"("messages":[{"role":"user","content":[{"text":"Hello"}]}])";
std::string hello_and(std::string_view rest) {
    return fmt::format("{{{}{}{}}}", kHelloMessages, rest.empty() ? "" : ",", rest);
}

// What remains of a call that differs from "Hello" by one field.
struct FieldCase {
    std::string_view name;
    std::string_view model;
    std::function<void(llm::Call&)> change;
    std::string_view rest;  // behind the messages
    std::vector<std::string> dropped;
};
class BedrockField : public testing::TestWithParam<FieldCase> {};

TEST_P(BedrockField, IsWrittenOrDropped) {
    const FieldCase& one = GetParam();
    llm::Call call = hello();
    one.change(call);
    const auto encoded = encode(call, one.model, {.output_tokens_max = 64'000});
    ASSERT_TRUE(encoded) << encoded.error().message();
    EXPECT_EQ(encoded->body, hello_and(one.rest));
    EXPECT_EQ(encoded->dropped, one.dropped);
}

using Effort = llm::Effort;
using ThinkingMode = llm::Thinking::Mode;
using Choice = llm::ToolChoice::Mode;

const std::vector<FieldCase> kFields = {
    {"nothing", kSonnet45, [](llm::Call&) {}, "", {}},
    {"limit",
     kSonnet45,
     [](llm::Call& c) { c.max_output_tokens = 5; },
     R"("inferenceConfig":{"maxTokens":5})",
     {}},
    {"temperature",
     kSonnet45,
     [](llm::Call& c) { c.temperature = 0; },
     R"("inferenceConfig":{"temperature":0})",
     {}},
    {"temperature_is_cut",
     kSonnet45,
     [](llm::Call& c) { c.temperature = 1.7; },
     R"("inferenceConfig":{"temperature":1})",
     {}},
    {"temperature_beside_top_p",
     kSonnet45,
     [](llm::Call& c) {
         c.temperature = 0.5;
         c.top_p = 0.9;
     },
     R"("inferenceConfig":{"temperature":0.5})",
     {"top_p"}},
    {"temperature_beside_top_p_elsewhere",
     kMistral,
     [](llm::Call& c) {
         c.temperature = 0.5;
         c.top_p = 0.9;
     },
     R"("inferenceConfig":{"temperature":0.5,"topP":0.9})",
     {}},
    {"sampling_of_the_newest",
     kOpus47,
     [](llm::Call& c) {
         c.temperature = 0.5;
         c.top_p = 0.9;
         c.top_k = 3;
     },
     "",
     {"temperature", "top_p", "top_k"}},
    {"top_k_of_claude",
     kSonnet45,
     [](llm::Call& c) { c.top_k = 3; },
     R"("additionalModelRequestFields":{"top_k":3})",
     {}},
    {"top_k_of_nova",
     kNovaLite,
     [](llm::Call& c) { c.top_k = 3; },
     R"("additionalModelRequestFields":{"inferenceConfig":{"topK":3}})",
     {}},
    {"top_k_of_others", kLlama, [](llm::Call& c) { c.top_k = 3; }, "", {"top_k"}},
    {"stop",
     kNovaLite,
     [](llm::Call& c) { c.stop = {"a", "\n\""}; },
     R"("inferenceConfig":{"stopSequences":["a","\n\""]})",
     {}},
    {"stop_of_claude_asks_which",
     kSonnet45,
     [](llm::Call& c) { c.stop = {"a"}; },
     R"("inferenceConfig":{"stopSequences":["a"]},"additionalModelResponseFieldPaths":["/stop_sequence"])",
     {}},
    {"stop_of_a_stream_asks_elsewhere",
     kSonnet45,
     [](llm::Call& c) {
         c.stop = {"a"};
         c.stream = true;
     },
     R"("inferenceConfig":{"stopSequences":["a"]},"additionalModelResponseFieldPaths":["/delta/stop_sequence"])",
     {}},
    {"housekeeping",
     kSonnet45,
     [](llm::Call& c) {
         c.seed = 1;
         c.presence_penalty = 0.5;
         c.frequency_penalty = 0;
         c.user = "me";
         c.verbosity = "low";
         c.unknown = {{.name = "store", .json = "true"}};
         c.messages[0].name = "Ann";
     },
     "",
     {"name", "store", "seed", "presence_penalty", "verbosity", "user"}},
    {"tier",
     kSonnet45,
     [](llm::Call& c) { c.service_tier = "flex"; },
     R"("serviceTier":{"type":"flex"})",
     {}},
    {"tier_by_default", kSonnet45, [](llm::Call& c) { c.service_tier = "auto"; }, "", {}},
    {"tier_without_equal",
     kSonnet45,
     [](llm::Call& c) { c.service_tier = "scale"; },
     "",
     {"service_tier"}},
    {"schema",
     kSonnet45,
     [](llm::Call& c) {
         c.format = {.kind = llm::OutputFormat::Kind::json_schema,
                     .name = "n",
                     .schema = R"({"type":"object"})"};
     },
     R"("outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{\"type\":\"object\"}","name":"n"}}}})",
     {}},
    // Thinking, in the words of each model.
    {"effort_as_budget",
     kSonnet45,
     [](llm::Call& c) { c.thinking.effort = Effort::medium; },
     R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":8192}})",
     {}},
    {"effort_raises_the_limit",
     kSonnet45,
     [](llm::Call& c) {
         c.thinking.effort = Effort::low;
         c.max_output_tokens = 100;
     },
     R"("inferenceConfig":{"maxTokens":2148},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}})",
     {}},
    {"limit_is_raised_to_the_model's_at_most",
     kSonnet45,
     [](llm::Call& c) {
         c.thinking.effort = Effort::high;
         c.max_output_tokens = 63'000;
     },
     R"("inferenceConfig":{"maxTokens":64000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":24576}})",
     {}},
    {"limit_does_not_overflow",
     kSonnet45,
     [](llm::Call& c) {
         c.thinking.effort = Effort::low;
         c.max_output_tokens = 9'223'372'036'854'775'807;
     },
     R"("inferenceConfig":{"maxTokens":9223372036854775807},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}})",
     {}},
    {"limit_of_anthropic_holds_the_budget",
     kSonnet45,
     [](llm::Call& c) {
         c.from = llm::Dialect::anthropic;
         c.thinking = {.mode = ThinkingMode::on, .budget_tokens = 2000};
         c.max_output_tokens = 4000;
     },
     R"("inferenceConfig":{"maxTokens":4000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}})",
     {}},
    {"no_room_to_think",
     kSonnet45,
     [](llm::Call& c) {
         c.from = llm::Dialect::anthropic;
         c.thinking = {.mode = ThinkingMode::on, .budget_tokens = 2000};
         c.max_output_tokens = 800;
     },
     R"("inferenceConfig":{"maxTokens":800})",
     {"reasoning"}},
    {"budget_below_the_model's_limit",
     kSonnet45,
     [](llm::Call& c) { c.thinking = {.mode = ThinkingMode::on, .budget_tokens = 1'000'000}; },
     R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":62976}})",
     {}},
    {"dynamic_budget",
     kSonnet45,
     [](llm::Call& c) { c.thinking = {.mode = ThinkingMode::on, .budget_tokens = -1}; },
     R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":8192}})",
     {}},
    {"thinking_fixes_sampling",
     kSonnet45,
     [](llm::Call& c) {
         c.thinking.effort = Effort::low;
         c.temperature = 0.2;
         c.top_p = 0.5;
         c.top_k = 4;
     },
     R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2048}})",
     {"temperature", "top_p", "top_k"}},
    {"effort_of_the_newest",
     kOpus47,
     [](llm::Call& c) {
         c.thinking.effort = Effort::max;
         c.thinking.include_text = true;
     },
     R"("additionalModelRequestFields":{"thinking":{"type":"adaptive","display":"summarized"},"output_config":{"effort":"xhigh"}})",
     {}},
    {"effort_between",
     kOpus46,
     [](llm::Call& c) { c.thinking.effort = Effort::xhigh; },
     R"("additionalModelRequestFields":{"thinking":{"type":"adaptive"},"output_config":{"effort":"high"}})",
     {}},
    {"budget_where_both_are_known",
     kOpus46,
     [](llm::Call& c) { c.thinking = {.mode = ThinkingMode::on, .budget_tokens = 3000}; },
     R"("additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":3000}})",
     {}},
    {"anthropic's_effort_alone_thinks_not",
     kOpus46,
     [](llm::Call& c) {
         c.from = llm::Dialect::anthropic;
         c.thinking.effort = Effort::low;
     },
     R"("additionalModelRequestFields":{"output_config":{"effort":"low"}})",
     {}},
    {"anthropic's_effort_unknown",
     kSonnet45,
     [](llm::Call& c) {
         c.from = llm::Dialect::anthropic;
         c.thinking.effort = Effort::low;
     },
     "",
     {"reasoning"}},
    {"no_thinking", kSonnet45, [](llm::Call& c) { c.thinking.effort = Effort::none; }, "", {}},
    {"thinking_that_cannot_be_off",
     kFable,
     [](llm::Call& c) { c.thinking.mode = ThinkingMode::off; },
     "",
     {"reasoning"}},
    {"nova_thinks",
     kNova2,
     [](llm::Call& c) {
         c.thinking.effort = Effort::low;
         c.temperature = 0.2;
     },
     R"("inferenceConfig":{"temperature":0.2},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"low"}})",
     {}},
    {"nova_at_most_takes_nothing_else",
     kNova2,
     [](llm::Call& c) {
         c.thinking.effort = Effort::max;
         c.temperature = 0.2;
     },
     R"("additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"high"}})",
     {"temperature"}},
    {"nova_at_most_within_a_limit",
     kNova2,
     [](llm::Call& c) {
         c.thinking.effort = Effort::high;
         c.max_output_tokens = 10;
     },
     R"("inferenceConfig":{"maxTokens":10},"additionalModelRequestFields":{"reasoningConfig":{"type":"enabled","maxReasoningEffort":"medium"}})",
     {}},
    {"gpt_oss_thinks",
     kGptOss,
     [](llm::Call& c) { c.thinking.effort = Effort::minimal; },
     R"("additionalModelRequestFields":{"reasoning_effort":"low"})",
     {}},
    {"others_think_not",
     kLlama,
     [](llm::Call& c) { c.thinking.effort = Effort::high; },
     "",
     {"reasoning"}},
    {"who_is_unknown_thinks_not",
     kProfile,
     [](llm::Call& c) { c.thinking.effort = Effort::high; },
     "",
     {"reasoning"}},
    // Tools.
    {"tools",
     kSonnet45,
     [](llm::Call& c) {
         c.tools = {tool("f")};
         c.tool_choice.mode = Choice::automatic;
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","description":"does","inputSchema":{"json":{"type":"object","properties":{"a":{"$ref":"#/x"}}}}}}]})",
     {}},
    {"tool_of_the_barest",
     kSonnet45,
     [](llm::Call& c) { c.tools = {{.name = "f"}}; },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]})",
     {}},
    {"tool_none",
     kSonnet45,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}};
         c.tool_choice.mode = Choice::none;
     },
     "",
     {}},
    {"tool_required",
     kMistral,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}};
         c.tool_choice.mode = Choice::required;
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"any":{}}})",
     {}},
    {"tool_named",
     kNovaLite,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}};
         c.tool_choice = {.mode = Choice::named, .name = "f"};
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"tool":{"name":"f"}}})",
     {}},
    {"tool_named_is_the_only_one",
     kMistral,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}, {.name = "g"}};
         c.tool_choice = {.mode = Choice::named, .name = "g"};
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"any":{}}})",
     {}},
    {"tools_allowed",
     kSonnet45,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}, {.name = "g"}};
         c.tool_choice = {.mode = Choice::automatic, .allowed = {"g"}};
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}}]})",
     {}},
    {"one_call_at_a_time",
     kSonnet45,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}};
         c.tool_choice = {.mode = Choice::named, .name = "f", .parallel = false};
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]},)"
     R"("additionalModelRequestFields":{"tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true}})",
     {}},
    {"one_call_at_a_time_elsewhere",
     kNovaLite,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}};
         c.tool_choice.parallel = false;
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]})",
     {"parallel_tool_calls"}},
    {"strict_tool",
     kSonnet45,
     [](llm::Call& c) { c.tools = {{.name = "f", .strict = true}}; },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}},"strict":true}}]})",
     {}},
    {"strict_tool_elsewhere",
     kOpus47,
     [](llm::Call& c) { c.tools = {{.name = "f", .strict = true}}; },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}]})",
     {"strict"}},
    // Row 9: a forced tool and thinking do not go together.
    {"forced_tool_and_thinking",
     kSonnet45,
     [](llm::Call& c) {
         c.tools = {{.name = "f"}};
         c.tool_choice.mode = Choice::required;
         c.thinking.effort = Effort::high;
     },
     R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}}],"toolChoice":{"any":{}}})",
     {"reasoning"}},
};

INSTANTIATE_TEST_SUITE_P(Bedrock, BedrockField, testing::ValuesIn(kFields), [](const auto& info) {
    std::string name;
    for (const char c : info.param.name) {
        name += c == '\'' ? '_' : c;
    }
    return name;
});

struct RefusalCase {
    std::string_view name;
    std::string_view model;
    std::function<void(llm::Call&)> change;
    std::string_view parameter;
};

TEST(BedrockRequest, RefusesWhatWouldChangeTheMeaning) {
    const auto part = [](llm::Part one) {
        return [one](llm::Call& c) { c.messages[0].parts.push_back(one); };
    };
    const auto media = [part](llm::Media one) { return part({.body = std::move(one)}); };
    using Kind = llm::OutputFormat::Kind;
    const std::vector<RefusalCase> cases = {
        {"n", kSonnet45, [](llm::Call& c) { c.choices = 2; }, "n"},
        {"candidateCount",
         kSonnet45,
         [](llm::Call& c) {
             c.choices = 2;
             c.from = llm::Dialect::gemini;
         },
         "generationConfig.candidateCount"},
        {"logprobs", kSonnet45, [](llm::Call& c) { c.logprobs = true; }, "logprobs"},
        {"audio answers",
         kSonnet45,
         [](llm::Call& c) { c.modalities = {"text", "audio"}; },
         "modalities"},
        {"json_object",
         kSonnet45,
         [](llm::Call& c) { c.format.kind = Kind::json_object; },
         "response_format"},
        {"schema",
         kNovaLite,
         [](llm::Call& c) { c.format = {.kind = Kind::json_schema, .schema = "{}"}; },
         "response_format"},
        {"limit 0",
         kSonnet45,
         [](llm::Call& c) {
             c.max_output_tokens = 0;
             c.from = llm::Dialect::anthropic;
         },
         "max_tokens"},
        {"force llama",
         kLlama,
         [](llm::Call& c) {
             c.tools = {tool("f")};
             c.tool_choice.mode = Choice::required;
         },
         "tool_choice"},
        {"tool by chance",
         kSonnet45,
         [](llm::Call& c) {
             c.tools = {{.name = "web_search", .opaque_json = "{}", .of = llm::Dialect::anthropic}};
         },
         "tools"},
        {"tool name", kSonnet45, [](llm::Call& c) { c.tools = {tool("a.b")}; }, "tools"},
        {"allows none",
         kSonnet45,
         [](llm::Call& c) {
             c.tools = {tool("f")};
             c.tool_choice.allowed = {"g"};
         },
         "tool_choice"},
        {"no tool in a loop",
         kSonnet45,
         [](llm::Call& c) {
             c.tools = {tool("f")};
             c.tool_choice.mode = Choice::none;
             c.messages.push_back(said(llm::Role::assistant, {tool_call("1", "f")}));
             c.messages.push_back(said(llm::Role::user, {result("1", "ok")}));
         },
         "tool_choice"},
        {"http image",
         kSonnet45,
         media({.mime = "image/png", .url = "https://example.com/a.png"}),
         "messages"},
        {"file id",
         kSonnet45,
         media({.kind = llm::MediaKind::file, .mime = "application/pdf", .file_id = "file-1"}),
         "messages"},
        {"image form", kSonnet45, media({.mime = "image/tiff", .data = "AA=="}), "messages"},
        {"file form",
         kSonnet45,
         media({.kind = llm::MediaKind::file, .mime = "application/zip", .data = "AA=="}),
         "messages"},
        {"foreign part",
         kSonnet45,
         part(
             {.body =
                  llm::Opaque{.of = llm::Dialect::gemini, .type = "executableCode", .json = "{}"}}),
         "messages"},
        {"in Gemini's words",
         kSonnet45,
         [part](llm::Call& c) {
             c.from = llm::Dialect::gemini;
             part({.body = llm::Opaque{
                       .of = llm::Dialect::gemini, .type = "executableCode", .json = "{}"}})(c);
         },
         "contents"},
        {"arguments",
         kSonnet45,
         [](llm::Call& c) {
             c.messages.push_back(said(llm::Role::assistant, {tool_call("1", "f", "{\"a\":")}));
         },
         "messages"},
        {"arguments no object",
         kSonnet45,
         [](llm::Call& c) {
             c.messages.push_back(said(llm::Role::assistant, {tool_call("1", "f", "[]")}));
         },
         "messages"},
        {"result of nothing", kSonnet45, part({.body = llm::ToolResult{.name = "f"}}), "messages"},
        {"picture from the system",
         kSonnet45,
         [](llm::Call& c) {
             c.messages.insert(c.messages.begin(),
                               said(llm::Role::system,
                                    {{.body = llm::Media{.mime = "image/png", .data = "AA=="}}}));
         },
         "messages"},
        {"nothing to say",
         kSonnet45,
         [](llm::Call& c) { c.messages = {said(llm::Role::user, {text(" \n")})}; },
         "messages"},
    };
    for (const RefusalCase& one : cases) {
        llm::Call call = hello();
        one.change(call);
        const auto encoded = encode(call, one.model);
        ASSERT_FALSE(encoded) << one.name << encoded->body;
        EXPECT_EQ(encoded.error().code(), Code::invalid_request) << one.name;
        EXPECT_EQ(encoded.error().parameter(), one.parameter) << one.name;
        EXPECT_FALSE(encoded.error().message().empty()) << one.name;
    }
}

// Row 4: all results of a turn in one message of the user, first.
TEST(BedrockRequest, TurnsAlternateAndResultsComeFirst) {
    const llm::Call call = call_of({
        said(llm::Role::system, {text("Be kind.")}),
        said(llm::Role::developer, {text("And brief.")}),
        said(llm::Role::user, {text("Both, please.")}),
        said(llm::Role::assistant, {text("  "), tool_call("c1", "f", R"({"n":1.0})")}),
        said(llm::Role::assistant, {tool_call("c2", "g")}),
        said(llm::Role::system, {text("It is late.")}),
        said(llm::Role::user, {result("c1", "one")}),
        said(llm::Role::user, {text("Well?"), result("c2", "", true)}),
        said(llm::Role::assistant, {text("")}),
        said(llm::Role::user, {text("Go on.")}),
    });
    EXPECT_EQ(
        body(call),
        R"({"system":[{"text":"Be kind."},{"text":"And brief."}],)"
        R"("messages":[{"role":"user","content":[{"text":"Both, please."}]},)"
        R"({"role":"assistant","content":[{"toolUse":{"toolUseId":"c1","name":"f","input":{"n":1.0}}},)"
        R"({"toolUse":{"toolUseId":"c2","name":"g","input":{}}}]},)"
        R"({"role":"user","content":[{"toolResult":{"toolUseId":"c1","content":[{"text":"one"}]}},)"
        R"x({"toolResult":{"toolUseId":"c2","content":[{"text":"(no output)"}],"status":"error"}},)x"
        R"({"text":"It is late."},{"text":"Well?"},{"text":"Go on."}]}],)"
        // Tools must be declared where the conversation holds calls.
        R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}},)"
        R"({"toolSpec":{"name":"g","inputSchema":{"json":{"type":"object","properties":{}}}}}]}})");
}

TEST(BedrockRequest, IdsThatBedrockRefusesGetOthersTheSameForCallAndResult) {
    const std::string long_id(65, 'x');
    llm::Call call =
        call_of({said(llm::Role::user, {text("Hi")}),
                 said(llm::Role::assistant,
                      {tool_call("functions.f:0", "f"),
                       tool_call(long_id, "f"),
                       tool_call("", "f"),
                       tool_call("", "g"),
                       tool_call("", "f")}),
                 said(llm::Role::user, {result("functions.f:0", "a"), result(long_id, "b")})});
    for (const std::string_view name :
         {"g", "f", "f"}) {  // Gemini's results name the function only
        call.messages.back().parts.push_back(
            {.body = llm::ToolResult{.name = std::string(name), .content = {text("r")}}});
    }
    const std::string written = body(call);
    json::Document document;
    const auto root = document.parse(written, json::Duplicates::refused);
    ASSERT_TRUE(root) << written;
    std::vector<std::string> calls, results;
    for (const json::Value message : (*root)["messages"]) {
        for (const json::Value block : message["content"]) {
            if (auto id = block["toolUse"]["toolUseId"].string()) {
                calls.push_back(*id);
                EXPECT_LE(id->size(), 64u);
                EXPECT_EQ(id->find_first_of(".:"), std::string::npos);
            }
            if (auto id = block["toolResult"]["toolUseId"].string()) {
                results.push_back(*id);
            }
        }
    }
    ASSERT_EQ(calls.size(), 5u);
    EXPECT_EQ(calls[2], "call_3");
    EXPECT_EQ(results,
              (std::vector<std::string>{calls[0], calls[1], calls[3], calls[2], calls[4]}));
    EXPECT_EQ(std::set<std::string>(calls.begin(), calls.end()).size(), 5u);
}

// Row 6 and rule 8: its own signature goes back unchanged, nobody else's goes anywhere.
TEST(BedrockRequest, OnlyItsOwnThoughtsGoBack) {
    const auto thought = [](std::string words, llm::Dialect of, bool redacted = false) {
        return llm::Part{.body = llm::Reasoning{.text = std::move(words),
                                                .signature = {.text = "c2ln", .of = of},
                                                .redacted = redacted}};
    };
    llm::Call call = call_of({said(llm::Role::user, {text("Hi")}),
                              said(llm::Role::assistant,
                                   {thought("mine", llm::Dialect::bedrock),
                                    thought("", llm::Dialect::bedrock, true),
                                    thought("not mine", llm::Dialect::anthropic),
                                    {.body = llm::Reasoning{.text = "unsigned"}},
                                    text("Hello")}),
                              said(llm::Role::user, {text("So?")})});
    EXPECT_EQ(
        body(call),
        R"({"messages":[{"role":"user","content":[{"text":"Hi"}]},{"role":"assistant","content":[)"
        R"({"reasoningContent":{"reasoningText":{"text":"mine","signature":"c2ln"}}},)"
        R"({"reasoningContent":{"redactedContent":"c2ln"}},{"text":"Hello"}]},)"
        R"({"role":"user","content":[{"text":"So?"}]}]})");
    EXPECT_EQ(body(call, kLlama).find("reasoningContent"), std::string::npos);
}

// Claude refuses thinking in a loop of tools whose thought was lost; adaptive thinking does not
// mind.
TEST(BedrockRequest, ThinkingWaitsWhereTheThoughtOfTheLoopIsLost) {
    llm::Call call = call_of({said(llm::Role::user, {text("Hi")}),
                              said(llm::Role::assistant, {tool_call("c1", "f")}),
                              said(llm::Role::user, {result("c1", "one")})});
    call.tools = {{.name = "f"}};
    call.thinking.effort = Effort::low;
    const auto lost = encode(call);
    ASSERT_TRUE(lost);
    EXPECT_EQ(lost->body.find("thinking"), std::string::npos);
    EXPECT_EQ(lost->dropped, std::vector<std::string>{"reasoning"});
    EXPECT_NE(body(call, kOpus47).find(R"("type":"adaptive")"), std::string::npos);
    call.messages[1].parts.insert(
        call.messages[1].parts.begin(),
        {.body =
             llm::Reasoning{.text = "t", .signature = {.text = "s", .of = llm::Dialect::bedrock}}});
    EXPECT_NE(body(call).find(R"("budget_tokens":2048)"), std::string::npos);
}

TEST(BedrockRequest, MediaHaveAFormAndASource) {
    using Kind = llm::MediaKind;
    llm::Call call = hello();
    call.messages[0].parts = {
        {.body = llm::Media{.mime = "image/JPEG", .data = "AAAA", .detail = "high"}},
        {.body = llm::Media{.url = "s3://bucket/a.webp"}},
        {.body = llm::Media{.kind = Kind::video, .mime = "video/3gpp", .data = "AAAA"}},
        {.body = llm::Media{.kind = Kind::audio, .mime = "audio/mpeg; rate=8000", .data = "AAAA"}},
        {.body = llm::Media{.kind = Kind::file,
                            .mime = "application/pdf",
                            .data = "AAAA",
                            .name = "my_report  (1).pdf",
                            .context = "ctx",
                            .wants_citations = true}},
        {.body = llm::Media{.kind = Kind::file, .data = "AAAA", .name = "data.csv"}},
        {.body = llm::Media{.kind = Kind::file, .data = "plain", .is_plain_text = true}},
        {.body = llm::Media{.kind = Kind::file, .data = "other", .is_plain_text = true}},
        {.body = llm::ToolResult{
             .call_id = "c",
             .content = {{.body = llm::Media{.mime = "image/png", .data = "AAAA"}}}}}};
    EXPECT_EQ(
        body(call),
        R"({"messages":[{"role":"user","content":[)"
        R"({"toolResult":{"toolUseId":"c","content":[{"image":{"format":"png","source":{"bytes":"AAAA"}}}]}},)"
        R"({"image":{"format":"jpeg","source":{"bytes":"AAAA"}}},)"
        R"({"image":{"format":"webp","source":{"s3Location":{"uri":"s3://bucket/a.webp"}}}},)"
        R"({"video":{"format":"three_gp","source":{"bytes":"AAAA"}}},)"
        R"({"audio":{"format":"mp3","source":{"bytes":"AAAA"}}},)"
        R"({"document":{"format":"pdf","name":"my report (1) pdf","source":{"bytes":"AAAA"},"context":"ctx","citations":{"enabled":true}}},)"
        R"({"document":{"format":"csv","name":"data csv","source":{"bytes":"AAAA"}}},)"
        R"({"document":{"format":"txt","name":"document","source":{"bytes":"cGxhaW4="}}},)"
        R"({"document":{"format":"txt","name":"document 2","source":{"bytes":"b3RoZXI="}}}]}]})");
    const auto elsewhere = encode(call, kNovaLite);
    ASSERT_TRUE(elsewhere);
    EXPECT_EQ(elsewhere->dropped, (std::vector<std::string>{"detail", "citations"}));
}

TEST(BedrockRequest, CachePointsFollowWhatIsMarked) {
    llm::Call call = call_of({said(llm::Role::system, {text("S", true)}),
                              said(llm::Role::user, {text("a", true), text("b")}),
                              said(llm::Role::user, {text("c", true)})});
    call.messages[1].parts[0].cache.for_an_hour = true;
    call.tools = {{.name = "f", .cache = {.is_set = true}}};
    call.cache = {.is_set = true};  // of the whole: the last part has one already
    EXPECT_EQ(
        body(call),
        R"({"system":[{"text":"S"},{"cachePoint":{"type":"default"}}],"messages":[{"role":"user","content":[)"
        R"({"text":"a"},{"cachePoint":{"type":"default","ttl":"1h"}},{"text":"b"},{"text":"c"},{"cachePoint":{"type":"default"}}]}],)"
        R"("toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object","properties":{}}}}},)"
        R"({"cachePoint":{"type":"default"}}]}})");
    const auto nova = encode(call, kNovaLite);  // takes no hour, and none among tools
    ASSERT_TRUE(nova);
    EXPECT_EQ(nova->body.find("ttl"), std::string::npos);
    EXPECT_EQ(nova->body.find("toolSpec\":{\"name\":\"f\",\"inputSchema\":{\"json\":{\"type\":"
                              "\"object\",\"properties\":{}}}},{\"cache"),
              std::string::npos);
    EXPECT_EQ(nova->dropped, std::vector<std::string>{"cache_control"});
    const auto llama = encode(call, kLlama);
    ASSERT_TRUE(llama);
    EXPECT_EQ(llama->body.find("cachePoint"), std::string::npos);
    EXPECT_EQ(llama->dropped, std::vector<std::string>{"cache_control"});
    for (int i = 0; i < 5; ++i) {  // four at most, as Claude has it
        call.messages[1].parts.push_back(text("more", true));
    }
    const auto many = encode(call);
    ASSERT_TRUE(many);
    std::size_t points = 0;
    for (std::size_t at = many->body.find("cachePoint"); at != std::string::npos;
         at = many->body.find("cachePoint", at + 1)) {
        ++points;
    }
    EXPECT_EQ(points, 4u);
    EXPECT_EQ(many->dropped, std::vector<std::string>{"cache_control"});
}

TEST(BedrockRequest, UnknownFieldsPassWhereTheProviderListsThem) {
    llm::Call call = hello();
    call.unknown = {{.name = "performanceConfig", .json = R"({"latency":"optimized"})"},
                    {.name = "anthropic_beta", .json = R"(["x"])"},
                    {.name = "min_p", .json = "0.1"}};
    EXPECT_EQ(
        body(call, kSonnet45, {.passed_fields = {"performanceConfig", "anthropic_beta"}}),
        hello_and(
            R"("performanceConfig":{"latency":"optimized"},"additionalModelRequestFields":{"anthropic_beta":["x"]})"));
}

// Row 10: a schema arrives whole.
TEST(BedrockRequest, SchemasArriveAsTheyCame) {
    llm::Call call = hello();
    call.tools = {tool("f")};
    EXPECT_NE(body(call).find(kToolJson), std::string::npos);
}

TEST(BedrockModelFacts, ReadTheVersionOutOfEveryName) {
    using Thinking = ModelFacts::Thinking;
    struct Case {
        std::string_view model;
        Thinking thinking;
        bool takes_sampling, caches, has_structured_output;
    };
    for (const Case& one : std::vector<Case>{
             {"anthropic.claude-v2:1", Thinking::none, true, false, false},
             {"anthropic.claude-3-sonnet-20240229-v1:0", Thinking::none, true, false, false},
             {"anthropic.claude-3-5-haiku-20241022-v1:0", Thinking::none, true, true, false},
             {"us.anthropic.claude-3-7-sonnet-20250219-v1:0", Thinking::budget, true, true, false},
             {"anthropic.claude-opus-4-20250514-v1:0", Thinking::budget, true, true, false},
             {"eu.anthropic.claude-sonnet-4-5-20250929-v1:0", Thinking::budget, true, true, true},
             {"arn:aws:bedrock:us-east-1:123456789012:inference-profile/"
              "us.anthropic.claude-sonnet-4-6",
              Thinking::either,
              true,
              true,
              true},
             {"anthropic.claude-opus-4-8", Thinking::adaptive, false, true, true},
             {"anthropic.claude-sonnet-5", Thinking::adaptive, false, true, true},
             {"anthropic.claude-sonnet-5-5", Thinking::always, false, true, true},
             {"anthropic.claude-fable-5", Thinking::always, false, true, true},
             {"amazon.nova-pro-v1:0", Thinking::none, true, true, false},
             {"us.amazon.nova-2-lite-v1:0", Thinking::nova, true, true, false},
             {"openai.gpt-oss-20b-1:0", Thinking::effort, true, false, true},
             {"qwen.qwen3-32b-v1:0", Thinking::none, true, false, true},
             {"meta.llama4-scout-17b-instruct-v1:0", Thinking::none, true, false, false},
             {"abc123", Thinking::none, true, false, true}}) {
        const ModelFacts facts = facts_of(one.model);
        EXPECT_EQ(facts.thinking, one.thinking) << one.model;
        EXPECT_EQ(facts.takes_sampling, one.takes_sampling) << one.model;
        EXPECT_EQ(facts.caches, one.caches) << one.model;
        EXPECT_EQ(facts.has_structured_output, one.has_structured_output) << one.model;
    }
    EXPECT_EQ(facts_of("anthropic.claude-opus-5-5").forcing, ModelFacts::Forcing::none);
    EXPECT_EQ(facts_of("anthropic.claude-opus-5").forcing, ModelFacts::Forcing::named);
}

// What is held for a call is what its request allows.
TEST(BedrockEncode, SaysHowMuchItAllows) {
    llm::Call call = hello();
    EXPECT_EQ(provider.output_tokens_max(call, {.model = kSonnet45}), 0);
    call.max_output_tokens = 100;
    EXPECT_EQ(provider.output_tokens_max(call, {.model = kSonnet45}), 100);
    call.thinking.effort = Effort::low;
    const Target target{.model = kSonnet45, .effort_budgets = {.low = 5000}};
    EXPECT_EQ(provider.output_tokens_max(call, target), 5100);
    EXPECT_NE(body(call, kSonnet45, target).find(R"("maxTokens":5100)"), std::string::npos);
    EXPECT_NE(body(call, kSonnet45, target).find(R"("budget_tokens":5000)"), std::string::npos);
}

}  // namespace
}  // namespace weir::dialect::bedrock
