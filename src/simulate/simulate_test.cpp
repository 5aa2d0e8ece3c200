#include "simulate/words.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "simulate/compose.h"
#include "simulate/embeddings.h"
#include "simulate/example.h"
#include "simulate/failure.h"
#include "simulate/other_surfaces.h"

namespace weir::simulate {
namespace {

TEST(Words, FollowFromSeedAndPromptAlone) {
    EXPECT_EQ(make_words(1, "hello", 0).tokens, make_words(1, "hello", 0).tokens);
    EXPECT_NE(make_words(1, "hello", 0).tokens, make_words(2, "hello", 0).tokens);
    EXPECT_NE(make_words(1, "hello", 0).tokens, make_words(1, "hallo", 0).tokens);
}

TEST(Words, StopAtTheLimitAndSaySo) {
    const auto made = make_words(1, "hello", 3);
    EXPECT_EQ(made.tokens.size(), 3u);
    EXPECT_TRUE(made.cut_by_limit);
    EXPECT_FALSE(make_words(1, "hello", 1000).cut_by_limit);
}

TEST(Words, RefuseWhatIsNoRequest) {
    EXPECT_EQ(read_embeddings({}, "nonsense").error().code(), Code::invalid_json);
    EXPECT_EQ(read_embeddings({}, R"({"input":1})").error().parameter(), "input");
    const Door gemini = *find_door("/v1beta/models/m:batchEmbedContents");
    EXPECT_EQ(read_embeddings(gemini, "[]").error().code(), Code::invalid_json);
    EXPECT_EQ(read_embeddings(gemini, R"({"requests":[1]})").error().parameter(), "content");
}

TEST(Embeddings, AreTheSameInBothForms) {
    const auto vectors_at = [](std::string_view path, std::string_view body, const char* list) {
        const Door door = *find_door(path);
        const auto inputs = read_embeddings(door, body);
        return nlohmann::json::parse(write_embeddings(door, *inputs, 1))[list];
    };
    const auto openai =
        vectors_at("/v1/embeddings", R"({"input":["a","b"],"dimensions":3})", "data");
    const auto gemini =
        vectors_at("/v1/models/m:batchEmbedContents",
                   R"({"requests":[{"content":{"parts":[{"text":"a"}]},"outputDimensionality":3},
                        {"content":{"parts":[{"text":"b"}]},"outputDimensionality":3}]})",
                   "embeddings");
    ASSERT_EQ(gemini.size(), 2u);
    for (std::size_t i = 0; i < 2; ++i) {
        EXPECT_EQ(openai[i]["embedding"].size(), 3u);
        EXPECT_EQ(openai[i]["embedding"], gemini[i]["values"]);
    }
    EXPECT_NE(gemini[0]["values"], gemini[1]["values"]);
    const auto one = vectors_at(
        "/v1beta/models/m:embedContent", R"({"content":{"parts":[{"text":"a"}]}})", "embedding");
    EXPECT_EQ(one["values"].size(), 8u);
}

TEST(Example, IsAllowedByItsSchema) {
    for (
        const auto& [schema, want] : std::initializer_list<std::pair<std::string, std::string>>{
            {R"({"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer"}}})",
             R"({"city":"river","days":1})"},
            {R"({"type":"object","properties":{"u":{"enum":["c","f"]},"l":{"type":"array","items":{"type":"number","minimum":2}}}})",
             R"({"u":"c","l":[2]})"},
            {R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"b":{"type":"boolean"}}}}})",
             R"({"b":true})"},
            {R"({"type":"object","properties":{"x":{"type":["null","string"]}}})", R"({"x":null})"},
            {"", "{}"},
            {"nonsense", "{}"}}) {
        EXPECT_EQ(example_of(schema), want) << schema;
    }
    const std::string endless =
        R"({"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"a":{"$ref":"#/$defs/a"}}}}})";
    EXPECT_FALSE(example_of(endless).empty());
}

llm::Call call_of(std::string words) {
    llm::Call call{.model = "m"};
    call.messages.push_back({.parts = {{.body = llm::Text{.text = std::move(words)}}}});
    return call;
}

