#include "dialect/gemini/finish.h"
#include "dialect/gemini/gemini_test.h"

namespace weir::dialect::gemini {
namespace {

using llm::as;

llm::Answer answer_of(std::string_view body) {
    auto answer = provider.decode_answer(body);
    EXPECT_TRUE(answer) << (answer ? "" : answer.error().detail());
    return answer ? *answer : llm::Answer{};
}
Json written(const llm::Answer& answer) {
    return Json::parse(
        client.encode_answer(answer, {.model = "pub", .request_id = "req-1", .created = 0}));
}

constexpr std::string_view kWhole = R"({
  "candidates":[{"content":{"role":"model","parts":[
      {"text":"plan","thought":true},{"text":"Grüße "},{"text":"all","thoughtSignature":"dHh0"},
      {"executableCode":{"code":"1"}},
      {"functionCall":{"name":"f","args":{"a":1.0}},"thoughtSignature":"b3du"},
      {"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},
    "finishReason":"STOP","index":0,
    "citationMetadata":{"citationSources":[{"startIndex":0,"endIndex":7,"uri":"https://c"}]},
    "logprobsResult":{"chosenCandidates":[{"token":"a","tokenId":5,"logProbability":-0.10}],
      "topCandidates":[{"candidates":[{"token":"a","logProbability":-0.10},{"token":"b","logProbability":-2}]}]}}],
  "usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":6,"thoughtsTokenCount":5,
    "totalTokenCount":24,"toolUsePromptTokenCount":3,"cachedContentTokenCount":4,
    "promptTokensDetails":[{"modality":"TEXT","tokenCount":7},{"modality":"AUDIO","tokenCount":3}],
    "cacheTokensDetails":[{"modality":"AUDIO","tokenCount":1}],
    "candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":2},{"modality":"AUDIO","tokenCount":1}],
    "serviceTier":"flex"},
  "modelVersion":"gemini-x","responseId":"R_1","createTime":"2026-03-21T18:11:55.919086Z"})";

TEST(GeminiAnswer, IsReadWhole) {
    const llm::Answer answer = answer_of(kWhole);
    EXPECT_EQ(answer.id, "R_1");
    EXPECT_EQ(answer.model, "gemini-x");
    EXPECT_EQ(answer.created, 1774116715);
    EXPECT_EQ(answer.service_tier, "flex");
    ASSERT_EQ(answer.choices.size(), 1u);
    const llm::Choice& choice = answer.choices[0];
    EXPECT_EQ(choice.finish, llm::FinishReason::tool_calls);
    ASSERT_EQ(choice.parts.size(), 5u);
    const auto* thought = as<llm::Reasoning>(choice.parts[0]);
    EXPECT_EQ(thought->text, "plan");
    EXPECT_TRUE(thought->is_summary);
    const auto* text = as<llm::Text>(choice.parts[1]);
    EXPECT_EQ(text->text, "Grüße all");
    EXPECT_EQ(text->signature, (llm::Signature{.text = "dHh0", .of = llm::Dialect::gemini}));
    EXPECT_EQ(as<llm::Opaque>(choice.parts[2])->type, "executableCode");
    const auto* call = as<llm::ToolCall>(choice.parts[3]);
    EXPECT_EQ(call->id, "call_0_R_1");
    EXPECT_EQ(call->name, "f");
    EXPECT_EQ(call->arguments, R"({"a":1.0})");
    EXPECT_EQ(call->signature.text, "b3du");
    const auto* image = as<llm::Media>(choice.parts[4]);
    EXPECT_EQ(image->kind, llm::MediaKind::image);
    EXPECT_EQ(image->data, "AAAA");
    EXPECT_EQ(Json::parse(choice.logprobs_json), Json::parse(R"({"content":[
        {"token":"a","logprob":-0.10,"bytes":null,"top_logprobs":[
            {"token":"a","logprob":-0.10,"bytes":null},{"token":"b","logprob":-2,"bytes":null}]}]})"));
    EXPECT_EQ(answer.usage,
              (llm::Usage{.input_tokens = 13,
                          .cache_read_tokens = 4,
                          .input_audio_tokens = 2,
                          .output_tokens = 11,
                          .reasoning_tokens = 5,
                          .output_audio_tokens = 1,
                          .output_image_tokens = 2,
                          .tier = llm::ServiceTier::flex}));
}

