#include "dialect/gemini/gemini_test.h"

namespace weir::dialect::gemini {
namespace {

using Kind = llm::Event::Kind;
using llm::PartKind;

std::string sse(std::initializer_list<std::string_view> chunks) {
    std::string out;
    for (const auto chunk : chunks) {
        out += fmt::format("data: {}\r\n\r\n", chunk);
    }
    return out;
}

// Thinking, text in pieces, sources and a signature that trails in an empty text.
const std::string kTextStream = sse({
    R"({"candidates":[{"content":{"parts":[{"text":"**Plan**","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":34,"totalTokenCount":102,"thoughtsTokenCount":68},"modelVersion":"gemini-2.5-pro","responseId":"beHB-1"})",
    R"({"candidates":[{"content":{"parts":[{"text":" on","thought":true}],"role":"model"},"index":0}],"modelVersion":"gemini-2.5-pro","responseId":"beHB-1"})",
    R"({"candidates":[{"content":{"parts":[{"text":"Grüße, \"W\u00e9ir\""}],"role":"model"},"index":0}],"usageMetadata":{"trafficType":"ON_DEMAND"}})",
    R"({"candidates":[{"content":{"parts":[{"text":"."}],"role":"model"},"index":0}]})",
    R"({"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"c2ln"}],"role":"model"},"finishReason":"STOP","index":0,"groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],"groundingSupports":[{"segment":{"endIndex":7,"text":"Grüße"},"groundingChunkIndices":[0,9]}]}}],"usageMetadata":{"promptTokenCount":34,"candidatesTokenCount":23,"totalTokenCount":125,"cachedContentTokenCount":4,"thoughtsTokenCount":68}})",
});

TEST(GeminiStream, BecomesEvents) {
    EXPECT_EQ(
        events_of(kTextStream),
        (std::vector<std::string>{
            "start beHB-1 gemini-2.5-pro",
            "begin 0.0 reasoning",
            "delta 0.0 **Plan**",
            "usage in 34 (cached 0, audio 0) out 68 (thought 68, audio 0, image 0) searches 0",
            "delta 0.0  on",
            "end 0.0",
            "begin 0.1 text",
            "delta 0.1 Grüße, \"Wéir\"",
            "delta 0.1 .",
            "sign 0.1 c2ln",
            "cite 0.1 https://a Grüße",
            "usage in 34 (cached 4, audio 0) out 91 (thought 68, audio 0, image 0) searches 1",
            "end 0.1",
            "finish 0 stop ",
            "end of stream"}));
}

// Two parallel calls (known wrong translation 3), STOP after them (2), each its own id.
const std::string kToolStream = sse({
    R"({"candidates":[{"content":{"parts":[{"text":"Look:"},{"functionCall":{"name":"w","args":{"at":"A"}},"thoughtSignature":"b3du"}],"role":"model"}}],"responseId":"r/1"})",
    R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"w","id":"own"}}],"role":"model"}}]})",
    R"({"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP"}]})",
});
TEST(GeminiStream, EndsAsToolCallsWhereThereWasOne) {
    EXPECT_EQ(events_of(kToolStream),
              (std::vector<std::string>{"start r/1 ",
                                        "begin 0.0 text",
                                        "delta 0.0 Look:",
                                        "end 0.0",
                                        "begin 0.1 call id=call_0_r_1 name=w sig=b3du",
                                        R"(delta 0.1 {"at":"A"})",
                                        "end 0.1",
                                        "begin 0.2 call id=own name=w",
                                        "end 0.2",
                                        "finish 0 tool_calls ",
                                        "end of stream"}));
}

TEST(GeminiStream, GivesTheSameEventsAtEveryCut) {
    const std::string odd = "\xef\xbb\xbf: hello\n\n" + kToolStream;
    std::string lf;
    for (const char c : kTextStream) {
        lf += c == '\r' ? "" : std::string(1, c);
    }
    for (const std::string& stream : {kTextStream, kToolStream, odd, lf}) {
        const auto whole = events_of(stream);
        EXPECT_EQ(whole.back(), "end of stream");
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            ASSERT_EQ(events_of(stream, cut), whole) << cut;
        }
    }
}

