// What providers really counted (WEIR_REFERENCE, skipped where it is absent), against our figures.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tokens/count.h"

namespace weir::tokens {
namespace {

using Json = nlohmann::json;

class TokensRecordings : public testing::Test {
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
            Json recording = Json::parse(line);
            if (recording["kind"] == "plain" && recording["status"] == 200) {
                all_.push_back(std::move(recording));
            }
        }
    }
    static Json body(const Json& recording, const char* field) {
        const Json& value = recording[field];
        return value.is_string() ? Json::parse(value.get<std::string>()) : value;
    }
    std::vector<Json> all_;
};

// Chats of plain texts and nothing else that costs tokens.
std::optional<std::vector<ChatMessage>> plain_messages(const Json& request) {
    if (request.contains("tools") || request.contains("response_format")) {
        return std::nullopt;
    }
    std::vector<ChatMessage> messages;
    for (const Json& message : request["messages"]) {
        if (!message["content"].is_string() || message.contains("tool_calls")) {
            return std::nullopt;
        }
        messages.push_back({.role = message["role"].get_ref<const std::string&>(),
                            .content = message["content"].get_ref<const std::string&>()});
    }
    return messages;
}

TEST_F(TokensRecordings, AChatIsWhatOpenAiCountedOrOneMore) {
    int compared = 0;
    for (const Json& recording : all_) {
        if (recording["api"] != "chat") {
            continue;
        }
        const Json request = body(recording, "request_body");
        const Json answer = body(recording, "response_body");
        const auto model = answer["model"].get<std::string>();
        const auto encoding = encoding_of(model);
        // Search adds and removes text of its own; these models have a preamble.
        const bool is_special =
            model.contains("search") || model.starts_with("o1-mini") || model.contains("gpt-oss");
        const auto messages = plain_messages(request);
        if (!encoding || !messages || is_special || !answer.contains("usage")) {
            continue;
        }
        const std::int64_t ours = count_chat(*encoding, *messages);
        const auto theirs = answer["usage"]["prompt_tokens"].get<std::int64_t>();
        const std::int64_t less = model.starts_with("gpt-5") ? 1 : 0;
        EXPECT_EQ(ours - less, theirs) << recording["id"] << " " << model;
        ++compared;
    }
    EXPECT_GE(compared, 6);
}

struct Answer {
    std::string text;
    std::int64_t tokens = 0;
    bool is_text_only = true;
};

Answer claude(const Json& body) {
    Answer answer{.tokens = body["usage"]["output_tokens"].get<std::int64_t>()};
    for (const Json& block : body["content"]) {
        answer.is_text_only = answer.is_text_only && block["type"] == "text";
        answer.text += block.value("text", "");
    }
    return answer;
}

Answer gemini(const Json& body) {
    Answer answer{.tokens = body["usageMetadata"].value("candidatesTokenCount", std::int64_t{0})};
    for (const Json& part : body["candidates"][0]["content"]["parts"]) {
        if (!part.value("thought", false)) {  // counted apart
            answer.is_text_only = answer.is_text_only && part.contains("text");
            answer.text += part.value("text", "");
        }
    }
    return answer;
}

// Short answers are left out: the few tokens around a text weigh too much there.
TEST_F(TokensRecordings, AnEstimateIsWithinAFifthOfWhatClaudeAndGeminiCounted) {
    int compared = 0;
    for (const Json& recording : all_) {
        const bool is_claude = recording["api"] == "messages" && recording["wire"] == "json";
        const bool is_gemini = recording["api"] == "generate-content";
        if (!is_claude && !is_gemini) {
            continue;
        }
        const Json json = body(recording, "response_body");
        const Answer answer = is_claude ? claude(json) : gemini(json);
        if (!answer.is_text_only || answer.tokens < 80) {
            continue;
        }
        const auto ours = static_cast<double>(estimate(answer.text));
        const auto theirs = static_cast<double>(answer.tokens);
        EXPECT_NEAR(ours / theirs, 1.0, 0.2) << recording["id"] << " " << theirs;
        ++compared;
    }
    EXPECT_GE(compared, 4);
}

}  // namespace
}  // namespace weir::tokens
