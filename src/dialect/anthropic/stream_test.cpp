#include <gtest/gtest.h>

#include "dialect/anthropic/codec.h"
#include "dialect/anthropic/transcript.h"
#include "dialect/carrier.h"

namespace weir::dialect::anthropic {
namespace {

using Kind = llm::Event::Kind;
using llm::Dialect;
using llm::FinishReason;
using llm::PartKind;

constexpr AnswerTerms kTerms{.model = "public", .request_id = "r1"};

// Events with their names, as Anthropic's server frames them, trailing spaces included.
std::string sse(std::initializer_list<std::string_view> events) {
    std::string bytes;
    for (const std::string_view data : events) {
        const std::size_t at = data.find("\"type\":\"") + 8;
        bytes += fmt::format(
            "event: {}\ndata: {}  \n\n", data.substr(at, data.find('"', at) - at), data);
    }
    return bytes;
}

constexpr std::string_view kStart =
    R"({"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":200,"cache_creation":{"ephemeral_5m_input_tokens":10,"ephemeral_1h_input_tokens":20},"output_tokens":1}}})";
constexpr std::string_view kTextBegin =
    R"({"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}})";
constexpr std::string_view kHello =
    R"({"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"h\u00e9llo 🙂"}})";
constexpr std::string_view kBlockEnd = R"({"type":"content_block_stop","index":0})";
constexpr std::string_view kEndTurn =
    R"({"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"output_tokens":12}})";
constexpr std::string_view kStop = R"({"type":"message_stop"})";

// Everything that real streams have been seen to hold.
std::string rich() {
    return sse({
        kStart,
        R"({"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}})",
        R"({"type": "ping"})",
        R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"let me"}})",
        R"({"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}})",
        kBlockEnd,
        R"({"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"c2VhbA"}})",
        R"({"type":"content_block_stop","index":1})",
        R"({"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","id":"s","name":"web_search","input":{}}})",
        R"({"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}})",
        R"({"type":"content_block_stop","index":2})",
        R"({"type":"content_block_start","index":3,"content_block":{"citations":[],"type":"text","text":""}})",
        R"({"type":"content_block_delta","index":3,"delta":{"type":"citations_delta","citation":{"type":"web_search_result_location","url":"https://u","title":"T","cited_text":"c","encrypted_index":"e"}}})",
        R"({"type":"content_block_delta","index":3,"delta":{"type":"text_delta","text":"line\none \"quoted\" 🙂"}})",
        R"({"type":"content_block_stop","index":3})",
        R"({"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_1","name":"f","input":{}}})",
        R"({"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":""}})",
        R"({"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"{\"a\": "}})",
        R"({"type":"content_block_delta","index":4,"delta":{"type":"input_json_delta","partial_json":"1}"}})",
        R"({"type":"content_block_stop","index":4})",
        R"({"type":"content_block_start","index":5,"content_block":{"type":"tool_use","id":"toolu_2","name":"g","input":{}}})",
        R"({"type":"content_block_stop","index":5})",
        R"({"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":90,"output_tokens_details":{"thinking_tokens":40},"server_tool_use":{"web_search_requests":1}}})",
        kStop,
    });
}

TEST(AnthropicStream, IsReadAsItIsSaid) {
    EXPECT_EQ(transcribe(rich()),
              "start msg_1 claude-x\n"
              "usage 240 200 30 20 1 0 0\n"
              "begin 0 reasoning\n"
              "delta 0 let me\n"
              "signature 0 anthropic c2ln\n"
              "end 0\n"
              "begin 1 reasoning redacted\n"
              "signature 1 anthropic c2VhbA\n"
              "end 1\n"
              "begin 2 text\n"
              "citation 2 https://u\n"
              "delta 2 line\none \"quoted\" 🙂\n"
              "end 2\n"
              "begin 3 tool_call toolu_1 f\n"
              "delta 3 {\"a\": \n"
              "delta 3 1}\n"
              "end 3\n"
              "begin 4 tool_call toolu_2 g\n"
              "end 4\n"
              "finish 4 \n"
              "usage 240 200 30 20 90 40 1\n"
              "end of stream\n");
}

