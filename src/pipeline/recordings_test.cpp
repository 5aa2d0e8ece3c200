// What providers really sent (WEIR_REFERENCE, skipped where it is absent): every stream at every
// cut, every answer, every error, every request.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dialect/openai_chat/error.h"
#include "dialect/openai_chat/request.h"
#include "pipeline/chat_stream_test.h"

namespace weir::pipeline {
namespace {

using Json = nlohmann::json;

class Recordings : public testing::Test {
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
            all_.push_back(Json::parse(line));
        }
    }
    static std::string text(const Json& recording, const char* field) {
        const Json& value = recording[field];
        return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
    }
    std::vector<Json> of(std::string_view api,
                         std::initializer_list<std::string_view> kinds) const {
        std::vector<Json> some;
        for (const Json& one : all_) {
            const auto kind = one["kind"].get<std::string>();
            const bool fits = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
            if (one["api"].get<std::string>() == api && fits) {
                some.push_back(one);
            }
        }
        return some;
    }
    std::vector<Json> all_;
};

std::vector<std::string> events_of(std::string_view bytes, std::size_t cut) {
    dialect::sse::Decoder decoder;
    std::vector<std::string> events;
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        decoder.feed(part);
        dialect::sse::Event event;
        while (decoder.next(event).value()) {
            events.push_back(std::string(event.name) + "|" + std::string(event.data));
        }
    }
    return events;
}

struct Relayed {
    std::string out, error;
    bool done = false;
    llm::Usage usage;
    bool operator==(const Relayed&) const = default;
};
Relayed relay(std::string_view bytes, std::size_t cut, const ChatTerms& terms) {
    StreamScratch scratch;
    PassRelay relay(terms.pass(), scratch);
    Relayed result;
    Result<void> taken{};
    for (const auto part : {bytes.substr(0, cut), bytes.substr(cut)}) {
        if (taken) {
            taken = relay.feed(part, result.out);
        }
    }
    if (taken) {
        taken = relay.end(result.out);
    }
    result.error = taken ? "" : std::string(name(taken.error().code()));
    result.done = relay.is_done();
    result.usage = relay.usage();
    return result;
}

TEST_F(Recordings, EveryStreamGivesTheSameEventsAtEveryCut) {
    std::size_t streams = 0;
    for (const Json& one : all_) {
        if (one["wire"] != "sse") {
            continue;
        }
        ++streams;
        const std::string body = text(one, "response_body");
        const auto whole = events_of(body, body.size());
        const std::size_t step = body.size() / 2000 + 1;  // of the long ones every few bytes
        for (std::size_t cut = 0; cut <= body.size(); cut += step) {
            ASSERT_EQ(events_of(body, cut), whole) << one["id"] << " at " << cut;
        }
    }
    EXPECT_GT(streams, 20u);
}

TEST_F(Recordings, ChatStreamsPassByteForByteAndUsageIsFound) {
    const auto streams = of("chat", {"stream", "tools-stream"});
    EXPECT_GT(streams.size(), 5u);
    for (const Json& one : streams) {
        const std::string body = text(one, "response_body");
        const ChatTerms terms{.include_usage = true, .may_omit_done = true};
        const Relayed whole = relay(body, body.size(), terms);
        EXPECT_EQ(whole.error, "") << one["id"];
        EXPECT_TRUE(whole.done) << one["id"];
        // Comments are not passed on, and a line that is no field (a recorder's slip) is none
        // either.
        if (body.find("\n:") == std::string::npos && body.starts_with("data: ") &&
            body.ends_with("data: [DONE]\n\n")) {
            EXPECT_EQ(whole.out, body) << one["id"];
        }
        const bool says_usage = body.find("\"prompt_tokens\"") != std::string::npos;
        EXPECT_EQ(whole.usage.estimated, !says_usage) << one["id"];
        const auto rules =
            guardrail::OutputRules::make({.output = {.banned_words = {"the", "paris", "is a"}}});
        const ChatTerms strict{
            .public_model = "alias", .may_omit_done = true, .rules = rules.get()};
        const Relayed screened = relay(body, body.size(), strict);
        const std::size_t step = body.size() / 300 + 1;
        for (std::size_t cut = 0; cut <= body.size(); cut += step) {
            ASSERT_EQ(relay(body, cut, terms), whole) << one["id"] << " at " << cut;
            ASSERT_EQ(relay(body, cut, strict), screened) << one["id"] << " at " << cut;
        }
    }
}

TEST_F(Recordings, WholeAnswersHaveContentAndUsage) {
    dialect::json::Scratch scratch;
    const auto answers = of("chat", {"plain", "tools"});
    EXPECT_GT(answers.size(), 10u);
    for (const Json& one : answers) {
        const auto answer = view_of(text(one, "response_body"), scratch);
        ASSERT_TRUE(answer.has_value()) << one["id"] << answer.error().detail();
        EXPECT_FALSE(answer->is_empty()) << one["id"];
        EXPECT_TRUE(answer->usage.has_value()) << one["id"];
        EXPECT_FALSE(answer->error.is_set()) << one["id"];
    }
    for (const Json& one : of("embeddings", {"embedding"})) {
        if (one["family"] != "openai" && one["family"] != "azure") {
            continue;  // of another dialect
        }
        const auto answer = view_of(text(one, "response_body"), scratch);
        ASSERT_TRUE(answer.has_value()) << one["id"];
        EXPECT_FALSE(answer->is_empty()) << one["id"];
    }
}

TEST_F(Recordings, ErrorsAreOurs) {
    const auto errors = of("chat", {"error"});
    EXPECT_GT(errors.size(), 2u);
    for (const Json& one : errors) {
        const Error error = dialect::openai_chat::decode_error(
            {.status = one["status"], .body = text(one, "response_body")});
        const int status = info(error.code()).status;
        EXPECT_GE(status, 400) << one["id"];
        // A client's fault stays one; the gateway's credential is not the client's business.
        if (one["status"] == 401 || one["status"] == 403) {
            EXPECT_EQ(status, 502) << one["id"];
        }
        EXPECT_FALSE(error.message().empty()) << one["id"];
    }
}

TEST_F(Recordings, RequestsAreUnderstoodAndKeptByteForByte) {
    dialect::json::Scratch scratch;
    std::size_t understood = 0;
    for (const Json& one : of("chat", {"plain", "tools", "stream", "tools-stream"})) {
        const std::string body = text(one, "request_body");
        const auto request = dialect::openai_chat::read_request({}, body, scratch);
        ASSERT_TRUE(request.has_value()) << one["id"] << request.error().message();
        dialect::json::Splice same(body);
        dialect::rewrite(*request, request->model, same);
        const std::string sent = same.str();
        if (!request->stream || request->include_usage) {
            EXPECT_EQ(sent, body) << one["id"];
        } else {
            const auto again = dialect::openai_chat::read_request({}, sent, scratch);
            ASSERT_TRUE(again.has_value()) << one["id"];
            EXPECT_TRUE(again->include_usage) << one["id"];
        }
        ++understood;
    }
    EXPECT_GT(understood, 20u);
}

}  // namespace
}  // namespace weir::pipeline
