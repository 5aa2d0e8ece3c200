// What Bedrock answers: whole, streamed, refused. The bodies are made up in the shape of real ones.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dialect/aws/event_stream.h"
#include "dialect/bedrock/edge.h"
#include "dialect/bedrock/stream_test_sink.h"

namespace weir::dialect::bedrock {
namespace {

using llm::FinishReason;

Streamed stream(std::initializer_list<std::string_view> pieces) {
    const auto decoder = provider.decode_stream(false);
    Recorder sink;
    Result<void> result{};
    for (const std::string_view piece : pieces) {
        if (result) {
            const std::string copy(piece);  // dies before the next comes
            result = decoder->feed(copy, sink);
        }
    }
    if (result) {
        result = decoder->end(sink);
    }
    EXPECT_EQ(sink.fault, "");
    return {.said = sink.said,
            .error = result ? ""
                            : fmt::format(
                                  "{}: {}", name(result.error().code()), result.error().detail())};
}

struct Sent {
    std::string_view event, json;
};
std::string frames(std::initializer_list<Sent> events) {
    std::string bytes;
    for (const Sent& one : events) {
        aws::append_event(bytes, one.event, one.json);
    }
    return bytes;
}

constexpr std::string_view kStart = R"({"p":"abc","role":"assistant"})";
constexpr std::string_view kUsage =
    R"({"metrics":{"latencyMs":660},"p":"ab","usage":{"inputTokens":2,"outputTokens":32,"totalTokens":34}})";

std::string text_stream() {
    return frames(
        {{"messageStart", kStart},
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"Hel"},"p":"a"})"},
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":""}})"},
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"lo \"\u00e9"}})"},
         {"contentBlockStop", R"({"contentBlockIndex":0})"},
         {"messageStop", R"({"stopReason":"end_turn"})"},
         {"metadata", kUsage}});
}

std::string tools_stream() {
    return frames(
        {{"messageStart", kStart},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"I need"}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":" both."}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"c2ln"}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"MQ=="}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":0})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"AAE="}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"Ag=="}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":1})"},
         {"contentBlockStart",
          R"({"contentBlockIndex":2,"start":{"toolUse":{"name":"weather","toolUseId":"tooluse_1"}}})"},
         {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":""}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"{\"city\":"}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":2,"delta":{"toolUse":{"input":"\"Oslo\"}"}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":2})"},
         {"contentBlockStart",
          R"({"contentBlockIndex":3,"start":{"toolUse":{"name":"time","toolUseId":"tooluse_2"}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":3})"},
         {"messageStop", R"({"stopReason":"tool_use"})"},
         {"metadata",
          R"({"usage":{"inputTokens":10,"outputTokens":5,"cacheReadInputTokens":100,"cacheWriteInputTokens":40,"cacheDetails":[{"ttl":"1h","inputTokens":30},{"ttl":"5m","inputTokens":10}],"totalTokens":155}})"}});
}

TEST(BedrockStream, TellsTextAndUsage) {
    EXPECT_EQ(stream({text_stream()}),
              (Streamed{.said = "start\n"
                                "begin 0 kind 0   \n"
                                "delta 0 Hello \"\xc3\xa9\n"
                                "end 0\n"
                                "finish stop \n"
                                "usage 2 0 0 0 32\n"
                                "end",
                        .error = {}}));
}

TEST(BedrockStream, TellsThinkingAndTwoCallsEachWithItsOwnInput) {
    EXPECT_EQ(stream({tools_stream()}),
              (Streamed{.said = "start\n"
                                "begin 0 kind 2   \n"
                                "delta 0 I need both.\n"
                                "signature 0 c2lnMQ==\n"
                                "end 0\n"
                                "begin 1 kind 2   redacted\n"
                                "signature 1 AAEC\n"
                                "end 1\n"
                                "begin 2 kind 3 tooluse_1 weather \n"
                                "delta 2 {\"city\":\"Oslo\"}\n"
                                "end 2\n"
                                "begin 3 kind 3 tooluse_2 time \n"
                                "end 3\n"
                                "finish tool_calls \n"
                                "usage 150 100 40 30 5\n"
                                "end",
                        .error = {}}));
}

