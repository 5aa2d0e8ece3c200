// What Bedrock really sent (WEIR_REFERENCE, skipped where it is absent): every stream at every cut,
// every answer, every refusal.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "dialect/bedrock/edge.h"
#include "dialect/bedrock/stream_test_sink.h"

namespace weir::dialect::bedrock {
namespace {

using Json = nlohmann::json;

class BedrockRecordings : public testing::Test {
protected:
    void SetUp() override {
        const char* folder = std::getenv("WEIR_REFERENCE");
        const std::string file =
            std::string(folder != nullptr ? folder : WEIR_SOURCE_FOLDER "/../shared/reference") +
            "/recordings/interactions.jsonl";
        std::ifstream in(file);
        if (!in) {
            GTEST_SKIP() << "no reference data at " << file;
        }
        for (std::string line; std::getline(in, line);) {
            Json one = Json::parse(line);
            if (one["family"] == "bedrock" && one["api"] == "converse") {
                all_.push_back(std::move(one));
            }
        }
    }
    std::vector<Json> of(std::initializer_list<std::string_view> kinds) const {
        std::vector<Json> some;
        for (const Json& one : all_) {
            const auto kind = one["kind"].get<std::string>();
            if (std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
                some.push_back(one);
            }
        }
        return some;
    }
    std::vector<Json> all_;
};

std::string text(const Json& recording, const char* field) {
    return recording[field].get<std::string>();
}

Streamed stream(std::string_view bytes, std::size_t cut) {
    const auto decoder = provider.decode_stream(false);
    Recorder sink;
    auto result = decoder->feed(bytes.substr(0, cut), sink);
    if (result) {
        result = decoder->feed(bytes.substr(cut), sink);
    }
    if (result) {
        result = decoder->end(sink);
    }
    EXPECT_EQ(sink.fault, "");
    return {.said = sink.said, .error = result ? "" : result.error().detail()};
}

TEST_F(BedrockRecordings, EveryStreamGivesTheSameEventsAtEveryCut) {
    const auto streams = of({"stream", "tools-stream"});
    EXPECT_EQ(streams.size(), 3u);
    for (const Json& one : streams) {
        const auto bytes = from_base64(text(one, "response_body"), Base64::standard);
        ASSERT_TRUE(bytes) << one["id"];
        const Streamed whole = stream(*bytes, bytes->size());
        ASSERT_EQ(whole.error, "") << one["id"];
        EXPECT_TRUE(whole.said.ends_with("\nend")) << whole.said;
        EXPECT_NE(whole.said.find("\nusage "), std::string::npos) << whole.said;
        for (std::size_t cut = 0; cut <= bytes->size(); ++cut) {
            ASSERT_EQ(stream(*bytes, cut), whole) << one["id"] << " at " << cut;
        }
        // Without its last frame but one byte it is broken.
        EXPECT_NE(stream(bytes->substr(0, bytes->size() - 1), 0).error, "") << one["id"];
    }
}

TEST_F(BedrockRecordings, StreamsSayWhatTheModelSaid) {
    for (const Json& one : of({"stream", "tools-stream"})) {
        const std::string bytes = *from_base64(text(one, "response_body"), Base64::standard);
        const std::string said = stream(bytes, 0).said;
        const auto id = one["id"].get<std::string>();
        if (id.find("thinking") != std::string::npos) {
            EXPECT_NE(said.find("begin 0 kind 2"), std::string::npos) << said;  // reasoning
            EXPECT_NE(said.find("\nsignature 0 "), std::string::npos) << said;
            EXPECT_NE(said.find("begin 1 kind 0"), std::string::npos) << said;  // text
            EXPECT_NE(said.find("finish stop"), std::string::npos) << said;
        } else if (id.find("code_execution") != std::string::npos) {
            // The interpreter is the provider's own: one call is the client's.
            EXPECT_NE(said.find("begin 0 kind 3 tooluse_"), std::string::npos) << said;
            EXPECT_EQ(said.find("begin 1"), std::string::npos) << said;
            EXPECT_EQ(said.find("nova_code_interpreter"), std::string::npos) << said;
            EXPECT_NE(said.find("finish tool_calls"), std::string::npos) << said;
            EXPECT_NE(said.find("usage 1002 0 0 0 59"), std::string::npos) << said;
        } else {
            EXPECT_NE(said.find("delta 0 Hello! How can I"), std::string::npos) << said;
            EXPECT_NE(said.find("usage 2 0 0 0 32"), std::string::npos) << said;
        }
    }
}

TEST_F(BedrockRecordings, WholeAnswersHaveContentAndTheirTokensAddUp) {
    const auto answers = of({"plain", "tools"});
    EXPECT_EQ(answers.size(), 3u);
    for (const Json& one : answers) {
        const auto answer = provider.decode_answer(text(one, "response_body"));
        ASSERT_TRUE(answer) << one["id"] << answer.error().detail();
        EXPECT_FALSE(answer->choices.at(0).parts.empty()) << one["id"];
        EXPECT_NE(answer->choices[0].finish, llm::FinishReason::other) << one["id"];
        ASSERT_TRUE(answer->usage) << one["id"];
        const Json total = Json::parse(text(one, "response_body"))["usage"]["totalTokens"];
        EXPECT_EQ(answer->usage->input_tokens + answer->usage->output_tokens,
                  total.get<std::int64_t>())
            << one["id"];
    }
}

TEST_F(BedrockRecordings, RefusalsAreOurs) {
    const auto errors = of({"error"});
    EXPECT_EQ(errors.size(), 3u);
    for (const Json& one : errors) {
        const std::string type = one["response_headers"].value("x-amzn-errortype", std::string{});
        const Error error = provider.decode_error(
            {.status = one["status"], .body = text(one, "response_body"), .error_type = type});
        const bool is_too_long =
            one["id"].get<std::string>().find("context_length") != std::string::npos;
        // The others are a model and a credential that the operator got wrong.
        EXPECT_EQ(error.code(), is_too_long ? Code::context_length_exceeded : Code::upstream_error)
            << one["id"];
    }
}

}  // namespace
}  // namespace weir::dialect::bedrock
