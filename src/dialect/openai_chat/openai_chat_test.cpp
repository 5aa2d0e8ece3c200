#include <fmt/format.h>
#include <gtest/gtest.h>

#include "dialect/json/value.h"
#include "dialect/openai_chat/edge.h"
#include "dialect/openai_chat/error.h"
#include "dialect/openai_chat/request.h"
#include "dialect/rewrite.h"

namespace weir::dialect::openai_chat {
namespace {

constexpr std::string_view kMessages = R"("messages":[{"role":"user","content":"hi"}])";

Result<Request> chat(const std::string& body) {
    json::Scratch scratch;
    return read_request({}, body, scratch);
}

TEST(ChatRequest, KnowsWhatItNeedsToKnow) {
    const auto request = chat(fmt::format(
        R"({{"model":"g\u0070t","stream":true,"max_tokens":5,"max_completion_tokens":7,"n":2,{},"x":{{"model":1}}}})",
        kMessages));
    ASSERT_TRUE(request);
    EXPECT_EQ(request->model, "gpt");
    EXPECT_TRUE(request->stream);
    EXPECT_FALSE(request->include_usage);
    EXPECT_EQ(request->max_output_tokens, 7);
    EXPECT_EQ(request->choices, 2);
}

TEST(OtherRequests, SayWhatElseMattersOfThem) {
    json::Scratch scratch;
    const auto read = [&](llm::Surface surface, std::string_view body) {
        auto request = read_request({.surface = surface, .model = {}}, body, scratch);
        EXPECT_TRUE(request.has_value());
        return std::move(*request);
    };
    using llm::Surface;
    EXPECT_TRUE(
        read(Surface::embeddings, R"({"input":"a","encoding_format":"base64"})").wants_base64);
    EXPECT_FALSE(
        read(Surface::embeddings, R"({"input":"a","encoding_format":"float"})").wants_base64);
    EXPECT_EQ(
        read(Surface::audio, R"({"input":"\u00e4\ud83d\ude00b","voice":"x"})").input_characters, 3);
    EXPECT_TRUE(read(Surface::audio, R"({"input":"a","stream_format":"sse"})").stream);
    EXPECT_FALSE(read(Surface::audio, R"({"input":"a","stream_format":"audio"})").stream);
    // No usage is asked for where the field is unknown.
    const auto images = read(Surface::images, R"({"prompt":"a","stream":true,"n":3})");
    EXPECT_TRUE(images.stream);
    EXPECT_EQ(images.choices, 3);
    EXPECT_TRUE(images.usage_words.empty());
    // Each prompt is answered; an array of numbers is one, in tokens.
    EXPECT_EQ(read(Surface::completions, R"({"prompt":"a"})").choices, 1);
    EXPECT_EQ(read(Surface::completions, R"({"prompt":["a","b"],"n":2})").choices, 4);
    EXPECT_EQ(read(Surface::completions, R"({"prompt":[1,2,3]})").choices, 1);
    EXPECT_EQ(read(Surface::completions, R"({"prompt":[[1,2],[3]]})").choices, 2);
}

struct BadField {
    std::string_view field, parameter;
};
TEST(ChatRequest, NamesTheParameterThatIsWrong) {
    for (const auto& c :
         {BadField{R"("model":1)", "model"},
          BadField{R"("model":"")", "model"},
          BadField{R"("model":{})", "model"},
          BadField{R"("stream":"true")", "stream"},
          BadField{R"("stream":1)", "stream"},
          BadField{R"("stream_options":true)", "stream_options"},
          BadField{R"("stream_options":[])", "stream_options"},
          BadField{R"("stream_options":{"include_usage":1})", "stream_options.include_usage"},
          BadField{R"("max_tokens":-1)", "max_tokens"},
          BadField{R"("max_tokens":0)", "max_tokens"},
          BadField{R"("max_tokens":1e308)", "max_tokens"},
          BadField{R"("max_tokens":"10")", "max_tokens"},
          BadField{R"("max_tokens":9223372036854775808)", "max_tokens"},
          BadField{R"("max_completion_tokens":1.5)", "max_completion_tokens"},
          BadField{R"("n":1000000)", "n"},
          BadField{R"("n":0)", "n"},
          BadField{R"("n":[])", "n"}}) {
        const auto request = chat(fmt::format("{{{},{}}}", c.field, kMessages));
        ASSERT_FALSE(request) << c.field;
        EXPECT_EQ(request.error().code(), Code::invalid_request) << c.field;
        EXPECT_EQ(request.error().parameter(), c.parameter) << c.field;
    }
    for (const auto* body :
         {"{}", R"({"messages":[]})", R"({"messages":"hi"})", R"({"messages":{}})"}) {
        EXPECT_EQ(chat(body).error().parameter(), "messages") << body;
    }
    EXPECT_EQ(chat("[]").error().code(), Code::invalid_request);
    EXPECT_EQ(chat("nonsense").error().code(), Code::invalid_json);
    EXPECT_EQ(chat(fmt::format(R"({{"a":1,"a":2,{}}})", kMessages)).error().code(),
              Code::invalid_json);
}

struct RewriteCase {
    std::string_view before, after;  // around kMessages
};
TEST(ChatRequest, IsRewrittenInItsPlacesOnly) {
    for (
        const auto& c : {
            RewriteCase{R"({"model": "a", @, "z" : [1.0e5 ]})",
                        R"({"model": "up", @, "z" : [1.0e5 ]})"},
            RewriteCase{R"({@})", R"({"model":"up",@})"},
            RewriteCase{R"( {"model":"up",@} )", R"( {"model":"up",@} )"},
            RewriteCase{
                R"({"model":"a","stream":true,@})",
                R"({"stream_options":{"include_usage":true},"model":"up","stream":true,@})"},
            RewriteCase{
                R"({@,"stream":true,"stream_options":null,"model":"a"})",
                R"({@,"stream":true,"stream_options":{"include_usage":true},"model":"up"})"},
            RewriteCase{
                R"({"model":"a",@,"stream":true,"stream_options":{ }})",
                R"({"model":"up",@,"stream":true,"stream_options":{"include_usage":true }})"},
            RewriteCase{
                R"({"model":"a",@,"stream":true,"stream_options":{"x":[1]}})",
                R"({"model":"up",@,"stream":true,"stream_options":{"include_usage":true,"x":[1]}})"},
            RewriteCase{
                R"({"model":"a",@,"stream":true,"stream_options":{"include_usage":false}})",
                R"({"model":"up",@,"stream":true,"stream_options":{"include_usage":true}})"},
            RewriteCase{
                R"({"model":"up",@,"stream":true,"stream_options":{"include_usage":true}})",
                R"({"model":"up",@,"stream":true,"stream_options":{"include_usage":true}})"},
        }) {
        const auto fill = [](std::string_view text) {
            std::string filled(text);
            filled.replace(filled.find('@'), 1, kMessages);
            return filled;
        };
        const std::string body = fill(c.before);
        const auto request = chat(body);
        ASSERT_TRUE(request) << body;
        json::Splice splice(body);
        rewrite(*request, "up", splice);
        EXPECT_EQ(splice.str(), fill(c.after));
        EXPECT_TRUE(chat(splice.str())) << splice.str();
    }
}

TEST(EmbeddingsRequest, NeedsAnInput) {
    json::Scratch scratch;
    for (const auto* good :
         {R"({"input":"x"})", R"({"input":["x"]})", R"({"input":[[1,2]]})", R"({"input":[1]})"}) {
        EXPECT_TRUE(read_request({.surface = llm::Surface::embeddings}, good, scratch)) << good;
    }
    for (const auto* bad :
         {R"({})", R"({"input":""})", R"({"input":[]})", R"({"input":1})", R"({"input":{}})"}) {
        EXPECT_EQ(
            read_request({.surface = llm::Surface::embeddings}, bad, scratch).error().parameter(),
            "input")
            << bad;
    }
}

Result<AnswerView> answer(std::string_view text) {
    json::Scratch scratch;
    AnswerView view;
    WEIR_TRY(pass.read_answer(text, scratch, view));
    return view;
}

TEST(ChatAnswer, UsageIsReadIntoTheNormalFormAndClamped) {
    struct Case {
        std::string_view usage;
        llm::Usage want;
    };
    for (
        const auto& c : {
            Case{R"({"prompt_tokens":10,"completion_tokens":5,"total_tokens":15})",
                 {.input_tokens = 10, .output_tokens = 5}},
            Case{
                R"({"prompt_tokens":7,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":161},
                      "completion_tokens_details":{"reasoning_tokens":11}})",
                {.input_tokens = 7,
                 .cache_read_tokens = 7,
                 .output_tokens = 5,
                 .reasoning_tokens = 5}},
            Case{R"({"prompt_tokens":-3,"completion_tokens":-1,"total_tokens":0})", {}},
            Case{R"({"prompt_tokens":8,"total_tokens":8})", {.input_tokens = 8}},
        }) {
        const std::string text = fmt::format(R"({{"choices":[],"usage":{}}})", c.usage);
        const auto decoded = answer(text);
        ASSERT_TRUE(decoded);
        ASSERT_TRUE(decoded->usage) << c.usage;
        EXPECT_EQ(*decoded->usage, c.want) << c.usage;
    }
    EXPECT_FALSE(answer(R"({"usage":null})")->usage);
    EXPECT_FALSE(answer(R"({"usage":{}})")->usage);
}

