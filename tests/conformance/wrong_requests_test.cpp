// API-MAPPING section 9, the rows about requests: what gateways are known to get wrong between
// dialects, each with the test that its last column demands. The number of the row is in the name.
#include <gtest/gtest.h>

#include <set>

#include "scene.h"

namespace weir::conformance {
namespace {

using llm::Dialect;

constexpr std::string_view kSonnet = "claude-sonnet-4-5";
constexpr std::string_view kGemini3 = "gemini-3-pro-preview";
constexpr std::string_view kGpt5 = "gpt-5-mini";

Json sent_in(std::string_view feature, Pair pair) {
    const auto sent = Exchange(pair, case_of(feature)).send(false);
    EXPECT_TRUE(sent.has_value()) << (sent ? "" : sent.error().message());
    return sent ? Json::parse(sent->body) : Json();
}

TEST(WrongRequests, Row04_AllResultsOfATurnAreFirstInOneMessage) {
    for (const Pair pair : pairs_to(Dialect::anthropic)) {
        SCOPED_TRACE(name_of(pair));
        const Json messages = sent_in("tool_results", pair)["messages"];
        ASSERT_EQ(messages.size(), 3u);
        EXPECT_EQ(messages[2]["role"], "user");
        const Json& content = messages[2]["content"];
        ASSERT_EQ(content.size(), 3u);
        EXPECT_EQ(content[0]["type"], "tool_result");
        EXPECT_EQ(content[1]["type"], "tool_result");
        EXPECT_EQ(content[2]["text"], "Then just the weather.");
        EXPECT_EQ(content[0]["tool_use_id"], messages[1]["content"][0]["id"]);
        EXPECT_EQ(content[1]["tool_use_id"], messages[1]["content"][1]["id"]);
    }
    for (const Pair pair : pairs_to(Dialect::gemini)) {
        SCOPED_TRACE(name_of(pair));
        const Json contents = sent_in("tool_results", pair)["contents"];
        ASSERT_EQ(contents.size(), 3u);
        const Json& parts = contents[2]["parts"];
        ASSERT_EQ(parts.size(), 3u);
        EXPECT_EQ(parts[0]["functionResponse"]["name"], "get_weather");
        EXPECT_EQ(parts[1]["functionResponse"]["name"], "get_time");
        EXPECT_EQ(parts[2]["text"], "Then just the weather.");
    }
}

// ---- rows 5 and 6: the turn that follows a call, as clients write it

constexpr std::string_view kQuestion = "Weather in Paris, then in Rome?";

// What a client keeps of an answer. `fields_known`: of a call only what the dialect's own
// specification names, as most SDKs do.
enum class Keeps { all, fields_known };

Json next_turn_of_chat(Json message, Keeps keeps) {
    if (keeps == Keeps::fields_known) {
        Json known = {{"role", "assistant"}, {"content", message["content"]}};
        for (const Json& call : message["tool_calls"]) {
            known["tool_calls"].push_back(
                {{"id", call["id"]}, {"type", "function"}, {"function", call["function"]}});
        }
        message = known;
    }
    const Json id = message["tool_calls"][0]["id"];
    return {{"model", kPublicModel},
            {"reasoning_effort", "low"},
            {"messages",
             {{{"role", "user"}, {"content", kQuestion}},
              message,
              {{"role", "tool"}, {"tool_call_id", id}, {"content", "rain"}}}},
            {"tools",
             {{{"type", "function"},
               {"function", {{"name", "get_weather"}, {"parameters", {{"type", "object"}}}}}}}}};
}

Json next_turn_of_responses(const Json& output) {
    Json input = {{{"role", "user"}, {"content", kQuestion}}};
    for (const Json& item : output) {
        input.push_back(item);
    }
    input.push_back({{"type", "function_call_output"},
                     {"call_id", output.back()["call_id"]},
                     {"output", "rain"}});
    return {
        {"model", kPublicModel},
        {"input", input},
        {"reasoning", {{"effort", "low"}}},
        {"tools",
         {{{"type", "function"}, {"name", "get_weather"}, {"parameters", {{"type", "object"}}}}}}};
}

Json next_turn_of_messages(const Json& content) {
    return {{"model", kPublicModel},
            {"max_tokens", 4000},
            {"thinking", {{"type", "enabled"}, {"budget_tokens", 1024}}},
            {"messages",
             {{{"role", "user"}, {"content", kQuestion}},
              {{"role", "assistant"}, {"content", content}},
              {{"role", "user"},
               {"content",
                {{{"type", "tool_result"},
                  {"tool_use_id", content.back()["id"]},
                  {"content", "rain"}}}}}}},
            {"tools", {{{"name", "get_weather"}, {"input_schema", {{"type", "object"}}}}}}};
}

Json next_turn_of_generate(const Json& parts) {
    const Json& call = parts.back()["functionCall"];
    return {{"contents",
             {{{"role", "user"}, {"parts", {{{"text", kQuestion}}}}},
              {{"role", "model"}, {"parts", parts}},
              {{"role", "user"},
               {"parts",
                {{{"functionResponse",
                   {{"id", call["id"]},
                    {"name", call["name"]},
                    {"response", {{"result", "rain"}}}}}}}}}}},
            {"generationConfig", {{"thinkingConfig", {{"includeThoughts", true}}}}},
            {"tools", {{{"functionDeclarations", {{{"name", "get_weather"}}}}}}}};
}

// The message that a chat client puts together from a stream: pieces joined, calls by their index,
// details in the order they came.
Json gathered_chat(std::string_view stream) {
    Json message = {{"role", "assistant"}, {"content", nullptr}};
    for (const Json& chunk : events_of(stream)) {
        if (chunk["choices"].empty()) {
            continue;
        }
        const Json& delta = chunk["choices"][0]["delta"];
        if (delta.contains("reasoning_content")) {
            message["reasoning_content"] = message.value("reasoning_content", std::string()) +
                                           delta["reasoning_content"].get<std::string>();
        }
        for (const Json& detail : delta.value("reasoning_details", Json::array())) {
            message["reasoning_details"].push_back(detail);
        }
        for (const Json& piece : delta.value("tool_calls", Json::array())) {
            if (piece.contains("id")) {
                Json call = piece;
                call.erase("index");
                message["tool_calls"].push_back(call);
                continue;
            }
            Json& arguments =
                message["tool_calls"][piece["index"].get<std::size_t>()]["function"]["arguments"];
            arguments =
                arguments.get<std::string>() + piece["function"]["arguments"].get<std::string>();
        }
    }
    return message;
}

// The blocks that an Anthropic client puts together from a stream.
Json gathered_blocks(std::string_view stream) {
    Json content = Json::array();
    std::string input;
    for (const Json& event : events_of(stream)) {
        if (event["type"] == "content_block_start") {
            content.push_back(event["content_block"]);
            input.clear();
        } else if (event["type"] == "content_block_delta") {
            for (const char* key : {"thinking", "signature", "text"}) {
                if (event["delta"].contains(key)) {
                    content.back()[key] = content.back()[key].get<std::string>() +
                                          event["delta"][key].get<std::string>();
                }
            }
            input += event["delta"].value("partial_json", "");
            if (!input.empty()) {
                content.back()["input"] = Json::parse(input, nullptr, false);
            }
        }
    }
    return content;
}

Json gathered_parts(std::string_view stream) {
    Json parts = Json::array();
    for (const Json& chunk : events_of(stream)) {
        for (const Json& part : chunk["candidates"][0]["content"]["parts"]) {
            parts.push_back(part);
        }
    }
    // The last chunk has an empty text beside its reason; clients that keep it are not worse off.
    if (parts.back().contains("text")) {
        parts.erase(parts.size() - 1);
    }
    return parts;
}

// The requests with which a client of that dialect may go on after the call in `reasoning_tools`:
// from the whole answer, and from the stream.
std::vector<Json> next_turns(Pair pair, Keeps keeps) {
    const Json answer = answer_in("reasoning_tools", pair);
    const std::string stream = stream_in("reasoning_tools", pair).body;
    switch (pair.client) {
        case Dialect::openai_chat:
            return {next_turn_of_chat(answer["choices"][0]["message"], keeps),
                    next_turn_of_chat(gathered_chat(stream), keeps)};
        case Dialect::openai_responses:
            return {next_turn_of_responses(answer["output"]),
                    next_turn_of_responses(events_of(stream).back()["response"]["output"])};
        case Dialect::anthropic:
            return {next_turn_of_messages(answer["content"]),
                    next_turn_of_messages(gathered_blocks(stream))};
        case Dialect::gemini:
            return {next_turn_of_generate(answer["candidates"][0]["content"]["parts"]),
                    next_turn_of_generate(gathered_parts(stream))};
        case Dialect::bedrock:
            break;
    }
    return {};
}

// What the provider of the case signed with.
std::string signature_in(Dialect provider) {
    const Json answer =
        Json::parse(section_of(case_of("reasoning_tools"), "answer", provider).body);
    switch (provider) {
        case Dialect::anthropic:
            return answer["content"][0]["signature"];
        case Dialect::gemini:
            return answer["candidates"][0]["content"]["parts"][1]["thoughtSignature"];
        default:
            return answer["output"][0]["encrypted_content"];
    }
}

TEST(WrongRequests, Row05_GeminisSignatureComesBackThoughTheClientDropsTheField) {
    for (const Pair pair : pairs_to(Dialect::gemini)) {
        for (const Json& turn : next_turns(pair, Keeps::fields_known)) {
            SCOPED_TRACE(name_of(pair) + turn.dump());
            const auto sent = upstream(pair, turn, kGemini3);
            ASSERT_TRUE(sent.has_value()) << sent.error().message();
            const Json& part = (*sent)["contents"][1]["parts"].back();
            EXPECT_EQ(part["functionCall"]["args"], (Json{{"city", "Rome"}}));
            EXPECT_EQ(part["thoughtSignature"], signature_in(Dialect::gemini));
            const Json& result = (*sent)["contents"][2]["parts"][0]["functionResponse"];
            EXPECT_EQ(result["id"], part["functionCall"]["id"]);
            EXPECT_EQ(result["name"], "get_weather");
        }
    }
}

TEST(WrongRequests, Row06_AnthropicsThinkingComesBackUnchanged) {
    for (const Pair pair : pairs_to(Dialect::anthropic)) {
        for (const Json& turn : next_turns(pair, Keeps::all)) {
            SCOPED_TRACE(name_of(pair) + turn.dump());
            const auto sent = upstream(pair, turn, kSonnet);
            ASSERT_TRUE(sent.has_value()) << sent.error().message();
            const Json& content = (*sent)["messages"][1]["content"];
            EXPECT_EQ(content[0],
                      (Json{{"type", "thinking"},
                            {"thinking", "Paris is done, Rome is next."},
                            {"signature", signature_in(Dialect::anthropic)}}));
            EXPECT_EQ(content[1]["type"], "tool_use");
        }
    }
}

TEST(WrongRequests, Row06_SealedReasoningComesBackToTheResponses) {
    for (const Pair pair : pairs_to(Dialect::openai_responses)) {
        for (const Json& turn : next_turns(pair, Keeps::all)) {
            SCOPED_TRACE(name_of(pair) + turn.dump());
            const auto sent = upstream(pair, turn, kGpt5);
            ASSERT_TRUE(sent.has_value()) << sent.error().message();
            const Json& item = (*sent)["input"][1];
            EXPECT_EQ(item["type"], "reasoning");
            EXPECT_EQ(item["encrypted_content"], signature_in(Dialect::openai_responses));
            EXPECT_EQ((*sent)["input"][2]["type"], "function_call");
        }
    }
}

// Rule 8: what one provider signed is no business of another.
TEST(WrongRequests, Row06_NoSignatureGoesToAnotherProvider) {
    for (const Pair pair : all_pairs()) {
        if (pair.provider == Dialect::openai_chat) {
            continue;  // it signs nothing
        }
        for (const Dialect other : kDialects) {
            if (other == pair.provider) {
                continue;
            }
            for (const Json& turn : next_turns(pair, Keeps::all)) {
                const Pair later{.client = pair.client, .provider = other};
                if (!later.is_translated()) {
                    continue;  // it passes as the client wrote it
                }
                SCOPED_TRACE(name_of(pair) + ", then " + name_of(later));
                const auto sent = upstream(later,
                                           turn,
                                           other == Dialect::gemini      ? kGemini3
                                           : other == Dialect::anthropic ? kSonnet
                                                                         : kGpt5);
                ASSERT_TRUE(sent.has_value()) << sent.error().message();
                const std::string text = sent->dump();
                EXPECT_EQ(text.find(signature_in(pair.provider)), std::string::npos) << text;
                EXPECT_EQ(text.find("weir-sig"), std::string::npos) << text;
                EXPECT_EQ(text.find("d2Vpci1zaWc6"), std::string::npos) << text;
            }
        }
    }
}

// ---- row 9

Json chat_with(const Json& more) {
    Json body = {{"model", kPublicModel},
                 {"messages", {{{"role", "user"}, {"content", "x"}}}},
                 {"max_completion_tokens", 9000},
                 {"tools",
                  {{{"type", "function"},
                    {"function", {{"name", "f"}, {"parameters", {{"type", "object"}}}}}}}}};
    body.update(more);
    return body;
}

TEST(WrongRequests, Row09_WhatClaudeRefusesTogetherIsNotSentTogether) {
    constexpr Pair pair{.client = Dialect::openai_chat, .provider = Dialect::anthropic};
    const auto forced = upstream(
        pair, chat_with({{"tool_choice", "required"}, {"reasoning_effort", "high"}}), kSonnet);
    ASSERT_TRUE(forced.has_value());
    EXPECT_EQ((*forced)["tool_choice"]["type"], "any");
    EXPECT_FALSE(forced->contains("thinking"));

    const auto both = upstream(pair, chat_with({{"temperature", 1.5}, {"top_p", 0.5}}), kSonnet);
    ASSERT_TRUE(both.has_value());
    EXPECT_EQ((*both)["temperature"], 1.0);  // theirs ends there
    EXPECT_FALSE(both->contains("top_p"));

    for (const std::string_view model : {"claude-opus-4-7", "claude-opus-4-8"}) {
        const auto warm = upstream(pair, chat_with({{"temperature", 0.3}}), model);
        ASSERT_TRUE(warm.has_value());
        EXPECT_FALSE(warm->contains("temperature")) << model;
    }
}

// ---- row 10

TEST(WrongRequests, Row10_SchemasAndToolsArriveWhole) {
    const Json schema = Json::parse(section_of(case_of("tools"), "request", Dialect::anthropic)
                                        .body)["tools"][0]["input_schema"];
    ASSERT_TRUE(schema["properties"]["place"].contains("$ref"));
    for (const Pair pair : all_pairs()) {
        SCOPED_TRACE(name_of(pair));
        const Json sent = sent_in("tools", pair);
        // Gemini's clients have no word for `strict`.
        const bool strict = pair.client != Dialect::gemini;
        Json want;
        switch (pair.provider) {
            case Dialect::openai_chat:
                want = {{"type", "function"},
                        {"function",
                         {{"name", "get_weather"},
                          {"description", "The weather of a place, now"},
                          {"parameters", schema}}}};
                if (strict) {
                    want["function"]["strict"] = true;
                }
                EXPECT_EQ(sent["tools"], Json::array({want}));
                break;
            case Dialect::openai_responses:
                want = {{"type", "function"},
                        {"name", "get_weather"},
                        {"description", "The weather of a place, now"},
                        {"parameters", schema},
                        {"strict", strict}};  // it is strict there unless told otherwise
                EXPECT_EQ(sent["tools"], Json::array({want}));
                break;
            case Dialect::anthropic:
                want = {{"name", "get_weather"},
                        {"description", "The weather of a place, now"},
                        {"input_schema", schema}};
                if (strict) {
                    want["strict"] = true;
                }
                EXPECT_EQ(sent["tools"], Json::array({want}));
                break;
            case Dialect::gemini:
                want = {{"name", "get_weather"},
                        {"description", "The weather of a place, now"},
                        {"parametersJsonSchema", schema}};
                EXPECT_EQ(sent["tools"],
                          Json::array({Json{{"functionDeclarations", Json::array({want})}}}));
                break;
            case Dialect::bedrock:
                break;
        }
    }
}

TEST(WrongRequests, Row10_SchemasOfAnswersArriveWhole) {
    const Json schema =
        Json::parse(section_of(case_of("json_schema"), "request", Dialect::anthropic)
                        .body)["output_config"]["format"]["schema"];
    for (const Pair pair : all_pairs()) {
        SCOPED_TRACE(name_of(pair));
        const Json sent = sent_in("json_schema", pair);
        const Json& arrived =
            pair.provider == Dialect::openai_chat ? sent["response_format"]["json_schema"]["schema"]
            : pair.provider == Dialect::openai_responses ? sent["text"]["format"]["schema"]
            : pair.provider == Dialect::anthropic        ? sent["output_config"]["format"]["schema"]
                                                  : sent["generationConfig"]["responseJsonSchema"];
        EXPECT_EQ(arrived, schema);
    }
}

}  // namespace
}  // namespace weir::conformance