TEST(AnthropicStream, IsTheSameAtEveryCut) {
    const std::string crlf = [] {
        std::string text = rich();
        for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
            text.insert(at, "\r");
        }
        return text;
    }();
    const std::string broken = sse({kStart, kTextBegin, kHello}) +
                               "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":"
                               "\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n";
    for (const std::string& bytes : {rich(), "\xef\xbb\xbf: hello\n\n" + rich(), crlf, broken}) {
        const std::string whole = transcribe(bytes);
        for (std::size_t cut = 0; cut <= bytes.size(); ++cut) {
            ASSERT_EQ(transcribe(bytes, cut), whole) << cut;
        }
    }
    EXPECT_EQ(transcribe(crlf), transcribe(rich()));
}

TEST(AnthropicStream, HasNoPartThatSaysNothing) {
    EXPECT_EQ(
        transcribe(sse(
            {kStart,
             kTextBegin,
             kBlockEnd,
             R"({"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"","signature":""}})",
             R"({"type":"content_block_stop","index":1})",
             kEndTurn,
             kStop})),
        "start msg_1 claude-x\nusage 240 200 30 20 1 0 0\nfinish 1 \n"
        "usage 240 200 30 20 12 0 0\nend of stream\n");
}

TEST(AnthropicStream, SurvivesWhatLookAlikesDo) {
    // A second message_start, blocks that never end, arguments that come with the beginning, text
    // that does, an end turn after a call, usage that begins at the end, an unknown event.
    EXPECT_EQ(
        transcribe(sse({
            R"({"type":"message_start","message":{"id":"m","model":"x"}})",
            kStart,
            R"({"type":"content_block_start","index":7,"content_block":{"type":"text","text":"hi"}})",
            R"({"type":"content_block_start","index":9,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"x":1}}})",
            R"({"type":"content_block_start","index":9,"content_block":{"type":"tool_use","id":"b","name":"f","input":{}}})",
            R"({"type":"content_block_stop","index":33})",
            R"({"type":"brand_new","index":0})",
            R"({"type":"message_delta","delta":{},"usage":{"output_tokens":3}})",
            R"({"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":5,"output_tokens":4}})",
            R"({"type":"message_delta","delta":{"stop_reason":"end_turn"}})",
            R"({"type":"content_block_delta","index":9,"delta":{"type":"text_delta","text":"late"}})",
            kStop,
            kStop,
        })),
        "start m x\n"
        "begin 0 text\ndelta 0 hi\n"
        "begin 1 tool_call a f\ndelta 1 {\"x\":1}\nend 1\n"
        "begin 2 tool_call b f\n"
        "usage 0 0 0 0 3 0 0\n"
        "end 0\nend 2\n"
        "finish 4 \n"
        "usage 5 0 0 0 4 0 0\n"
        "end of stream\n");
    // Without names, without a message_start.
    EXPECT_EQ(transcribe(fmt::format("data: {}\n\ndata: {}\n\ndata: {}\n\ndata: {}\n\n",
                                     kTextBegin,
                                     kHello,
                                     kEndTurn,
                                     kStop)),
              "start  \nbegin 0 text\ndelta 0 héllo 🙂\nend 0\nfinish 1 \nusage 0 0 0 0 12 0 0\n"
              "end of stream\n");
}

TEST(AnthropicStream, SaysWhichSequenceStoppedItAndPassesUnknownReasonsOn) {
    const auto finish = [](std::string_view delta) {
        const std::string said = transcribe(
            sse({kStart, fmt::format(R"({{"type":"message_delta","delta":{}}})", delta), kStop}));
        const std::size_t at = said.find("finish");
        return said.substr(at, said.find('\n', at) - at);
    };
    EXPECT_EQ(finish(R"({"stop_reason":"stop_sequence","stop_sequence":"END"})"), "finish 2 END");
    EXPECT_EQ(finish(R"({"stop_reason":"max_tokens"})"), "finish 3 ");
    EXPECT_EQ(finish(R"({"stop_reason":"refusal"})"), "finish 5 ");
    EXPECT_EQ(finish(R"({"stop_reason":"pause_turn"})"), "finish 1 ");
    EXPECT_EQ(finish(R"({"stop_reason":"Brand_New"})"), "finish 7 brand_new");
}

