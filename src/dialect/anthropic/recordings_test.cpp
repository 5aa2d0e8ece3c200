// What Anthropic and its clients really sent (WEIR_REFERENCE, skipped where it is absent).
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/transcript.h"
#include "dialect/check.h"
#include "dialect/json/splice.h"

namespace weir::dialect::anthropic {
namespace {

using Json = nlohmann::json;

class AnthropicRecordings : public testing::Test {
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
            if (one["family"] == "anthropic") {
                all_.push_back(std::move(one));
            }
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
            if (one["api"].get<std::string>() == api &&
                std::find(kinds.begin(), kinds.end(), kind) != kinds.end()) {
                some.push_back(one);
            }
        }
        return some;
    }
    std::vector<Json> all_;
};

// What a body means, without what has more than one spelling.
Json meaning_of(Json body) {
    if (body["system"].is_string()) {
        body["system"] = Json::array({{{"type", "text"}, {"text", body["system"]}}});
    } else if (body["system"].is_null()) {
        body.erase("system");
    }
    if (!body.value("stream", false)) {
        body.erase("stream");
    }
    for (Json& message : body["messages"]) {
        if (message["content"].is_string()) {
            message["content"] = Json::array({{{"type", "text"}, {"text", message["content"]}}});
        }
        for (Json& block : message["content"]) {
            if (block["content"].is_string()) {
                block["content"] = Json::array({{{"type", "text"}, {"text", block["content"]}}});
            } else if (block["content"].is_null()) {
                block.erase("content");
            }
            if (block.contains("is_error") && block["is_error"] == false) {
                block.erase("is_error");
            }
        }
    }
    const std::function<void(Json&)> shorten_marks = [&](Json& value) {
        if (value.is_object() && value.contains("cache_control") &&
            value["cache_control"].value("ttl", "") == "5m") {
            value["cache_control"].erase("ttl");
        }
        for (Json& inner : value) {
            if (inner.is_structured()) {
                shorten_marks(inner);
            }
        }
    };
    shorten_marks(body);
    for (Json& tool : body["tools"]) {
        if (tool.value("description", "x").empty()) {
            tool.erase("description");
        }
    }
    if (body["tools"].is_null()) {
        body.erase("tools");
    }
    return body;
}

TEST_F(AnthropicRecordings, RequestsAreUnderstoodAndComeBackWithTheirMeaning) {
    json::Scratch scratch;
    std::size_t understood = 0;
    for (const Json& one : of("messages", {"plain", "tools", "stream", "tools-stream"})) {
        const std::string body = text(one, "request_body");
        const auto request = read_request({.surface = llm::Surface::messages}, body, scratch);
        ASSERT_TRUE(request) << one["id"] << request.error().message();
        json::Splice same(body);
        rewrite(*request, request->model, same);
        EXPECT_EQ(same.str(), body) << one["id"];
        const auto call = decode_request(*request, body);
        ASSERT_TRUE(call) << one["id"] << call.error().message();
        EXPECT_TRUE(check(*call)) << one["id"];
        const auto sent = encode_request(*call, {.model = request->model});
        ASSERT_TRUE(sent) << one["id"] << sent.error().message();
        EXPECT_TRUE(sent->dropped.empty()) << one["id"];
        EXPECT_EQ(meaning_of(Json::parse(sent->body)), meaning_of(Json::parse(body))) << one["id"];
        ++understood;
    }
    EXPECT_GT(understood, 20u);
    for (const Json& one : of("count-tokens", {"count-tokens"})) {
        EXPECT_TRUE(read_request(
            {.surface = llm::Surface::count_tokens}, text(one, "request_body"), scratch))
            << one["id"];
    }
}

Json usage_of(const Json& body, Json known = Json::object()) {
    for (const auto& [key, value] : body.items()) {
        known[key] = value;
    }
    return known;
}
void expect_usage(const llm::Usage& usage, const Json& said, const Json& id) {
    const auto count = [&said](const char* key) {
        return said.contains(key) && said[key].is_number() ? said[key].get<std::int64_t>() : 0;
    };
    EXPECT_EQ(usage.input_tokens,
              count("input_tokens") + count("cache_read_input_tokens") +
                  count("cache_creation_input_tokens"))
        << id;
    EXPECT_EQ(usage.cache_read_tokens, count("cache_read_input_tokens")) << id;
    EXPECT_EQ(usage.cache_write_tokens, count("cache_creation_input_tokens")) << id;
    EXPECT_EQ(usage.output_tokens, count("output_tokens")) << id;
}

// Newer providers say these, and so do we.
Json without_defaults(Json content) {
    if (content.is_array()) {
        for (Json& block : content) {
            if (block.value("citations", Json("")).is_null()) {
                block.erase("citations");
            }
            if (block.value("caller", Json()) == Json{{"type", "direct"}}) {
                block.erase("caller");
            }
        }
    }
    return content;
}

