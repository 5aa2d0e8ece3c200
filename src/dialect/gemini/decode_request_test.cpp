#include "dialect/gemini/gemini_test.h"
#include "dialect/gemini/schema.h"

namespace weir::dialect::gemini {
namespace {

using llm::as;

constexpr std::string_view kHi = R"("contents":[{"parts":[{"text":"hi"}]}])";

Result<Request> read(const std::string& body, llm::Surface surface = llm::Surface::generate) {
    json::Scratch scratch;
    return client.read_request(
        {.surface = surface, .model = "models-x", .stream = true}, body, scratch);
}

TEST(GeminiReadRequest, KnowsWhatTheAdmissionNeeds) {
    const auto request = read(fmt::format(
        R"({{{},"generation_config":{{"maxOutputTokens":"7","candidate_count":2}},)"
        R"("cachedContent":"cachedContents\/a","model":"models/else"}})",
        R"("contents":[{"parts":[{"text":"x"},{"fileData":{"fileUri":"https://f/1"}}]}])"));
    ASSERT_TRUE(request) << request.error().message();
    EXPECT_EQ(request->model, "models-x");
    EXPECT_FALSE(request->model_in_body);
    EXPECT_TRUE(request->stream);
    EXPECT_EQ(request->max_output_tokens, 7);
    EXPECT_EQ(request->choices, 2);
    EXPECT_EQ(request->provider_ids,
              (std::vector<ProviderId>{{"cachedContents/a", "cachedContent", true}}));
}

struct FileCase {
    std::string_view name, uri;
    bool is_kept;
};
class FileTest : public testing::TestWithParam<FileCase> {};
// In every place that a file may be named.
TEST_P(FileTest, IsAnIdWhereGoogleKeepsIt) {
    for (
        const std::string_view place :
        {R"({{"contents":[{{"parts":[{{"fileData":{{"fileUri":"{}"}}}}]}}]}})",
         R"({{"contents":[{{"parts":[{{"file_data":{{"file_uri":"{}"}}}}]}}]}})",
         R"({{"contents":[{{}}],"systemInstruction":{{"parts":[{{"fileData":{{"fileUri":"{}"}}}}]}}}})",
         R"({{"contents":[{{"parts":[{{"functionResponse":{{"parts":[{{"fileData":{{"fileUri":"{}"}}}}]}}}}]}}]}})",
         R"({{"contents":[{{}}],"tools":[{{"fileSearch":{{"fileSearchStoreNames":["{}"]}}}}]}})"}) {
        const auto request = read(fmt::format(fmt::runtime(place), GetParam().uri));
        ASSERT_TRUE(request) << place;
        const bool is_store = place.find("fileSearchStoreNames") != std::string_view::npos;
        EXPECT_EQ(request->provider_ids.size(), GetParam().is_kept || is_store ? 1u : 0u) << place;
    }
}
INSTANTIATE_TEST_SUITE_P(
    GeminiReadRequest,
    FileTest,
    testing::Values(
        FileCase{"own", "https://generativelanguage.googleapis.com/v1beta/files/abc", true},
        FileCase{"v1", "https://generativelanguage.googleapis.com/v1/files/abc", true},
        FileCase{"shouted", "HTTPS://GenerativeLanguage.GOOGLEAPIS.com/v1beta/files/abc", true},
        FileCase{"ported", "https://generativelanguage.googleapis.com:443/v1beta/files/a", true},
        FileCase{"with_user", "https://a@generativelanguage.googleapis.com/files/a", true},
        FileCase{"escaped", "https://generativelanguage.googleapis.com/v1beta/%66iles/a", true},
        FileCase{"bare", "files/abc", true},
        FileCase{"proxied", "http://127.0.0.1:1/v1beta/files/abc", true},
        FileCase{"video", "https://www.youtube.com/watch?v=abc", false},
        FileCase{"bucket", "gs://bucket/files/a.pdf", false},
        FileCase{"elsewhere", "https://example.com/files/a.pdf", false}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(GeminiReadRequest, NamesWhatIsWrong) {
    struct Case {
        std::string body, parameter;
    };
    for (const auto& c : {
             Case{"{}", "contents"},
             Case{R"({"contents":[]})", "contents"},
             Case{R"({"contents":{}})", "contents"},
             Case{R"({"contents":"hi"})", "contents"},
             Case{R"({"contents":["hi"]})", "contents"},
             Case{fmt::format(R"({{{},"generationConfig":7}})", kHi), "generationConfig"},
             Case{fmt::format(R"({{{},"generationConfig":{{"maxOutputTokens":0}}}})", kHi),
                  "generationConfig.maxOutputTokens"},
             Case{fmt::format(R"({{{},"generationConfig":{{"maxOutputTokens":[]}}}})", kHi),
                  "generationConfig.maxOutputTokens"},
             Case{fmt::format(R"({{{},"generationConfig":{{"candidateCount":1000}}}})", kHi),
                  "generationConfig.candidateCount"},
             Case{"[]", "body"},
             Case{"7", "body"},
         }) {
        const auto request = read(c.body);
        ASSERT_FALSE(request) << c.body;
        EXPECT_EQ(request.error().code(), Code::invalid_request) << c.body;
        EXPECT_EQ(request.error().parameter(), c.parameter) << c.body;
    }
    EXPECT_EQ(read("{").error().code(), Code::invalid_json);
    EXPECT_EQ(read(R"({"contents":[{}],"contents":[{}]})").error().code(), Code::invalid_json);
}

TEST(GeminiReadRequest, CountsTokensOfAConversationOrOfAWholeRequest) {
    const auto surface = llm::Surface::count_tokens;
    EXPECT_TRUE(read(fmt::format("{{{}}}", kHi), surface));
    const std::string whole = fmt::format(R"({{"generateContentRequest":{{{}}}}})", kHi);
    ASSERT_TRUE(read(whole, surface));
    EXPECT_FALSE(read(whole));
    EXPECT_EQ(read("{}", surface).error().parameter(), "contents");
    const auto call = decoded(whole, surface);
    ASSERT_TRUE(call);
    EXPECT_EQ(call->messages.size(), 1u);
}

// "maxOutputTokens" -> "max_output_tokens", in names only.
std::string with_snake_names(const Json& value) {
    if (value.is_array()) {
        std::string out = "[";
        for (const Json& member : value) {
            out += (out.size() > 1 ? "," : "") + with_snake_names(member);
        }
        return out + "]";
    }
    if (!value.is_object()) {
        return value.dump();
    }
    std::string out = "{";
    for (const auto& [key, member] : value.items()) {
        std::string name;
        for (const char c : key) {
            name += c >= 'A' && c <= 'Z' ? std::string{'_', static_cast<char>(c + 32)}
                                         : std::string(1, c);
        }
        out +=
            fmt::format("{}\"{}\":{}", out.size() > 1 ? "," : "", name, with_snake_names(member));
    }
    return out + "}";
}

TEST(GeminiDecodeRequest, TakesCamelAndSnakeCase) {
    const Json body = Json::parse(R"({"contents":[{"role":"user","parts":[{"text":"look"},
            {"inlineData":{"mimeType":"image/png","data":"iVBORw0KGgo_-A"}}]}],
            "systemInstruction":{"parts":[{"text":"be brief"}]},
            "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["a","b"]}},
            "tools":[{"functionDeclarations":[{"name":"a","parametersJsonSchema":{"type":"object"}}]}],
            "generationConfig":{"temperature":0,"topP":0.5,"topK":40,"maxOutputTokens":9,
              "candidateCount":2,"seed":-1,"presencePenalty":0.25,"frequencyPenalty":-0.5,
              "responseLogprobs":true,"logprobs":3,"stopSequences":["x"],
              "thinkingConfig":{"thinkingBudget":512,"includeThoughts":true},
              "responseMimeType":"application/json","responseJsonSchema":{"$ref":"#/$defs/a"},
              "responseModalities":["TEXT","IMAGE"]},
            "serviceTier":"FLEX"})");
    for (const bool snake : {false, true}) {
        const auto call = decoded(snake ? with_snake_names(body) : body.dump());
        ASSERT_TRUE(call) << call.error().message();
        EXPECT_EQ(call->model, "gem");
        ASSERT_EQ(call->messages.size(), 2u);
        EXPECT_EQ(call->messages[0].role, llm::Role::system);
        EXPECT_EQ(as<llm::Text>(call->messages[0].parts[0])->text, "be brief");
        const auto* image = as<llm::Media>(call->messages[1].parts[1]);
        ASSERT_NE(image, nullptr);
        EXPECT_EQ(image->kind, llm::MediaKind::image);
        EXPECT_EQ(image->data,
                  "iVBORw0KGgo/+A==");  // the URL's alphabet, as Google's clients write
        EXPECT_EQ(call->tool_choice.mode, llm::ToolChoice::Mode::required);
        EXPECT_EQ(call->tool_choice.allowed, (std::vector<std::string>{"a", "b"}));
        ASSERT_EQ(call->tools.size(), 1u);
        EXPECT_EQ(call->tools[0].schema, R"({"type":"object"})");
        EXPECT_EQ(call->temperature, 0);
        EXPECT_EQ(call->top_p, 0.5);
        EXPECT_EQ(call->top_k, 40);
        EXPECT_EQ(call->max_output_tokens, 9);
        EXPECT_EQ(call->choices, 2);
        EXPECT_EQ(call->seed, -1);
        EXPECT_EQ(call->presence_penalty, 0.25);
        EXPECT_EQ(call->frequency_penalty, -0.5);
        EXPECT_TRUE(call->logprobs);
        EXPECT_EQ(call->top_logprobs, 3);
        EXPECT_EQ(call->stop, std::vector<std::string>{"x"});
        EXPECT_EQ(call->thinking.mode, llm::Thinking::Mode::on);
        EXPECT_EQ(call->thinking.budget_tokens, 512);
        EXPECT_TRUE(call->thinking.include_text);
        EXPECT_EQ(call->format.kind, llm::OutputFormat::Kind::json_schema);
        EXPECT_EQ(call->format.schema, R"({"$ref":"#/$defs/a"})");
        EXPECT_EQ(call->modalities, std::vector<std::string>{"image"});
        EXPECT_EQ(call->service_tier, "flex");
        EXPECT_TRUE(call->unknown.empty());
    }
}

TEST(GeminiDecodeRequest, KeepsWhatItDoesNotKnow) {
    const auto call = decoded(
        fmt::format(R"({{{},"safetySettings":[1],"cachedContent":"c","labels":{{}},"store":false,)"
                    R"("generationConfig":{{"mediaResolution":"X","topK":null}},)"
                    R"("toolConfig":{{"retrievalConfig":{{"a":1}}}}}})",
                    kHi));
    ASSERT_TRUE(call);
    std::vector<std::string> names;
    for (const auto& field : call->unknown) {
        names.push_back(field.name + "=" + field.json);
    }
    EXPECT_EQ(names,
              (std::vector<std::string>{"safetySettings=[1]",
                                        R"(cachedContent="c")",
                                        "labels={}",
                                        "store=false",
                                        R"(generationConfig.mediaResolution="X")",
                                        R"(toolConfig.retrievalConfig={"a":1})"}));
    EXPECT_FALSE(call->top_k);
}

TEST(GeminiDecodeRequest, NamesTheFieldThatIsWrong) {
    struct Case {
        std::string body, parameter;
    };
    const auto content = [](std::string_view inner) {
        return fmt::format(R"({{"contents":[{{"parts":[{{"text":"a"}}]}},{}]}})", inner);
    };
    const auto config = [](std::string_view inner) {
        return fmt::format(R"({{{},"generationConfig":{{{}}}}})", kHi, inner);
    };
    for (const auto& c : {
             Case{content(R"({"role":"system","parts":[{"text":"x"}]})"), "contents[1].role"},
             Case{content(R"({"parts":{}})"), "contents[1].parts"},
             Case{content(R"({"parts":[{"text":"x"},"y"]})"), "contents[1].parts[1]"},
             Case{content(R"({"parts":[{}]})"), "contents[1].parts[0]"},
             Case{content(R"({"parts":[{"text":1}]})"), "contents[1].parts[0].text"},
             Case{content(R"({"parts":[{"inlineData":{"data":"aa"}}]})"),
                  "contents[1].parts[0].inlineData"},
             Case{content(R"({"parts":[{"fileData":{"mimeType":"a/b"}}]})"),
                  "contents[1].parts[0].fileData"},
             Case{content(R"({"role":"model","parts":[{"functionCall":{"args":{}}}]})"),
                  "contents[1].parts[0].functionCall"},
             Case{content(R"({"role":"model","parts":[{"functionCall":{"name":"f","args":"x"}}]})"),
                  "contents[1].parts[0].functionCall.args"},
             Case{content(R"({"parts":[{"functionResponse":{"name":"f","response":{}}}]})"),
                  "contents[1].parts[0].functionResponse"},
             Case{config(R"("temperature":"hot")"), "generationConfig.temperature"},
             Case{config(R"("seed":1.5)"), "generationConfig.seed"},
             Case{config(R"("stopSequences":"x")"), "generationConfig.stopSequences"},
             Case{config(R"("stopSequences":[1])"), "generationConfig.stopSequences[0]"},
             Case{config(R"("responseSchema":7)"), "generationConfig.responseSchema"},
             Case{config(R"("thinkingConfig":{"thinkingLevel":"deep"})"),
                  "generationConfig.thinkingConfig.thinkingLevel"},
             Case{fmt::format(R"({{{},"tools":[{{"functionDeclarations":[{{}}]}}]}})", kHi),
                  "tools[0].functionDeclarations[0]"},
             Case{fmt::format(R"({{{},"tools":{{}}}})", kHi), "tools"},
             Case{fmt::format(R"({{{},"tools":[7]}})", kHi), "tools[0]"},
             Case{fmt::format(
                      R"({{{},"toolConfig":{{"functionCallingConfig":{{"mode":"SOME"}}}}}})", kHi),
                  "toolConfig.functionCallingConfig.mode"},
             Case{fmt::format(R"({{{},"systemInstruction":{{"parts":[{{"inlineData":{{}}}}]}}}})",
                              kHi),
                  "systemInstruction.parts[0]"},
         }) {
        const auto call = decoded(c.body);
        ASSERT_FALSE(call) << c.body;
        EXPECT_EQ(call.error().code(), Code::invalid_request) << c.body;
        EXPECT_EQ(call.error().parameter(), c.parameter) << c.body;
    }
}

// Known wrong translations 3 and 4: parallel calls, without ids, of one name.
TEST(GeminiDecodeRequest, FindsTheCallOfEachResult) {
    const auto call = decoded(R"({"contents":[
        {"parts":[{"text":"weather?"}]},
        {"role":"model","parts":[{"functionCall":{"name":"w","args":{"at":"A"}}},
                                 {"functionCall":{"name":"w","args":{"at":"B"}}},
                                 {"functionCall":{"name":"t","id":"own"}}]},
        {"role":"function","parts":[
            {"functionResponse":{"name":"w","response":{"result":"sun"}}},
            {"functionResponse":{"name":"t","id":"own","response":{"error":"none"}}},
            {"functionResponse":{"name":"w","response":{"deg":3,"of":"B"}}}]}]})");
    ASSERT_TRUE(call) << call.error().message();
    const auto& calls = call->messages[1].parts;
    ASSERT_EQ(calls.size(), 3u);
    EXPECT_EQ(as<llm::ToolCall>(calls[0])->id, "call_0");
    EXPECT_EQ(as<llm::ToolCall>(calls[1])->id, "call_1");
    EXPECT_EQ(as<llm::ToolCall>(calls[1])->arguments, R"({"at":"B"})");
    EXPECT_EQ(as<llm::ToolCall>(calls[2])->id, "own");
    EXPECT_EQ(as<llm::ToolCall>(calls[2])->arguments, "");
    const auto& results = call->messages[2].parts;
    EXPECT_EQ(call->messages[2].role, llm::Role::user);
    const auto said = [&](std::size_t i) {
        const auto* result = as<llm::ToolResult>(results[i]);
        return fmt::format("{}{}:{}",
                           result->call_id,
                           result->is_error ? "!" : "",
                           as<llm::Text>(result->content.at(0))->text);
    };
    EXPECT_EQ(said(0), "call_0:sun");
    EXPECT_EQ(said(1), "own!:none");
    EXPECT_EQ(said(2), R"(call_1:{"deg":3,"of":"B"})");
}

TEST(GeminiDecodeRequest, PutsPiecesOfAStreamTogetherAgain) {
    // A chat of Google's client sends back each chunk as a content.
    const auto call = decoded(R"({"contents":[
        {"parts":[{"text":"a"},{"text":"b"}]},
        {"role":"model","parts":[{"text":"th","thought":true}]},
        {"role":"model","parts":[{"text":"ink","thought":true}]},
        {"role":"model","parts":[{"text":"","thought":true,"thoughtSignature":"c2ln"}]},
        {"role":"model","parts":[{"text":"He"},{"text":"llo"},{"text":""}]},
        {"role":"model","parts":[{"text":"","thoughtSignature":"dGV4dA=="}]}]})");
    ASSERT_TRUE(call) << call.error().message();
    ASSERT_EQ(call->messages.size(), 2u);
    EXPECT_EQ(call->messages[0].parts.size(), 2u);
    const auto& parts = call->messages[1].parts;
    ASSERT_EQ(parts.size(), 2u);
    EXPECT_EQ(as<llm::Reasoning>(parts[0])->text, "think");
    EXPECT_EQ(as<llm::Reasoning>(parts[0])->signature.text, "c2ln");
    EXPECT_EQ(as<llm::Text>(parts[1])->text, "Hello");
    EXPECT_EQ(as<llm::Text>(parts[1])->signature.text, "dGV4dA==");
}