// API-MAPPING 9, number 12: a broken stream is a failure and has no end.
TEST(AnthropicStream, ThatBreaksOffIsAFailure) {
    struct Broken {
        std::string bytes;
        std::string_view code, why;
    };
    const auto block = [](std::string_view delta) { return sse({kStart, kTextBegin, delta}); };
    for (
        const auto& c : {
            Broken{"", "upstream_invalid_response", "ended without message_stop"},
            Broken{sse({kStart, kTextBegin, kHello}), "upstream_invalid_response", "message_stop"},
            Broken{sse({kStart, kTextBegin, kHello, kBlockEnd, kEndTurn}),
                   "upstream_invalid_response",
                   "message_stop"},
            Broken{sse({kStart, kTextBegin, kHello, kBlockEnd, kEndTurn}) +
                       "event: message_stop\ndata: {\"type\":\"message_stop\"}\n",
                   "upstream_invalid_response",
                   "message_stop"},
            Broken{sse({kStart, kStop}), "upstream_invalid_response", "without a stop_reason"},
            Broken{"data: nonsense\n\n", "upstream_invalid_response", ""},
            Broken{
                block(
                    R"({"type":"content_block_delta","index":4,"delta":{"type":"text_delta","text":"x"}})"),
                "upstream_invalid_response",
                "not open"},
            Broken{
                block(
                    R"({"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"x"}})"),
                "upstream_invalid_response",
                "does not fit"},
            Broken{
                block(
                    R"({"type":"content_block_start","index":-1,"content_block":{"type":"text"}})"),
                "upstream_invalid_response",
                "without an index"},
            Broken{
                block(
                    R"({"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}})"),
                "upstream_error",
                "Overloaded"},
            Broken{
                block(R"({"type":"error","error":{"type":"rate_limit_error","message":"slow"}})"),
                "rate_limited",
                "slow"},
        }) {
        const std::string said = transcribe(c.bytes);
        EXPECT_EQ(said.find("end of stream"), std::string::npos) << c.bytes;
        EXPECT_NE(said.find(fmt::format("failed {}", c.code)), std::string::npos) << said;
        EXPECT_NE(said.find(c.why), std::string::npos) << said;
    }
}

TEST(AnthropicStream, MayEndWithoutItsTerminalWhereThatIsKnown) {
    Transcript sink;
    const auto decoder = decode_stream(true);
    ASSERT_TRUE(decoder->feed(sse({kStart, kTextBegin, kHello, kBlockEnd, kEndTurn}), sink));
    ASSERT_TRUE(decoder->end(sink));
    EXPECT_TRUE(sink.said.ends_with("end of stream\n"));
    const auto early = decode_stream(true);
    ASSERT_TRUE(early->feed(sse({kStart, kTextBegin, kHello}), sink));
    EXPECT_FALSE(early->end(sink));
}

std::string encode(std::initializer_list<llm::Event> events) {
    const auto encoder = encode_stream(kTerms);
    std::string out;
    for (const llm::Event& event : events) {
        encoder->take(event, out);
    }
    return out;
}

llm::Event begin(std::uint32_t part, PartKind kind, std::string_view id = {}) {
    return {.kind = Kind::part_begin,
            .part = part,
            .part_kind = kind,
            .id = id,
            .name = id.empty() ? "" : "f"};
}
llm::Event delta(std::uint32_t part, std::string_view text) {
    return {.kind = Kind::delta, .part = part, .text = text};
}
llm::Event end(std::uint32_t part) { return {.kind = Kind::part_end, .part = part}; }
llm::Event finish(FinishReason reason, std::string_view text = {}) {
    return {.kind = Kind::finish, .text = text, .reason = reason};
}
const llm::Event kBegin{.kind = Kind::start, .id = "chatcmpl-1", .model = "gpt"};
const llm::Event kEnd{.kind = Kind::end};

