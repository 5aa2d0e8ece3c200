// What Google really sent and was sent (WEIR_REFERENCE, skipped where it is absent).
#include <algorithm>
#include <cstdlib>
#include <fstream>

#include "dialect/gemini/embeddings.h"
#include "dialect/gemini/gemini_test.h"

namespace weir::dialect::gemini {
namespace {

class GeminiRecordings : public testing::Test {
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
            if (one["family"] == "gemini" || one["family"] == "vertex") {
                all_.push_back(std::move(one));
            }
        }
    }
    static std::string text(const Json& recording, const char* field) {
        const Json& value = recording[field];
        return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
    }
    std::vector<Json> of(std::initializer_list<std::string_view> kinds,
                         std::string_view api = "generate-content") const {
        std::vector<Json> some;
        for (const Json& one : all_) {
            const auto kind = one["kind"].get<std::string>();
            if (one["api"] == api && std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
                some.push_back(one);
            }
        }
        return some;
    }
    std::vector<Json> all_;
};

// The last usageMetadata as Google's own sum.
std::int64_t total_of(const llm::Usage& usage) { return usage.input_tokens + usage.output_tokens; }

TEST_F(GeminiRecordings, RequestsDecodeAndMeanTheSameWhenWrittenAgain) {
    const auto all = of({"plain", "stream", "tools", "tools-stream", "error"});
    EXPECT_GT(all.size(), 20u);
    for (const Json& one : all) {
        const std::string body = text(one, "request_body");
        const auto call = decoded(body);
        ASSERT_TRUE(call) << one["id"] << call.error().message();
        const Json given = Json::parse(body);
        if (body.find("https://cdn.") != std::string::npos) {
            // Vertex fetches from anywhere; Weir does not rely on it.
            EXPECT_EQ(encoded(*call).get<std::string>().substr(0, 11), "error conte") << one["id"];
            continue;
        }
        const Json again = encoded(*call, "gemini-3-pro-preview");
        ASSERT_TRUE(again.is_object()) << one["id"] << again;
        EXPECT_EQ(again["contents"].size(), given["contents"].size()) << one["id"];
        EXPECT_EQ(again.contains("systemInstruction"), given.contains("systemInstruction"));
        EXPECT_EQ(again.contains("tools"), given.contains("tools")) << one["id"];
        // Whole again, it is read as the same call.
        const auto twice = decoded(again.dump());
        ASSERT_TRUE(twice) << one["id"] << twice.error().message();
        EXPECT_EQ(twice->tools.size(), call->tools.size());
        for (std::size_t i = 0; i < call->tools.size(); ++i) {
            EXPECT_EQ(twice->tools[i].name, call->tools[i].name);
            EXPECT_EQ(Json::parse(twice->tools[i].schema.empty() ? "0" : twice->tools[i].schema),
                      Json::parse(call->tools[i].schema.empty() ? "0" : call->tools[i].schema));
        }
        const auto words = [](const llm::Call& c) {
            std::string all_words;
            for (const auto& message : c.messages) {
                for (const auto& part : message.parts) {
                    const auto* t = llm::as<llm::Text>(part);
                    const auto* m = llm::as<llm::Media>(part);
                    const auto* k = llm::as<llm::ToolCall>(part);
                    all_words += t != nullptr   ? t->text
                                 : m != nullptr ? m->mime + m->data
                                 : k != nullptr ? k->id + k->name + Json::parse(k->arguments).dump()
                                                : "";
                    all_words += '|';
                }
            }
            return all_words;
        };
        if (body.find("\"thought\"") == std::string::npos) {  // unsigned thoughts are not sent
            EXPECT_EQ(words(*twice), words(*call)) << one["id"];
        }
    }
}

TEST_F(GeminiRecordings, AnswersDecodeAndMeanTheSameWhenWrittenAgain) {
    const auto all = of({"plain", "tools"});
    EXPECT_GT(all.size(), 10u);
    for (const Json& one : all) {
        const std::string body = text(one, "response_body");
        const Json given = Json::parse(body);
        const auto answer = provider.decode_answer(body);
        ASSERT_TRUE(answer) << one["id"] << answer.error().detail();
        ASSERT_EQ(answer->choices.size(), 1u);
        EXPECT_FALSE(answer->choices[0].parts.empty()) << one["id"];
        EXPECT_EQ(answer->choices[0].finish,
                  one["kind"] == "tools" ? llm::FinishReason::tool_calls : llm::FinishReason::stop)
            << one["id"];
        EXPECT_EQ(total_of(*answer->usage), given["usageMetadata"]["totalTokenCount"]) << one["id"];
        const auto again = provider.decode_answer(client.encode_answer(
            *answer, {.model = answer->model, .request_id = "r", .created = answer->created}));
        ASSERT_TRUE(again) << one["id"] << again.error().detail();
        llm::Answer expected = *answer;
        expected.service_tier.clear();  // told on the way in only
        expected.usage->tier.reset();
        expected.id = again->id;  // ours: the provider's would say who it is
        EXPECT_EQ(*again, expected) << one["id"];
        AnswerView view;
        json::Scratch scratch;
        ASSERT_TRUE(pass.read_answer(body, scratch, view)) << one["id"];
        EXPECT_EQ(view.usage, answer->usage) << one["id"];
        EXPECT_TRUE(view.finished);
    }
}