TEST(ChatAnswer, AnEmptyAnswerIsSeen) {
    for (const std::string_view empty :
         {R"({})",
          R"({"choices":[]})",
          R"({"choices":[{"index":0,"message":{"role":"assistant","content":""}}]})",
          R"({"choices":[{"message":{"content":null,"refusal":null}}]})"}) {
        EXPECT_TRUE(answer(empty)->is_empty()) << empty;
    }
    for (const std::string_view full :
         {R"({"choices":[{"message":{"content":"x"}}]})",
          R"({"choices":[{"message":{"content":null,"tool_calls":[{"id":"a"}]}}]})",
          R"({"choices":[{"message":{"content":"","refusal":"no"}}]})",
          R"({"choices":[{"delta":{"reasoning_content":"hm"}}]})",
          R"({"data":[{"embedding":[1]}]})"}) {
        EXPECT_FALSE(answer(full)->is_empty()) << full;
    }
    EXPECT_EQ(answer("<html>").error().code(), Code::upstream_invalid_response);
    EXPECT_TRUE(answer(R"({"error":{"message":"x"}})")->error.is_set());
    EXPECT_FALSE(answer(R"({"error":null})")->error.is_set());
}

TEST(ChatAnswer, IsCutAndRenamedInItsPlacesOnly) {
    const std::string_view text =
        R"({ "id":"1","choices":[{"index":0,"logprobs":{"content":[]},"message":{"content":"good bad"},"finish_reason":"stop"}],"model":"up","z":1 })";
    const auto decoded = answer(text);
    ASSERT_TRUE(decoded);
    json::Splice splice(text);
    rewrite_answer(*decoded, "alias", {{0, "good \"", "content_filter"}}, splice);
    EXPECT_EQ(
        splice.str(),
        R"({ "id":"1","choices":[{"index":0,"logprobs":null,"message":{"content":"good \""},"finish_reason":"content_filter"}],"model":"alias","z":1 })");
}