// The data of each event, without what is said of a message_start beyond its usage.
std::string said_by(std::string_view bytes) {
    sse::Decoder decoder;
    decoder.feed(bytes);
    sse::Event event;
    std::string said;
    while (decoder.next(event).value()) {
        EXPECT_NE(event.data.find(fmt::format("{{\"type\":\"{}\"", event.name)),
                  std::string::npos);  // SDKs dispatch on the name
        said += event.data;
        said += '\n';
    }
    EXPECT_FALSE(decoder.has_partial());
    return said;
}

// API-MAPPING 9, number 1: block order, no empty block, tool_use.
TEST(AnthropicStreamEncoder, SaysTextAndThenATool) {
    const llm::Usage usage{.input_tokens = 100, .cache_read_tokens = 60, .output_tokens = 9};
    EXPECT_EQ(
        said_by(encode({kBegin,
                        begin(0, PartKind::text),
                        delta(0, ""),
                        delta(0, "so \"it\" is\n"),
                        end(0),
                        begin(1, PartKind::text),
                        end(1),
                        begin(2, PartKind::tool_call, "call_1"),
                        delta(2, "{\"a\":"),
                        delta(2, "1}"),
                        end(2),
                        finish(FinishReason::tool_calls),
                        {.kind = Kind::usage, .usage = &usage},
                        kEnd})),
        R"({"type":"message_start","message":{"id":"msg_r1","type":"message","role":"assistant","model":"public","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"usage":{"input_tokens":0,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1,"server_tool_use":null,"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"inference_geo":null,"service_tier":null}}}
{"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}
{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"so \"it\" is\n"}}
{"type":"content_block_stop","index":0}
{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"call_1","name":"f","input":{},"caller":{"type":"direct"}}}
{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"a\":"}}
{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"1}"}}
{"type":"content_block_stop","index":1}
{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null,"stop_details":null,"container":null},"usage":{"input_tokens":40,"cache_creation_input_tokens":0,"cache_read_input_tokens":60,"output_tokens":9,"server_tool_use":null}}
{"type":"message_stop"}
)");
}

TEST(AnthropicStreamEncoder, TellsTheInputAtTheStartWhereItIsKnown) {
    const llm::Usage usage{.input_tokens = 100, .output_tokens = 1};
    const std::string said = said_by(encode({kBegin,
                                             {.kind = Kind::usage, .usage = &usage},
                                             begin(0, PartKind::text),
                                             delta(0, "x"),
                                             finish(FinishReason::stop),
                                             kEnd}));
    EXPECT_NE(
        said.find(
            R"("usage":{"input_tokens":100,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1,)"),
        std::string::npos)
        << said;
    EXPECT_NE(said.find(R"({"type":"content_block_stop","index":0})"), std::string::npos);
}

// Calls whose pieces come interleaved (OpenAI's) follow each other, whole.
TEST(AnthropicStreamEncoder, NeverInterleavesBlocks) {
    const std::string out = encode({kBegin,
                                    begin(0, PartKind::tool_call, "a"),
                                    begin(1, PartKind::tool_call, "b"),
                                    delta(0, "{\"x\":"),
                                    delta(1, "{\"y\":"),
                                    delta(0, "1}"),
                                    delta(1, "2}"),
                                    end(1),
                                    end(0),
                                    finish(FinishReason::tool_calls),
                                    kEnd});
    EXPECT_EQ(transcribe(out),
              "start msg_r1 public\nusage 0 0 0 0 1 0 0\n"
              "begin 0 tool_call a f\ndelta 0 {\"x\":\ndelta 0 1}\nend 0\n"
              "begin 1 tool_call b f\ndelta 1 {\"y\":\ndelta 1 2}\nend 1\n"
              "finish 4 \nusage 0 0 0 0 0 0 0\nend of stream\n");
}