// Offsets are bytes there and code points here; what does not fit the text is left out.
TEST(GeminiAnswer, ConvertsThePlacesOfCitations) {
    const auto citation = [](std::string_view segment) {
        const auto answer = answer_of(fmt::format(
            R"({{"candidates":[{{"content":{{"parts":[{{"text":"Grüße an alle"}}]}},"finishReason":"STOP",)"
            R"("groundingMetadata":{{"groundingChunks":[{{"web":{{"uri":"https://a","title":"A"}}}}],)"
            R"("groundingSupports":[{{"segment":{},"groundingChunkIndices":[0]}}]}}}}]}})",
            segment));
        return as<llm::Text>(answer.choices[0].parts[0])->citations.at(0);
    };
    const auto good = citation(R"({"startIndex":8,"endIndex":10,"text":"an"})");
    EXPECT_EQ(good.start, 6);
    EXPECT_EQ(good.end, 8);
    EXPECT_EQ(good.url, "https://a");
    EXPECT_EQ(citation(R"({"endIndex":7,"text":"Grüße"})").end, 5);
    for (const auto* bad : {R"({"startIndex":3,"endIndex":4,"text":"x"})",
                            R"({"startIndex":8,"endIndex":10,"text":"xx"})",
                            R"({"startIndex":9,"endIndex":2})",
                            R"({"startIndex":0,"endIndex":99})",
                            R"({"startIndex":-5,"endIndex":2})",
                            R"({"text":"an"})"}) {
        EXPECT_FALSE(citation(bad).start) << bad;
        EXPECT_FALSE(citation(bad).end) << bad;
    }
    // And back.
    llm::Answer answer;
    answer.choices.push_back(
        {.parts = {{.body = llm::Text{.text = "Grüße an alle", .citations = {good}}}},
         .finish = llm::FinishReason::stop});
    EXPECT_EQ(written(answer)["candidates"][0]["groundingMetadata"]["groundingSupports"][0],
              Json::parse(R"({"segment":{"startIndex":8,"endIndex":10,"text":"an"},
                              "groundingChunkIndices":[0]})"));
}

TEST(GeminiAnswer, IsWrittenAsItWasRead) {
    const llm::Answer answer = answer_of(kWhole);
    const llm::Answer again = answer_of(written(answer).dump());
    EXPECT_NE(again.id, answer.id);  // it would say whose it is
    EXPECT_EQ(again.created, answer.created);
    EXPECT_EQ(again.choices[0].finish, answer.choices[0].finish);
    EXPECT_EQ(Json::parse(again.choices[0].logprobs_json),
              Json::parse(answer.choices[0].logprobs_json));
    ASSERT_EQ(again.choices[0].parts.size(), answer.choices[0].parts.size());
    for (std::size_t i = 0; i < answer.choices[0].parts.size(); ++i) {
        if (i != 1) {  // its citation changes its form
            EXPECT_EQ(again.choices[0].parts[i], answer.choices[0].parts[i]) << i;
        }
    }
    EXPECT_EQ(as<llm::Text>(again.choices[0].parts[1])->citations[0].url, "https://c");
    EXPECT_EQ(again.usage->input_tokens, 13);
    EXPECT_EQ(again.usage->output_tokens, 11);
    EXPECT_EQ(again.usage->reasoning_tokens, 5);
    EXPECT_EQ(again.usage->input_audio_tokens, 2);
}

