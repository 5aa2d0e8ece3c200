#include <gtest/gtest.h>

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/count_tokens.h"
#include "dialect/anthropic/models.h"
#include "dialect/carrier.h"
#include "dialect/json/splice.h"

namespace weir::dialect::anthropic {
namespace {

using llm::Dialect;
using llm::Role;

constexpr RequestPath kMessages{.surface = llm::Surface::messages};
constexpr std::string_view kHello = R"("messages":[{"role":"user","content":"hi"}])";

Result<Request> read(const std::string& body, const RequestPath& path = kMessages) {
    json::Scratch scratch;
    return read_request(path, body, scratch);
}

// A whole body around `fields`.
std::string with(std::string_view fields) {
    return fmt::format(R"({{"model":"claude","max_tokens":10,{},{}}})", kHello, fields);
}

Result<llm::Call> decode(const std::string& body) {
    WEIR_TRY(const Request request, read(body));
    return decode_request(request, body);
}

llm::Call call_of(const std::string& body) {
    auto call = decode(body);
    EXPECT_TRUE(call) << body << (call ? "" : call.error().message());
    return call ? std::move(*call) : llm::Call{};
}

// The parts of one user message with this content.
std::vector<llm::Part> parts_of(std::string_view content, std::string_view role = "user") {
    const auto call = call_of(
        fmt::format(R"({{"model":"m","max_tokens":1,"messages":[{{"role":"{}","content":{}}}]}})",
                    role,
                    content));
    return call.messages.empty() ? std::vector<llm::Part>{} : call.messages.front().parts;
}

TEST(AnthropicRead, IdsOfAProviderAreFound) {
    const auto request = read(R"({"model":"m","max_tokens":1,"container":{"id":"c1","skills":[]},
        "messages":[{"role":"user","content":[{"type":"document","source":{"type":"file",
        "file_id":"f1"}},{"type":"container_upload","file_id":"f2"},{"type":"tool_result",
        "tool_use_id":"t","content":[{"type":"image","source":{"type":"file","file_id":"f3"}}]},
        {"type":"document","source":{"type":"content","content":[{"type":"image","source":
        {"type":"file","file_id":"f4"}}]}},{"type":"tool_use","id":"t","name":"f","input":
        {"file_id":"no","source":{"file_id":"no"}}}]}]})");
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->provider_ids,
              (std::vector<ProviderId>{{"c1", "container", true},
                                       {"f1", "file_id", true},
                                       {"f2", "file_id", true},
                                       {"f3", "file_id", true},
                                       {"f4", "file_id", true}}));
}

TEST(AnthropicRead, KnowsWhatItNeedsToKnow) {
    const std::string body = fmt::format(
        R"({{"model":"cl\u0061ude","stream":true,"max_tokens":7,{},"container":"c1"}})", kHello);
    const auto request = read(body);
    ASSERT_TRUE(request);
    EXPECT_EQ(request->surface, llm::Surface::messages);
    EXPECT_EQ(request->model, "claude");
    EXPECT_TRUE(request->stream);
    EXPECT_EQ(request->max_output_tokens, 7);
    EXPECT_EQ(request->provider_ids, (std::vector<ProviderId>{{"c1", "container", true}}));
    json::Splice splice(body);
    rewrite(*request, "up", splice);
    EXPECT_EQ(splice.str(),
              fmt::format(R"({{"model":"up","stream":true,"max_tokens":7,{},"container":"c1"}})",
                          kHello));
}

TEST(AnthropicRead, TakesNoLimitAsZeroAndZeroAsALimit) {
    EXPECT_EQ(read(fmt::format(R"({{"max_tokens":0,{}}})", kHello))->max_output_tokens, 0);
    const auto missing = read(fmt::format("{{{}}}", kHello));
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().parameter(), "max_tokens");
    EXPECT_NE(missing.error().message().find("max_tokens"), std::string::npos);
}

