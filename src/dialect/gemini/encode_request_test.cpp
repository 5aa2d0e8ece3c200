#include "dialect/gemini/count_tokens.h"
#include "dialect/gemini/embeddings.h"
#include "dialect/gemini/gemini_test.h"
#include "dialect/gemini/media.h"
#include "dialect/gemini/models.h"

namespace weir::dialect::gemini {
namespace {

using llm::Role;

llm::Call saying(std::vector<llm::Part> parts) {
    return {.from = llm::Dialect::openai_chat,
            .model = "gem",
            .messages = {{.role = Role::user, .parts = std::move(parts)}}};
}
llm::Call hello() { return saying({text_part("hi")}); }

std::vector<std::string> dropped(const llm::Call& call,
                                 std::string_view model = "gemini-2.5-flash") {
    return provider.encode_request(call, {.model = model, .provider = "g"}).value().dropped;
}

TEST(GeminiEncodeRequest, PutsInstructionsWhereTheyBelong) {
    llm::Call call = hello();
    call.messages = {{.role = Role::system, .parts = {text_part("a"), text_part("")}},
                     {.role = Role::developer, .parts = {text_part("b")}},
                     {.role = Role::user, .parts = {text_part("hi")}},
                     {.role = Role::assistant, .parts = {text_part("yes")}},
                     {.role = Role::system, .parts = {text_part("now brief")}},
                     {.role = Role::user, .parts = {text_part("go")}}};
    const Json body = encoded(call);
    EXPECT_EQ(body["systemInstruction"], Json::parse(R"({"parts":[{"text":"a"},{"text":"b"}]})"));
    EXPECT_EQ(body["contents"], Json::parse(R"([
        {"role":"user","parts":[{"text":"hi"}]},
        {"role":"model","parts":[{"text":"yes"}]},
        {"role":"user","parts":[{"text":"now brief"},{"text":"go"}]}])"));
    // Instructions alone are what there is to answer.
    call.messages.resize(1);
    const Json alone = encoded(call);
    EXPECT_FALSE(alone.contains("systemInstruction"));
    EXPECT_EQ(alone["contents"], Json::parse(R"([{"role":"user","parts":[{"text":"a"}]}])"));
    call.messages[0].parts = {text_part("")};
    EXPECT_EQ(encoded(call).get<std::string>().substr(0, 17), "error messages[0]");
}

// Known wrong translation 4: results of one turn, spread over messages, are one content.
TEST(GeminiEncodeRequest, PutsAllResultsOfATurnFirst) {
    llm::Call call = hello();
    call.messages.push_back({.role = Role::assistant,
                             .parts = {text_part("let me see"),
                                       call_part("c1", "weather", R"({"at":"A"})"),
                                       call_part("c2", "clock", "")}});
    call.messages.push_back({.role = Role::user, .parts = {result_part("c2", R"({"h":7})")}});
    call.messages.push_back({.role = Role::user, .parts = {text_part("also this")}});
    call.messages.push_back({.role = Role::user, .parts = {result_part("c1", "sun", true)}});
    EXPECT_EQ(encoded(call)["contents"], Json::parse(R"([
        {"role":"user","parts":[{"text":"hi"}]},
        {"role":"model","parts":[{"text":"let me see"},
            {"functionCall":{"id":"c1","name":"weather","args":{"at":"A"}}},
            {"functionCall":{"id":"c2","name":"clock","args":{}}}]},
        {"role":"user","parts":[
            {"functionResponse":{"id":"c2","name":"clock","response":{"h":7}}},
            {"functionResponse":{"id":"c1","name":"weather","response":{"error":"sun"}}},
            {"text":"also this"}]}])"));
}

TEST(GeminiEncodeRequest, MakesObjectsOfResults) {
    struct Case {
        std::vector<std::string> texts;
        std::string_view response;
    };
    for (const auto& c : {
             Case{{"sun"}, R"({"result":"sun"})"},
             Case{{"42"}, R"({"result":"42"})"},
             Case{{"[1,2]"}, R"({"result":[1,2]})"},
             Case{{R"({"a":1.50})"}, R"({"a":1.50})"},
             Case{{}, R"({"result":""})"},
             Case{{""}, R"({"result":""})"},
             Case{{"{broken"}, R"({"result":"{broken"})"},
             Case{{"a", "b"}, R"({"result":["a","b"]})"},
         }) {
        llm::Call call = hello();
        llm::ToolResult result{.call_id = "c"};
        for (const std::string& text : c.texts) {
            result.content.push_back(text_part(text));
        }
        call.messages.push_back({.role = Role::assistant, .parts = {call_part("c", "f", "{}")}});
        call.messages.push_back({.role = Role::user, .parts = {{.body = result}}});
        EXPECT_EQ(encoded(call)["contents"][2]["parts"][0]["functionResponse"]["response"],
                  Json::parse(c.response));
    }
}

TEST(GeminiEncodeRequest, PutsMediaOfResultsWhereTheModelTakesIt) {
    llm::Call call = hello();
    llm::ToolResult result{.call_id = "c", .content = {text_part("see")}};
    result.content.push_back(
        {.body = llm::Media{.kind = llm::MediaKind::image, .mime = "image/png", .data = "AAAA"}});
    call.messages.push_back({.role = Role::assistant, .parts = {call_part("c", "f", "{}")}});
    call.messages.push_back({.role = Role::user, .parts = {{.body = result}}});
    EXPECT_EQ(encoded(call)["contents"][2]["parts"], Json::parse(R"([
        {"functionResponse":{"id":"c","name":"f","response":{"result":"see"}}},
        {"inlineData":{"mimeType":"image/png","data":"AAAA"}}])"));
    EXPECT_EQ(encoded(call, "gemini-3-flash-preview")["contents"][2]["parts"], Json::parse(R"([
        {"functionResponse":{"id":"c","name":"f","response":{"result":"see"},
          "parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]}}])"));
}

// Known wrong translation 5, and the rule that signatures never cross dialects.
TEST(GeminiEncodeRequest, ReturnsItsOwnSignaturesAndNoOthers) {
    const auto with = [](llm::Signature one, llm::Signature two, std::string_view model) {
        llm::Call call = hello();
        call.messages.push_back(
            {.role = Role::assistant,
             .parts = {
                 {.body =
                      llm::ToolCall{.id = "a", .name = "f", .arguments = "{}", .signature = one}},
                 {.body = llm::ToolCall{
                      .id = "b", .name = "f", .arguments = "{}", .signature = two}}}});
        std::vector<std::string> signatures;
        for (const Json& part : encoded(call, model)["contents"][1]["parts"]) {
            signatures.push_back(part.value("thoughtSignature", "-"));
        }
        return fmt::format("{} {}", signatures[0], signatures[1]);
    };
    const llm::Signature own{.text = "b3du", .of = llm::Dialect::gemini};
    const llm::Signature foreign{.text = "Zm9y", .of = llm::Dialect::anthropic};
    EXPECT_EQ(with(own, {}, "gemini-3-pro-preview"), "b3du -");
    EXPECT_EQ(with(own, {}, "gemini-2.5-pro"), "b3du -");
    EXPECT_EQ(with(foreign, foreign, "gemini-2.5-pro"), "- -");
    EXPECT_EQ(with(foreign, foreign, "gemini-3-pro-preview"), "skip_thought_signature_validator -");
    EXPECT_EQ(with({}, {}, "gemini-flash-latest"), "skip_thought_signature_validator -");
}

TEST(GeminiEncodeRequest, SendsOnlyThoughtsThatGeminiSigned) {
    llm::Call call = hello();
    const auto thought = [](std::string text, llm::Signature signature) {
        return llm::Part{.body = llm::Reasoning{.text = std::move(text), .signature = signature}};
    };
    call.messages.push_back(
        {.role = Role::assistant,
         .parts = {thought("foreign", {.text = "s", .of = llm::Dialect::anthropic}),
                   thought("unsigned", {}),
                   thought("own", {.text = "c2ln", .of = llm::Dialect::gemini}),
                   {.body = llm::Text{.text = "yes",
                                      .signature = {.text = "dHh0", .of = llm::Dialect::gemini}}},
                   {.body = llm::Refusal{.text = "no"}}}});
    EXPECT_EQ(encoded(call)["contents"][1]["parts"], Json::parse(R"([
        {"text":"own","thought":true,"thoughtSignature":"c2ln"},
        {"text":"yes","thoughtSignature":"dHh0"},{"text":"no"}])"));
    // Nothing is left: no content at all.
    call.messages[1].parts = {thought("unsigned", {})};
    EXPECT_EQ(encoded(call)["contents"].size(), 1u);
}

TEST(GeminiEncodeRequest, SendsMediaInlineAndOnlyGooglesAddresses) {
    using llm::Media;
    const auto part = [](Media media) { return encoded(saying({{.body = media}})); };
    EXPECT_EQ(part({.mime = "image/png", .data = "AAAA"})["contents"][0]["parts"][0],
              Json::parse(R"({"inlineData":{"mimeType":"image/png","data":"AAAA"}})"));
    EXPECT_EQ(part({.kind = llm::MediaKind::file,
                    .data = "JVBERi0xLjQK"})["contents"][0]["parts"][0]["inlineData"]["mimeType"],
              "application/pdf");
    EXPECT_EQ(part({.kind = llm::MediaKind::file,
                    .data = "plain",
                    .is_plain_text = true})["contents"][0]["parts"][0]["inlineData"],
              Json::parse(R"({"mimeType":"text/plain","data":"cGxhaW4="})"));
    for (const std::string url : {"gs://b/o.mp4",
                                  "https://generativelanguage.googleapis.com/v1beta/files/x",
                                  "https://www.youtube.com/watch?v=1",
                                  "https://youtu.be/1"}) {
        EXPECT_EQ(part({.mime = "video/mp4", .url = url})["contents"][0]["parts"][0]["fileData"],
                  (Json{{"mimeType", "video/mp4"}, {"fileUri", url}}));
    }
    EXPECT_EQ(part({.file_id = "files/abc"})["contents"][0]["parts"][0]["fileData"]["fileUri"],
              "https://generativelanguage.googleapis.com/v1beta/files/abc");
    for (const Media& media : {Media{.url = "https://example.com/a.png"},
                               Media{.url = "https://youtube.com.evil.example/"},
                               Media{.file_id = "file-abc"},
                               Media{.data = "AAAA"}}) {
        EXPECT_EQ(part(media).get<std::string>().substr(0, 30), "error messages[0].content[0]: ");
    }
}

TEST(GeminiMedia, IsKnownByItsFirstBytes) {
    EXPECT_EQ(guess_mime("iVBORw0KGgoAAAANSUhEUg=="), "image/png");
    EXPECT_EQ(guess_mime("/9j/4AAQSkZJRgABAQ=="), "image/jpeg");
    EXPECT_EQ(guess_mime("UklGRiQAAABXRUJQVlA4IA=="), "image/webp");
    EXPECT_EQ(guess_mime("UklGRiQAAABXQVZFZm10IA=="), "audio/wav");
    EXPECT_EQ(guess_mime(""), "");
    EXPECT_EQ(guess_mime("no base64!"), "");
}

// Known wrong translation 10: schemas and tools arrive whole.
TEST(GeminiEncodeRequest, SendsSchemasWhole) {
    const std::string schema =
        R"({"$schema":"x","type":"object","properties":{"a":{"$ref":"#/$defs/a","description":"d"}},)"
        R"("oneOf":[{"const":1.0}],"additionalProperties":false,"$defs":{"a":{"type":"string"}}})";
    llm::Call call = hello();
    call.tools = {{.name = "f", .description = "does", .schema = schema, .strict = true},
                  {.name = "g"},
                  {.name = "googleSearch",
                   .opaque_json = R"({"googleSearch":{}})",
                   .of = llm::Dialect::gemini}};
    call.format = {.kind = llm::OutputFormat::Kind::json_schema, .name = "n", .schema = schema};
    const Json body = encoded(call);
    EXPECT_EQ(body["tools"][0], Json::parse(R"({"googleSearch":{}})"));
    const Json& functions = body["tools"][1]["functionDeclarations"];
    EXPECT_EQ(functions[0]["parametersJsonSchema"], Json::parse(schema));
    EXPECT_EQ(functions[0]["description"], "does");
    EXPECT_FALSE(functions[1].contains("parametersJsonSchema"));
    EXPECT_EQ(body["generationConfig"]["responseMimeType"], "application/json");
    EXPECT_EQ(body["generationConfig"]["responseJsonSchema"], Json::parse(schema));
    EXPECT_EQ(dropped(call), std::vector<std::string>{"strict"});

    call.tools = {{.name = "f"},
                  {.name = "web_search",
                   .opaque_json = R"({"type":"web_search"})",
                   .of = llm::Dialect::anthropic}};
    EXPECT_EQ(encoded(call).get<std::string>().substr(0, 15), "error tools[1]:");
}

TEST(GeminiEncodeRequest, SaysWhichToolsMayBeCalled) {
    using Mode = llm::ToolChoice::Mode;
    struct Case {
        llm::ToolChoice choice;
        std::string_view config;
    };
    for (const auto& c : {
             Case{{.mode = Mode::automatic}, R"({"mode":"AUTO"})"},
             Case{{.mode = Mode::none}, R"({"mode":"NONE"})"},
             Case{{.mode = Mode::required}, R"({"mode":"ANY"})"},
             Case{{.mode = Mode::named, .name = "f"},
                  R"({"mode":"ANY","allowedFunctionNames":["f"]})"},
             Case{{.mode = Mode::required, .allowed = {"f", "g"}},
                  R"({"mode":"ANY","allowedFunctionNames":["f","g"]})"},
             Case{{.mode = Mode::automatic, .allowed = {"f"}},
                  R"({"mode":"VALIDATED","allowedFunctionNames":["f"]})"},
         }) {
        llm::Call call = hello();
        call.tool_choice = c.choice;
        EXPECT_EQ(encoded(call)["toolConfig"]["functionCallingConfig"], Json::parse(c.config));
    }
    llm::Call call = hello();
    call.tool_choice.parallel = false;
    EXPECT_FALSE(encoded(call).contains("toolConfig"));
    EXPECT_EQ(dropped(call), std::vector<std::string>{"parallel_tool_calls"});
}

TEST(GeminiEncodeRequest, ControlsThinkingAsTheModelTakesIt) {
    using Mode = llm::Thinking::Mode;
    using llm::Effort;
    struct Case {
        std::string_view model;
        llm::Thinking thinking;
        std::string_view config;  // empty: none
        bool is_lost = false;
    };
    for (const auto& c : {
             Case{"gemini-2.5-flash", {.effort = Effort::none}, R"({"thinkingBudget":0})"},
             Case{"gemini-2.5-flash", {.effort = Effort::medium}, R"({"thinkingBudget":8192})"},
             Case{"gemini-2.5-flash", {.effort = Effort::max}, R"({"thinkingBudget":24576})"},
             Case{"gemini-2.5-pro", {.effort = Effort::max}, R"({"thinkingBudget":32768})"},
             Case{"gemini-2.5-pro", {.mode = Mode::off}, R"({"thinkingBudget":128})", true},
             Case{"gemini-2.5-flash-lite",
                  {.mode = Mode::on, .budget_tokens = 100},
                  R"({"thinkingBudget":512})"},
             Case{"gemini-2.5-flash", {.mode = Mode::adaptive}, R"({"thinkingBudget":-1})"},
             Case{"gemini-2.5-flash", {.include_text = true}, R"({"includeThoughts":true})"},
             Case{
                 "gemini-3-pro-preview", {.effort = Effort::minimal}, R"({"thinkingLevel":"LOW"})"},
             Case{
                 "gemini-3-pro-preview", {.effort = Effort::medium}, R"({"thinkingLevel":"HIGH"})"},
             Case{"gemini-3.1-pro-preview",
                  {.effort = Effort::medium},
                  R"({"thinkingLevel":"MEDIUM"})"},
             Case{"gemini-3-flash-preview",
                  {.effort = Effort::none},
                  R"({"thinkingLevel":"MINIMAL"})",
                  true},
             Case{"gemini-4-argon", {.effort = Effort::xhigh}, R"({"thinkingLevel":"HIGH"})"},
             Case{"gemini-flash-latest",
                  {.mode = Mode::on, .budget_tokens = 2048, .include_text = true},
                  R"({"thinkingLevel":"MEDIUM","includeThoughts":true})"},
             Case{"gemini-3-flash-preview", {.mode = Mode::adaptive}, ""},
             Case{"gemini-2.0-flash", {.effort = Effort::high}, "", true},
             Case{"gemini-2.0-flash", {.effort = Effort::none}, ""},
             Case{"gemma-3-27b-it", {.mode = Mode::on, .include_text = true}, "", true},
             Case{"gemini-2.5-flash-image", {.effort = Effort::low}, "", true},
         }) {
        llm::Call call = hello();
        call.thinking = c.thinking;
        const Json config = encoded(call, c.model)["generationConfig"];
        EXPECT_EQ(config.value("thinkingConfig", Json()),
                  c.config.empty() ? Json() : Json::parse(c.config))
            << c.model;
        EXPECT_EQ(dropped(call, c.model).size(), c.is_lost ? 1u : 0u) << c.model << c.config;
    }
}

TEST(GeminiEncodeRequest, SendsSettingsAndDropsHints) {
    llm::Call call = hello();
    call.max_output_tokens = 5;
    call.temperature = 0;
    call.top_p = 0.9;
    call.top_k = 0;
    call.stop = {"a", "b"};
    call.seed = 0;
    call.presence_penalty = 0.5;
    call.frequency_penalty = -0.5;
    call.choices = 3;
    call.logprobs = true;
    call.top_logprobs = 2;
    call.modalities = {"image"};
    call.service_tier = "default";
    call.format.kind = llm::OutputFormat::Kind::json_object;
    const Json body = encoded(call);
    EXPECT_EQ(body["generationConfig"], Json::parse(R"({"maxOutputTokens":5,"temperature":0,
        "topP":0.9,"topK":0,"stopSequences":["a","b"],"seed":0,"presencePenalty":0.5,
        "frequencyPenalty":-0.5,"candidateCount":3,"responseLogprobs":true,"logprobs":2,
        "responseModalities":["TEXT","IMAGE"],"responseMimeType":"application/json"})"));
    EXPECT_EQ(body["serviceTier"], "standard");
    EXPECT_TRUE(dropped(call).empty());

    call = hello();
    call.seed = 1ll << 40;
    call.verbosity = "low";
    call.user = "u";
    call.cache.is_set = true;
    call.service_tier = "scale";
    call.unknown = {{"metadata", "{}"}, {"labels", R"({"a":"b"})"}};
    call.messages[0].name = "bob";
    call.messages[0].parts[0].cache.is_set = true;
    const auto request = provider.encode_request(
        call, {.model = "gemini-2.5-pro", .provider = "g", .passed_fields = {"labels"}});
    ASSERT_TRUE(request);
    EXPECT_EQ(
        request->dropped,
        (std::vector<std::string>{
            "name", "cache_control", "seed", "service_tier", "metadata", "verbosity", "user"}));
    EXPECT_EQ(Json::parse(request->body)["labels"]["a"], "b");

    call = hello();
    call.stop = {"1", "2", "3", "4", "5", "6"};
    EXPECT_EQ(encoded(call).get<std::string>().substr(0, 11), "error stop:");
}

TEST(GeminiEncodeRequest, RefusesWhatItCannotSay) {
    llm::Call call =
        saying({text_part("x"),
                {.body = llm::Opaque{
                     .of = llm::Dialect::anthropic, .type = "search_result", .json = "{}"}}});
    call.from = llm::Dialect::anthropic;
    const auto refused =
        provider.encode_request(call, {.model = "gemini-2.5-pro", .provider = "g"});
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::invalid_request);
    EXPECT_EQ(refused.error().parameter(), "messages[0].content[1]");
    EXPECT_NE(refused.error().message().find("search_result"), std::string::npos);

    call = hello();
    call.messages.push_back({.role = Role::user, .parts = {result_part("gone", "x")}});
    EXPECT_EQ(encoded(call).get<std::string>().substr(0, 29), "error messages[1].content[0]:");
    call = hello();
    call.messages.push_back({.role = Role::assistant, .parts = {call_part("c", "f", "[1]")}});
    EXPECT_EQ(encoded(call).get<std::string>().substr(0, 29), "error messages[1].content[0]:");
}

// A request that goes through the vocabulary means the same afterwards.
TEST(GeminiEncodeRequest, RoundTripKeepsTheMeaning) {
    const std::string body = R"({"contents":[
        {"role":"user","parts":[{"text":"draw"},{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},
        {"role":"model","parts":[{"text":"hm","thought":true,"thoughtSignature":"c2ln"},
            {"functionCall":{"id":"c1","name":"f","args":{"a":1.0}},"thoughtSignature":"b3du"}]},
        {"role":"user","parts":[{"functionResponse":{"id":"c1","name":"f","response":{"b":[2]}}}]},
        {"role":"model","parts":[{"executableCode":{"code":"1"}},{"text":"done"}]},
        {"role":"user","parts":[{"fileData":{"mimeType":"audio/wav","fileUri":"gs://b/a.wav"}}]}],
      "systemInstruction":{"parts":[{"text":"s"}]},
      "tools":[{"googleSearch":{}},{"functionDeclarations":[{"name":"f","description":"d",
          "parametersJsonSchema":{"type":"object"}}]}],
      "toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]},
          "retrievalConfig":{"languageCode":"en"}},
      "generationConfig":{"temperature":1,"thinkingConfig":{"thinkingBudget":2048,"includeThoughts":true},
          "mediaResolution":"MEDIA_RESOLUTION_LOW"},
      "safetySettings":[{"category":"x"}],"serviceTier":"priority"})";
    const auto call = decoded(body);
    ASSERT_TRUE(call) << call.error().message();
    EXPECT_EQ(encoded(*call), Json::parse(body));
}

TEST(GeminiCountTokens, AsksAndAnswers) {
    const auto request =
        encode_count_request(hello(), {.model = "gemini-2.5-pro", .provider = "g"});
    ASSERT_TRUE(request);
    EXPECT_EQ(Json::parse(request->body), Json::parse(R"({"generateContentRequest":{
        "model":"models/gemini-2.5-pro","contents":[{"role":"user","parts":[{"text":"hi"}]}],
        "generationConfig":{}}})"));
    EXPECT_EQ(encode_count(31), R"({"totalTokens":31})");
    EXPECT_EQ(decode_count(R"({"totalTokens":31,"promptTokensDetails":[]})").value(), 31);
    EXPECT_EQ(decode_count("{}").error().code(), Code::upstream_invalid_response);
    EXPECT_EQ(decode_count("[").error().code(), Code::upstream_invalid_response);
}

TEST(GeminiEncode, AnEffortMeansWhatTheOperatorSays) {
    llm::Call call = hello();
    const auto budget = [&call](llm::Effort effort) {
        call.thinking.effort = effort;
        const auto request = encode_request(
            call, {.model = "gemini-2.5-pro", .effort_budgets = {.low = 5000, .high = 1'000'000}});
        return Json::parse(request->body)["generationConfig"]["thinkingConfig"]["thinkingBudget"];
    };
    EXPECT_EQ(budget(llm::Effort::low), 5000);
    EXPECT_EQ(budget(llm::Effort::medium), 8192);
    EXPECT_EQ(budget(llm::Effort::high), 32768);  // the model's most
}

TEST(GeminiModels, AreListedAsGoogleListsThem) {
    const std::vector<ModelEntry> models{
        {.id = "chat\"x", .input_tokens_max = 9, .output_tokens_max = 5},
        {.id = "e", .makes_embeddings = true}};
    EXPECT_EQ(Json::parse(encode_models(models)), Json::parse(R"({"models":[
        {"name":"models/chat\"x","version":"1","displayName":"chat\"x","inputTokenLimit":9,
         "outputTokenLimit":5,
         "supportedGenerationMethods":["generateContent","streamGenerateContent","countTokens"]},
        {"name":"models/e","version":"1","displayName":"e",
         "supportedGenerationMethods":["batchEmbedContents"]}]})"));
    EXPECT_EQ(Json::parse(encode_model(models[1]))["name"], "models/e");
}