// Known wrong translations 7 and 8, both ways.
TEST(GeminiUsage, AddsUp) {
    struct Case {
        std::string_view metadata, normal;
    };
    for (
        const auto& c : {
            Case{
                R"({"promptTokenCount":5,"candidatesTokenCount":1,"thoughtsTokenCount":100,"totalTokenCount":106})",
                "in 5 (cached 0, audio 0) out 101 (thought 100, audio 0, image 0) searches 0"},
            Case{R"({"promptTokenCount":34,"totalTokenCount":102,"thoughtsTokenCount":68})",
                 "in 34 (cached 0, audio 0) out 68 (thought 68, audio 0, image 0) searches 0"},
            Case{R"({"promptTokenCount":8,"totalTokenCount":20})",
                 "in 8 (cached 0, audio 0) out 12 (thought 0, audio 0, image 0) searches 0"},
            Case{R"({"promptTokenCount":7,"candidatesTokenCount":2,"cachedContentTokenCount":161})",
                 "in 7 (cached 7, audio 0) out 2 (thought 0, audio 0, image 0) searches 0"},
            Case{R"({"promptTokenCount":-7,"candidatesTokenCount":9223372036854775807})",
                 "in 0 (cached 0, audio 0) out 1099511627776 (thought 0, audio 0, image 0) "
                 "searches 0"},
            Case{R"({"trafficType":"ON_DEMAND"})", "none"},
            Case{"{}", "none"},
        }) {
        const auto answer = answer_of(fmt::format(
            R"({{"candidates":[{{"finishReason":"STOP"}}],"usageMetadata":{}}})", c.metadata));
        EXPECT_EQ(answer.usage ? usage_text(*answer.usage) : "none", c.normal);
        if (answer.usage) {
            const Json usage = written(answer)["usageMetadata"];
            EXPECT_EQ(usage["promptTokenCount"].get<std::int64_t>() +
                          usage["candidatesTokenCount"].get<std::int64_t>() +
                          usage.value("thoughtsTokenCount", std::int64_t{0}),
                      usage["totalTokenCount"].get<std::int64_t>());
        }
    }
}

TEST(GeminiFinish, FollowsTheTable) {
    const auto reason = [](std::string_view word) {
        const auto answer = provider.decode_answer(fmt::format(
            R"({{"candidates":[{{"content":{{"parts":[{{"text":"a"}}]}},"finishReason":"{}"}}]}})",
            word));
        return answer
                   ? fmt::format(
                         "{} {}", name(answer->choices[0].finish), answer->choices[0].finish_word)
                   : fmt::format("error {}", name(answer.error().code()));
    };
    EXPECT_EQ(reason("STOP"), "stop ");
    EXPECT_EQ(reason("MAX_TOKENS"), "length ");
    for (const auto* word : {"SAFETY",
                             "RECITATION",
                             "LANGUAGE",
                             "BLOCKLIST",
                             "PROHIBITED_CONTENT",
                             "SPII",
                             "ESCALATION",
                             "IMAGE_SAFETY",
                             "IMAGE_PROHIBITED_CONTENT",
                             "IMAGE_RECITATION",
                             "IMAGE_OTHER"}) {
        EXPECT_EQ(reason(word), "content_filter ") << word;
    }
    for (const auto* word : {"MALFORMED_FUNCTION_CALL",
                             "UNEXPECTED_TOOL_CALL",
                             "TOO_MANY_TOOL_CALLS",
                             "MISSING_THOUGHT_SIGNATURE",
                             "MALFORMED_RESPONSE",
                             "NO_IMAGE",
                             "OTHER"}) {
        EXPECT_EQ(reason(word), "error upstream_error") << word;
    }
    EXPECT_EQ(reason("SOMETHING_NEW"), "other something_new");
    EXPECT_EQ(reason("FINISH_REASON_UNSPECIFIED"), "error upstream_invalid_response");
    EXPECT_EQ(reason(""), "error upstream_invalid_response");
}

TEST(GeminiAnswer, OfABlockedPromptIsAFilteredChoice) {
    const auto answer = answer_of(
        R"({"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":9,"totalTokenCount":9},"modelVersion":"m"})");
    ASSERT_EQ(answer.choices.size(), 1u);
    EXPECT_TRUE(answer.choices[0].parts.empty());
    EXPECT_EQ(answer.choices[0].finish, llm::FinishReason::content_filter);
    EXPECT_EQ(answer.usage->input_tokens, 9);
    const Json body = written(answer);
    EXPECT_EQ(body["candidates"], Json::parse(R"([{"finishReason":"SAFETY","index":0}])"));
}