TEST(GeminiStream, KeepsCandidatesApart) {
    EXPECT_EQ(
        events_of(sse({
            R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0},{"content":{"parts":[{"text":"b"}]},"index":1}]})",
            R"({"candidates":[{"content":{"parts":[{"text":"c"}]},"index":1,"finishReason":"MAX_TOKENS"}]})",
            R"({"candidates":[{"index":0,"finishReason":"STOP"}]})",
        })),
        (std::vector<std::string>{"start  ",
                                  "begin 0.0 text",
                                  "delta 0.0 a",
                                  "begin 1.0 text",
                                  "delta 1.0 b",
                                  "delta 1.0 c",
                                  "end 0.0",
                                  "finish 0 stop ",
                                  "end 1.0",
                                  "finish 1 length ",
                                  "end of stream"}));
}

TEST(GeminiStream, GivesPicturesAsMedia) {
    EXPECT_EQ(
        events_of(sse({
            R"({"candidates":[{"content":{"parts":[{"text":"see "},{"inlineData":{"mimeType":"image/png","data":"AAAA"}},{"executableCode":{}}]},"finishReason":"STOP"}]})",
        })),
        (std::vector<std::string>{"start  ",
                                  "begin 0.0 text",
                                  "delta 0.0 see ",
                                  "end 0.0",
                                  "begin 0.1 media mime=image/png",
                                  "delta 0.1 AAAA",
                                  "end 0.1",
                                  "finish 0 stop ",
                                  "end of stream"}));
}

TEST(GeminiStream, SurvivesFinishReasonsInEveryChunkAndBlockedPrompts) {
    const auto old = events_of(
        sse({R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]})",
             R"({"candidates":[{"content":{"parts":[{"text":"b"}]},"finishReason":"STOP"}]})"}));
    EXPECT_EQ(old,
              (std::vector<std::string>{"start  ",
                                        "begin 0.0 text",
                                        "delta 0.0 a",
                                        "delta 0.0 b",
                                        "end 0.0",
                                        "finish 0 stop ",
                                        "end of stream"}));
    const auto blocked = events_of(sse(
        {R"({"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4,"totalTokenCount":4}})"}));
    EXPECT_EQ(blocked,
              (std::vector<std::string>{
                  "start  ",
                  "usage in 4 (cached 0, audio 0) out 0 (thought 0, audio 0, image 0) searches 0",
                  "finish 0 content_filter ",
                  "end of stream"}));
}

// Known wrong translations 12 and 14: what broke off is no answer.
TEST(GeminiStream, RefusesWhatIsNotWhole) {
    struct Case {
        std::string stream, error;
    };
    const std::string text = R"({"candidates":[{"content":{"parts":[{"text":"a"}]}}]})";
    for (
        const auto& c : {
            Case{"", "error upstream_invalid_response an answer without candidates"},
            Case{sse({text}),
                 "error upstream_invalid_response the answer ended without a finishReason"},
            Case{sse({R"({"candidates":[{"finishReason":"STOP"}]})"}) + "data: {",
                 "error upstream_invalid_response the stream broke off inside an event"},
            Case{sse({"[]"}), "error upstream_invalid_response the answer is no JSON object"},
            Case{sse({R"({"candidates":[{"index":-1}]})"}),
                 "error upstream_invalid_response a candidate with an impossible index"},
            Case{sse({R"({"candidates":[{"index":4000000000}]})"}),
                 "error upstream_invalid_response a candidate with an impossible index"},
            Case{sse({R"({"candidates":[{"content":{"parts":[{"functionCall":{}}]}}]})"}),
                 "error upstream_invalid_response a function call that is not whole"},
            Case{
                sse({R"({"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":"{}"}}]}}]})"}),
                "error upstream_invalid_response a function call that is not whole"},
            Case{
                sse({text,
                     R"({"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL","finishMessage":"print x"}]})"}),
                "error upstream_error status 500: MALFORMED_FUNCTION_CALL print x"},
            Case{sse({text, R"({"error":{"code":503,"message":"busy","status":"UNAVAILABLE"}})"}),
                 "error upstream_error status 503: UNAVAILABLE busy"},
            Case{sse({text, R"({"error":{"code":429,"status":"RESOURCE_EXHAUSTED"}})"}),
                 "error rate_limited status 429: RESOURCE_EXHAUSTED "},
            Case{sse({text, R"({"error":"odd"})"}), "error upstream_error status 500:  odd"},
        }) {
        EXPECT_EQ(events_of(c.stream).back(), c.error) << c.stream;
    }
    EXPECT_EQ(events_of(sse({"{"})).back().substr(0, 31), "error upstream_invalid_response");
}