TEST(Compose, CallsTheToolsThatTheUserNames) {
    llm::Call call = call_of("use weather and then clock");
    call.tools = {{.name = "weather",
                   .schema = R"({"type":"object","properties":{"city":{"type":"string"}}})"},
                  {.name = "clock"},
                  {.name = "mail"}};
    auto made = compose(call, {});
    ASSERT_TRUE(made);
    ASSERT_EQ(made->answer.choices[0].parts.size(), 2u);
    const auto* first = llm::as<llm::ToolCall>(made->answer.choices[0].parts[0]);
    EXPECT_EQ(first->name, "weather");
    EXPECT_EQ(first->arguments, R"({"city":"river"})");
    EXPECT_EQ(made->answer.choices[0].finish, llm::FinishReason::tool_calls);
    call.tool_choice.parallel = false;
    EXPECT_EQ(compose(call, {})->answer.choices[0].parts.size(), 1u);
    call.tool_choice = {.mode = llm::ToolChoice::Mode::none};
    EXPECT_NE(llm::as<llm::Text>(compose(call, {})->answer.choices[0].parts[0]), nullptr);
    call.tool_choice = {};
    call.messages.push_back({.parts = {{.body = llm::ToolResult{.call_id = first->id}}}});
    EXPECT_EQ(compose(call, {})->answer.choices[0].finish, llm::FinishReason::stop);
}

TEST(Compose, SignsItsThoughtsAndKnowsItsOwn) {
    llm::Call call = call_of("hello");
    call.from = llm::Dialect::anthropic;
    call.thinking.mode = llm::Thinking::Mode::on;
    const auto made = compose(call, {});
    ASSERT_TRUE(made);
    const llm::Part& thought = made->answer.choices[0].parts[0];
    EXPECT_FALSE(llm::as<llm::Reasoning>(thought)->signature.text.empty());
    EXPECT_GT(made->answer.usage->reasoning_tokens, 0);
    call.messages.push_back({.role = llm::Role::assistant, .parts = {thought}});
    EXPECT_TRUE(compose(call, {}));
    auto& said = std::get<llm::Reasoning>(call.messages.back().parts[0].body);
    said.signature.of = llm::Dialect::gemini;  // its own words, but marked as another's
    EXPECT_EQ(compose(call, {}).error().code(), Code::invalid_request);
    said.signature = {.of = llm::Dialect::anthropic};
    EXPECT_EQ(compose(call, {}).error().code(), Code::invalid_request);
    said = *llm::as<llm::Reasoning>(thought);
    EXPECT_TRUE(compose(call, {}));
    said.text += "!";
    EXPECT_EQ(compose(call, {}).error().code(), Code::invalid_request);
}

TEST(OtherSurfaces, RefuseWhatIsNoRequest) {
    const Door speech{.surface = llm::Surface::audio, .operation = llm::Operation::speech};
    EXPECT_EQ(reply(1, speech, "application/json", "x").error().code(), Code::invalid_json);
    const Door listen{.surface = llm::Surface::audio, .operation = llm::Operation::transcription};
    const std::string form =
        "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--b--";
    EXPECT_EQ(reply(1, listen, "multipart/form-data; boundary=b", form).error().parameter(),
              "file");
    EXPECT_FALSE(reply(1, listen, "multipart/form-data", form));
}

TEST(OtherSurfaces, HearTheSameInTheSameFile) {
    const Door listen{.surface = llm::Surface::audio, .operation = llm::Operation::transcription};
    const auto hear = [&](std::string_view sound) {
        const std::string form = fmt::format(
            "--b\r\nContent-Disposition: form-data; name=\"response_format\"\r\n\r\ntext\r\n"
            "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n{}\r\n"
            "--b--\r\n",
            sound);
        const auto made = reply(1, listen, "multipart/form-data; boundary=b", form);
        return made ? made->parts.front() : made.error().message();
    };
    EXPECT_EQ(hear("a\r\n--\r\nb"), hear("a\r\n--\r\nb"));
    EXPECT_NE(hear("a"), hear("b"));
}

TEST(Failure, ReadsTheHeaderGrammar) {
    const auto failure = parse_failure("status=503;after=3;stall=10s");
    ASSERT_TRUE(failure);
    EXPECT_EQ(failure->status, 503);
    EXPECT_EQ(failure->after_tokens, 3u);
    EXPECT_EQ(failure->stall, std::chrono::seconds{10});
    EXPECT_TRUE(parse_failure("cut")->cut);
    EXPECT_TRUE(parse_failure("error-in-stream;after=2")->error_in_stream);
    EXPECT_FALSE(parse_failure("explode"));
    EXPECT_FALSE(parse_failure("status=abc"));
}

TEST(Failure, ReadsTheRatesOfTheCommandLine) {
    const auto rates = parse_failure_rates("429=0.1,reset=0.01");
    ASSERT_TRUE(rates);
    ASSERT_EQ(rates->size(), 2u);
    EXPECT_EQ((*rates)[0].failure.status, 429);
    EXPECT_DOUBLE_EQ((*rates)[0].share, 0.1);
    EXPECT_TRUE((*rates)[1].failure.reset);
    EXPECT_FALSE(parse_failure_rates("429=1.5"));
    EXPECT_FALSE(parse_failure_rates("nonsense=0.1"));
}

}  // namespace
}  // namespace weir::simulate