TEST(GeminiAnswer, ThatSaysNothingIsRefused) {
    for (const auto* body : {"{}",
                             "[]",
                             "{",
                             R"({"candidates":[]})",
                             R"({"usageMetadata":{"promptTokenCount":1}})",
                             R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}]})"}) {
        const auto answer = provider.decode_answer(body);
        ASSERT_FALSE(answer) << body;
        EXPECT_EQ(answer.error().code(), Code::upstream_invalid_response) << body;
    }
    const auto error = provider.decode_answer(R"({"error":{"code":400,"message":"Bad."}})");
    ASSERT_FALSE(error);
    EXPECT_EQ(error.error().code(), Code::invalid_request);
}

TEST(GeminiAnswer, IsWrittenInGeminisWords) {
    llm::Answer answer{.model = "hidden"};
    answer.choices.push_back({.parts = {text_part(""), call_part("", "f", "")},
                              .finish = llm::FinishReason::tool_calls});
    answer.choices.push_back(
        {.parts = {{.body = llm::Refusal{.text = "no"}}}, .finish = llm::FinishReason::stop});
    answer.choices.push_back(
        {.parts = {call_part("x", "f", "{")}, .finish = llm::FinishReason::tool_calls});
    answer.choices.push_back(
        {.parts = {{.body = llm::Opaque{.of = llm::Dialect::anthropic, .type = "t", .json = "{}"}},
                   text_part("a")},
         .finish = llm::FinishReason::other,
         .finish_word = "paused"});
    const Json body = written(answer);
    EXPECT_EQ(body["modelVersion"], "pub");
    EXPECT_EQ(body["responseId"], "req-1");
    const Json& all = body["candidates"];
    EXPECT_EQ(all[0]["content"]["parts"],
              Json::parse(R"([{"functionCall":{"id":"call_0_req-1","name":"f","args":{}}}])"));
    EXPECT_EQ(all[0]["finishReason"], "STOP");
    EXPECT_EQ(all[1]["content"]["parts"], Json::parse(R"([{"text":"no"}])"));
    EXPECT_EQ(all[1]["finishReason"], "SAFETY");
    EXPECT_EQ(all[2]["finishReason"], "MALFORMED_FUNCTION_CALL");
    EXPECT_EQ(all[2]["content"]["parts"], Json::array());
    EXPECT_EQ(all[3]["content"]["parts"], Json::parse(R"([{"text":"a"}])"));
    EXPECT_EQ(all[3]["finishReason"], "PAUSED");
    EXPECT_EQ(all[3]["index"], 3);
}