// The encoder's side.
struct Told {
    std::string out;
    std::unique_ptr<StreamEncoder> encoder;
    explicit Told(bool as_array = false)
        : encoder(client.encode_stream(
              {.model = "pub\"lic", .request_id = "req-1", .as_json_array = as_array})) {}
    Told& operator()(const llm::Event& event) {
        encoder->take(event, out);
        return *this;
    }
    std::vector<Json> chunks() const {
        std::vector<Json> all;
        sse::Decoder decoder;
        decoder.feed(out);
        sse::Event event;
        while (decoder.next(event).value()) {
            EXPECT_TRUE(event.raw.ends_with("\r\n\r\n"));
            all.push_back(Json::parse(event.data));
        }
        EXPECT_FALSE(decoder.has_partial());
        return all;
    }
};
constexpr auto kText = PartKind::text;

TEST(GeminiStreamEncoder, WritesWholeSmallAnswers) {
    Told told;
    const llm::Usage usage{
        .input_tokens = 9, .cache_read_tokens = 2, .output_tokens = 7, .reasoning_tokens = 3};
    const llm::Citation citation{.url = "https://a", .title = "A", .cited_text = "lo"};
    told({.kind = Kind::start, .id = "resp", .model = "hidden"})(
        {.kind = Kind::usage, .usage = &usage})(
        {.kind = Kind::part_begin, .part_kind = PartKind::reasoning})(
        {.kind = Kind::delta, .text = "hm"})(
        {.kind = Kind::signature, .text = "c2ln", .signature_of = llm::Dialect::gemini})(
        {.kind = Kind::part_end})({.kind = Kind::part_begin, .part = 1, .part_kind = kText})(
        {.kind = Kind::delta, .part = 1, .text = "Hel"});
    told.encoder->keep_alive(told.out);
    told({.kind = Kind::delta, .part = 1, .text = "lo\n"})(
        {.kind = Kind::citation, .part = 1, .citation = &citation})(
        {.kind = Kind::part_end, .part = 1})(
        {.kind = Kind::finish, .reason = llm::FinishReason::stop_sequence})({.kind = Kind::end});
    const auto chunks = told.chunks();
    ASSERT_EQ(chunks.size(), 5u);
    const auto parts = [&](std::size_t i) {
        return chunks[i]["candidates"][0]["content"]["parts"];
    };
    EXPECT_EQ(parts(0), Json::parse(R"([{"text":"hm","thought":true}])"));
    EXPECT_EQ(parts(1), Json::parse(R"([{"text":"","thought":true,"thoughtSignature":"c2ln"}])"));
    EXPECT_EQ(parts(2), Json::parse(R"([{"text":"Hel"}])"));
    EXPECT_EQ(parts(3), Json::parse(R"([{"text":"lo\n"}])"));
    EXPECT_EQ(chunks[4],
              Json::parse(R"({"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},
        "finishReason":"STOP","index":0,"groundingMetadata":{
          "groundingChunks":[{"web":{"uri":"https://a","title":"A"}}],
          "groundingSupports":[{"segment":{"text":"lo"},"groundingChunkIndices":[0]}]}}],
        "usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":4,"totalTokenCount":16,
          "cachedContentTokenCount":2,"thoughtsTokenCount":3},
        "modelVersion":"pub\"lic","responseId":"req-1"})"));
    for (const Json& chunk : chunks) {
        EXPECT_EQ(chunk["modelVersion"], "pub\"lic");
        EXPECT_EQ(chunk["responseId"], "req-1");
    }
}