TEST(AnthropicRead, CountsTokensWithoutALimit) {
    const auto request = read(fmt::format(R"({{"model":"m","stream":true,{}}})", kHello),
                              {.surface = llm::Surface::count_tokens});
    ASSERT_TRUE(request);
    EXPECT_EQ(request->surface, llm::Surface::count_tokens);
    EXPECT_FALSE(request->stream);
    EXPECT_FALSE(request->max_output_tokens);
    EXPECT_EQ(encode_token_count(42), R"({"input_tokens":42})");
    EXPECT_EQ(decode_token_count(R"({"input_tokens":42})").value(), 42);
    EXPECT_EQ(decode_token_count(R"({"tokens":42})").error().code(),
              Code::upstream_invalid_response);
    EXPECT_EQ(decode_token_count(R"({"error":{"type":"rate_limit_error"}})").error().code(),
              Code::rate_limited);
}

TEST(AnthropicRead, NamesTheParameterThatIsWrong) {
    struct Bad {
        std::string_view fields, parameter;
    };
    for (const auto& c : {Bad{R"("model":1,"max_tokens":1)", "model"},
                          Bad{R"("model":"","max_tokens":1)", "model"},
                          Bad{R"("model":{},"max_tokens":1)", "model"},
                          Bad{R"("stream":"true","max_tokens":1)", "stream"},
                          Bad{R"("stream":[],"max_tokens":1)", "stream"},
                          Bad{R"("max_tokens":-1)", "max_tokens"},
                          Bad{R"("max_tokens":"10")", "max_tokens"},
                          Bad{R"("max_tokens":1e308)", "max_tokens"},
                          Bad{R"("max_tokens":9223372036854775808)", "max_tokens"},
                          Bad{R"("max_tokens":null)", "max_tokens"},
                          Bad{R"("max_tokens":[])", "max_tokens"}}) {
        const auto request = read(fmt::format("{{{},{}}}", c.fields, kHello));
        ASSERT_FALSE(request) << c.fields;
        EXPECT_EQ(request.error().code(), Code::invalid_request) << c.fields;
        EXPECT_EQ(request.error().parameter(), c.parameter) << c.fields;
    }
    for (const auto* messages : {"[]", "\"hi\"", "{}", "null"}) {
        const auto body = fmt::format(R"({{"max_tokens":1,"messages":{}}})", messages);
        EXPECT_EQ(read(body).error().parameter(), "messages") << body;
    }
    EXPECT_EQ(read(R"({"max_tokens":1})").error().parameter(), "messages");
    EXPECT_EQ(read("[]").error().code(), Code::invalid_request);
    EXPECT_EQ(read("nonsense").error().code(), Code::invalid_json);
    EXPECT_EQ(read(with(R"("a":1,"a":2)")).error().code(), Code::invalid_json);
}

TEST(AnthropicDecode, PutsSystemFirstWhereverItStands) {
    const auto call = call_of(
        R"({"max_tokens":5,"messages":[{"role":"user","content":"a"},{"role":"system","content":"later"}],
            "system":[{"type":"text","text":"one","cache_control":{"type":"ephemeral","ttl":"1h"}},
                      {"type":"text","text":""}]})");
    ASSERT_EQ(call.messages.size(), 3u);
    EXPECT_EQ(call.messages[0].role, Role::system);
    ASSERT_EQ(call.messages[0].parts.size(), 1u);
    EXPECT_EQ(call.messages[0].parts[0],
              (llm::Part{.body = llm::Text{.text = "one"},
                         .cache = {.is_set = true, .for_an_hour = true}}));
    EXPECT_EQ(call.messages[1].role, Role::user);
    EXPECT_EQ(call.messages[2].role, Role::system);
    EXPECT_EQ(call.max_output_tokens, 5);
    EXPECT_EQ(call.from, Dialect::anthropic);
}