TEST(GeminiEmbeddings, GoThereAndBack) {
    const Target target{.model = "gemini-embedding-001", .provider = "g"};
    const auto request = encode_embeddings(
        R"({"model":"x","input":["a","b\n"],"dimensions":3,"encoding_format":"base64","user":"u"})",
        target);
    ASSERT_TRUE(request);
    EXPECT_EQ(Json::parse(request->body), Json::parse(R"({"requests":[
        {"model":"models/gemini-embedding-001","content":{"parts":[{"text":"a"}]},"outputDimensionality":3},
        {"model":"models/gemini-embedding-001","content":{"parts":[{"text":"b\n"}]},"outputDimensionality":3}]})"));
    EXPECT_EQ(request->dropped, std::vector<std::string>{"user"});
    EXPECT_TRUE(encode_embeddings(R"({"input":"a"})", target));
    for (const auto& [body, parameter] :
         {std::pair{R"({"input":[1,2]})", "input[0]"},
          std::pair{R"({"input":[[1]]})", "input[0]"},
          std::pair{R"({"input":[]})", "input"},
          std::pair{"{}", "input"},
          std::pair{R"({"input":"a","dimensions":0})", "dimensions"}}) {
        const auto refused = encode_embeddings(body, target);
        ASSERT_FALSE(refused) << body;
        EXPECT_EQ(refused.error().parameter(), parameter) << body;
    }
    std::string many = R"({"input":["a")";
    for (std::size_t i = 0; i < kEmbeddingsMax; ++i) {
        many += R"(,"a")";
    }
    EXPECT_EQ(encode_embeddings(many + "]}", target).error().parameter(), "input");

    const auto answer = decode_embeddings(
        R"({"embeddings":[{"values":[ 0.10, -1e-7 ]},{"values":[2]}]})", "pub", 7);
    ASSERT_TRUE(answer);
    EXPECT_EQ(
        answer->body,
        R"({"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-1e-7]},)"
        R"({"object":"embedding","index":1,"embedding":[2]}],"model":"pub",)"
        R"("usage":{"prompt_tokens":7,"total_tokens":7}})");
    EXPECT_TRUE(answer->usage.estimated);
    const auto counted = decode_embeddings(
        R"({"embeddings":[{"values":[1]}],"usageMetadata":{"promptTokenCount":4}})", "pub", 7);
    EXPECT_EQ(counted->usage, (llm::Usage{.input_tokens = 4}));
    EXPECT_FALSE(decode_embeddings(R"({"embeddings":[]})", "pub", 7));
    EXPECT_FALSE(decode_embeddings(R"({"embeddings":[{}]})", "pub", 7));
    EXPECT_EQ(decode_embeddings(R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}})", "p", 7)
                  .error()
                  .code(),
              Code::rate_limited);
}

}  // namespace
}  // namespace weir::dialect::gemini