TEST(ChatStream, ChunksThatWeirMakesAreValid) {
    const auto reader = pass.read_stream({.include_usage = true});
    json::Scratch scratch;
    AnswerView view;
    const sse::Event seen{
        .data = R"({"id":"a","created":12,"model":"up","choices":[{"delta":{"content":"x"}}]})"};
    ASSERT_TRUE(reader->read(seen, scratch, view));
    std::string out;
    reader->append_text(1, "a\"b", out);
    reader->append_stop(1, llm::FinishReason::length, out);
    reader->append_terminal({.input_tokens = 5, .cache_read_tokens = 1, .output_tokens = 3}, out);
    EXPECT_EQ(
        out,
        "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":12,\"model\":\"up\","
        "\"choices\":[{\"index\":1,\"delta\":{\"content\":\"a\\\"b\"},\"finish_reason\":null}]}\n\n"
        "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":12,\"model\":\"up\","
        "\"choices\":[{\"index\":1,\"delta\":{},\"finish_reason\":\"length\"}]}\n\n"
        "data: {\"id\":\"a\",\"object\":\"chat.completion.chunk\",\"created\":12,\"model\":\"up\","
        "\"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":3,\"total_tokens\":8,"
        "\"prompt_tokens_details\":{\"cached_tokens\":1,\"audio_tokens\":0},"
        "\"completion_tokens_details\":{\"reasoning_tokens\":0,\"audio_tokens\":0}}}\n\n"
        "data: [DONE]\n\n");
}

struct ErrorCase {
    int status;
    std::string_view body;
    Code code;
    bool words_pass;
};
TEST(ChatError, ProvidersErrorsBecomeOurCodes) {
    for (const auto& c : {
             ErrorCase{400,
                       R"({"error":{"message":"WORDS","param":"x","code":null}})",
                       Code::invalid_request,
                       true},
             ErrorCase{400,
                       R"({"error":{"message":"WORDS","code":"context_length_exceeded"}})",
                       Code::context_length_exceeded,
                       true},
             ErrorCase{422, R"({"detail":"WORDS"})", Code::invalid_request, true},
             ErrorCase{
                 401, R"({"error":{"message":"WORDS sk-secret"}})", Code::upstream_error, false},
             ErrorCase{403, R"({"message":"WORDS"})", Code::upstream_error, false},
             ErrorCase{404, R"({"error":{"message":"WORDS"}})", Code::upstream_error, false},
             ErrorCase{429, R"({"error":{"message":"WORDS"}})", Code::rate_limited, false},
             ErrorCase{
                 429, R"({"error":{"code":"insufficient_quota"}})", Code::upstream_error, false},
             ErrorCase{500, R"(<html>WORDS)", Code::upstream_error, false},
             ErrorCase{503, R"({"code":"x","error":"WORDS"})", Code::upstream_error, false},
             ErrorCase{504, "", Code::upstream_timeout, false},
             ErrorCase{529, "{}", Code::upstream_error, false},
         }) {
        const Error error = decode_error(
            {.status = c.status, .body = c.body, .retry_after = std::chrono::seconds{3}});
        EXPECT_EQ(error.code(), c.code) << c.body;
        EXPECT_EQ(error.message().find("WORDS") != std::string::npos, c.words_pass) << c.body;
        EXPECT_EQ(error.retry_after(), std::chrono::seconds{3});
    }
}

TEST(ChatError, OursAreValidJsonInTheirShape) {
    const std::string body =
        encode_error(fail(Code::invalid_request, "Say \"please\".\n").parameter("a.b").error());
    EXPECT_EQ(
        body,
        R"({"error":{"message":"Say \"please\".\n","type":"invalid_request_error","param":"a.b","code":"invalid_request"}})");
    EXPECT_TRUE(answer(body)->error.is_set());
}

}  // namespace
}  // namespace weir::dialect::openai_chat