TEST(BedrockStream, EveryCutGivesTheSameEvents) {
    for (const std::string& bytes : {text_stream(), tools_stream()}) {
        const Streamed whole = stream({bytes});
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            ASSERT_EQ(stream({std::string_view(bytes).substr(0, cut),
                              std::string_view(bytes).substr(cut)}),
                      whole)
                << cut;
        }
    }
}

// Row 12 of the known wrong translations: a stream that breaks off is never made whole.
TEST(BedrockStream, EveryTruncationIsAFailure) {
    const std::string bytes = text_stream();
    const std::string stopped = frames({{"metadata", kUsage}});
    const std::size_t complete = bytes.size() - stopped.size();  // the stop came, usage did not
    for (std::size_t size = 0; size < bytes.size(); ++size) {
        const Streamed cut = stream({std::string_view(bytes).substr(0, size)});
        if (size == complete) {
            EXPECT_EQ(cut.error, "");
            EXPECT_TRUE(cut.said.ends_with("finish stop \nend")) << cut.said;
            continue;
        }
        ASSERT_TRUE(cut.error.starts_with("upstream_invalid_response")) << size << cut.error;
        ASSERT_FALSE(cut.said.ends_with("\nend")) << size << cut.said;
    }
}

TEST(BedrockStream, KeepsTheToolsOfTheProviderToItself) {
    const Streamed got = stream({frames(
        {{"messageStart", kStart},
         {"contentBlockStart",
          R"({"contentBlockIndex":0,"start":{"toolUse":{"name":"code","toolUseId":"t","type":"server_tool_use"}}})"},
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":0})"},
         {"contentBlockStart",
          R"({"contentBlockIndex":1,"start":{"toolResult":{"toolUseId":"t","status":"success"}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":1,"delta":{"toolResult":[{"json":{"stdOut":"7"}}]}})"},
         {"contentBlockStop", R"({"contentBlockIndex":1})"},
         {"contentBlockDelta", R"({"contentBlockIndex":2,"delta":{"text":"It is 7."}})"},
         {"contentBlockStop", R"({"contentBlockIndex":2})"},
         {"messageStop", R"({"stopReason":"end_turn"})"},
         {"metadata", kUsage}})});
    EXPECT_EQ(got.said,
              "start\nbegin 0 kind 0   \ndelta 0 It is 7.\nend 0\nfinish stop \n"
              "usage 2 0 0 0 32\nend");
    EXPECT_EQ(got.error, "");
}

TEST(BedrockStream, TellsWhatWasCited) {
    const Streamed got = stream({frames(
        {{"messageStart", kStart},
         {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"So it is."}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"citation":{"title":"Doc","sourceContent":[{"text":"it "},{"text":"is"}],"location":{"web":{"url":"https://example.com/a"}}}}})"},
         {"messageStop", R"({"stopReason":"end_turn"})"},
         {"metadata", kUsage}})});
    EXPECT_EQ(got.said,
              "start\nbegin 0 kind 0   \ndelta 0 So it is.\n"
              "citation 0 Doc https://example.com/a it is\nend 0\nfinish stop \n"
              "usage 2 0 0 0 32\nend");
}

// Base64 of pieces joined is no base64: it goes out as one.
TEST(BedrockStream, JoinsTheBytesOfAnImage) {
    const Streamed got = stream({frames(
        {{"messageStart", kStart},
         {"contentBlockStart", R"({"contentBlockIndex":0,"start":{"image":{"format":"jpeg"}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"image":{"source":{"bytes":"AQ=="}}}})"},
         {"contentBlockDelta",
          R"({"contentBlockIndex":0,"delta":{"image":{"source":{"bytes":"AgMEBQ=="}}}})"},
         {"contentBlockStop", R"({"contentBlockIndex":0})"},
         {"messageStop", R"({"stopReason":"end_turn"})"},
         {"metadata", kUsage}})});
    EXPECT_EQ(got.said,
              "start\nbegin 0 kind 4   image/jpeg\ndelta 0 AQIDBAU=\nend 0\nfinish stop \n"
              "usage 2 0 0 0 32\nend");
}