TEST(GeminiDecodeRequest, TellsMediaByItsMime) {
    struct Case {
        std::string_view mime;
        llm::MediaKind kind;
    };
    for (const auto& c : {Case{"image/webp", llm::MediaKind::image},
                          Case{"audio/wav", llm::MediaKind::audio},
                          Case{"Video/mp4", llm::MediaKind::video},
                          Case{"application/pdf", llm::MediaKind::file}}) {
        const auto call = decoded(fmt::format(
            R"({{"contents":[{{"parts":[{{"inline_data":{{"mime_type":"{}","data":"AAAA"}}}},)"
            R"({{"fileData":{{"mimeType":"{}","fileUri":"gs://b/x"}},"mediaResolution":)"
            R"({{"level":"MEDIA_RESOLUTION_LOW"}}}}]}}]}})",
            c.mime,
            c.mime));
        ASSERT_TRUE(call) << call.error().message();
        EXPECT_EQ(as<llm::Media>(call->messages[0].parts[0])->kind, c.kind) << c.mime;
        EXPECT_EQ(as<llm::Media>(call->messages[0].parts[1])->kind, c.kind) << c.mime;
        EXPECT_EQ(as<llm::Media>(call->messages[0].parts[1])->url, "gs://b/x");
        EXPECT_EQ(as<llm::Media>(call->messages[0].parts[1])->detail, "low");
    }
}

