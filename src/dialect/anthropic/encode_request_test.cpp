#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/count_tokens.h"

namespace weir::dialect::anthropic {
namespace {

using Json = nlohmann::json;
using llm::Dialect;
using llm::Role;

constexpr std::string_view kOld = "claude-3-7-sonnet-20250219";
constexpr std::string_view kMiddle = "claude-sonnet-4-5";
constexpr std::string_view kNew = "claude-opus-4-8";

llm::Part text(std::string words) { return {.body = llm::Text{.text = std::move(words)}}; }
llm::Message says(Role role, std::string words) {
    return {.role = role, .parts = {text(std::move(words))}};
}
llm::Part tool_call(std::string id, std::string arguments = "{}") {
    return {.body =
                llm::ToolCall{.id = std::move(id), .name = "f", .arguments = std::move(arguments)}};
}
llm::Part result(std::string id, std::string words) {
    return {.body = llm::ToolResult{.call_id = std::move(id), .content = {text(std::move(words))}}};
}
llm::Part thought(std::string signature, Dialect of) {
    return {.body = llm::Reasoning{.text = "hm",
                                   .signature = {.text = std::move(signature), .of = of}}};
}

llm::Call hello() {
    llm::Call call{.from = Dialect::openai_chat, .messages = {}};
    call.messages.push_back(says(Role::user, "hi"));
    call.max_output_tokens = 100;
    return call;
}

struct Sent {
    Json body;
    std::vector<std::string> dropped;
};
Sent send(const llm::Call& call, std::string_view model = kMiddle, std::int64_t cap = 0) {
    auto encoded = encode_request(call, {.model = model, .output_tokens_max = cap});
    EXPECT_TRUE(encoded) << (encoded ? "" : encoded.error().message());
    if (!encoded) {
        return {};
    }
    return {.body = Json::parse(encoded->body), .dropped = std::move(encoded->dropped)};
}
std::string refused(const llm::Call& call, std::string_view model = kMiddle) {
    const auto encoded = encode_request(call, {.model = model});
    if (encoded) {
        return "taken";
    }
    EXPECT_EQ(encoded.error().code(), Code::invalid_request);
    EXPECT_FALSE(encoded.error().message().empty());
    return encoded.error().parameter();
}
using Names = std::vector<std::string>;

TEST(AnthropicEncode, SaysTheLeast) {
    const auto sent = send(hello());
    EXPECT_EQ(sent.body, Json::parse(R"({"model":"claude-sonnet-4-5","max_tokens":100,
                  "messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]})"));
    EXPECT_TRUE(sent.dropped.empty());
}

TEST(AnthropicEncode, AlwaysNamesALimit) {
    llm::Call call = hello();
    EXPECT_EQ(send(call, kMiddle, 50).body["max_tokens"], 50);  // never above the model's cap
    call.max_output_tokens.reset();
    EXPECT_EQ(send(call, kMiddle, 50).body["max_tokens"], 50);
    EXPECT_EQ(send(call, kMiddle).body["max_tokens"], 64000);
    EXPECT_EQ(send(call, "claude-3-opus-20240229").body["max_tokens"], 4096);
    EXPECT_EQ(send(call, "some-model").body["max_tokens"], 4096);
    call.max_output_tokens = 0;
    EXPECT_EQ(send(call, kMiddle).body["max_tokens"], 0);
}

TEST(AnthropicEncode, HoistsLeadingSystemMessages) {
    llm::Call call = hello();
    call.messages.insert(call.messages.begin(), says(Role::developer, "two"));
    call.messages.insert(call.messages.begin(), says(Role::system, "one"));
    call.messages[0].parts[0].cache = {.is_set = true, .for_an_hour = true};
    const auto sent = send(call);
    EXPECT_EQ(sent.body["system"], Json::parse(R"([
        {"type":"text","text":"one","cache_control":{"type":"ephemeral","ttl":"1h"}},
        {"type":"text","text":"two"}])"));
    EXPECT_EQ(sent.body["messages"].size(), 1u);
}

// One letter a turn: u, a or s, with the words of its texts.
std::string turns_of(const Json& body) {
    std::string turns;
    for (const Json& turn : body["messages"]) {
        turns += turns.empty() ? "" : " ";
        turns += turn["role"].get<std::string>().substr(0, 1);
        for (const Json& block : turn["content"]) {
            turns += ":";
            turns += block.value("text", block["type"].get<std::string>());
        }
    }
    return turns;
}

struct SystemCase {
    std::string_view name, said, older, newer;
};
TEST(AnthropicEncode, PutsALaterSystemMessageWhereTheModelTakesIt) {
    for (const auto& c : {
             SystemCase{"at the end", "u1 a1 u2 s1", "u:u1 a:a1 u:u2:s1", "u:u1 a:a1 u:u2 s:s1"},
             SystemCase{
                 "before an answer", "u1 s1 a1 u2", "u:u1:s1 a:a1 u:u2", "u:u1 s:s1 a:a1 u:u2"},
             SystemCase{"before a user", "u1 s1 u2 s2", "u:u1:s1:u2:s2", "u:u1:u2 s:s1:s2"},
             SystemCase{
                 "behind an answer", "u1 a1 s1 u2", "u:u1 a:a1 u:s1:u2", "u:u1 a:a1 u:u2 s:s1"},
             SystemCase{"between answers",
                        "u1 a1 s1 a2 u2",
                        "u:u1 a:a1 u:s1 a:a2 u:u2",
                        "u:u1 a:a1 u:s1 a:a2 u:u2"},
             SystemCase{"alone at the end", "u1 a1 s1", "u:u1 a:a1 u:s1", "u:u1 a:a1 u:s1"},
         }) {
        llm::Call call = hello();
        call.messages.clear();
        for (std::size_t at = 0; at < c.said.size(); at += 3) {
            const char role = c.said[at];
            call.messages.push_back(says(role == 'u'   ? Role::user
                                         : role == 'a' ? Role::assistant
                                                       : Role::system,
                                         std::string(c.said.substr(at, 2))));
        }
        EXPECT_EQ(turns_of(send(call, kMiddle).body), c.older) << c.name;
        EXPECT_EQ(turns_of(send(call, "claude-sonnet-5").body), c.older) << c.name;
        EXPECT_EQ(turns_of(send(call, kNew).body), c.newer) << c.name;
    }
}

// API-MAPPING 9, number 4: results spread over several user messages.
TEST(AnthropicEncode, PutsAllResultsFirstIntoOneUserTurn) {
    llm::Call call = hello();
    call.messages.push_back(
        {.role = Role::assistant, .parts = {text("so"), tool_call("a"), tool_call("b")}});
    call.messages.push_back({.role = Role::user, .parts = {result("a", "1")}});
    call.messages.push_back(says(Role::system, "quick"));
    call.messages.push_back({.role = Role::user, .parts = {text("and"), result("b", "2")}});
    const auto sent = send(call);
    EXPECT_EQ(turns_of(sent.body),
              "u:hi a:so:tool_use:tool_use u:tool_result:tool_result:quick:and");
    EXPECT_EQ(sent.body["messages"][2]["content"][1]["tool_use_id"], "b");
    EXPECT_EQ(turns_of(send(call, kNew).body),
              "u:hi a:so:tool_use:tool_use u:tool_result:tool_result:and s:quick");
}

TEST(AnthropicEncode, SendsNothingEmpty) {
    llm::Call call = hello();
    call.messages.push_back({.role = Role::assistant, .parts = {text("")}});
    call.messages.push_back({.role = Role::user, .parts = {text(""), text("there")}});
    EXPECT_EQ(turns_of(send(call).body), "u:hi:there");
    call.messages.push_back(says(Role::assistant, "Once upon \n"));
    EXPECT_EQ(turns_of(send(call).body), "u:hi:there a:Once upon");
    call.messages.back() = says(Role::assistant, " \n");
    EXPECT_EQ(turns_of(send(call).body), "u:hi:there");
    call.messages = {says(Role::system, "only")};
    EXPECT_EQ(refused(call), "messages");
}

TEST(AnthropicEncode, WritesToolsWhole) {
    llm::Call call = hello();
    call.tools.push_back(
        {.name = "f",
         .description = "d",
         .schema =
             R"({"type":"object","properties":{"a":{"$ref":"#/$defs/x","description":"s"}},"$defs":{"x":{"const":1.0}}})",
         .strict = true,
         .cache = {.is_set = true}});
    call.tools.push_back({.name = "g", .schema = R"({"properties":{}})"});
    call.tools.push_back({.name = "h"});
    call.tools.push_back({.name = "i", .schema = "{}"});
    const auto sent = send(call);
    EXPECT_EQ(sent.body["tools"][0], Json::parse(R"({"name":"f","description":"d","strict":true,
        "input_schema":{"type":"object","properties":{"a":{"$ref":"#/$defs/x","description":"s"}},"$defs":{"x":{"const":1.0}}},
        "cache_control":{"type":"ephemeral"}})"));
    for (const int bare : {1, 2, 3}) {
        EXPECT_EQ(sent.body["tools"][bare]["input_schema"],
                  Json::parse(R"({"type":"object","properties":{}})"));
    }
    EXPECT_FALSE(sent.body.contains("tool_choice"));
    const auto old = send(call, kOld);
    EXPECT_FALSE(old.body["tools"][0].contains("strict"));
    EXPECT_EQ(old.dropped, Names{"strict"});
    call.tools[0].name = "a.b";
    EXPECT_EQ(refused(call), "tools");
    call.tools = {{.name = "search", .opaque_json = R"({"type":"x"})", .of = Dialect::gemini}};
    EXPECT_EQ(refused(call), "tools");
    call.tools = {{.name = "s", .opaque_json = R"({"type":"x"})", .of = Dialect::anthropic}};
    EXPECT_EQ(send(call).body["tools"], Json::parse(R"([{"type":"x"}])"));
}

struct ChoiceCase {
    llm::ToolChoice choice;
    std::string_view want;  // empty: nothing is said
};
TEST(AnthropicEncode, WritesTheChoiceOfTools) {
    using Mode = llm::ToolChoice::Mode;
    for (const auto& c :
         {ChoiceCase{{}, ""},
          ChoiceCase{{.mode = Mode::automatic}, R"({"type":"auto"})"},
          ChoiceCase{{.mode = Mode::none, .parallel = false}, R"({"type":"none"})"},
          ChoiceCase{{.mode = Mode::required}, R"({"type":"any"})"},
          ChoiceCase{{.mode = Mode::named, .name = "f"}, R"({"type":"tool","name":"f"})"},
          ChoiceCase{{.parallel = true}, ""},
          ChoiceCase{{.parallel = false}, R"({"type":"auto","disable_parallel_tool_use":true})"},
          ChoiceCase{{.mode = Mode::required, .parallel = false},
                     R"({"type":"any","disable_parallel_tool_use":true})"}}) {
        llm::Call call = hello();
        call.tools = {{.name = "f"}, {.name = "g"}};
        call.tool_choice = c.choice;
        const auto sent = send(call);
        EXPECT_EQ(sent.body.value("tool_choice", Json{}),
                  c.want.empty() ? Json{} : Json::parse(c.want))
            << c.want;
    }
    llm::Call call = hello();
    call.tool_choice.mode = Mode::automatic;
    EXPECT_FALSE(send(call).body.contains("tool_choice"));  // among none there is no choice
    call.tool_choice.mode = Mode::required;
    EXPECT_EQ(refused(call), "tool_choice");
    call.tools = {{.name = "f"}, {.name = "g"}};
    EXPECT_EQ(refused(call, "claude-fable-5-1"), "tool_choice");
    call.tool_choice.allowed = {"g"};
    const auto narrowed = send(call);
    EXPECT_EQ(narrowed.body["tools"].size(), 1u);
    EXPECT_EQ(narrowed.body["tools"][0]["name"], "g");
}

// API-MAPPING 9, number 9: what each model refuses is resolved before sending.
struct SamplingCase {
    std::string_view model, want;
    Names dropped;
};
TEST(AnthropicEncode, SamplesAsTheModelLetsIt) {
    llm::Call call = hello();
    call.temperature = 1.7;
    call.top_p = 0.5;
    call.top_k = 3;
    for (const auto& c :
         {SamplingCase{kOld, R"({"temperature":1.0,"top_p":0.5,"top_k":3})", {}},
          SamplingCase{"other", R"({"temperature":1.0,"top_p":0.5,"top_k":3})", {}},
          SamplingCase{kMiddle, R"({"temperature":1.0,"top_k":3})", {"top_p"}},
          SamplingCase{"claude-opus-4-6", R"({"temperature":1.0,"top_k":3})", {"top_p"}},
          SamplingCase{"claude-opus-4-7", "{}", {"top_p", "top_k"}},
          SamplingCase{"claude-sonnet-5", "{}", {"top_p", "top_k"}}}) {
        const auto sent = send(call, c.model);
        const Json want = Json::parse(c.want);
        for (const auto* field : {"temperature", "top_p", "top_k"}) {
            EXPECT_EQ(sent.body.value(field, Json{}), want.value(field, Json{}))
                << c.model << field;
        }
        EXPECT_EQ(sent.dropped, c.dropped) << c.model;
    }
    call.temperature = 0.0;
    EXPECT_EQ(send(call, kMiddle).body["temperature"], 0.0);
    EXPECT_EQ(send(call, kNew).dropped, (Names{"temperature", "top_p", "top_k"}));
}

TEST(AnthropicEncode, ThinksWithABudgetOnTop) {
    llm::Call call = hello();
    call.thinking = {
        .mode = llm::Thinking::Mode::on, .effort = llm::Effort::low, .include_text = true};
    call.temperature = 0.2;
    const auto sent = send(call);
    EXPECT_EQ(sent.body["thinking"], Json::parse(R"({"type":"enabled","budget_tokens":2048})"));
    EXPECT_EQ(sent.body["max_tokens"], 2148);
    EXPECT_FALSE(sent.body.contains("temperature"));
    EXPECT_EQ(sent.dropped, Names{"temperature"});
    const auto newer = send(call, kNew);
    EXPECT_EQ(newer.body["thinking"], Json::parse(R"({"type":"adaptive","display":"summarized"})"));
    EXPECT_EQ(newer.body["output_config"], Json::parse(R"({"effort":"low"})"));
    EXPECT_EQ(newer.body["max_tokens"], 100);
}

TEST(AnthropicEncode, DropsThinkingWhereAToolIsForced) {
    llm::Call call = hello();
    call.thinking = {.mode = llm::Thinking::Mode::on, .effort = llm::Effort::high};
    call.tools = {{.name = "f"}};
    call.tool_choice = {.mode = llm::ToolChoice::Mode::named, .name = "f"};
    for (const auto model : {kMiddle, kNew}) {
        const auto sent = send(call, model);
        EXPECT_FALSE(sent.body.contains("thinking")) << model;
        EXPECT_EQ(sent.dropped, Names{"reasoning_effort"}) << model;
        EXPECT_EQ(sent.body["max_tokens"], 100) << model;
    }
}

// A tool loop whose calls were made without a signed thought cannot go on thinking by budget.
TEST(AnthropicEncode, DropsThinkingInALoopThatBeganWithoutIt) {
    llm::Call call = hello();
    call.thinking = {.mode = llm::Thinking::Mode::on, .effort = llm::Effort::high};
    call.messages.push_back({.role = Role::assistant, .parts = {tool_call("a")}});
    call.messages.push_back({.role = Role::user, .parts = {result("a", "1")}});
    EXPECT_FALSE(send(call).body.contains("thinking"));
    EXPECT_TRUE(send(call, kNew).body.contains("thinking"));
    auto& said = call.messages[1].parts;
    said.insert(said.begin(), thought("c2ln", Dialect::gemini));
    EXPECT_FALSE(send(call).body.contains("thinking"));
    said[0] = thought("c2ln", Dialect::anthropic);
    EXPECT_TRUE(send(call).body.contains("thinking"));
}

// API-MAPPING 9, number 6, and rule 8: its own signatures go back unchanged, others never.
TEST(AnthropicEncode, ReturnsItsOwnThoughtsOnly) {
    llm::Call call = hello();
    call.messages.push_back({.role = Role::assistant,
                             .parts = {thought("b3du", Dialect::anthropic),
                                       thought("Zm9yZWlnbg", Dialect::gemini),
                                       thought("", Dialect::anthropic),
                                       thought("\xff", Dialect::anthropic),
                                       text("so"),
                                       tool_call("a")}});
    call.messages.back().parts.push_back(
        {.body = llm::Reasoning{.signature = {.text = "c2VhbA", .of = Dialect::anthropic},
                                .redacted = true}});
    auto& signed_call = std::get<llm::ToolCall>(call.messages.back().parts[5].body);
    signed_call.signature = {.text = "Zm9yZWlnbg", .of = Dialect::gemini};
    const auto sent = send(call);
    EXPECT_EQ(sent.body["messages"][1]["content"], Json::parse(R"([
        {"type":"thinking","thinking":"hm","signature":"b3du"},
        {"type":"text","text":"so"},
        {"type":"tool_use","id":"a","name":"f","input":{}},
        {"type":"redacted_thinking","data":"c2VhbA"}])"));
    EXPECT_EQ(sent.body.dump().find("Zm9yZWlnbg"), std::string::npos);
    EXPECT_EQ(turns_of(send(call, "claude-3-5-haiku-20241022").body), "u:hi a:so:tool_use");
}

TEST(AnthropicEncode, MakesIdsThatAnthropicTakes) {
    llm::Call call = hello();
    call.messages.push_back(
        {.role = Role::assistant, .parts = {tool_call("f.x:0"), tool_call("f:x.0")}});
    call.messages.push_back(
        {.role = Role::user, .parts = {result("f:x.0", "2"), result("f.x:0", "1")}});
    const auto sent = send(call);
    const Json& calls = sent.body["messages"][1]["content"];
    const Json& results = sent.body["messages"][2]["content"];
    const auto id = calls[0]["id"].get<std::string>();
    EXPECT_EQ(id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-"), std::string::npos);
    EXPECT_NE(calls[0]["id"], calls[1]["id"]);
    EXPECT_EQ(calls[0]["id"], results[1]["tool_use_id"]);
    EXPECT_EQ(calls[1]["id"], results[0]["tool_use_id"]);
}

TEST(AnthropicEncode, WritesArgumentsAndResults) {
    llm::Call call = hello();
    call.messages.push_back(
        {.role = Role::assistant, .parts = {tool_call("a", ""), tool_call("b", R"({"x":1.50})")}});
    call.messages.push_back(
        {.role = Role::user,
         .parts = {{.body = llm::ToolResult{.call_id = "a",
                                            .content = {text("t"),
                                                        text(""),
                                                        {.body = llm::Media{.mime = "image/png",
                                                                            .data = "AA=="}}},
                                            .is_error = true},
                    .cache = {.is_set = true}}}});
    const auto encoded = encode_request(call, {.model = kMiddle});
    ASSERT_TRUE(encoded);
    EXPECT_NE(encoded->body.find(R"("input":{"x":1.50})"), std::string::npos);
    const Json body = Json::parse(encoded->body);
    EXPECT_EQ(body["messages"][1]["content"][0]["input"], Json::object());
    EXPECT_EQ(body["messages"][2]["content"][0], Json::parse(R"({"type":"tool_result",
        "tool_use_id":"a","is_error":true,"cache_control":{"type":"ephemeral"},"content":[
        {"type":"text","text":"t"},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]})"));
    call.messages[1].parts[0] = tool_call("a", "[1]");
    EXPECT_EQ(refused(call), "messages[1]");
}

struct MediaCase {
    llm::Media media;
    std::string_view want;  // empty: refused
};
TEST(AnthropicEncode, WritesMediaOrRefusesIt) {
    using llm::MediaKind;
    for (
        const auto& c : {
            MediaCase{
                {.mime = "image/png", .data = "AA=="},
                R"({"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}})"},
            MediaCase{{.url = "https://x/y", .detail = "high"},
                      R"({"type":"image","source":{"type":"url","url":"https://x/y"}})"},
            MediaCase{{.url = "gs://x/y"}, ""},
            MediaCase{{.file_id = "file-1"}, ""},
            MediaCase{{.data = "AA=="}, ""},
            MediaCase{
                {.kind = MediaKind::file,
                 .mime = "application/pdf",
                 .data = "AA==",
                 .name = "a.pdf"},
                R"({"type":"document","title":"a.pdf","source":{"type":"base64","media_type":"application/pdf","data":"AA=="}})"},
            MediaCase{
                {.kind = MediaKind::file, .mime = "text/csv", .data = "YSxi"},
                R"({"type":"document","source":{"type":"text","media_type":"text/plain","data":"a,b"}})"},
            MediaCase{{.kind = MediaKind::file, .mime = "text/csv", .data = "//8="}, ""},
            MediaCase{{.kind = MediaKind::file, .mime = "text/csv", .data = "not base64"}, ""},
            MediaCase{
                {.kind = MediaKind::file,
                 .data = "plain",
                 .context = "c",
                 .wants_citations = true,
                 .is_plain_text = true},
                R"({"type":"document","context":"c","citations":{"enabled":true},"source":{"type":"text","media_type":"text/plain","data":"plain"}})"},
            MediaCase{{.kind = MediaKind::file, .url = "https://x/y.pdf"},
                      R"({"type":"document","source":{"type":"url","url":"https://x/y.pdf"}})"},
            MediaCase{{.kind = MediaKind::file, .mime = "application/zip", .data = "AA=="}, ""},
            MediaCase{{.kind = MediaKind::audio, .mime = "audio/wav", .data = "AA=="}, ""},
            MediaCase{{.kind = MediaKind::video, .url = "https://x/y"}, ""},
        }) {
        llm::Call call = hello();
        call.messages[0].parts.push_back({.body = c.media});
        if (c.want.empty()) {
            EXPECT_EQ(refused(call), "messages[0].content[1]") << c.media.mime << c.media.url;
            continue;
        }
        EXPECT_EQ(send(call).body["messages"][0]["content"][1], Json::parse(c.want)) << c.want;
    }
    llm::Call own = hello();
    own.from = Dialect::anthropic;
    own.messages[0].parts.push_back({.body = llm::Media{.file_id = "file_1"}});
    EXPECT_EQ(send(own).body["messages"][0]["content"][1]["source"]["file_id"], "file_1");
}

TEST(AnthropicEncode, RefusesWhatWouldChangeTheAnswer) {
    using Change = void (*)(llm::Call&);
    struct Case {
        Change change;
        std::string_view chat, gemini;
    };
    for (const auto& c : {
             Case{
                 [](llm::Call& call) { call.choices = 2; }, "n", "generationConfig.candidateCount"},
             Case{[](llm::Call& call) { call.logprobs = true; },
                  "logprobs",
                  "generationConfig.responseLogprobs"},
             Case{[](llm::Call& call) { call.format.kind = llm::OutputFormat::Kind::json_object; },
                  "response_format",
                  "generationConfig.responseMimeType"},
             Case{[](llm::Call& call) { call.modalities = {"text", "audio"}; },
                  "modalities",
                  "generationConfig.responseModalities"},
             Case{[](llm::Call& call) {
                      call.messages[0].parts.push_back(
                          {.body = llm::Opaque{.of = Dialect::gemini, .type = "code"}});
                  },
                  "messages[0].content[1]",
                  "contents[0].parts[1]"},
         }) {
        llm::Call call = hello();
        c.change(call);
        EXPECT_EQ(refused(call), c.chat);
        call.from = Dialect::gemini;
        EXPECT_EQ(refused(call), c.gemini);
        call.messages.insert(call.messages.begin(), says(Role::system, "s"));
        EXPECT_EQ(refused(call), c.gemini);  // its system message has a field of its own
    }
}

TEST(AnthropicEncode, WritesASchemaForTheAnswerWhereTheModelTakesOne) {
    llm::Call call = hello();
    call.format = {.kind = llm::OutputFormat::Kind::json_schema,
                   .name = "n",
                   .schema = R"({"type":"object"})",
                   .strict = true};
    EXPECT_EQ(send(call).body["output_config"],
              Json::parse(R"({"format":{"type":"json_schema","schema":{"type":"object"}}})"));
    EXPECT_FALSE(send(call, kOld).body.contains("output_config"));  // answer_tool_test.cpp
    call.format.kind = llm::OutputFormat::Kind::text;
    EXPECT_FALSE(send(call, kOld).body.contains("output_config"));
}

TEST(AnthropicEncode, DropsHintsAndReportsThem) {
    llm::Call call = hello();
    call.seed = 0;
    call.presence_penalty = 0.5;
    call.frequency_penalty = 0.0;  // says nothing
    call.verbosity = "low";
    call.user = "somebody";
    call.stop = {"\n", "END", " "};
    call.service_tier = "flex";
    call.unknown = {{.name = "store", .json = "true"}, {.name = "top_a", .json = "[1]"}};
    auto encoded = encode_request(call, {.model = kMiddle, .passed_fields = {"top_a"}});
    ASSERT_TRUE(encoded);
    EXPECT_EQ(
        encoded->dropped,
        (Names{"stop", "service_tier", "seed", "presence_penalty", "verbosity", "user", "store"}));
    const Json body = Json::parse(encoded->body);
    EXPECT_EQ(body["stop_sequences"], Json::parse(R"(["END"])"));
    EXPECT_EQ(body["top_a"], Json::parse("[1]"));
    EXPECT_FALSE(body.contains("metadata"));
    call.service_tier = "default";
    EXPECT_EQ(send(call).body["service_tier"], "standard_only");
}

// What this dialect's own client said arrives as it was meant, through the vocabulary and back.
TEST(AnthropicEncode, BringsItsOwnRequestsThrough) {
    const std::string body = R"({"model":"claude-opus-4-6","max_tokens":9000,"stream":true,
        "system":[{"type":"text","text":"s","cache_control":{"type":"ephemeral"}}],
        "messages":[
          {"role":"user","content":[{"type":"text","text":"q","cache_control":{"type":"ephemeral","ttl":"1h"}},
             {"type":"document","source":{"type":"content","content":"c"}}]},
          {"role":"assistant","content":[{"type":"thinking","thinking":"t","signature":"c2ln"},
             {"type":"text","text":"a","citations":[{"type":"char_location","cited_text":"c","document_index":0,"document_title":null,"start_char_index":0,"end_char_index":1}]},
             {"type":"tool_use","id":"toolu_1","name":"f","input":{"x":[1,2]}}]},
          {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"r"}],"is_error":true}]}],
        "tools":[{"name":"f","input_schema":{"type":"object"},"strict":true},
                 {"type":"web_search_20250305","name":"web_search"}],
        "tool_choice":{"type":"auto","disable_parallel_tool_use":true},
        "thinking":{"type":"enabled","budget_tokens":4000},
        "output_config":{"effort":"max","format":{"type":"json_schema","schema":{"type":"object"}}},
        "stop_sequences":["x"],"service_tier":"auto","metadata":{"user_id":"u"},
        "cache_control":{"type":"ephemeral"},"inference_geo":"eu"})";
    json::Scratch scratch;
    const auto request = read_request({.surface = llm::Surface::messages}, body, scratch);
    ASSERT_TRUE(request);
    const auto call = decode_request(*request, body);
    ASSERT_TRUE(call) << call.error().message();
    const auto sent = send(*call, "claude-opus-4-6");
    EXPECT_EQ(sent.body, Json::parse(body));
    EXPECT_TRUE(sent.dropped.empty());
}