TEST(AnthropicDecode, ReadsEveryKindOfBlock) {
    const auto parts = parts_of(R"([
        {"type":"text","text":"look","cache_control":{"type":"ephemeral"}},
        {"type":"image","source":{"type":"base64","media_type":"image/png","data":"AAAA"}},
        {"type":"image","source":{"type":"url","url":"https://x/y.png"}},
        {"type":"image","source":{"type":"file","file_id":"file_1"}},
        {"type":"document","source":{"type":"text","media_type":"text/plain","data":"words"},
         "title":"T","context":"C","citations":{"enabled":true}},
        {"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"BBBB"}},
        {"type":"document","source":{"type":"content","content":"x"}},
        {"type":"search_result","source":"s","title":"t","content":[]}])");
    ASSERT_EQ(parts.size(), 8u);
    EXPECT_TRUE(parts[0].cache.is_set);
    EXPECT_FALSE(parts[0].cache.for_an_hour);
    EXPECT_EQ(parts[1].body,
              (decltype(llm::Part::body){llm::Media{.mime = "image/png", .data = "AAAA"}}));
    EXPECT_EQ(llm::as<llm::Media>(parts[2])->url, "https://x/y.png");
    EXPECT_EQ(llm::as<llm::Media>(parts[3])->file_id, "file_1");
    EXPECT_EQ(parts[4].body,
              (decltype(llm::Part::body){llm::Media{.kind = llm::MediaKind::file,
                                                    .mime = "text/plain",
                                                    .data = "words",
                                                    .name = "T",
                                                    .context = "C",
                                                    .wants_citations = true,
                                                    .is_plain_text = true}}));
    EXPECT_EQ(llm::as<llm::Media>(parts[5])->kind, llm::MediaKind::file);
    EXPECT_EQ(llm::as<llm::Opaque>(parts[6])->type, "document");
    EXPECT_EQ(llm::as<llm::Opaque>(parts[7])->type, "search_result");
    EXPECT_EQ(llm::as<llm::Opaque>(parts[7])->json,
              R"({"type":"search_result","source":"s","title":"t","content":[]})");
}

TEST(AnthropicDecode, ReadsAToolLoop) {
    const auto call = call_of(R"({"max_tokens":1,"messages":[
        {"role":"assistant","content":[
            {"type":"thinking","thinking":"hm","signature":"c2ln"},
            {"type":"redacted_thinking","data":"c2VhbA=="},
            {"type":"tool_use","id":"toolu_1","name":"f","input":{"a": 1.50}},
            {"type":"server_tool_use","id":"srv","name":"web_search","input":{}}]},
        {"role":"user","content":[
            {"type":"tool_result","tool_use_id":"toolu_1","is_error":true,
             "content":[{"type":"text","text":"no"},{"type":"image","source":{"type":"url","url":"https://x"}}]},
            {"type":"tool_result","tool_use_id":"toolu_2","content":"yes"},
            {"type":"tool_result","tool_use_id":"toolu_3"}]}]})");
    const auto& said = call.messages[0].parts;
    ASSERT_EQ(said.size(), 4u);
    EXPECT_EQ(
        *llm::as<llm::Reasoning>(said[0]),
        (llm::Reasoning{.text = "hm", .signature = {.text = "c2ln", .of = Dialect::anthropic}}));
    EXPECT_TRUE(llm::as<llm::Reasoning>(said[1])->redacted);
    EXPECT_EQ(llm::as<llm::Reasoning>(said[1])->signature.text, "c2VhbA==");
    EXPECT_EQ(*llm::as<llm::ToolCall>(said[2]),
              (llm::ToolCall{.id = "toolu_1", .name = "f", .arguments = R"({"a":1.50})"}));
    EXPECT_EQ(llm::as<llm::Opaque>(said[3])->type, "server_tool_use");
    const auto& results = call.messages[1].parts;
    ASSERT_EQ(results.size(), 3u);
    const auto* first = llm::as<llm::ToolResult>(results[0]);
    EXPECT_TRUE(first->is_error);
    ASSERT_EQ(first->content.size(), 2u);
    EXPECT_EQ(llm::as<llm::Media>(first->content[1])->url, "https://x");
    EXPECT_EQ(llm::as<llm::Text>(llm::as<llm::ToolResult>(results[1])->content[0])->text, "yes");
    EXPECT_TRUE(llm::as<llm::ToolResult>(results[2])->content.empty());
}

TEST(AnthropicDecode, ReadsBackWhatWasCarriedThroughTheClient) {
    const llm::Signature gemini{.text = "R2Vt", .of = Dialect::gemini};
    const auto parts =
        parts_of(fmt::format(R"([{{"type":"thinking","thinking":"t","signature":"{}"}},
                        {{"type":"redacted_thinking","data":"{}"}},
                        {{"type":"tool_use","id":"{}","name":"f","input":{{}}}}])",
                             carry_in_field(gemini, Dialect::anthropic),
                             carry_in_field(gemini, Dialect::anthropic),
                             carry_in_id("call_1", gemini)),
                 "assistant");
    ASSERT_EQ(parts.size(), 3u);
    EXPECT_EQ(llm::as<llm::Reasoning>(parts[0])->signature, gemini);
    EXPECT_EQ(llm::as<llm::Reasoning>(parts[1])->signature, gemini);
    EXPECT_EQ(llm::as<llm::ToolCall>(parts[2])->id, "call_1");
    EXPECT_EQ(llm::as<llm::ToolCall>(parts[2])->signature, gemini);
    const auto results = parts_of(fmt::format(R"([{{"type":"tool_result","tool_use_id":"{}"}}])",
                                              carry_in_id("call_1", gemini)));
    EXPECT_EQ(llm::as<llm::ToolResult>(results[0])->call_id, "call_1");
}

