// API-MAPPING section 9, the rows about answers and streams: what gateways are known to get wrong
// between dialects, each with the test that its last column demands. The number of the row is in
// the name.
#include <gtest/gtest.h>

#include <set>

#include "scene.h"
#include "stream_rules.h"

namespace weir::conformance {
namespace {

using llm::Dialect;

std::vector<Json> of_type(std::string_view stream, std::string_view type) {
    auto events = events_of(stream);
    std::erase_if(events, [type](const Json& event) { return event["type"] != type; });
    return events;
}

TEST(WrongAnswers, Row01_TextThenAToolKeepTheirOrderAndEndAsToolUse) {
    for (const Pair pair : pairs_from(Dialect::anthropic)) {
        SCOPED_TRACE(name_of(pair));
        const std::string stream = stream_in("tools", pair).body;
        EXPECT_EQ(broken_rule(stream, Dialect::anthropic, false), "");  // no empty block
        const auto blocks = of_type(stream, "content_block_start");
        ASSERT_EQ(blocks.size(), 2u);
        EXPECT_EQ(blocks[0]["content_block"]["type"], "text");
        EXPECT_EQ(blocks[1]["content_block"]["type"], "tool_use");
        EXPECT_EQ(of_type(stream, "message_delta").at(0)["delta"]["stop_reason"], "tool_use");
        const Json answer = answer_in("tools", pair);
        EXPECT_EQ(answer["content"][0]["type"], "text");
        EXPECT_EQ(answer["content"][1]["type"], "tool_use");
        EXPECT_EQ(answer["stop_reason"], "tool_use");
    }
}

TEST(WrongAnswers, Row01_AToolAloneHasNoTextBeforeIt) {
    for (const Pair pair : pairs_from(Dialect::anthropic)) {
        SCOPED_TRACE(name_of(pair));
        const std::string stream = stream_in("parallel_tools", pair).body;
        for (const Json& block : of_type(stream, "content_block_start")) {
            EXPECT_EQ(block["content_block"]["type"], "tool_use");
        }
        EXPECT_EQ(answer_in("parallel_tools", pair)["content"].size(), 2u);
    }
}

std::string finish_of_chat(std::string_view stream) {
    for (const Json& chunk : events_of(stream)) {
        if (!chunk["choices"].empty() && chunk["choices"][0]["finish_reason"].is_string()) {
            return chunk["choices"][0]["finish_reason"];
        }
    }
    return {};
}

TEST(WrongAnswers, Row02_CalledToolsAreWhyItStopped) {
    for (const char* feature : {"tools", "parallel_tools"}) {
        for (const Pair pair : pairs_from(Dialect::openai_chat)) {
            SCOPED_TRACE(name_of(pair));
            EXPECT_EQ(answer_in(feature, pair)["choices"][0]["finish_reason"], "tool_calls");
            EXPECT_EQ(finish_of_chat(stream_in(feature, pair).body), "tool_calls");
        }
    }
}

// o1-pro and others say `stop` after a call.
TEST(WrongAnswers, Row02_AlsoWhereTheProviderSaysStop) {
    CaseFile file = case_of("tools");
    for (Section& section : file.sections) {
        for (std::size_t at = 0;
             (at = section.body.find("\"tool_calls\"", at)) != std::string::npos;
             ++at) {
            if (section.body.rfind("finish_reason", at) + 20 > at) {
                section.body.replace(at, 12, "\"stop\"");
            }
        }
    }
    for (const Pair pair : pairs_to(Dialect::openai_chat)) {
        SCOPED_TRACE(name_of(pair));
        const Exchange exchange(pair, file);
        const std::string& whole = section_of(file, "answer", Dialect::openai_chat).body;
        const std::string& streamed = section_of(file, "stream", Dialect::openai_chat).body;
        ASSERT_NE(whole.find("\"finish_reason\": \"stop\""), std::string::npos);
        ASSERT_NE(streamed.find("\"finish_reason\":\"stop\""), std::string::npos);
        EXPECT_EQ(exchange.answer(whole)->body,
                  Exchange(pair, case_of("tools"))
                      .answer(section_of(case_of("tools"), "answer", Dialect::openai_chat).body)
                      ->body);
        EXPECT_EQ(exchange.stream(streamed, 1, 7).body, stream_in("tools", pair).body);
    }
}

TEST(WrongAnswers, Row03_TwoCallsHaveTwoIndexesAndTheirOwnArguments) {
    for (const Pair pair : pairs_from(Dialect::openai_chat)) {
        SCOPED_TRACE(name_of(pair));
        std::string arguments[2];
        std::set<std::string> ids;
        for (const Json& chunk : events_of(stream_in("parallel_tools", pair).body)) {
            if (chunk["choices"].empty()) {
                continue;
            }
            for (const Json& call :
                 chunk["choices"][0]["delta"].value("tool_calls", Json::array())) {
                ASSERT_LT(call["index"], 2);
                arguments[call["index"].get<std::size_t>()] +=
                    call["function"]["arguments"].get<std::string>();
                if (call.contains("id")) {
                    ids.insert(call["id"]);
                }
            }
        }
        EXPECT_EQ(arguments[0], R"({"city":"Paris"})");
        EXPECT_EQ(arguments[1], R"({"zone":"Europe/Paris"})");
        EXPECT_EQ(ids.size(), 2u);
    }
    // Pieces of both calls in turn are put in order for those who know no such thing.
    for (const Pair pair : pairs_to(Dialect::openai_chat)) {
        SCOPED_TRACE(name_of(pair));
        const auto interleaved = stream_in("parallel_tools", pair, "interleaved");
        EXPECT_EQ(broken_rule(interleaved.body, pair.client, false), "");
        EXPECT_TRUE(interleaved.done);
    }
}

// ---- rows 7 and 8

struct Told {
    std::int64_t input, cache_read, output, total;
    bool operator==(const Told&) const = default;
};
void PrintTo(const Told& told, std::ostream* out) {
    *out << told.input << ' ' << told.cache_read << ' ' << told.output << ' ' << told.total;
}

// The totals as the client's dialect has them, put together as its documentation says.
Told told_by(const Json& usage, Dialect client) {
    const auto count = [&usage](const char* pointer) -> std::int64_t {
        const Json::json_pointer at(pointer);
        return usage.contains(at) ? usage[at].get<std::int64_t>() : 0;
    };
    switch (client) {
        case Dialect::openai_chat:
            return {count("/prompt_tokens"),
                    count("/prompt_tokens_details/cached_tokens"),
                    count("/completion_tokens"),
                    count("/total_tokens")};
        case Dialect::openai_responses:
            return {count("/input_tokens"),
                    count("/input_tokens_details/cached_tokens"),
                    count("/output_tokens"),
                    count("/total_tokens")};
        case Dialect::anthropic: {
            const auto input = count("/input_tokens") + count("/cache_read_input_tokens") +
                               count("/cache_creation_input_tokens");
            return {input,
                    count("/cache_read_input_tokens"),
                    count("/output_tokens"),
                    input + count("/output_tokens")};
        }
        case Dialect::gemini: {
            const auto output = count("/candidatesTokenCount") + count("/thoughtsTokenCount");
            return {count("/promptTokenCount"),
                    count("/cachedContentTokenCount"),
                    output,
                    count("/totalTokenCount")};
        }
        case Dialect::bedrock:
            break;
    }
    return {};
}

Json usage_of_answer(const Json& answer, Dialect client) {
    return client == Dialect::gemini ? answer["usageMetadata"] : answer["usage"];
}

Json usage_of_stream(std::string_view stream, Dialect client) {
    const auto events = events_of(stream);
    switch (client) {
        case Dialect::openai_responses:
            return events.back()["response"]["usage"];
        case Dialect::anthropic:
            return of_type(stream, "message_delta").at(0)["usage"];
        default:
            return usage_of_answer(events.back(), client);
    }
}

TEST(WrongAnswers, Row07_CachedTokensAreCountedOnceAndTotalsAddUp) {
    struct Counted {
        const char* feature;
        Told told;
    };
    for (const auto& [feature, want] : {Counted{"text", {1241, 1024, 17, 1258}},
                                        Counted{"tool_results", {2310, 1792, 12, 2322}}}) {
        for (const Pair pair : all_pairs()) {
            SCOPED_TRACE(std::string(feature) + ", " + name_of(pair));
            EXPECT_EQ(told_by(usage_of_answer(answer_in(feature, pair), pair.client), pair.client),
                      want);
            EXPECT_EQ(
                told_by(usage_of_stream(stream_in(feature, pair).body, pair.client), pair.client),
                want);
        }
    }
}

TEST(WrongAnswers, Row08_GeminisThoughtsAreOutput) {
    for (const Pair pair : pairs_to(Dialect::gemini)) {
        SCOPED_TRACE(name_of(pair));
        const Told want{52, 0, 118, 170};  // 14 candidates and 104 thoughts
        const Json usage = usage_of_answer(answer_in("reasoning", pair), pair.client);
        EXPECT_EQ(told_by(usage, pair.client), want);
        EXPECT_EQ(
            told_by(usage_of_stream(stream_in("reasoning", pair).body, pair.client), pair.client),
            want);
        if (pair.client == Dialect::openai_chat) {
            EXPECT_EQ(usage["completion_tokens_details"]["reasoning_tokens"], 104);
        }
        EXPECT_EQ(stream_in("reasoning", pair).usage.reasoning_tokens, 104);
    }
}

// ---- row 11

TEST(WrongAnswers, Row11_ResponsesStreamsHaveEveryEventInItsOrder) {
    for (const Pair pair : pairs_from(Dialect::openai_responses)) {
        SCOPED_TRACE(name_of(pair));
        const std::string stream = stream_in("tools", pair).body;
        EXPECT_EQ(broken_rule(stream, Dialect::openai_responses, false), "");
        std::vector<std::string> types;
        for (const Json& event : events_of(stream)) {
            const std::string type = event["type"].get<std::string>().substr(9);
            if (types.empty() || types.back() != type) {  // pieces are as many as they are
                types.push_back(type);
            }
        }
        EXPECT_EQ(types,
                  (std::vector<std::string>{"created",
                                            "in_progress",
                                            "output_item.added",
                                            "content_part.added",
                                            "output_text.delta",
                                            "output_text.done",
                                            "content_part.done",
                                            "output_item.done",
                                            "output_item.added",
                                            "function_call_arguments.delta",
                                            "function_call_arguments.done",
                                            "output_item.done",
                                            "completed"}));
        const auto added = of_type(stream, "response.output_item.added");
        EXPECT_EQ(added[0]["output_index"], 0);
        EXPECT_EQ(added[1]["output_index"], 1);
        EXPECT_EQ(events_of(stream).back()["response"]["output"].size(), 2u);
    }
}

// ---- rows 12 to 15

TEST(WrongAnswers, Row12_ABrokenStreamIsAnErrorAndHasNoTerminal) {
    for (const Pair pair : all_pairs()) {
        std::vector<std::string> names{"error_event", "cut"};
        if (pair.provider == Dialect::openai_chat) {
            names.push_back("finished_but_cut");
        }
        if (pair.provider != Dialect::gemini) {
            names.push_back("in_a_call");
        }
        for (const std::string& name : names) {
            SCOPED_TRACE(name_of(pair) + ", " + name);
            const Streamed told = stream_in("error_mid_stream", pair, name);
            ASSERT_TRUE(told.error.has_value());
            EXPECT_TRUE(told.committed);
            EXPECT_EQ(
                told.error->code(),
                name == "error_event" ? Code::upstream_error : Code::upstream_invalid_response);
            EXPECT_EQ(broken_rule(told.body, pair.client, true), "");
            for (const std::string_view terminal : {"[DONE]",
                                                    "message_stop",
                                                    "response.completed",
                                                    "response.incomplete",
                                                    "finishReason"}) {
                EXPECT_EQ(told.body.find(terminal), std::string::npos) << terminal;
            }
        }
    }
}

TEST(WrongAnswers, Row12_NothingIsNoSuccess) {
    for (const Pair pair : pairs_to(Dialect::openai_chat)) {
        SCOPED_TRACE(name_of(pair));
        const Streamed told = stream_in("error_mid_stream", pair, "nothing");
        ASSERT_TRUE(told.error.has_value());
        EXPECT_EQ(told.error->code(), Code::upstream_invalid_response);
        EXPECT_FALSE(told.committed);  // it has a status, and may be asked of another provider
    }
}

// Azure begins with a chunk without choices, and its filter sends choices without a delta.
constexpr std::string_view kAzureBegins =
    R"(data: {"choices":[],"created":0,"id":"","model":"","object":"","prompt_filter_results":[{"prompt_index":0,"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}]})"
    "\n\n";