TEST(AnthropicEncode, AsksTheCounterForNoMoreThanItTakes) {
    llm::Call call = hello();
    call.stream = true;
    call.temperature = 0.5;
    call.stop = {"x"};
    call.thinking.effort = llm::Effort::low;
    call.tools = {{.name = "f", .schema = "{}"}};
    const auto encoded = encode_count_request(call, {.model = kMiddle});
    ASSERT_TRUE(encoded);
    const Json body = Json::parse(encoded->body);
    Names keys;
    for (const auto& [key, value] : body.items()) {
        keys.push_back(key);
    }
    EXPECT_EQ(keys, (Names{"messages", "model", "thinking", "tools"}));
}

// What is held for a call is what its request allows.
TEST(AnthropicEncode, SaysHowMuchItAllows) {
    for (const auto effort : {std::optional<llm::Effort>{}, std::optional(llm::Effort::high)}) {
        for (const std::string_view model : {kOld, kMiddle, kNew}) {
            llm::Call call = hello();
            call.thinking.effort = effort;
            EXPECT_EQ(output_tokens_max(call, {.model = model, .output_tokens_max = 50'000}),
                      send(call, model, 50'000).body["max_tokens"])
                << model;
        }
    }
    llm::Call call = hello();
    call.thinking.effort = llm::Effort::low;
    EXPECT_EQ(output_tokens_max(call, {.model = kMiddle, .effort_budgets = {.low = 5000}}), 5100);
}

}  // namespace
}  // namespace weir::dialect::anthropic
