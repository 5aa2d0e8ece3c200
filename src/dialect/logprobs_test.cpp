// Probabilities of tokens in translated streams: with the text they are of, at every cut.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/gemini/edge.h"
#include "dialect/openai_chat/edge.h"
#include "dialect/openai_responses/edge.h"

namespace weir::dialect {
namespace {

using Json = nlohmann::json;

Json token(std::string_view text, double logprob) {
    return {{"token", text},
            {"logprob", logprob},
            {"bytes", nullptr},
            {"top_logprobs",
             Json::array({{{"token", text}, {"logprob", logprob}, {"bytes", nullptr}}})}};
}
const Json kTokens = Json::array({token("He", -0.5), token("llo", -1.25), token(" you", -0.125)});

std::string data(const Json& event) { return fmt::format("data: {}\n\n", event.dump()); }

// The second token comes before its text does, as those that are half a character do.
std::string chat_stream() {
    const auto chunk = [](Json delta, Json tokens, Json finish = nullptr) {
        const Json logprobs =
            tokens.empty() ? Json() : Json{{"content", std::move(tokens)}, {"refusal", nullptr}};
        return data({{"id", "x"},
                     {"model", "m"},
                     {"choices",
                      Json::array({{{"index", 0},
                                    {"delta", std::move(delta)},
                                    {"logprobs", logprobs},
                                    {"finish_reason", std::move(finish)}}})}});
    };
    return chunk({{"role", "assistant"}, {"content", ""}}, Json::array()) +
           chunk({{"content", "He"}}, Json::array({kTokens[0]})) +
           chunk({{"content", ""}}, Json::array({kTokens[1]})) +
           chunk({{"content", "llo you"}}, Json::array({kTokens[2]})) +
           chunk(Json::object(), Json::array(), "stop") + "data: [DONE]\n\n";
}

std::string responses_stream() {
    // OpenAI's stream leaves the bytes out.
    Json tokens = kTokens;
    for (Json& one : tokens) {
        one.erase("bytes");
        one["top_logprobs"][0].erase("bytes");
    }
    const auto delta = [](std::string_view text, Json logprobs) {
        return data({{"type", "response.output_text.delta"},
                     {"output_index", 0},
                     {"content_index", 0},
                     {"delta", text},
                     {"logprobs", std::move(logprobs)}});
    };
    return data({{"type", "response.created"}, {"response", {{"id", "resp_1"}, {"model", "m"}}}}) +
           data({{"type", "response.output_item.added"},
                 {"output_index", 0},
                 {"item", {{"type", "message"}, {"id", "m"}}}}) +
           delta("He", Json::array({tokens[0]})) +
           delta("llo you", Json::array({tokens[1], tokens[2]})) +
           data({{"type", "response.output_item.done"},
                 {"output_index", 0},
                 {"item", {{"type", "message"}, {"content", Json::array()}}}}) +
           data({{"type", "response.completed"},
                 {"response", {{"status", "completed"}, {"output", Json::array()}}}});
}

std::string gemini_stream() {
    const auto chunk = [](Json candidate) {
        candidate["index"] = 0;
        return data({{"candidates", Json::array({std::move(candidate)})}});
    };
    const auto said = [&](std::string_view text, std::size_t from, std::size_t to) {
        Json chosen = Json::array(), top = Json::array();
        for (std::size_t i = from; i < to; ++i) {
            const Json one{{"token", kTokens[i]["token"]},
                           {"logProbability", kTokens[i]["logprob"]}};
            chosen.push_back(one);
            top.push_back({{"candidates", Json::array({one})}});
        }
        return chunk({{"content", {{"parts", Json::array({{{"text", text}}})}}},
                      {"logprobsResult", {{"chosenCandidates", chosen}, {"topCandidates", top}}}});
    };
    return said("He", 0, 1) + said("llo you", 1, 3) + chunk({{"finishReason", "STOP"}});
}

struct Written : EventSink {
    explicit Written(const ClientEdge& client)
        : encoder(client.encode_stream({.model = "m", .request_id = "r"})) {}
    Result<void> take(const llm::Event& event) override {
        encoder->take(event, out);
        return {};
    }
    std::unique_ptr<StreamEncoder> encoder;
    std::string out;
};

std::string translated(const ProviderEdge& from,
                       const ClientEdge& to,
                       std::string_view bytes,
                       std::size_t cut) {
    const auto decoder = from.decode_stream(false);
    Written written(to);
    for (const auto piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
        EXPECT_TRUE(decoder->feed(piece, written));
    }
    EXPECT_TRUE(decoder->end(written));
    return written.out;
}

std::vector<Json> events_of(std::string_view sse) {
    std::vector<Json> events;
    for (std::size_t at = 0; (at = sse.find("data: {", at)) != std::string_view::npos;) {
        const std::size_t end = sse.find('\n', at);
        events.push_back(Json::parse(sse.substr(at + 6, end - at - 6)));
        at = end;
    }
    return events;
}

// All tokens that a client was told, in OpenAI's form.
Json told(llm::Dialect dialect, std::string_view sse) {
    Json tokens = Json::array();
    const auto add = [&tokens](const Json& list) {
        tokens.insert(tokens.end(), list.begin(), list.end());
    };
    for (const Json& event : events_of(sse)) {
        if (dialect == llm::Dialect::openai_chat) {
            add(event.value("/choices/0/logprobs/content"_json_pointer, Json::array()));
        } else if (event.value("type", "") == "response.output_text.delta") {
            add(event["logprobs"]);
        } else if (dialect == llm::Dialect::gemini) {
            const Json result = event.value("/candidates/0/logprobsResult"_json_pointer, Json());
            for (std::size_t i = 0; result.is_object() && i < result["chosenCandidates"].size();
                 ++i) {
                const Json& chosen = result["chosenCandidates"][i];
                EXPECT_EQ(result["topCandidates"][i]["candidates"][0], chosen);
                tokens.push_back(
                    token(chosen["token"].get<std::string>(), chosen["logProbability"]));
            }
        }
    }
    return tokens;
}

TEST(Logprobs, ComeThroughEveryTranslatedStream) {
    const std::pair<const ProviderEdge*, std::string> from[] = {
        {&openai_chat::provider, chat_stream()},
        {&openai_responses::provider, responses_stream()},
        {&gemini::provider, gemini_stream()},
    };
    for (const auto& [provider, bytes] : from) {
        for (const ClientEdge* client :
             {&openai_chat::client, &openai_responses::client, &gemini::client}) {
            for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
                const std::string out = translated(*provider, *client, bytes, cut);
                ASSERT_EQ(told(client->dialect, out), kTokens)
                    << llm::name(provider->dialect) << " to " << llm::name(client->dialect)
                    << " cut at " << cut << out;
            }
        }
    }
}

// The events that repeat a text repeat its tokens.
TEST(Logprobs, AreRepeatedWithTheWholeText) {
    const std::string bytes = chat_stream();
    const std::string out =
        translated(openai_chat::provider, openai_responses::client, bytes, bytes.size());
    std::size_t seen = 0;
    for (const Json& event : events_of(out)) {
        const std::string type = event["type"];
        const Json found = type == "response.output_text.done"    ? event["logprobs"]
                           : type == "response.content_part.done" ? event["part"]["logprobs"]
                           : type == "response.completed"
                               ? event["response"]["output"][0]["content"][0]["logprobs"]
                               : Json();
        if (!found.is_null()) {
            ++seen;
            EXPECT_EQ(found, kTokens) << type;
        }
    }
    EXPECT_EQ(seen, 3u);
}

}  // namespace
}  // namespace weir::dialect
