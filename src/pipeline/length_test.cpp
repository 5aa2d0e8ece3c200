// The longest length is of an answer, not of each of its texts: the same whole and streamed, passed
// and translated, however the bytes were cut.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "dialect/anthropic/edge.h"
#include "dialect/openai_chat/edge.h"
#include "pipeline/pass_relay.h"
#include "pipeline/screen.h"
#include "pipeline/translating_relay.h"

namespace weir::pipeline {
namespace {

using Json = nlohmann::json;
namespace anthropic = dialect::anthropic;
namespace chat = dialect::openai_chat;

// Two texts with a call between them: eight code points, eleven bytes.
constexpr std::string_view kFirst = "aé b", kSecond = "€cde";
constexpr std::size_t kCodePoints = 8;
constexpr std::string_view kCall =
    R"({"type":"tool_use","id":"toolu_1","name":"t","input":{"x":1}})";

std::string front(std::size_t code_points) {
    const std::string all = std::string(kFirst) + std::string(kSecond);
    std::size_t end = 0;
    for (; end < all.size() && code_points > 0; --code_points) {
        ++end;
        while (end < all.size() && (static_cast<unsigned char>(all[end]) & 0xc0) == 0x80) {
            ++end;
        }
    }
    return all.substr(0, end);
}

std::string whole_answer() {
    return fmt::format(
        R"({{"id":"msg_1","type":"message","role":"assistant","model":"c","content":[)"
        R"({{"type":"text","text":"{}"}},{},{{"type":"text","text":"{}"}}],)"
        R"("stop_reason":"end_turn","usage":{{"input_tokens":1,"output_tokens":2}}}})",
        kFirst,
        kCall,
        kSecond);
}

std::string stream() {
    std::string out;
    const auto add = [&out](const Json& event) {
        out +=
            fmt::format("event: {}\ndata: {}\n\n", event["type"].get<std::string>(), event.dump());
    };
    const auto add_text = [&](int index, std::string_view text) {
        add({{"type", "content_block_start"},
             {"index", index},
             {"content_block", {{"type", "text"}, {"text", ""}}}});
        add({{"type", "content_block_delta"},
             {"index", index},
             {"delta", {{"type", "text_delta"}, {"text", text}}}});
        add({{"type", "content_block_stop"}, {"index", index}});
    };
    add({{"type", "message_start"},
         {"message",
          {{"id", "msg_1"},
           {"model", "c"},
           {"usage", {{"input_tokens", 1}, {"output_tokens", 1}}}}}});
    add_text(0, kFirst);
    add({{"type", "content_block_start"}, {"index", 1}, {"content_block", Json::parse(kCall)}});
    add({{"type", "content_block_stop"}, {"index", 1}});
    add_text(2, kSecond);
    add({{"type", "message_delta"},
         {"delta", {{"stop_reason", "end_turn"}}},
         {"usage", {{"output_tokens", 2}}}});
    add({{"type", "message_stop"}});
    return out;
}

struct Said {
    std::string text;
    bool was_cut = false;
    bool operator==(const Said&) const = default;
};
void PrintTo(const Said& said, std::ostream* out) {
    *out << '"' << said.text << (said.was_cut ? "\" cut" : "\"");
}

Said said_of(std::string_view sse) {
    Said said;
    for (std::size_t at = 0; (at = sse.find("data: {", at)) != std::string_view::npos;) {
        const std::size_t end = sse.find('\n', at);
        const Json data = Json::parse(sse.substr(at + 6, end - at - 6));
        at = end;
        if (data.contains("choices") && !data["choices"].empty()) {
            const Json& choice = data["choices"][0];
            said.text += choice["delta"].value("content", "");
            said.was_cut = said.was_cut || choice["finish_reason"] == "length";
        } else if (data.contains("delta")) {
            said.text += data["delta"].value("text", "");
            said.was_cut = said.was_cut || data["delta"].value("stop_reason", "") == "max_tokens";
        }
    }
    return said;
}

Said relayed(Relay& relay, std::string_view bytes, std::size_t cut) {
    std::string out;
    EXPECT_TRUE(relay.feed(bytes.substr(0, cut), out));
    EXPECT_TRUE(relay.feed(bytes.substr(cut), out));
    EXPECT_TRUE(relay.end(out));
    EXPECT_TRUE(relay.is_done());
    return said_of(out);
}

std::shared_ptr<const guardrail::OutputRules> rules_of(std::size_t max_length) {
    return guardrail::OutputRules::make(
        {.output = {.max_length = static_cast<std::int64_t>(max_length), .banned_words = {}}});
}

TEST(LongestLength, IsOfTheAnswerHoweverItComes) {
    const std::string whole = whole_answer(), streamed = stream();
    for (std::size_t most = 1; most <= kCodePoints + 1; ++most) {
        const auto rules = rules_of(most);
        const Said want{front(most), most < kCodePoints};

        auto answer = anthropic::provider.decode_answer(whole);
        ASSERT_TRUE(answer);
        screen(*answer, *rules);
        Said got{.was_cut = answer->choices[0].finish == llm::FinishReason::length};
        for (const llm::Part& part : answer->choices[0].parts) {
            if (const auto* text = llm::as<llm::Text>(part)) {
                EXPECT_FALSE(text->text.empty());
                got.text += text->text;
            }
        }
        EXPECT_EQ(got, want);

        dialect::json::Scratch scratch;
        dialect::AnswerView view;
        ASSERT_TRUE(anthropic::pass.read_answer(whole, scratch, view));
        EXPECT_EQ(may_pass(llm::Dialect::anthropic, view, whole, *rules), !want.was_cut);

        for (std::size_t cut = 0; cut <= streamed.size(); ++cut) {
            TranslatingRelay translating({.client = chat::client,
                                          .provider = anthropic::provider,
                                          .answer = {.model = "m", .request_id = "r"},
                                          .rules = rules.get()});
            EXPECT_EQ(relayed(translating, streamed, cut), want) << cut;
            StreamScratch memory;
            PassRelay passing({.pass = anthropic::pass,
                               .client = anthropic::client,
                               .provider = anthropic::provider,
                               .answer = {},
                               .rules = rules.get()},
                              memory);
            EXPECT_EQ(relayed(passing, streamed, cut), want) << cut;
        }
    }
}

// A text that is cut before its first character was never there.
TEST(LongestLength, LeavesNoEmptyText) {
    const auto rules = rules_of(4);
    std::string out;
    TranslatingRelay relay({.client = anthropic::client,
                            .provider = anthropic::provider,
                            .answer = {.model = "m", .request_id = "r"},
                            .rules = rules.get()});
    ASSERT_TRUE(relay.feed(stream(), out));
    EXPECT_EQ(said_of(out), (Said{std::string(kFirst), true}));
    std::size_t texts = 0;
    for (std::size_t at = 0; (at = out.find(R"("type":"text","text")", at)) != std::string::npos;
         ++at) {
        ++texts;
    }
    EXPECT_EQ(texts, 1u) << out;
}

TEST(LongestLength, IsOfEachChoice) {
    constexpr std::string_view kBody =
        R"({"choices":[{"index":0,"message":{"content":"abc"}},{"index":1,"message":{"content":"abcd"}}]})";
    dialect::json::Scratch scratch;
    dialect::AnswerView view;
    ASSERT_TRUE(chat::pass.read_answer(kBody, scratch, view));
    EXPECT_TRUE(may_pass(llm::Dialect::openai_chat, view, kBody, *rules_of(4)));
    EXPECT_FALSE(may_pass(llm::Dialect::openai_chat, view, kBody, *rules_of(3)));
    // Blocks are one answer.
    EXPECT_FALSE(may_pass(llm::Dialect::anthropic, view, kBody, *rules_of(4)));
}

}  // namespace
}  // namespace weir::pipeline