constexpr std::string_view kAzureFilters =
    R"(data: {"id":"","object":"","created":0,"model":"","choices":[{"index":0,"finish_reason":null,"content_filter_offsets":{"check_offset":44,"start_offset":44,"end_offset":198},"content_filter_results":{"hate":{"filtered":false,"severity":"safe"}}}],"usage":null})"
    "\n\n";

TEST(WrongAnswers, Row13_ChunksWithoutChoicesOrDeltaAreSurvived) {
    const CaseFile& file = case_of("text");
    const std::string& usual = section_of(file, "stream", Dialect::openai_chat).body;
    const auto second = usual.find("data: ", 1);
    const std::string azure = std::string(kAzureBegins) + usual.substr(0, second) +
                              std::string(kAzureFilters) + usual.substr(second);
    for (const Pair pair : pairs_to(Dialect::openai_chat)) {
        SCOPED_TRACE(name_of(pair));
        const Streamed told = Exchange(pair, file).stream(azure, 1, 5);
        EXPECT_EQ(told.body, stream_in("text", pair).body);
        EXPECT_EQ(told.usage, stream_in("text", pair).usage);
    }
    const Pair same{.client = Dialect::openai_chat, .provider = Dialect::openai_chat};
    const Streamed passed = Exchange(same, file).stream(azure, 1, 5);
    EXPECT_TRUE(passed.done);
    EXPECT_NE(passed.body.find("prompt_filter_results"), std::string::npos);
}

