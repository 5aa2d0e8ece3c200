// What providers of this surface really sent (WEIR_REFERENCE, skipped where it is absent): every
// request, answer, stream and error of OpenAI, Azure, xAI, DeepSeek and OpenRouter.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "dialect/json/value.h"
#include "dialect/openai_responses/edge.h"
#include "dialect/openai_responses/responses_test.h"
#include "dialect/rewrite.h"

namespace weir::dialect::openai_responses {
namespace {

using Json = nlohmann::json;

class ResponsesRecordings : public testing::Test {
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
            if (one["api"].get<std::string>().starts_with("responses")) {
                all_.push_back(std::move(one));
            }
        }
    }
    static std::string text(const Json& recording, const char* field) {
        const Json& value = recording[field];
        return value.is_string() ? value.get<std::string>() : value.is_null() ? "" : value.dump();
    }
    std::vector<Json> of(std::string_view wire) const {
        std::vector<Json> some;
        std::copy_if(all_.begin(), all_.end(), std::back_inserter(some), [wire](const Json& one) {
            return one["wire"] == wire && one["status"] == 200;
        });
        return some;
    }
    std::vector<Json> all_;
};

// What the provider's own tools did comes as items; a stream's events do not carry them.
llm::Answer without_opaque(llm::Answer answer) {
    std::erase_if(answer.choices.at(0).parts,
                  [](const llm::Part& part) { return llm::as<llm::Opaque>(part) != nullptr; });
    return answer;
}

TEST_F(ResponsesRecordings, RequestsAreUnderstoodAndKeptByteForByte) {
    json::Scratch scratch;
    std::size_t understood = 0;
    for (const Json& one : all_) {
        const std::string body = text(one, "request_body");
        if (body.empty()) {
            continue;
        }
        const auto request =
            client.read_request({.surface = llm::Surface::responses}, body, scratch);
        ASSERT_TRUE(request) << one["id"] << request.error().message();
        json::Splice same(body);
        rewrite(*request, request->model, same);
        EXPECT_EQ(same.str(), body) << one["id"];
        const auto call = client.decode_request(*request, body);
        const bool is_kept = body.find("\"conversation\"") != std::string::npos;
        ASSERT_EQ(call.has_value(), !is_kept) << one["id"] << call.error().message();
        if (!call) {
            EXPECT_EQ(call.error().parameter(), "conversation");
            EXPECT_FALSE(request->provider_ids.empty());
            continue;
        }
        EXPECT_FALSE(call->messages.empty()) << one["id"];
        // Back to a provider of this dialect nothing is refused, and it is read the same.
        const auto again = provider.encode_request(*call, {.model = "m"});
        ASSERT_TRUE(again) << one["id"] << again.error().message();
        const auto reread =
            client.read_request({.surface = llm::Surface::responses}, again->body, scratch);
        ASSERT_TRUE(reread) << one["id"] << again->body;
        const auto recalled = client.decode_request(*reread, again->body);
        ASSERT_TRUE(recalled) << one["id"];
        EXPECT_EQ(recalled->tools.size(), call->tools.size()) << one["id"];
        const auto parts_of = [](const llm::Call& from) {
            std::size_t parts = 0;
            for (const llm::Message& message : from.messages) {
                for (const llm::Part& part : message.parts) {
                    // Thinking without a seal stays here.
                    const auto* thought = llm::as<llm::Reasoning>(part);
                    parts += thought != nullptr && thought->signature.text.empty() ? 0 : 1;
                }
            }
            return parts;
        };
        EXPECT_EQ(parts_of(*recalled), parts_of(*call)) << one["id"];
        ++understood;
    }
    EXPECT_GT(understood, 35u);
}

TEST_F(ResponsesRecordings, WholeAnswersKeepTheirMeaning) {
    json::Scratch scratch;
    const auto answers = of("json");
    EXPECT_GT(answers.size(), 20u);
    for (const Json& one : answers) {
        const std::string body = text(one, "response_body");
        auto answer = provider.decode_answer(body);
        ASSERT_TRUE(answer) << one["id"] << answer.error().detail();
        EXPECT_FALSE(answer->choices[0].parts.empty()) << one["id"];
        ASSERT_TRUE(answer->usage) << one["id"];
        const bool has_call = body.find("\"function_call\"") != std::string::npos;
        EXPECT_EQ(answer->choices[0].finish,
                  has_call ? llm::FinishReason::tool_calls : llm::FinishReason::stop)
            << one["id"];

        AnswerView view;
        ASSERT_TRUE(pass.read_answer(body, scratch, view)) << one["id"];
        EXPECT_EQ(view.usage, answer->usage) << one["id"];
        EXPECT_FALSE(view.is_empty());
        EXPECT_FALSE(view.error.is_set()) << one["id"];
        EXPECT_EQ(json::Span(view.model).in(body), "\"" + answer->model + "\"") << one["id"];

        const std::string encoded = client.encode_answer(*answer, {.request_id = "1"});
        auto again = provider.decode_answer(encoded);
        ASSERT_TRUE(again) << one["id"] << encoded;
        for (auto* decoded : {&*answer, &*again}) {
            decoded->id.clear();
            decoded->usage->searches = 0;
            decoded->service_tier.clear();
            for (llm::Part& part : decoded->choices[0].parts) {
                if (auto* thought = std::get_if<llm::Reasoning>(&part.body)) {
                    thought->is_summary = true;  // a client is shown both in one place
                }
            }
        }
        EXPECT_EQ(*again, *answer) << one["id"];
    }
}