TEST(AnthropicDecode, ReadsToolsAndChoice) {
    const auto call = call_of(with(R"("tools":[
        {"name":"f","description":"d","input_schema":{"type":"object","x":[1.0]},"strict":true,
         "cache_control":{"type":"ephemeral"}},
        {"type":"custom","name":"g","input_schema":{}},
        {"type":"web_search_20250305","name":"web_search","max_uses":2}],
        "tool_choice":{"type":"tool","name":"f","disable_parallel_tool_use":true})"));
    ASSERT_EQ(call.tools.size(), 3u);
    EXPECT_EQ(call.tools[0].schema, R"({"type":"object","x":[1.0]})");
    EXPECT_EQ(call.tools[0].strict, true);
    EXPECT_TRUE(call.tools[0].cache.is_set);
    EXPECT_TRUE(call.tools[1].opaque_json.empty());
    EXPECT_EQ(call.tools[2].opaque_json,
              R"({"type":"web_search_20250305","name":"web_search","max_uses":2})");
    EXPECT_EQ(call.tools[2].of, Dialect::anthropic);
    EXPECT_EQ(call.tool_choice.mode, llm::ToolChoice::Mode::named);
    EXPECT_EQ(call.tool_choice.name, "f");
    EXPECT_EQ(call.tool_choice.parallel, false);
    using Mode = llm::ToolChoice::Mode;
    for (const auto& [word, mode] : {std::pair{"auto", Mode::automatic},
                                     std::pair{"any", Mode::required},
                                     std::pair{"none", Mode::none}}) {
        const auto one = call_of(with(fmt::format(R"("tool_choice":{{"type":"{}"}})", word)));
        EXPECT_EQ(one.tool_choice.mode, mode) << word;
        EXPECT_FALSE(one.tool_choice.parallel) << word;
    }
}