TEST(AnthropicStreamEncoder, CarriesThoughtsAndTheirSignatures) {
    const std::string out = encode(
        {kBegin,
         begin(0, PartKind::reasoning),
         delta(0, "hm"),
         {.kind = Kind::signature, .part = 0, .text = "c2ln", .signature_of = Dialect::anthropic},
         end(0),
         {.kind = Kind::part_begin, .part = 1, .part_kind = PartKind::reasoning, .redacted = true},
         {.kind = Kind::signature, .part = 1, .text = "R2Vt", .signature_of = Dialect::gemini},
         end(1),
         {.kind = Kind::part_begin,
          .part = 2,
          .part_kind = PartKind::tool_call,
          .id = "call_1",
          .name = "f",
          .signature = "R2Vt",
          .signature_of = Dialect::gemini},
         end(2),
         finish(FinishReason::tool_calls),
         kEnd});
    const llm::Signature gemini{.text = "R2Vt", .of = Dialect::gemini};
    EXPECT_EQ(transcribe(out),
              fmt::format("start msg_r1 public\nusage 0 0 0 0 1 0 0\n"
                          "begin 0 reasoning\ndelta 0 hm\nsignature 0 anthropic c2ln\nend 0\n"
                          "begin 1 reasoning redacted\nsignature 1 anthropic {}\nend 1\n"
                          "begin 2 tool_call {} f\nend 2\n"
                          "finish 4 \nusage 0 0 0 0 0 0 0\nend of stream\n",
                          carry_in_field(gemini, Dialect::anthropic),
                          carry_in_id("call_1", gemini)));
}

TEST(AnthropicStreamEncoder, SaysWhyItStopped) {
    const auto last = [](std::initializer_list<llm::Event> events) {
        const std::string said = said_by(encode(events));
        const std::size_t at = said.find("\"delta\":{\"stop_reason\"");
        return said.substr(at + 8, said.find(",\"container\"", at) - at - 8);
    };
    EXPECT_EQ(last({kBegin, finish(FinishReason::length), kEnd}),
              R"({"stop_reason":"max_tokens","stop_sequence":null,"stop_details":null)");
    EXPECT_EQ(last({kBegin, finish(FinishReason::stop_sequence, "E\"D"), kEnd}),
              R"({"stop_reason":"stop_sequence","stop_sequence":"E\"D","stop_details":null)");
    EXPECT_EQ(last({kBegin, finish(FinishReason::other, "odd"), kEnd}),
              R"({"stop_reason":"odd","stop_sequence":null,"stop_details":null)");
    EXPECT_EQ(last({kBegin,
                    begin(0, PartKind::refusal),
                    delta(0, "No."),
                    end(0),
                    finish(FinishReason::stop),
                    kEnd}),
              R"({"stop_reason":"refusal","stop_sequence":null,"stop_details":)"
              R"({"type":"refusal","category":null,"explanation":null})");
}

TEST(AnthropicStreamEncoder, EndsOnceAndNeverAfterAFailure) {
    const auto encoder = encode_stream(kTerms);
    std::string out;
    encoder->keep_alive(out);
    EXPECT_EQ(out, "event: ping\ndata: {\"type\": \"ping\"}\n\n");
    out.clear();
    encoder->take(kBegin, out);
    EXPECT_EQ(out, "");
    encoder->fail(Error(Code::overloaded, "Later."), out);
    EXPECT_EQ(out,
              "event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\","
              "\"message\":\"Later.\",\"code\":\"overloaded\"},\"request_id\":\"r1\"}\n\n");
    const std::string failed = out;
    encoder->take(finish(FinishReason::stop), out);
    encoder->take(kEnd, out);
    encoder->fail(Error(Code::internal, "Again."), out);
    EXPECT_EQ(out, failed);
    const std::string twice = encode({kBegin, finish(FinishReason::stop), kEnd, kEnd});
    EXPECT_EQ(twice.find("event: message_stop"), twice.rfind("event: message_stop"));
}

// What the dialect's own provider said comes out as the same events.
TEST(AnthropicStreamEncoder, BringsItsOwnStreamsThrough) {
    struct Through : EventSink {
        std::unique_ptr<StreamEncoder> encoder = encode_stream({.model = "claude-x"});
        std::string out;
        Result<void> take(const llm::Event& event) override {
            encoder->take(event, out);
            return {};
        }
    };
    Through through;
    const auto decoder = decode_stream(false);
    ASSERT_TRUE(decoder->feed(rich(), through));
    ASSERT_TRUE(decoder->end(through));
    EXPECT_EQ(transcribe(through.out), transcribe(rich()));
}

}  // namespace
}  // namespace weir::dialect::anthropic