TEST_F(ResponsesRecordings, StreamsGiveTheSameEventsAtEveryCutAndWhatTheirEndRepeats) {
    const auto streams = of("sse");
    EXPECT_GT(streams.size(), 15u);
    for (const Json& one : streams) {
        const std::string body = text(one, "response_body");
        const Decoded whole = decode_at(body, body.size());
        ASSERT_TRUE(whole.result) << one["id"] << whole.result.error().detail();
        const std::size_t step = body.size() / 500 + 1;
        for (std::size_t cut = 0; cut < body.size(); cut += step) {
            ASSERT_EQ(decode_at(body, cut).outcome(), whole.outcome()) << one["id"] << " " << cut;
        }
        // The terminal event holds the whole answer: what was gathered says the same.
        const auto events = events_of(body);
        const auto terminal = std::find_if(events.rbegin(), events.rend(), [](const auto& event) {
            return event.data != "[DONE]";
        });
        const auto repeated =
            provider.decode_answer(Json::parse(terminal->data)["response"].dump());
        ASSERT_TRUE(repeated) << one["id"];
        llm::Answer expected = without_opaque(*repeated);
        llm::Answer gathered = whole.gatherer.answer;
        expected.created = 0;
        expected.service_tier.clear();
        for (auto* answer : {&expected, &gathered}) {
            for (llm::Part& part : answer->choices.at(0).parts) {
                if (auto* thought = std::get_if<llm::Reasoning>(&part.body)) {
                    thought->id.clear();  // OpenRouter changes its mind
                    EXPECT_TRUE(thought->redacted != thought->signature.text.empty() ||
                                !thought->text.empty());
                    thought->signature = {};  // OpenAI seals it anew each time
                } else if (auto* words = std::get_if<llm::Text>(&part.body)) {
                    for (llm::Citation& citation : words->citations) {
                        citation.json.clear();  // keys in another order
                    }
                }
            }
        }
        EXPECT_EQ(gathered, expected) << one["id"] << whole.gatherer.log;
    }
}

TEST_F(ResponsesRecordings, StreamsThroughTheCoreSayTheSame) {
    for (const Json& one : of("sse")) {
        const std::string body = text(one, "response_body");
        Reencoder reencoder({.model = "shown", .request_id = "1"});
        const auto decoder = provider.decode_stream(false);
        ASSERT_TRUE(decoder->feed(body, reencoder)) << one["id"];
        ASSERT_TRUE(decoder->end(reencoder)) << one["id"];
        const Decoded first = decode_at(body, body.size());
        const Decoded second = decode_at(reencoder.out, reencoder.out.size());
        ASSERT_TRUE(second.result) << one["id"] << reencoder.out;
        EXPECT_EQ(second.gatherer.answer.model, "shown");
        // Items that lay side by side come one after the other.
        const auto parts_of = [](const llm::Choice& choice) {
            std::vector<llm::Part> parts = choice.parts;
            for (llm::Part& part : parts) {
                if (auto* thought = std::get_if<llm::Reasoning>(&part.body)) {
                    thought->is_summary = true;
                    thought->id.clear();
                }
            }
            return parts;
        };
        EXPECT_EQ(parts_of(second.gatherer.choice), parts_of(first.gatherer.choice)) << one["id"];
        EXPECT_EQ(second.gatherer.choice.finish, first.gatherer.choice.finish);
        auto usage = first.gatherer.answer.usage;
        usage->searches = 0;
        usage->tier.reset();  // told on the way in only
        EXPECT_EQ(second.gatherer.answer.usage, usage);
    }
}

TEST_F(ResponsesRecordings, PassedStreamsAreReadRight) {
    for (const Json& one : of("sse")) {
        const std::string body = text(one, "response_body");
        const auto reader = pass.read_stream({});
        json::Scratch scratch;
        AnswerView view;
        std::string said, unescaped;
        std::optional<llm::Usage> usage;
        std::size_t terminals = 0;
        bool has_model = false;
        for (const sse::Event& event : events_of(body)) {
            const auto read = reader->read(event, scratch, view);
            ASSERT_TRUE(read) << one["id"] << read.error().detail() << event.data;
            EXPECT_FALSE(view.error.is_set()) << one["id"];
            for (const auto& output : view.outputs) {
                if (output.text.is_set()) {
                    said += json::view_string(output.text.in(event.data), unescaped);
                }
            }
            usage = view.usage ? view.usage : usage;
            terminals += view.is_terminal ? 1 : 0;
            has_model = has_model || view.model.is_set();
        }
        const Decoded decoded = decode_at(body, body.size());
        std::string expected;
        for (const llm::Part& part : decoded.gatherer.choice.parts) {
            if (const auto* words = llm::as<llm::Text>(part)) {
                expected += words->text;
            }
        }
        EXPECT_EQ(said, expected) << one["id"];
        EXPECT_EQ(usage, decoded.gatherer.answer.usage) << one["id"];
        EXPECT_EQ(terminals, 1u) << one["id"];
        EXPECT_TRUE(has_model) << one["id"];
    }
}

TEST_F(ResponsesRecordings, ErrorsAreOurs) {
    std::size_t seen = 0;
    for (const Json& one : all_) {
        if (one["kind"] != "error") {
            continue;
        }
        ++seen;
        const Error error =
            provider.decode_error({.status = one["status"], .body = text(one, "response_body")});
        if (one["family"] == "xai") {  // a bad key is 400 there, and ours
            EXPECT_EQ(error.code(), Code::upstream_error);
            EXPECT_EQ(error.message().find("API key"), std::string::npos);
        } else {
            EXPECT_EQ(error.code(), Code::context_length_exceeded) << one["id"];
            EXPECT_EQ(error.parameter(), "input");
        }
    }
    EXPECT_GE(seen, 2u);
}

}  // namespace
}  // namespace weir::dialect::openai_responses
