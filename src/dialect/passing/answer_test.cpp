#include "dialect/passing/answer.h"

#include <gtest/gtest.h>

namespace weir::dialect::passing {
namespace {

using llm::Operation;
using llm::Surface;
using llm::Usage;

struct UsageCase {
    std::string_view name;
    Surface surface;
    Operation operation;
    std::string_view answer;
    std::optional<Usage> want;
};
class AnswerUsage : public testing::TestWithParam<UsageCase> {};
TEST_P(AnswerUsage, IsWhatTheProviderCounts) {
    json::Scratch scratch;
    const auto& param = GetParam();
    const auto answer = read_answer(param.surface, param.operation, param.answer, scratch);
    ASSERT_TRUE(answer.has_value());
    EXPECT_EQ(answer->usage, param.want);
    EXPECT_FALSE(answer->error.is_set());
}
INSTANTIATE_TEST_SUITE_P(
    All,
    AnswerUsage,
    testing::Values(
        UsageCase{"moderations_are_free",
                  Surface::moderations,
                  Operation::only,
                  R"({"id":"modr-1","model":"omni","results":[{"flagged":false}]})",
                  Usage{}},
        UsageCase{
            "moderations_of_mistral",
            Surface::moderations,
            Operation::only,
            R"({"results":[],"usage":{"prompt_tokens":9,"total_tokens":9,"completion_tokens":0}})",
            Usage{.input_tokens = 9}},
        UsageCase{"images_by_piece",
                  Surface::images,
                  Operation::generation,
                  R"({"created":1,"data":[{"url":"a"},{"url":"b"}]})",
                  Usage{.images = 2}},
        UsageCase{
            "images_by_token",
            Surface::images,
            Operation::edit,
            R"({"data":[{"b64_json":"aa"}],"usage":{"total_tokens":100,"input_tokens":50,)"
            R"("output_tokens":50,"input_tokens_details":{"text_tokens":10,"image_tokens":40}}})",
            Usage{.input_tokens = 50, .output_tokens = 50, .output_image_tokens = 50, .images = 1}},
        UsageCase{
            "images_with_words",
            Surface::images,
            Operation::generation,
            R"({"data":[{"b64_json":"aa"}],"usage":{"input_tokens":5,"output_tokens":50,)"
            R"("output_tokens_details":{"text_tokens":20,"image_tokens":30}}})",
            Usage{.input_tokens = 5, .output_tokens = 50, .output_image_tokens = 30, .images = 1}},
        UsageCase{
            "transcription_by_token",
            Surface::audio,
            Operation::transcription,
            R"({"text":"hi","usage":{"type":"tokens","input_tokens":14,"input_token_details":)"
            R"({"text_tokens":0,"audio_tokens":14},"output_tokens":45,"total_tokens":59}})",
            Usage{.input_tokens = 14, .input_audio_tokens = 14, .output_tokens = 45}},
        UsageCase{"transcription_by_time",
                  Surface::audio,
                  Operation::transcription,
                  R"({"text":"hi","duration":8.47,"usage":{"type":"duration","seconds":9}})",
                  Usage{.audio_milliseconds = 9000}},
        UsageCase{"transcription_that_tells_its_duration",
                  Surface::audio,
                  Operation::translation,
                  R"({"text":"hi","duration":8.4701,"segments":[{"duration":1}]})",
                  Usage{.audio_milliseconds = 8471}},
        UsageCase{"transcription_of_mistral",
                  Surface::audio,
                  Operation::transcription,
                  R"({"text":"hi","usage":{"prompt_audio_seconds":203,"prompt_tokens":4,)"
                  R"("total_tokens":3264,"completion_tokens":635}})",
                  Usage{.input_tokens = 4, .output_tokens = 635, .audio_milliseconds = 203'000}},
        UsageCase{"transcription_that_says_nothing",
                  Surface::audio,
                  Operation::transcription,
                  R"({"text":"hi"})",
                  std::nullopt},
        UsageCase{"transcription_with_an_absurd_duration",
                  Surface::audio,
                  Operation::transcription,
                  R"({"text":"hi","duration":-1e300})",
                  std::nullopt},
        UsageCase{"rerank_of_cohere",
                  Surface::rerank,
                  Operation::only,
                  R"({"results":[],"meta":{"api_version":{"version":"2"},"billed_units":)"
                  R"({"search_units":2},"tokens":{"input_tokens":30,"output_tokens":0}}})",
                  Usage{.input_tokens = 30, .searches = 2}},
        UsageCase{"rerank_of_jina",
                  Surface::rerank,
                  Operation::only,
                  R"({"model":"jina","usage":{"total_tokens":38},"results":[]})",
                  Usage{.input_tokens = 38, .searches = 1}},
        UsageCase{"rerank_of_openrouter",
                  Surface::rerank,
                  Operation::only,
                  R"({"results":[],"usage":{"search_units":3,"total_tokens":150}})",
                  Usage{.input_tokens = 150, .searches = 3}}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(PassingAnswer, TellsWhatIsNone) {
    json::Scratch scratch;
    const auto read = [&](std::string_view text) {
        return read_answer(Surface::images, Operation::generation, text, scratch);
    };
    EXPECT_EQ(read("<html>").error().code(), Code::upstream_invalid_response);
    EXPECT_EQ(read("[]").error().code(), Code::upstream_invalid_response);
    EXPECT_TRUE(read(R"({"data":[]})")->is_empty);
    EXPECT_TRUE(read(R"({"error":{"message":"x"}})")->error.is_set());
    EXPECT_FALSE(read(R"({"error":null,"data":[{}]})")->error.is_set());
    const std::string_view named = R"({"model":"m","data":[{"model":"n"}]})";
    EXPECT_EQ(read(named)->model.in(named), "\"m\"");
}

struct StreamCase {
    std::string_view name;
    Surface surface;
    Operation operation;
    std::string_view stream;
    std::optional<Usage> want;
    bool has_error = false;
};
class StreamUsage : public testing::TestWithParam<StreamCase> {};
TEST_P(StreamUsage, IsTheSameAtEveryCut) {
    const auto& param = GetParam();
    for (std::size_t cut = 0; cut <= param.stream.size(); ++cut) {
        json::Scratch scratch;
        StreamTap tap(param.surface, param.operation);
        for (const auto part : {param.stream.substr(0, cut), param.stream.substr(cut)}) {
            const std::string copy(part);
            ASSERT_TRUE(tap.feed(copy, scratch).has_value());
        }
        EXPECT_EQ(tap.usage(), param.want) << cut;
        EXPECT_EQ(tap.has_error(), param.has_error);
        EXPECT_TRUE(tap.is_between_events());
    }
}
INSTANTIATE_TEST_SUITE_P(
    All,
    StreamUsage,
    testing::Values(
        StreamCase{
            "images",
            Surface::images,
            Operation::generation,
            "event: image_generation.partial_image\n"
            "data: {\"type\":\"image_generation.partial_image\",\"b64_json\":\"aa\"}\n\n"
            "event: image_generation.completed\n"
            "data: {\"type\":\"image_generation.completed\",\"b64_json\":\"aa\",\"usage\":"
            "{\"input_tokens\":7,\"output_tokens\":100,\"total_tokens\":107}}\n\n",
            Usage{
                .input_tokens = 7, .output_tokens = 100, .output_image_tokens = 100, .images = 1}},
        StreamCase{"transcript",
                   Surface::audio,
                   Operation::transcription,
                   ": alive\n\ndata: {\"type\":\"transcript.text.delta\",\"delta\":\"a\"}\n\n"
                   "data: {\"type\":\"transcript.text.done\",\"text\":\"a\",\"usage\":{\"type\":"
                   "\"tokens\",\"input_tokens\":14,\"output_tokens\":2,\"total_tokens\":16}}\n\n"
                   "data: [DONE]\n\n",
                   Usage{.input_tokens = 14, .output_tokens = 2}},
        StreamCase{"speech",
                   Surface::audio,
                   Operation::speech,
                   "data: {\"type\":\"speech.audio.done\",\"usage\":{\"input_tokens\":14,"
                   "\"output_tokens\":101,\"total_tokens\":115}}\n\n",
                   Usage{.input_tokens = 14, .output_tokens = 101, .output_audio_tokens = 101}},
        StreamCase{"error",
                   Surface::images,
                   Operation::generation,
                   "event: error\ndata: {\"type\":\"error\",\"error\":{\"message\":\"x\"}}\n\n",
                   std::nullopt,
                   true}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::dialect::passing