TEST(GeminiStreamEncoder, SaysCallsWholeThoughTheyInterleave) {
    Told told;
    told({.kind = Kind::part_begin,
          .part = 0,
          .part_kind = PartKind::tool_call,
          .id = "a",
          .name = "f",
          .signature = "Zm9y",
          .signature_of = llm::Dialect::anthropic})(
        {.kind = Kind::delta, .part = 0, .text = "{\"x\":"})(
        {.kind = Kind::part_begin, .part = 1, .part_kind = PartKind::tool_call, .name = "g"})(
        {.kind = Kind::part_begin, .part = 2, .part_kind = PartKind::media, .mime = "image/png"})(
        {.kind = Kind::delta, .part = 0, .text = "1.50}"})(
        {.kind = Kind::delta, .part = 2, .text = "AA"})(
        {.kind = Kind::delta, .part = 2, .text = "AA"})({.kind = Kind::part_end, .part = 0})(
        {.kind = Kind::part_end, .part = 1})({.kind = Kind::part_end, .part = 2})(
        {.kind = Kind::finish, .reason = llm::FinishReason::tool_calls})({.kind = Kind::end});
    const auto chunks = told.chunks();
    ASSERT_EQ(chunks.size(), 4u);
    const auto part = [&](std::size_t i) {
        return chunks[i]["candidates"][0]["content"]["parts"][0];
    };
    EXPECT_EQ(part(0)["functionCall"], Json::parse(R"({"id":"a","name":"f","args":{"x":1.50}})"));
    EXPECT_NE(part(0)["thoughtSignature"], "Zm9y");  // marked as another's
    EXPECT_EQ(part(1)["functionCall"],
              Json::parse(R"({"id":"call_1_req-1","name":"g","args":{}})"));
    EXPECT_FALSE(part(1).contains("thoughtSignature"));
    EXPECT_EQ(part(2)["inlineData"], Json::parse(R"({"mimeType":"image/png","data":"AAAA"})"));
    EXPECT_EQ(chunks[3]["candidates"][0]["finishReason"], "STOP");
    EXPECT_EQ(chunks[0]["responseId"], "req-1");
    EXPECT_FALSE(chunks[3].contains("usageMetadata"));
}

TEST(GeminiStreamEncoder, SaysWhatWentWrongInGeminisWords) {
    const auto ending = [](PartKind kind,
                           std::string_view text,
                           llm::FinishReason reason,
                           std::string_view word = {}) {
        Told told;
        told({.kind = Kind::part_begin, .part_kind = kind, .name = "f"})(
            {.kind = Kind::delta, .text = text})({.kind = Kind::part_end})(
            {.kind = Kind::finish, .text = word, .reason = reason})({.kind = Kind::end});
        return fmt::format(
            "{} {}",
            told.chunks().size(),
            told.chunks().back()["candidates"][0]["finishReason"].get<std::string>());
    };
    using enum llm::FinishReason;
    EXPECT_EQ(ending(PartKind::tool_call, "{broken", tool_calls), "1 MALFORMED_FUNCTION_CALL");
    EXPECT_EQ(ending(PartKind::tool_call, "[1]", tool_calls), "1 MALFORMED_FUNCTION_CALL");
    EXPECT_EQ(ending(PartKind::refusal, "no", stop), "2 SAFETY");
    EXPECT_EQ(ending(kText, "a", length), "2 MAX_TOKENS");
    EXPECT_EQ(ending(kText, "a", content_filter), "2 SAFETY");
    EXPECT_EQ(ending(kText, "a", error), "2 OTHER");
    EXPECT_EQ(ending(kText, "a", other, "new_reason"), "2 NEW_REASON");
    EXPECT_EQ(ending(kText, "", stop), "1 STOP");
}

TEST(GeminiStreamEncoder, FailsWithoutATerminal) {
    for (const bool as_array : {false, true}) {
        Told told(as_array);
        told({.kind = Kind::part_begin, .part_kind = kText})({.kind = Kind::delta, .text = "a"});
        const Error error = fail(Code::upstream_timeout, "Too slow.").error();
        told.encoder->fail(error, told.out);
        const Json last = as_array ? Json::parse(told.out).back() : told.chunks().back();
        EXPECT_EQ(last["error"]["status"], "DEADLINE_EXCEEDED");
        EXPECT_EQ(last["error"]["code"], 504);
        EXPECT_EQ(told.out.find("finishReason"), std::string::npos);
    }
}