struct ErrorCase {
    int status;
    std::string_view body;
    Code code;
    std::string_view parameter = "";
    std::int64_t wait_ms = 0;
};
TEST(GeminiError, FromTheProviderIsUnderstood) {
    for (
        const auto& c : {
            ErrorCase{
                400,
                R"({"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}})",
                Code::upstream_error},
            ErrorCase{
                400,
                R"({"error":{"code":400,"message":"Bad field.","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.BadRequest","fieldViolations":[{"field":"contents[0]","description":"d"}]}]}})",
                Code::invalid_request,
                "contents[0]"},
            ErrorCase{
                400,
                R"({"error":{"code":400,"message":"The input token count (9) exceeds the maximum number of tokens allowed (8).","status":"INVALID_ARGUMENT"}})",
                Code::context_length_exceeded},
            ErrorCase{
                400,
                R"({"error":{"code":400,"message":"User location is not supported.","status":"FAILED_PRECONDITION"}})",
                Code::upstream_error},
            ErrorCase{403,
                      R"({"error":{"code":403,"status":"PERMISSION_DENIED"}})",
                      Code::upstream_error},
            ErrorCase{404, R"({"error":{"code":404,"status":"NOT_FOUND"}})", Code::upstream_error},
            ErrorCase{
                429,
                R"({"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.4s"}]}})",
                Code::rate_limited,
                "",
                34400},
            ErrorCase{
                429,
                R"([{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"48s"}]}}])",
                Code::rate_limited,
                "",
                48000},
            ErrorCase{
                503, R"({"error":{"code":503,"status":"UNAVAILABLE"}})", Code::upstream_error},
            ErrorCase{504,
                      R"({"error":{"code":504,"status":"DEADLINE_EXCEEDED"}})",
                      Code::upstream_timeout},
            ErrorCase{500,
                      R"({"error":{"code":504,"status":"DEADLINE_EXCEEDED"}})",
                      Code::upstream_timeout},
            ErrorCase{502, "<html>Bad gateway</html>", Code::upstream_error},
            ErrorCase{400, "", Code::invalid_request},
        }) {
        const Error error = provider.decode_error({.status = c.status, .body = c.body});
        EXPECT_EQ(error.code(), c.code) << c.body;
        EXPECT_EQ(error.parameter(), c.parameter) << c.body;
        EXPECT_EQ(error.retry_after().value_or(std::chrono::milliseconds{0}).count(), c.wait_ms)
            << c.body;
        // Our credential is no business of the client's.
        EXPECT_EQ(error.message().find("API key"), std::string::npos);
    }
    const Error told = provider.decode_error(
        {.status = 429, .body = "{}", .retry_after = std::chrono::milliseconds{5}});
    EXPECT_EQ(told.retry_after()->count(), 5);
}

TEST(GeminiError, ToTheClientHasGooglesShape) {
    const Error error = fail(Code::rate_limited, "Slow \"down\".")
                            .retry_after(std::chrono::milliseconds{34400})
                            .error();
    EXPECT_EQ(Json::parse(client.encode_error(error, "req-9")), Json::parse(R"({"error":{
        "code":429,"message":"Slow \"down\".","status":"RESOURCE_EXHAUSTED","details":[
          {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"rate_limited","domain":"weir"},
          {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"35s"},
          {"@type":"type.googleapis.com/google.rpc.RequestInfo","requestId":"req-9"}]}})"));
    struct Case {
        Code code;
        std::string_view status;
    };
    for (const auto& c : {Case{Code::invalid_json, "INVALID_ARGUMENT"},
                          Case{Code::guardrail_blocked, "INVALID_ARGUMENT"},
                          Case{Code::invalid_api_key, "UNAUTHENTICATED"},
                          Case{Code::model_not_allowed, "PERMISSION_DENIED"},
                          Case{Code::model_not_found, "NOT_FOUND"},
                          Case{Code::payload_too_large, "INVALID_ARGUMENT"},
                          Case{Code::conflict, "ABORTED"},
                          Case{Code::concurrency_limited, "RESOURCE_EXHAUSTED"},
                          Case{Code::upstream_error, "INTERNAL"},
                          Case{Code::overloaded, "UNAVAILABLE"},
                          Case{Code::upstream_timeout, "DEADLINE_EXCEEDED"}}) {
        const auto body = Json::parse(client.encode_error(fail(c.code, "x").error(), ""));
        EXPECT_EQ(body["error"]["status"], c.status) << name(c.code);
        EXPECT_EQ(body["error"]["code"], info(c.code).status);
        EXPECT_EQ(body["error"]["details"][0]["reason"], name(c.code));
    }
    const Error wrong = fail(Code::invalid_request, "Bad.").parameter("contents").error();
    EXPECT_EQ(Json::parse(client.encode_error(
                  wrong, ""))["error"]["details"][1]["fieldViolations"][0]["field"],
              "contents");
    // What Weir says to a client, another Weir understands.
    EXPECT_EQ(provider.decode_error({.status = 429, .body = client.encode_error(error, "r")})
                  .retry_after()
                  ->count(),
              35000);
}

}  // namespace
}  // namespace weir::dialect::gemini