TEST(WrongAnswers, Row13_UsageIsToldWhereItWasAskedForAndAlwaysSettled) {
    const CaseFile& file = case_of("text");
    for (const Dialect provider : kDialects) {
        const Pair pair{.client = Dialect::openai_chat, .provider = provider};
        SCOPED_TRACE(name_of(pair));
        const std::string& body = section_of(file, "stream", provider).body;
        const Streamed asked = Exchange(pair, file).stream(body, 10, 10);
        const Streamed unasked =
            Exchange(pair, file, Exchange::Usage::unasked).stream(body, 10, 10);
        EXPECT_NE(asked.body.find("\"prompt_tokens\":1241"), std::string::npos);
        EXPECT_EQ(unasked.body.find("prompt_tokens"), std::string::npos);
        EXPECT_TRUE(unasked.done);
        EXPECT_EQ(unasked.usage, asked.usage);
        EXPECT_EQ(unasked.usage.input_tokens, 1241);
        EXPECT_FALSE(unasked.usage.estimated);
    }
}

TEST(WrongAnswers, Row14_ACutAnswerSaysSoBehindItsLastWord) {
    for (const char* feature : {"length_stop", "length_stop_in_a_call"}) {
        for (const Pair pair : all_pairs()) {
            if (pair.provider == Dialect::gemini && std::string(feature) != "length_stop") {
                continue;  // its calls come whole
            }
            SCOPED_TRACE(std::string(feature) + ", " + name_of(pair));
            const Streamed told = stream_in(feature, pair);
            EXPECT_EQ(broken_rule(told.body, pair.client, false), "");  // it comes last
            switch (pair.client) {
                case Dialect::openai_chat:
                    EXPECT_EQ(finish_of_chat(told.body), "length");
                    break;
                case Dialect::openai_responses: {
                    const Json end = events_of(told.body).back();
                    EXPECT_EQ(end["type"], "response.incomplete");
                    EXPECT_EQ(end["response"]["incomplete_details"]["reason"], "max_output_tokens");
                    break;
                }
                case Dialect::anthropic:
                    EXPECT_EQ(of_type(told.body, "message_delta").at(0)["delta"]["stop_reason"],
                              "max_tokens");
                    break;
                case Dialect::gemini:
                    EXPECT_EQ(events_of(told.body).back()["candidates"][0]["finishReason"],
                              "MAX_TOKENS");
                    break;
                case Dialect::bedrock:
                    break;
            }
        }
    }
}

// tests/integration/ledger_test.py has the row in the ledger; here is what it is made of.
TEST(WrongAnswers, Row15_WhatWasDeliveredBeforeTheClientLeftIsCounted) {
    const CaseFile& file = case_of("text");
    for (const Dialect client : kDialects) {
        for (const Dialect provider : kDialects) {
            const Pair pair{.client = client, .provider = provider};
            SCOPED_TRACE(name_of(pair));
            const std::string& body = section_of(file, "stream", provider).body;
            // Behind the event with the second piece of the text.
            const auto piece = body.find("Wien");
            ASSERT_NE(piece, std::string::npos);
            const auto end = body.find("\n", piece);
            const llm::Usage used =
                Exchange(pair, file)
                    .used_until(std::string_view(body).substr(0, body.find("\n", end + 1) + 1));
            EXPECT_GE(used.output_tokens, 1);
            EXPECT_LE(used.output_tokens, 17);  // nothing that was not delivered
            EXPECT_GT(used.input_tokens, 0);
            EXPECT_TRUE(used.estimated || used.input_tokens == 1241) << used.input_tokens;
        }
    }
}

}  // namespace
}  // namespace weir::conformance