TEST(GeminiStreamEncoder, WritesOneArrayWhereAskedTo) {
    Told told(true);
    told.encoder->keep_alive(told.out);
    told({.kind = Kind::start})({.kind = Kind::part_begin, .part_kind = kText})(
        {.kind = Kind::delta, .text = "a"});
    told.encoder->keep_alive(told.out);
    told({.kind = Kind::part_end})({.kind = Kind::finish, .reason = llm::FinishReason::stop})(
        {.kind = Kind::end});
    const Json all = Json::parse(told.out);
    ASSERT_EQ(all.size(), 2u);
    EXPECT_EQ(all[0]["candidates"][0]["content"]["parts"][0]["text"], "a");
    EXPECT_EQ(all[1]["candidates"][0]["finishReason"], "STOP");
    Told failed(true);
    failed.encoder->fail(fail(Code::overloaded, "x").error(), failed.out);
    EXPECT_EQ(Json::parse(failed.out)[0]["error"]["status"], "UNAVAILABLE");
}

// Known wrong translation 6, for clients of Gemini's: a foreign signature goes through them and
// comes back as what it was.
TEST(GeminiStreamEncoder, CarriesForeignSignaturesThroughTheClient) {
    for (const bool redacted : {false, true}) {
        Told told;
        told({.kind = Kind::part_begin, .part_kind = PartKind::reasoning, .redacted = redacted});
        if (!redacted) {
            told({.kind = Kind::delta, .text = "th"})({.kind = Kind::delta, .text = "ink"});
        }
        told({.kind = Kind::signature,
              .text = "s\x3f\x3f\x3f>>>ealed",
              .signature_of = llm::Dialect::anthropic})({.kind = Kind::part_end});
        Json contents = Json::array();
        for (const Json& chunk : told.chunks()) {
            Json content = chunk["candidates"][0]["content"];
            // Google's client for Python writes all bytes in the URL's alphabet.
            auto& part = content["parts"][0];
            if (part.contains("thoughtSignature")) {
                std::string field = part["thoughtSignature"];
                for (char& c : field) {
                    c = c == '+' ? '-' : c == '/' ? '_' : c;
                }
                part["thoughtSignature"] = field;
            }
            contents.push_back(content);
        }
        const auto call = decoded(Json{{"contents", contents}}.dump());
        ASSERT_TRUE(call);
        ASSERT_EQ(call->messages.at(0).parts.size(), 1u);
        const auto* thought = llm::as<llm::Reasoning>(call->messages[0].parts[0]);
        ASSERT_NE(thought, nullptr);
        EXPECT_EQ(thought->text, redacted ? "" : "think");
        EXPECT_EQ(thought->redacted, redacted);
        EXPECT_EQ(thought->signature.text, "s\x3f\x3f\x3f>>>ealed");
        EXPECT_EQ(thought->signature.of, llm::Dialect::anthropic);
    }
}

// What the encoder writes, the decoder reads as the same events.
TEST(GeminiStream, RoundTripKeepsTheEvents) {
    for (const std::string& stream : {kTextStream, kToolStream}) {
        struct Both : EventSink {
            Told told;
            Result<void> take(const llm::Event& event) override {
                told(event);
                return {};
            }
        } both;
        const auto decoder = provider.decode_stream(false);
        ASSERT_TRUE(decoder->feed(stream, both));
        ASSERT_TRUE(decoder->end(both));
        const auto strip = [](std::vector<std::string> lines) {
            std::erase_if(lines, [](const std::string& line) {
                return line.starts_with("start") || line.starts_with("usage") ||
                       line == "delta 0.2 {}";  // no arguments are empty ones
            });
            return lines;
        };
        EXPECT_EQ(strip(events_of(both.told.out)), strip(events_of(stream)));
    }
}

}  // namespace
}  // namespace weir::dialect::gemini