TEST(GeminiDecodeRequest, KeepsItsOwnPartsAndToolsClosed) {
    const auto call = decoded(R"({"contents":[{"role":"model","parts":[
          {"executableCode":{"code":"1"}},
          {"inlineData":{"mimeType":"video/mp4","data":"AA=="},"videoMetadata":{"fps":1}}]}],
        "tools":[{"googleSearch":{}},{"functionDeclarations":[{"name":"f"}],"codeExecution":{}}]})");
    ASSERT_TRUE(call) << call.error().message();
    const auto& parts = call->messages[0].parts;
    EXPECT_EQ(as<llm::Opaque>(parts[0])->type, "executableCode");
    EXPECT_EQ(as<llm::Opaque>(parts[0])->json, R"({"executableCode":{"code":"1"}})");
    EXPECT_EQ(as<llm::Opaque>(parts[1])->type, "videoMetadata");
    ASSERT_EQ(call->tools.size(), 3u);
    EXPECT_EQ(call->tools[0].opaque_json, R"({"googleSearch":{}})");
    EXPECT_EQ(call->tools[1].name, "f");
    EXPECT_EQ(call->tools[1].schema, "");
    EXPECT_EQ(call->tools[2].opaque_json, R"({"codeExecution":{}})");
}

TEST(GeminiDecodeRequest, ReadsModesAndLevels) {
    using Mode = llm::ToolChoice::Mode;
    struct Case {
        std::string_view config;
        Mode mode;
        std::string_view name;
    };
    for (const auto& c : {Case{R"({"mode":"AUTO"})", Mode::automatic, ""},
                          Case{R"({"mode":"VALIDATED"})", Mode::automatic, ""},
                          Case{R"({"mode":"NONE"})", Mode::none, ""},
                          Case{R"({"mode":"any"})", Mode::required, ""},
                          Case{R"({"mode":"ANY","allowedFunctionNames":["f"]})", Mode::named, "f"},
                          Case{R"({"mode":"MODE_UNSPECIFIED"})", Mode::unset, ""}}) {
        const auto call = decoded(
            fmt::format(R"({{{},"toolConfig":{{"functionCallingConfig":{}}}}})", kHi, c.config));
        ASSERT_TRUE(call) << c.config;
        EXPECT_EQ(call->tool_choice.mode, c.mode) << c.config;
        EXPECT_EQ(call->tool_choice.name, c.name) << c.config;
    }
    const auto thinking = [](std::string_view config) {
        const auto call = decoded(
            fmt::format(R"({{{},"generationConfig":{{"thinkingConfig":{{{}}}}}}})", kHi, config));
        return call->thinking;
    };
    EXPECT_EQ(thinking(R"("thinkingBudget":0)").mode, llm::Thinking::Mode::off);
    EXPECT_EQ(thinking(R"("thinkingBudget":-1)").mode, llm::Thinking::Mode::adaptive);
    EXPECT_EQ(thinking(R"("thinkingLevel":"low")").effort, llm::Effort::low);
    EXPECT_EQ(thinking(R"("includeThoughts":true)").mode, llm::Thinking::Mode::unset);
}