TEST_F(AnthropicRecordings, AnswersAreUnderstoodAndComeBackWithTheirMeaning) {
    json::Scratch scratch;
    std::size_t understood = 0;
    for (const Json& one : of("messages", {"plain", "tools"})) {
        const std::string body = text(one, "response_body");
        const Json said = Json::parse(body);
        const auto answer = decode_answer(body);
        ASSERT_TRUE(answer) << one["id"] << answer.error().detail();
        expect_usage(answer->usage.value(), said["usage"], one["id"]);
        const Json back =
            Json::parse(encode_answer(*answer, {.model = answer->model, .request_id = "r"}));
        for (const auto* field : {"id", "type", "role", "model", "content", "stop_reason"}) {
            EXPECT_EQ(without_defaults(back[field]), without_defaults(said[field]))
                << one["id"] << field;
        }
        EXPECT_EQ(back["usage"]["input_tokens"], said["usage"]["input_tokens"]) << one["id"];
        AnswerView view;
        ASSERT_TRUE(read_answer(body, scratch, view)) << one["id"];
        EXPECT_FALSE(view.is_empty()) << one["id"];
        EXPECT_EQ(view.usage, answer->usage) << one["id"];
        EXPECT_EQ(view.outputs.size(), said["content"].size()) << one["id"];
        ++understood;
    }
    EXPECT_GT(understood, 8u);
}

// The last thing said of each counter, read without our decoder.
Json last_usage(const std::string& body) {
    Json known;
    for (std::size_t at = 0; (at = body.find("data: ", at)) != std::string::npos;) {
        at += 6;
        const Json event = Json::parse(body.substr(at, body.find('\n', at) - at));
        if (event["type"] == "message_start") {
            known = usage_of(event["message"]["usage"]);
        } else if (event["type"] == "message_delta") {
            known = usage_of(event["usage"], known);
        }
    }
    return known;
}

TEST_F(AnthropicRecordings, StreamsAreTheSameAtEveryCut) {
    struct Last : EventSink {
        std::optional<llm::Usage> usage;
        std::unique_ptr<StreamEncoder> encoder;
        std::string out;
        Result<void> take(const llm::Event& event) override {
            if (event.kind == llm::Event::Kind::start) {
                model = event.model;
                encoder = encode_stream({.model = model, .request_id = "r"});
            }
            if (event.kind == llm::Event::Kind::usage) {
                usage = *event.usage;
            }
            encoder->take(event, out);
            return {};
        }
        std::string model;
    };
    std::size_t understood = 0;
    for (const Json& one : of("messages", {"stream", "tools-stream"})) {
        const std::string body = text(one, "response_body");
        const std::string whole = transcribe(body);
        EXPECT_TRUE(whole.ends_with("end of stream\n")) << one["id"] << whole;
        EXPECT_NE(whole.find("begin 0"), std::string::npos) << one["id"];
        const std::size_t step = body.size() / 400 + 1;
        for (std::size_t cut = 0; cut <= body.size(); cut += step) {
            ASSERT_EQ(transcribe(body, cut), whole) << one["id"] << " at " << cut;
        }
        Last sink;
        const auto decoder = decode_stream(false);
        ASSERT_TRUE(decoder->feed(body, sink));
        ASSERT_TRUE(decoder->end(sink));
        expect_usage(sink.usage.value(), last_usage(body), one["id"]);
        EXPECT_EQ(transcribe(sink.out), whole) << one["id"];
        ++understood;
    }
    EXPECT_GT(understood, 12u);
}

// The way through finds in each stream what the translation finds.
TEST_F(AnthropicRecordings, TheWayThroughReadsTheSameTextsAndUsage) {
    for (const Json& one : of("messages", {"stream", "tools-stream"})) {
        const std::string body = text(one, "response_body");
        const auto reader = read_stream({});
        json::Scratch scratch;
        AnswerView view;
        sse::Decoder decoder;
        sse::Event event;
        std::optional<llm::Usage> usage;
        std::size_t deltas = 0;
        bool ended = false;
        decoder.feed(body);
        while (decoder.next(event).value()) {
            ASSERT_TRUE(reader->read(event, scratch, view)) << one["id"];
            EXPECT_FALSE(ended) << one["id"];
            usage = view.usage ? view.usage : usage;
            ended = view.is_terminal;
            for (const auto& output : view.outputs) {
                deltas += output.text.size > 2 ? 1 : 0;
            }
        }
        EXPECT_TRUE(ended) << one["id"];
        expect_usage(usage.value(), last_usage(body), one["id"]);
        std::size_t said = 0;
        for (std::size_t at = 0;
             (at = body.find("\"type\":\"text_delta\"", at)) != std::string::npos;
             ++at) {
            ++said;
        }
        EXPECT_EQ(deltas, said) << one["id"];
    }
}

TEST_F(AnthropicRecordings, ErrorsAreOurs) {
    const auto errors = of("messages", {"error"});
    EXPECT_GT(errors.size(), 2u);
    for (const Json& one : errors) {
        const std::string body = text(one, "response_body");
        const Error error = decode_error({.status = one["status"], .body = body});
        const Code want = one["status"] == 401 ? Code::upstream_error
                          : body.find("too long") != std::string::npos
                              ? Code::context_length_exceeded
                              : Code::invalid_request;
        EXPECT_EQ(error.code(), want) << one["id"];
        EXPECT_FALSE(error.message().empty()) << one["id"];
    }
}

}  // namespace
}  // namespace weir::dialect::anthropic