struct OddCase {
    std::string_view name;
    std::string bytes;
    std::string_view said;   // the end of what is told
    std::string_view error;  // its beginning
};

TEST(BedrockStream, SurvivesOrRefusesWhatIsOdd) {
    const auto with = [](std::initializer_list<Sent> middle) {
        std::string bytes = frames({{"messageStart", kStart}}) + frames(middle);
        return bytes +
               frames({{"messageStop", R"({"stopReason":"end_turn"})"}, {"metadata", kUsage}});
    };
    constexpr std::string_view kText0 = R"({"contentBlockIndex":0,"delta":{"text":"a"}})";
    constexpr std::string_view kCall0 =
        R"({"contentBlockIndex":0,"start":{"toolUse":{"name":"f","toolUseId":"1"}}})";
    const std::vector<OddCase> cases = {
        {"stop left out",
         with({{"contentBlockDelta", kText0}}),
         "end 0\nfinish stop \nusage 2 0 0 0 32\nend",
         ""},
        {"stop of nothing", with({{"contentBlockStop", R"({"contentBlockIndex":9})"}}), "end", ""},
        {"unknown event",
         with({{"somethingNew", R"({"a":1})"}, {"contentBlockDelta", kText0}}),
         "end",
         ""},
        {"unknown delta",
         with({{"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"new":1}})"}}),
         "end",
         ""},
        {"second start", with({{"messageStart", kStart}}), "end", ""},
        {"no start",
         frames({{"contentBlockDelta", kText0}, {"messageStop", R"({"stopReason":"max_tokens"})"}}),
         "finish length \nend",
         ""},
        {"a normal stop after a call is a tool stop",
         with({{"contentBlockStart", kCall0}}),
         "finish tool_calls \nusage 2 0 0 0 32\nend",
         ""},
        {"index used again",
         with({{"contentBlockStart", kCall0}, {"contentBlockStart", kCall0}}),
         "begin 0 kind 3 1 f \nend 0\nbegin 1 kind 3 1 f \nend 1\nfinish tool_calls \nusage 2 0 0 "
         "0 32\nend",
         ""},
        {"text after thinking under one index",
         with({{"contentBlockDelta",
                R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"t"}}})"},
               {"contentBlockDelta", kText0}}),
         "begin 0 kind 2   \ndelta 0 t\nend 0\nbegin 1 kind 0   \ndelta 1 a\nend 1\nfinish stop "
         "\nusage 2 0 0 0 32\nend",
         ""},
        {"usage first",
         frames({{"metadata", kUsage}, {"messageStop", R"({"stopReason":"end_turn"})"}}),
         "start\nusage 2 0 0 0 32\nfinish stop \nend",
         ""},
        {"a stop sequence is named",
         frames(
             {{"messageStop",
               R"({"stopReason":"stop_sequence","additionalModelResponseFields":{"delta":{"stop_sequence":"END"}}})"}}),
         "finish stop END\nend",
         ""},
        {"an unknown word passes",
         frames({{"messageStop", R"({"stopReason":"compaction"})"}}),
         "finish other compaction\nend",
         ""},
        {"input without start",
         with({{"contentBlockDelta",
                R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}})"}}),
         "start",
         "upstream_invalid_response: the input of a tool call"},
        {"input into text",
         with({{"contentBlockDelta", kText0},
               {"contentBlockDelta",
                R"({"contentBlockIndex":0,"delta":{"toolUse":{"input":"{}"}}})"}}),
         "delta 0 a",
         "upstream_invalid_response: the input of a tool call"},
        {"broken output",
         frames({{"messageStop", R"({"stopReason":"malformed_tool_use"})"}}),
         "start",
         "upstream_invalid_response: the model finished with malformed_tool_use"},
        {"no reason",
         frames({{"messageStop", "{}"}}),
         "start",
         "upstream_invalid_response: the answer has no stopReason"},
        {"no JSON", frames({{"messageStart", "{"}}), "", "upstream_invalid_response"},
        {"sealed is no base64",
         with(
             {{"contentBlockDelta",
               R"({"contentBlockIndex":0,"delta":{"reasoningContent":{"redactedContent":"*"}}})"}}),
         "start",
         "upstream_invalid_response: redacted"},
        {"a page of a proxy",
         "<html>busy, try again</html>",
         "",
         "upstream_invalid_response: no AWS event stream"},
    };
    for (const OddCase& one : cases) {
        const Streamed got = stream({one.bytes});
        EXPECT_TRUE(got.said.ends_with(one.said)) << one.name << "\n" << got.said;
        EXPECT_TRUE(got.error.starts_with(one.error)) << one.name << ": " << got.error;
        EXPECT_EQ(got.error.empty(), one.error.empty()) << one.name << ": " << got.error;
    }
}