TEST(GeminiSchema, BecomesJsonSchema) {
    json::Document document;
    const auto root = document.parse(
        R"({"type":"OBJECT","property_ordering":["a"],"properties":{
            "a":{"type":"STRING","nullable":true,"enum":["x","y"],"format":"enum","minLength":"2"},
            "type":{"type":"ARRAY","maxItems":"3","items":{"type":"INTEGER","format":"int32"}},
            "c":{"anyOf":[{"type":"NUMBER","minimum":0.5},{"type":"BOOLEAN"}],"example":1}},
            "required":["a"],"additionalProperties":false})",
        json::Duplicates::refused);
    ASSERT_TRUE(root);
    EXPECT_EQ(Json::parse(json_schema_of(*root)), Json::parse(R"({
        "type":"object","properties":{
            "a":{"type":["string","null"],"enum":["x","y",null],"minLength":2},
            "type":{"type":"array","maxItems":3,"items":{"type":"integer","format":"int32"}},
            "c":{"anyOf":[{"type":"number","minimum":0.5},{"type":"boolean"}],"examples":[1]}},
        "required":["a"],"additionalProperties":false})"));
}

// countTokens of a whole request names the model twice, and Google refuses two names.
TEST(GeminiRequest, NamesTheProvidersModelWhereTheBodyRepeatsIt) {
    json::Scratch scratch;
    const std::string body =
        R"({"generateContentRequest":{"model":"models/alias","contents":[{"parts":[]}]}})";
    for (const std::string_view model : {"up", "models/up"}) {
        const auto request = client.read_request(
            {.surface = llm::Surface::count_tokens, .model = "alias"}, body, scratch);
        ASSERT_TRUE(request);
        json::Splice splice(body);
        rewrite(*request, model, splice);
        EXPECT_EQ(splice.str(),
                  R"({"generateContentRequest":{"model":"models/up","contents":[{"parts":[]}]}})");
    }
    const auto same =
        client.read_request({.surface = llm::Surface::count_tokens, .model = "up"}, body, scratch);
    json::Splice untouched(body);
    rewrite(*same, "up", untouched);
    EXPECT_EQ(untouched.str(), body);
}

}  // namespace
}  // namespace weir::dialect::gemini
