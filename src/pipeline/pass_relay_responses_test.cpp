// A stream of the Responses behind guardrails: its last events repeat the whole text, so what they
// say must be what passed, however the text was cut into pieces.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/openai_responses/edge.h"
#include "pipeline/pass_relay.h"

namespace weir::pipeline {
namespace {

using Json = nlohmann::json;
namespace responses = dialect::openai_responses;

std::string event(std::string_view type, const Json& data) {
    Json whole = data;
    whole["type"] = type;
    return fmt::format("event: {}\ndata: {}\n\n", type, whole.dump());
}

// As OpenAI sends it: thinking first, then `pieces`.
std::string stream_of(const std::vector<std::string>& pieces) {
    int sequence = 0;
    const auto add = [&](std::string_view type, Json data) {
        data["sequence_number"] = sequence++;
        return event(type, data);
    };
    const Json thought{{"type", "reasoning"}, {"id", "rs_1"}, {"summary", Json::array()}};
    Json response{{"id", "resp_1"},
                  {"model", "up"},
                  {"status", "in_progress"},
                  {"output", Json::array()},
                  {"usage", nullptr},
                  {"instructions", "be \"brief\""},
                  {"error", nullptr}};
    const Json place{{"item_id", "msg_1"}, {"output_index", 1}, {"content_index", 0}};
    std::string stream = add("response.created", {{"response", response}});
    stream += add("response.in_progress", {{"response", response}});
    stream += add("response.output_item.added", {{"output_index", 0}, {"item", thought}});
    stream += add("response.output_item.done", {{"output_index", 0}, {"item", thought}});
    Json item{{"type", "message"}, {"id", "msg_1"}, {"content", Json::array()}};
    stream += add("response.output_item.added", {{"output_index", 1}, {"item", item}});
    stream += add("response.content_part.added", place);
    std::string text;
    for (const std::string& piece : pieces) {
        Json delta = place;
        delta["delta"] = piece;
        delta["logprobs"] = Json::array();
        stream += add("response.output_text.delta", delta);
        text += piece;
    }
    Json done = place;
    done["text"] = text;
    done["logprobs"] = Json::array();
    stream += add("response.output_text.done", done);
    const Json part{{"type", "output_text"}, {"text", text}, {"annotations", Json::array()}};
    done = place;
    done["part"] = part;
    stream += add("response.content_part.done", done);
    item["content"].push_back(part);
    stream += add("response.output_item.done", {{"output_index", 1}, {"item", item}});
    response["status"] = "completed";
    response["output"] = {thought, item};
    response["usage"] = {{"input_tokens", 5}, {"output_tokens", 2}};
    return stream + add("response.completed", {{"response", response}});
}

struct Relayed {
    std::string out, error;
    bool done = false;
    bool operator==(const Relayed&) const = default;
};
Relayed relay(std::string_view bytes,
              std::size_t cut,
              const guardrail::OutputRules* rules,
              std::string_view alias = {}) {
    const PassTerms terms{.pass = responses::pass,
                          .client = responses::client,
                          .provider = responses::provider,
                          .answer = {.model = alias, .request_id = "r"},
                          .request_id = "r",
                          .rules = rules};
    StreamScratch scratch;
    PassRelay relay(terms, scratch);
    Relayed relayed;
    Result<void> taken{};
    for (const auto piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
        taken = taken ? relay.feed(piece, relayed.out) : std::move(taken);
    }
    taken = taken && !relay.is_done() ? relay.end(relayed.out) : std::move(taken);
    relayed.error = taken ? "" : std::string(name(taken.error().code()));
    relayed.done = relay.is_done();
    return relayed;
}

struct Seen {
    std::string deltas, last_type, order;
    Json last;
};
// Whatever repeats the text must say what the pieces said.
Seen check(const std::string& out) {
    Seen seen;
    dialect::sse::Decoder decoder;
    decoder.feed(out);
    dialect::sse::Event event;
    std::int64_t sequence = -1;
    while (decoder.next(event).value()) {
        const Json data = Json::parse(event.data);
        seen.last_type = data["type"];
        EXPECT_EQ(seen.last_type, event.name);
        EXPECT_GE(data["sequence_number"], sequence);
        sequence = data["sequence_number"];
        if (seen.last_type == "response.output_text.delta") {
            seen.deltas += data["delta"].get<std::string>();
        } else if (seen.last_type == "response.output_text.done") {
            EXPECT_EQ(data["text"], seen.deltas);
        } else if (seen.last_type == "response.content_part.done") {
            EXPECT_EQ(data["part"]["text"], seen.deltas);
        } else if (seen.last_type == "response.output_item.done" && data["output_index"] == 1) {
            EXPECT_EQ(data["item"]["content"][0]["text"], seen.deltas);
        }
        seen.order += seen.last_type.substr(9) + " ";
        seen.last = data;
    }
    EXPECT_EQ(seen.last["response"]["output"][1]["content"][0]["text"], seen.deltas);
    EXPECT_EQ(seen.last["response"]["output"][0]["id"], "rs_1");
    return seen;
}

TEST(PassRelayOfResponses, PassesByteForByte) {
    const std::string stream = stream_of({"Hel", "lo"});
    const Relayed relayed = relay(stream, stream.size(), nullptr);
    EXPECT_EQ(relayed.out, stream);
    EXPECT_TRUE(relayed.done);
    const Relayed renamed = relay(stream, stream.size(), nullptr, "alias");
    EXPECT_EQ(renamed.out.find(R"("model":"up")"), std::string::npos);
}

struct CutCase {
    std::string_view name;
    std::vector<std::string> banned;
    std::optional<std::int64_t> length;
    std::string_view kept;    // of kText
    std::string_view reason;  // empty: nothing is cut
};
constexpr std::string_view kText = "Say \"b\xc3\xa4r\"\nand se then secret, end";

class PassRelayOfResponsesCut : public testing::TestWithParam<CutCase> {};

TEST_P(PassRelayOfResponsesCut, IsTheSameForEveryCutOfTheText) {
    const CutCase& c = GetParam();
    const auto rules = guardrail::OutputRules::make(
        {.output = {.max_length = c.length, .banned_words = c.banned}});
    for (std::size_t width = 1; width <= kText.size(); ++width) {
        std::vector<std::string> pieces;
        for (std::size_t at = 0; at < kText.size();) {
            std::size_t end = std::min(at + width, kText.size());
            while (end < kText.size() && (static_cast<unsigned char>(kText[end]) & 0xc0) == 0x80) {
                ++end;  // a character is never cut by a provider
            }
            pieces.emplace_back(kText.substr(at, end - at));
            at = end;
        }
        const std::string stream = stream_of(pieces);
        const Relayed relayed = relay(stream, stream.size(), rules.get());
        EXPECT_EQ(relayed.error, "") << width;
        EXPECT_TRUE(relayed.done);
        const Seen seen = check(relayed.out);
        EXPECT_EQ(seen.deltas, c.kept) << width;
        if (c.reason.empty()) {
            EXPECT_EQ(seen.last_type, "response.completed");
        } else {
            EXPECT_TRUE(seen.order.ends_with(
                "output_text.done content_part.done output_item.done incomplete "))
                << seen.order;
            EXPECT_EQ(seen.last["response"]["status"], "incomplete");
            EXPECT_EQ(seen.last["response"]["incomplete_details"]["reason"], c.reason);
            EXPECT_EQ(seen.last["response"]["instructions"], "be \"brief\"");
            EXPECT_EQ(seen.last["response"]["id"], "resp_1");
        }
        for (std::size_t cut = 0; cut < stream.size(); cut += 37) {
            ASSERT_EQ(relay(stream, cut, rules.get()), relayed) << width << " " << cut;
        }
    }
}

INSTANTIATE_TEST_SUITE_P(
    Words,
    PassRelayOfResponsesCut,
    testing::Values(
        CutCase{"nothing_to_find", {"absent"}, {}, kText, ""},
        CutCase{"held_but_let_go", {"secretive"}, {}, kText, ""},
        CutCase{"held_at_the_end", {"endless"}, {}, kText, ""},
        CutCase{
            "in_the_middle", {"secret"}, {}, "Say \"b\xc3\xa4r\"\nand se then ", "content_filter"},
        CutCase{"at_the_start", {"say"}, {}, "", "content_filter"},
        CutCase{"at_the_very_end",
                {"end"},
                {},
                "Say \"b\xc3\xa4r\"\nand se then secret, ",
                "content_filter"},
        CutCase{"by_length", {}, 9, "Say \"b\xc3\xa4r\"", "max_output_tokens"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weir::pipeline