TEST(BedrockStream, BoundsWhatStaysOpenAndWhatIsKept) {
    std::string many = frames({{"messageStart", kStart}});
    for (int i = 0; i < 65; ++i) {
        aws::append_event(many,
                          "contentBlockDelta",
                          fmt::format(R"({{"contentBlockIndex":{},"delta":{{"text":"x"}}}})", i));
    }
    EXPECT_NE(stream({many}).error.find("more content blocks"), std::string::npos);
    std::string long_one = frames({{"messageStart", kStart}});
    const std::string piece(1u << 20, 'A');
    for (int i = 0; i < 5; ++i) {
        aws::append_event(
            long_one,
            "contentBlockDelta",
            fmt::format(
                R"({{"contentBlockIndex":0,"delta":{{"reasoningContent":{{"signature":"{}"}}}}}})",
                piece));
    }
    EXPECT_NE(stream({long_one}).error.find("a signature is larger"), std::string::npos);
}

TEST(BedrockStream, AnExceptionIsTheErrorItNamesAndNoEnd) {
    struct Case {
        std::string_view type, json, code;
    };
    const std::vector<Case> cases = {
        {"throttlingException", R"({"message":"Too many tokens, please wait."})", "rate_limited"},
        {"validationException",
         R"({"message":"Input is too long for requested model."})",
         "context_length_exceeded"},
        {"validationException", R"({"message":"The text is blank."})", "invalid_request"},
        {"modelStreamErrorException",
         R"({"message":"broke","originalStatusCode":500})",
         "upstream_error"},
        {"serviceUnavailableException", R"({"message":"busy"})", "upstream_error"},
        {"internalServerException", "{}", "upstream_error"},
        {"modelTimeoutException", "{}", "upstream_timeout"},
        {"somethingNewException", "no JSON", "upstream_error"},
    };
    for (const Case& one : cases) {
        std::string bytes =
            frames({{"messageStart", kStart},
                    {"contentBlockDelta", R"({"contentBlockIndex":0,"delta":{"text":"a"}})"}});
        aws::append_exception(bytes, one.type, one.json);
        const Streamed got = stream({bytes});
        EXPECT_TRUE(got.error.starts_with(one.code)) << one.type << ": " << got.error;
        EXPECT_TRUE(got.said.ends_with("delta 0 a")) << got.said;
    }
    const std::vector<aws::Header> headers = {
        {.name = ":message-type", .text = "error"},
        {.name = ":error-code", .text = "ThrottlingException"},
        {.name = ":error-message", .text = "slow down"}};
    std::string error;
    aws::append_frame(error, headers, "");
    EXPECT_EQ(stream({error}).error, "rate_limited: status 429: ThrottlingException slow down");
    std::string neither;
    aws::append_frame(neither, {}, "{}");
    EXPECT_EQ(stream({neither}).error,
              "upstream_invalid_response: a frame is neither event nor exception");
}

