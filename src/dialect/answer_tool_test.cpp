// A JSON schema for the answer of models that know none: Anthropic's and Bedrock's Claude.
#include "dialect/answer_tool.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>

#include <nlohmann/json.hpp>

#include "dialect/anthropic/edge.h"
#include "dialect/aws/event_stream.h"
#include "dialect/bedrock/edge.h"

namespace weir::dialect {
namespace {

using Json = nlohmann::json;
using Mode = llm::ToolChoice::Mode;

struct Family {
    const ProviderEdge& edge;
    std::string_view old_model, new_model;
};
const Family kFamilies[] = {
    {anthropic::provider, "claude-sonnet-4-20250514", "claude-sonnet-4-5"},
    {bedrock::provider,
     "anthropic.claude-sonnet-4-20250514-v1:0",
     "anthropic.claude-sonnet-4-5-20250929-v1:0"},
};

llm::Call asks_for_json() {
    llm::Call call{.from = llm::Dialect::openai_chat, .max_output_tokens = 4000};
    call.messages.push_back({.parts = {{.body = llm::Text{.text = "hi"}}}});
    call.format = {.kind = llm::OutputFormat::Kind::json_schema,
                   .name = "n",
                   .description = "A place.",
                   .schema = R"({"type":"object","properties":{"a":{"const":1.0}}})"};
    return call;
}
llm::Tool tool(std::string name) {
    return {.name = std::move(name), .schema = R"({"type":"object"})"};
}

// What is sent, in one form for both: the tools by name, their schemas, and which must be called.
struct Sent {
    std::map<std::string, Json> tools;
    std::string choice;
    bool thinks = false, has_format = false;
    std::vector<std::string> dropped;
    std::string refused;  // the parameter
};
Sent send(const Family& family, const llm::Call& call, std::string_view model) {
    auto encoded = family.edge.encode_request(call, {.model = model, .output_tokens_max = 64'000});
    if (!encoded) {
        return {.refused = encoded.error().parameter()};
    }
    const Json body = Json::parse(encoded->body);
    Sent sent{.dropped = std::move(encoded->dropped)};
    const bool is_bedrock = family.edge.dialect == llm::Dialect::bedrock;
    const Json tools = is_bedrock ? body.value("/toolConfig/tools"_json_pointer, Json::array())
                                  : body.value("tools", Json::array());
    for (const Json& one : tools) {
        const Json& spec = is_bedrock ? one["toolSpec"] : one;
        sent.tools[spec["name"]] = is_bedrock ? spec["inputSchema"]["json"] : spec["input_schema"];
    }
    const Json choice = is_bedrock ? body.value("/toolConfig/toolChoice"_json_pointer, Json())
                                   : body.value("tool_choice", Json());
    sent.choice = choice.dump();
    sent.thinks = body.dump().find("budget_tokens") != std::string::npos;
    sent.has_format = body.contains("output_config") || body.contains("outputConfig");
    return sent;
}

TEST(AnswerTool, TakesThePlaceOfASchema) {
    for (const Family& family : kFamilies) {
        const auto old = send(family, asks_for_json(), family.old_model);
        EXPECT_EQ(old.refused, "");
        EXPECT_FALSE(old.has_format);
        ASSERT_EQ(old.tools.size(), 1u);
        EXPECT_EQ(old.tools.at(std::string(kAnswerTool)),
                  Json::parse(asks_for_json().format.schema));
        EXPECT_NE(old.choice.find(kAnswerTool), std::string::npos) << old.choice;
        // Who knows schemas gets the schema.
        const auto modern = send(family, asks_for_json(), family.new_model);
        EXPECT_TRUE(modern.has_format);
        EXPECT_TRUE(modern.tools.empty());
    }
}

struct Beside {
    std::string_view name;
    std::function<void(llm::Call&)> change;
    std::size_t tools;
    std::string_view choice_holds, refused;
    bool answers = true;  // its tool is there
};
TEST(AnswerTool, StandsBesideTheClientsTools) {
    const std::vector<Beside> cases = {
        {"may_call", [](llm::Call& c) { c.tools = {tool("f")}; }, 2, "any", ""},
        {"may_not_call",
         [](llm::Call& c) {
             c.tools = {tool("f")};
             c.tool_choice.mode = Mode::none;
         },
         2,
         kAnswerTool,
         ""},
        {"must_call",
         [](llm::Call& c) {
             c.tools = {tool("f")};
             c.tool_choice.mode = Mode::required;
         },
         1,
         "any",
         "",
         false},
        {"only_some",
         [](llm::Call& c) {
             c.tools = {tool("f"), tool("g")};
             c.tool_choice = {.mode = Mode::automatic, .allowed = {"g"}};
         },
         2,
         "any",
         ""},
        {"thinks_beside_tools",
         [](llm::Call& c) {
             c.tools = {tool("f")};
             c.thinking.effort = llm::Effort::medium;
         },
         0,
         "",
         "response_format"},
        {"is_called_the_same",
         [](llm::Call& c) { c.tools = {tool(std::string(kAnswerTool))}; },
         0,
         "",
         "tools"},
        {"is_no_object",
         [](llm::Call& c) { c.format.schema = R"({"type":"array"})"; },
         0,
         "",
         "response_format"},
        {"says_no_type",
         [](llm::Call& c) { c.format.schema = R"({"properties":{}})"; },
         1,
         kAnswerTool,
         ""},
        {"says_nothing", [](llm::Call& c) { c.format.schema = "{}"; }, 1, kAnswerTool, ""},
    };
    for (const Family& family : kFamilies) {
        for (const Beside& one : cases) {
            llm::Call call = asks_for_json();
            one.change(call);
            const auto sent = send(family, call, family.old_model);
            EXPECT_EQ(sent.refused, one.refused) << one.name;
            EXPECT_EQ(sent.tools.size(), one.tools) << one.name;
            EXPECT_NE(sent.choice.find(one.choice_holds), std::string::npos)
                << one.name << sent.choice;
            if (one.refused.empty()) {
                EXPECT_EQ(sent.tools.contains(std::string(kAnswerTool)), one.answers) << one.name;
                EXPECT_EQ(one.answers ? sent.tools.at(std::string(kAnswerTool))["type"] : "object",
                          "object")
                    << one.name;
            }
        }
    }
}

// Forced tools and thinking exclude each other: the schema is what the client needs.
TEST(AnswerTool, GoesBeforeThinking) {
    for (const Family& family : kFamilies) {
        llm::Call call = asks_for_json();
        call.thinking.effort = llm::Effort::high;
        const auto sent = send(family, call, family.old_model);
        EXPECT_EQ(sent.refused, "");
        EXPECT_FALSE(sent.thinks);
        EXPECT_EQ(sent.dropped.size(), 1u);
    }
}

TEST(AnswerTool, ComesBackAsText) {
    const auto anthropic_whole = [](std::string_view blocks) {
        return fmt::format(
            R"({{"content":[{}],"stop_reason":"tool_use","usage":{{"input_tokens":1,"output_tokens":1}}}})",
            blocks);
    };
    const auto bedrock_whole = [](std::string_view blocks) {
        return fmt::format(
            R"({{"output":{{"message":{{"content":[{}]}}}},"stopReason":"tool_use"}})", blocks);
    };
    const std::string answer_a = fmt::format(
        R"({{"type":"tool_use","id":"t1","name":"{}","input":{{"a": 1.0}}}})", kAnswerTool);
    const std::string call_a = R"({"type":"tool_use","id":"t2","name":"f","input":{}})";
    const std::string answer_b = fmt::format(
        R"({{"toolUse":{{"toolUseId":"t1","name":"{}","input":{{"a": 1.0}}}}}})", kAnswerTool);
    const std::string call_b = R"({"toolUse":{"toolUseId":"t2","name":"f","input":{}}})";
    const auto check = [](const ProviderEdge& edge, const std::string& body, bool has_call) {
        const auto answer = edge.decode_answer(body);
        ASSERT_TRUE(answer) << answer.error().detail();
        const llm::Choice& choice = answer->choices[0];
        ASSERT_EQ(choice.parts.size(), has_call ? 2u : 1u);
        EXPECT_EQ(Json::parse(llm::as<llm::Text>(choice.parts[0])->text),
                  Json::parse(R"({"a":1.0})"));
        EXPECT_EQ(choice.finish,
                  has_call ? llm::FinishReason::tool_calls : llm::FinishReason::stop);
    };
    check(anthropic::provider, anthropic_whole(answer_a), false);
    check(anthropic::provider, anthropic_whole(answer_a + "," + call_a), true);
    check(bedrock::provider, bedrock_whole(answer_b), false);
    check(bedrock::provider, bedrock_whole(answer_b + "," + call_b), true);
}

struct Texts : EventSink {
    std::string text;
    std::size_t calls = 0, parts = 0, ended = 0;
    llm::FinishReason reason = llm::FinishReason::none;
    Result<void> take(const llm::Event& event) override {
        using Kind = llm::Event::Kind;
        if (event.kind == Kind::part_begin) {
            ++parts;
            calls += event.part_kind == llm::PartKind::tool_call ? 1 : 0;
        } else if (event.kind == Kind::delta && event.part_kind == llm::PartKind::text) {
            text += event.text;
        } else if (event.kind == Kind::part_end) {
            ++ended;
        } else if (event.kind == Kind::finish) {
            reason = event.reason;
        }
        return {};
    }
};
Texts streamed(const ProviderEdge& edge, std::string_view bytes, std::size_t cut) {
    const auto decoder = edge.decode_stream(false);
    Texts texts;
    for (const auto piece : {bytes.substr(0, cut), bytes.substr(cut)}) {
        const auto taken = decoder->feed(piece, texts);
        EXPECT_TRUE(taken) << taken.error().detail();
    }
    EXPECT_TRUE(decoder->end(texts));
    return texts;
}

std::string anthropic_stream(const std::vector<std::string>& pieces) {
    std::string bytes;
    const auto add = [&bytes](const std::string& data) { bytes += "data: " + data + "\n\n"; };
    add(R"({"type":"message_start","message":{"usage":{"input_tokens":1,"output_tokens":1}}})");
    add(fmt::format(
        R"({{"type":"content_block_start","index":0,"content_block":{{"type":"tool_use","id":"t","name":"{}","input":{{}}}}}})",
        kAnswerTool));
    for (const std::string& piece : pieces) {
        add(Json{{"type", "content_block_delta"},
                 {"index", 0},
                 {"delta", {{"type", "input_json_delta"}, {"partial_json", piece}}}}
                .dump());
    }
    add(R"({"type":"content_block_stop","index":0})");
    add(R"({"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":5}})");
    add(R"({"type":"message_stop"})");
    return bytes;
}

std::string bedrock_stream(const std::vector<std::string>& pieces) {
    std::string bytes;
    aws::append_event(bytes, "messageStart", R"({"role":"assistant"})");
    aws::append_event(
        bytes,
        "contentBlockStart",
        fmt::format(
            R"({{"contentBlockIndex":0,"start":{{"toolUse":{{"toolUseId":"t","name":"{}"}}}}}})",
            kAnswerTool));
    for (const std::string& piece : pieces) {
        aws::append_event(
            bytes,
            "contentBlockDelta",
            Json{{"contentBlockIndex", 0}, {"delta", {{"toolUse", {{"input", piece}}}}}}.dump());
    }
    aws::append_event(bytes, "contentBlockStop", R"({"contentBlockIndex":0})");
    aws::append_event(bytes, "messageStop", R"({"stopReason":"tool_use"})");
    aws::append_event(bytes, "metadata", R"({"usage":{"inputTokens":1,"outputTokens":5}})");
    return bytes;
}

TEST(AnswerTool, ComesBackAsTextInPieces) {
    for (const auto& pieces : {std::vector<std::string>{R"({"a")", ": 1.0}"}, {}}) {
        const std::string want = pieces.empty() ? "{}" : R"({"a": 1.0})";
        for (const auto& [edge, bytes] : {std::pair{&anthropic::provider, anthropic_stream(pieces)},
                                          std::pair{&bedrock::provider, bedrock_stream(pieces)}}) {
            for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
                const Texts texts = streamed(*edge, bytes, cut);
                ASSERT_EQ(texts.text, want) << cut;
                ASSERT_EQ(texts.calls, 0u);
                ASSERT_EQ(texts.parts, 1u);
                ASSERT_EQ(texts.ended, 1u);
                ASSERT_EQ(texts.reason, llm::FinishReason::stop);
            }
        }
    }
}

}  // namespace
}  // namespace weir::dialect