TEST_F(GeminiRecordings, StreamsGiveTheSameEventsAtEveryCut) {
    const auto all = of({"stream", "tools-stream"});
    EXPECT_GT(all.size(), 7u);
    for (const Json& one : all) {
        const std::string body = text(one, "response_body");
        const auto whole = events_of(body, body.size());
        EXPECT_EQ(whole.back(), "end of stream") << one["id"] << whole.back();
        EXPECT_EQ(whole[whole.size() - 2],
                  one["kind"] == "stream" ? "finish 0 stop " : "finish 0 tool_calls ")
            << one["id"];
        EXPECT_EQ(std::count_if(whole.begin(),
                                whole.end(),
                                [](const std::string& line) { return line.starts_with("start"); }),
                  1)
            << one["id"];
        const std::size_t step = body.size() / 500 + 1;
        for (std::size_t cut = 0; cut <= body.size(); cut += step) {
            ASSERT_EQ(events_of(body, cut), whole) << one["id"] << " at " << cut;
        }
    }
}

// The relay's reader and the translation see the same.
TEST_F(GeminiRecordings, StreamsPassWithTheSameUsage) {
    for (const Json& one : of({"stream", "tools-stream"})) {
        const std::string body = text(one, "response_body");
        sse::Decoder decoder;
        decoder.feed(body);
        sse::Event event;
        const auto reader = pass.read_stream({});
        json::Scratch scratch;
        AnswerView view;
        std::optional<llm::Usage> usage;
        bool finished = false;
        std::int64_t total = 0;
        while (decoder.next(event).value()) {
            if (event.data.empty()) {
                continue;
            }
            ASSERT_TRUE(reader->read(event, scratch, view)) << one["id"];
            EXPECT_TRUE(view.model.is_set()) << one["id"];
            finished = finished || view.finished;
            usage = view.usage ? view.usage : usage;
            total = Json::parse(event.data)["usageMetadata"].value("totalTokenCount", total);
        }
        EXPECT_TRUE(finished) << one["id"];
        ASSERT_TRUE(usage) << one["id"];
        EXPECT_EQ(total_of(*usage), total) << one["id"];
        const auto events = events_of(body, body.size());
        const auto last = std::find_if(events.rbegin(), events.rend(), [](const std::string& line) {
            return line.starts_with("usage");
        });
        EXPECT_EQ("usage " + usage_text(*usage), *last) << one["id"];
    }
}

TEST_F(GeminiRecordings, ErrorsSayWhoseFaultTheyAre) {
    const auto all = of({"error"});
    ASSERT_GE(all.size(), 2u);
    for (const Json& one : all) {
        const int status = one["status"];
        const std::string body = text(one, "response_body");
        const Error error = provider.decode_error({.status = status, .body = body});
        if (status == 429) {
            EXPECT_EQ(error.code(), Code::rate_limited);
            EXPECT_GE(error.retry_after().value().count(), 1000);
        } else if (body.find("API_KEY_INVALID") != std::string::npos) {
            EXPECT_EQ(error.code(), Code::upstream_error) << one["id"];
        } else {
            EXPECT_EQ(error.code(), Code::invalid_request) << one["id"];
        }
    }
}

TEST_F(GeminiRecordings, EmbeddingsKeepTheirNumbers) {
    for (const Json& one : of({"embedding"}, "embeddings")) {
        const std::string body = text(one, "response_body");
        const auto answer = decode_embeddings(body, "pub", 5);
        ASSERT_TRUE(answer) << one["id"];
        EXPECT_EQ(Json::parse(answer->body)["data"][0]["embedding"],
                  Json::parse(body)["embeddings"][0]["values"]);
    }
}

}  // namespace
}  // namespace weir::dialect::gemini