TEST(BedrockAnswer, HasTextThinkingCallsAndUsage) {
    const auto answer = provider.decode_answer(
        R"({"metrics":{"latencyMs":1},"output":{"message":{"role":"assistant","content":[
            {"reasoningContent":{"reasoningText":{"text":"Hm.","signature":"c2ln"}}},
            {"reasoningContent":{"redactedContent":"AAEC"}},
            {"text":"Let me "},{"text":""},
            {"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"Oslo","n":1.50}}},
            {"toolUse":{"toolUseId":"t2","name":"code","input":{},"type":"server_tool_use"}},
            {"toolResult":{"toolUseId":"t2","content":[]}},
            {"citationsContent":{"content":[{"text":"cited"}],"citations":[{"title":"T","source":"https://e.org","sourceContent":[{"text":"s"}]}]}},
            {"somethingNew":{}}]}},
            "stopReason":"tool_use","serviceTier":{"type":"flex"},
            "usage":{"inputTokens":2,"outputTokens":5,"totalTokens":1329,"cacheReadInputTokens":0,"cacheWriteInputTokens":1322}})");
    ASSERT_TRUE(answer) << answer.error().detail();
    const llm::Signature own{.text = "c2ln", .of = llm::Dialect::bedrock};
    const llm::Choice& choice = answer->choices.at(0);
    ASSERT_EQ(choice.parts.size(), 5u);
    EXPECT_EQ(*llm::as<llm::Reasoning>(choice.parts[0]),
              (llm::Reasoning{.text = "Hm.", .signature = own}));
    EXPECT_EQ(*llm::as<llm::Reasoning>(choice.parts[1]),
              (llm::Reasoning{.signature = {.text = "AAEC", .of = llm::Dialect::bedrock},
                              .redacted = true}));
    EXPECT_EQ(llm::as<llm::Text>(choice.parts[2])->text, "Let me ");
    EXPECT_EQ(
        *llm::as<llm::ToolCall>(choice.parts[3]),
        (llm::ToolCall{.id = "t1", .name = "weather", .arguments = R"({"city":"Oslo","n":1.50})"}));
    const auto* cited = llm::as<llm::Text>(choice.parts[4]);
    EXPECT_EQ(cited->text, "cited");
    ASSERT_EQ(cited->citations.size(), 1u);
    EXPECT_EQ(cited->citations[0].url, "https://e.org");
    EXPECT_EQ(cited->citations[0].cited_text, "s");
    EXPECT_EQ(choice.finish, FinishReason::tool_calls);
    EXPECT_EQ(answer->service_tier, "flex");
    // Row 7: what was cached is inside the input, once.
    EXPECT_EQ(answer->usage,
              (llm::Usage{.input_tokens = 1324,
                          .cache_write_tokens = 1322,
                          .output_tokens = 5,
                          .tier = llm::ServiceTier::flex}));
}

TEST(BedrockAnswer, StopsForTheReasonItSays) {
    struct Case {
        std::string_view word;
        FinishReason reason;
        std::string_view sequence = "";
    };
    for (const Case& one :
         std::vector<Case>{{"end_turn", FinishReason::stop},
                           {"stop_sequence", FinishReason::stop_sequence, "END"},
                           {"max_tokens", FinishReason::length},
                           {"model_context_window_exceeded", FinishReason::length},
                           {"guardrail_intervened", FinishReason::content_filter},
                           {"content_filtered", FinishReason::content_filter}}) {
        const auto answer = provider.decode_answer(fmt::format(
            R"({{"output":{{"message":{{"content":[{{"text":"a"}}]}}}},"stopReason":"{}","additionalModelResponseFields":{{"stop_sequence":"END"}},"usage":{{"inputTokens":1,"outputTokens":1}}}})",
            one.word));
        ASSERT_TRUE(answer) << one.word;
        EXPECT_EQ(answer->choices[0].finish, one.reason) << one.word;
        EXPECT_EQ(answer->choices[0].stop_sequence, one.sequence) << one.word;
    }
}