TEST(AnthropicDecode, ReadsGeneration) {
    const auto call = call_of(with(R"("temperature":0,"top_p":0.5,"top_k":7,
        "stop_sequences":["a","b"],"service_tier":"standard_only",
        "cache_control":{"type":"ephemeral","ttl":"1h"},"metadata":{"user_id":"u1"},
        "thinking":{"type":"enabled","budget_tokens":2000},
        "output_config":{"effort":"xhigh","format":{"type":"json_schema","schema":{"type":"object"}}},
        "inference_geo":"eu","new_field":[1, 2])"));
    EXPECT_EQ(call.temperature, 0.0);
    EXPECT_EQ(call.top_p, 0.5);
    EXPECT_EQ(call.top_k, 7);
    EXPECT_EQ(call.stop, (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(call.service_tier, "standard_only");
    EXPECT_TRUE(call.cache.for_an_hour);
    EXPECT_EQ(call.user, "u1");
    EXPECT_EQ(call.thinking.mode, llm::Thinking::Mode::on);
    EXPECT_EQ(call.thinking.budget_tokens, 2000);
    EXPECT_EQ(call.thinking.effort, llm::Effort::xhigh);
    EXPECT_TRUE(call.thinking.include_text);
    EXPECT_EQ(call.format.kind, llm::OutputFormat::Kind::json_schema);
    EXPECT_EQ(call.format.schema, R"({"type":"object"})");
    ASSERT_EQ(call.unknown.size(), 3u);
    EXPECT_EQ(call.unknown[0].name, "metadata");
    EXPECT_EQ(call.unknown[1].name, "inference_geo");
    EXPECT_EQ(call.unknown[2].json, "[1, 2]");
    const auto off = call_of(with(R"("thinking":{"type":"disabled"})"));
    EXPECT_EQ(off.thinking.mode, llm::Thinking::Mode::off);
    const auto quiet = call_of(with(R"("thinking":{"type":"adaptive","display":"omitted"})"));
    EXPECT_EQ(quiet.thinking.mode, llm::Thinking::Mode::adaptive);
    EXPECT_FALSE(quiet.thinking.include_text);
}

TEST(AnthropicDecode, NamesThePathThatIsWrong) {
    struct Bad {
        std::string_view fields, parameter;
    };
    for (
        const auto& c :
        {Bad{R"("messages":[{"content":"x"}])", "messages[0]"},
         Bad{R"("messages":[{"role":"tool","content":"x"}])", "messages[0].role"},
         Bad{R"("messages":[{"role":"user"}])", "messages[0]"},
         Bad{R"("messages":[{"role":"user","content":1}])", "messages[0].content"},
         Bad{R"("messages":[{"role":"user","content":[{"text":"x"}]}])", "messages[0].content[0]"},
         Bad{R"("messages":[{"role":"user","content":["x"]}])", "messages[0].content[0]"},
         Bad{R"("messages":[{"role":"user","content":[{"type":"text"}]}])",
             "messages[0].content[0]"},
         Bad{R"("messages":[{"role":"user","content":[{"type":"image"}]}])",
             "messages[0].content[0]"},
         Bad{R"("messages":[{"role":"user","content":[{"type":"image","source":{"type":"url"}}]}])",
             "messages[0].content[0].source"},
         Bad{R"("messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a"}]}])",
             "messages[0].content[0]"},
         Bad{R"("messages":[{"role":"assistant","content":[{"type":"tool_use","id":"a","name":"f","input":"{}"}]}])",
             "messages[0].content[0].input"},
         Bad{R"("messages":[{"role":"user","content":[{"type":"tool_result","tool_use_id":"a","content":[{"type":"text","text":1}]}]}])",
             "messages[0].content[0].content[0]"},
         Bad{R"("system":1)", "system"},
         Bad{R"("tools":{})", "tools"},
         Bad{R"("tools":[{"input_schema":{}}])", "tools[0]"},
         Bad{R"("tools":[{"name":"f"}])", "tools[0]"},
         Bad{R"("tools":[{"name":"f","input_schema":"x"}])", "tools[0].input_schema"},
         Bad{R"("tool_choice":"auto")", "tool_choice"},
         Bad{R"("tool_choice":{"type":"tool"})", "tool_choice"},
         Bad{R"("thinking":true)", "thinking"},
         Bad{R"("thinking":{"type":"enabled","budget_tokens":"1"})", "thinking.budget_tokens"},
         Bad{R"("output_config":{"effort":"huge"})", "output_config.effort"},
         Bad{R"("output_config":{"format":{"type":"text"}})", "output_config.format"},
         Bad{R"("temperature":"hot")", "temperature"},
         Bad{R"("top_k":1.5)", "top_k"},
         Bad{R"("stop_sequences":"x")", "stop_sequences"},
         Bad{R"("stop_sequences":[1])", "stop_sequences[0]"}}) {
        const bool has_messages = c.fields.starts_with("\"messages\"");
        const auto call = decode(has_messages ? fmt::format(R"({{"max_tokens":1,{}}})", c.fields)
                                              : with(c.fields));
        ASSERT_FALSE(call) << c.fields;
        EXPECT_EQ(call.error().code(), Code::invalid_request) << c.fields;
        EXPECT_EQ(call.error().parameter(), c.parameter) << c.fields;
        EXPECT_NE(call.error().message().find(c.parameter), std::string::npos) << c.fields;
    }
}

TEST(AnthropicModels, AreOnePage) {
    EXPECT_EQ(
        encode_model("a\"b", 0),
        R"({"type":"model","id":"a\"b","display_name":"a\"b","created_at":"1970-01-01T00:00:00Z"})");
    const std::string list = encode_models({"a", "b"}, 1'700'000'000);
    EXPECT_TRUE(list.ends_with(R"("has_more":false,"first_id":"a","last_id":"b"})")) << list;
    EXPECT_NE(list.find("2023-11-14T22:13:20"), std::string::npos);
    EXPECT_EQ(encode_models({}, 0),
              R"({"data":[],"has_more":false,"first_id":null,"last_id":null})");
}

}  // namespace
}  // namespace weir::dialect::anthropic