TEST(BedrockAnswer, RefusesWhatIsNone) {
    for (
        const std::string_view body :
        {"",
         "{",
         "[]",
         "{}",
         R"({"message":"late error"})",
         R"({"output":{"message":{"content":[]}},"stopReason":"end_turn"})",
         R"({"output":{"message":{"content":[{"text":"a"}]}},"stopReason":"malformed_model_output"})",
         R"({"output":{"message":{"content":[{"text":"a"}]}}})"}) {
        const auto answer = provider.decode_answer(body);
        ASSERT_FALSE(answer) << body;
        EXPECT_EQ(answer.error().code(), Code::upstream_invalid_response) << body;
    }
}

TEST(BedrockError, MeansWhatItsTypeAndWordsSay) {
    struct Case {
        int status;
        std::string_view type, body;
        Code code;
    };
    constexpr std::string_view kAddress = ":http://internal.amazon.com/coral/com.amazon.bedrock/";
    const std::string validation = "ValidationException" + std::string(kAddress);
    const std::vector<Case> cases = {
        {400, validation, R"({"message":"Malformed input request"})", Code::invalid_request},
        {400,
         validation,
         R"({"message":"The model returned the following errors: Input is too long for requested model."})",
         Code::context_length_exceeded},
        {400,
         validation,
         R"({"message":"The model returned the following errors: prompt is too long: 903884 tokens > 200000 maximum"})",
         Code::context_length_exceeded},
        {400,
         validation,
         R"({"message":"Input Tokens Exceeded: Number of input tokens exceeds maximum length."})",
         Code::context_length_exceeded},
        {400,
         "",
         R"({"message":"The provided model identifier is invalid."})",
         Code::upstream_error},
        {400,
         validation,
         R"({"message":"Invocation of model ID x with on-demand throughput isn't supported."})",
         Code::upstream_error},
        {400, validation, R"({"message":"Operation not allowed"})", Code::upstream_error},
        {400,
         validation,
         R"({"message":"Output blocked by content filtering policy"})",
         Code::content_filter},
        {403,
         "UnrecognizedClientException",
         R"({"message":"The security token included in the request is invalid."})",
         Code::upstream_error},
        {403, "", R"({"Message":"User is not authorized"})", Code::upstream_error},
        {400, "ExpiredTokenException", R"({"message":"expired"})", Code::upstream_error},
        {403, "AccessDeniedException", R"({"message":"no access"})", Code::upstream_error},
        {404, "ResourceNotFoundException", R"({"message":"legacy"})", Code::upstream_error},
        {429, "ThrottlingException", R"({"message":"Too many requests"})", Code::rate_limited},
        {400,
         "ThrottlingException",
         R"({"message":"Too many tokens per day"})",
         Code::rate_limited},
        {400, "ServiceQuotaExceededException", "{}", Code::rate_limited},
        {429, "ModelNotReadyException", R"({"message":"loading"})", Code::upstream_error},
        {408, "ModelTimeoutException", "{}", Code::upstream_timeout},
        {424, "ModelErrorException", "{}", Code::upstream_error},
        {503, "ServiceUnavailableException", "{}", Code::upstream_error},
        {500, "", "<html>", Code::upstream_error},
        {429, "", "", Code::rate_limited},
        {504, "", "", Code::upstream_timeout},
        {400,
         "",
         R"({"__type":"com.amazon.coral.validate#ThrottlingException","message":"m"})",
         Code::rate_limited},
    };
    for (const Case& one : cases) {
        const Error error =
            provider.decode_error({.status = one.status, .body = one.body, .error_type = one.type});
        EXPECT_EQ(error.code(), one.code) << one.type << one.body << error.detail();
        // Only what the client did wrong is told in AWS's words.
        const bool is_clients = info(error.code()).status == 400;
        const std::string_view words = one.body.substr(0, one.body.rfind('"'));
        EXPECT_EQ(words.ends_with(error.message()), is_clients) << error.message();
    }
    const Error waits = provider.decode_error({.status = 429,
                                               .body = "{}",
                                               .retry_after = std::chrono::seconds{7},
                                               .error_type = "ThrottlingException"});
    EXPECT_EQ(waits.retry_after(), std::chrono::seconds{7});
}

}  // namespace
}  // namespace weir::dialect::bedrock
