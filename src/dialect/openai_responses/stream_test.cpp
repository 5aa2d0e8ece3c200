// Streams, both ways: read at every cut, written in the order that OpenAI's SDKs demand.
#include <gtest/gtest.h>

#include <map>
#include <nlohmann/json.hpp>

#include "dialect/carrier.h"
#include "dialect/failure.h"
#include "dialect/openai_responses/responses_test.h"

namespace weir::dialect::openai_responses {
namespace {

using Json = nlohmann::json;
using Kind = llm::Event::Kind;
using llm::PartKind;

std::string event(std::string_view data) { return fmt::format("data: {}\n\n", data); }

const std::string kCreated = event(
    R"({"type":"response.created","response":{"id":"resp_1","model":"m","status":"in_progress","output":[],"usage":null}})");
const std::string kCompleted = event(
    R"({"type":"response.completed","response":{"id":"resp_1","model":"m","status":"completed","output":[{"type":"web_search_call"}],"usage":{"input_tokens":5,"input_tokens_details":{"cached_tokens":2},"output_tokens":3,"output_tokens_details":{"reasoning_tokens":1},"total_tokens":8}}})");

Gatherer decode(const std::string& bytes) {
    const Decoded whole = decode_at(bytes, bytes.size());
    EXPECT_TRUE(whole.result) << whole.result.error().detail();
    for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
        EXPECT_EQ(decode_at(bytes, cut).outcome(), whole.outcome()) << cut;
    }
    return whole.gatherer;
}
template <class T>
const T& part(const Gatherer& gathered, std::size_t index) {
    return std::get<T>(gathered.choice.parts.at(index).body);
}

TEST(ResponsesStreamDecode, TextToolsAndThinking) {
    const Gatherer gathered = decode(
        kCreated +
        event(
            R"({"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[],"encrypted_content":"early"}})") +
        event(
            R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":0,"delta":"one"})") +
        event(
            R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"tw"})") +
        event(
            R"({"type":"response.reasoning_summary_text.delta","output_index":0,"summary_index":1,"delta":"o"})") +
        event(
            R"({"type":"response.output_item.done","output_index":0,"item":{"type":"reasoning","id":"rs_1","summary":[{"type":"summary_text","text":"one"}],"encrypted_content":"late"}})") +
        event(
            R"({"type":"response.output_item.added","output_index":1,"item":{"type":"web_search_call","id":"ws"}})") +
        event(R"({"type":"response.web_search_call.searching","output_index":1})") +
        event(
            R"({"type":"response.output_item.added","output_index":2,"item":{"type":"message","id":"msg","content":[]}})") +
        event(
            R"({"type":"response.content_part.added","output_index":2,"content_index":0,"part":{"type":"output_text","text":""}})") +
        event(
            R"({"type":"response.output_text.delta","output_index":2,"content_index":0,"delta":"h\u00e9"})") +
        event(
            R"({"type":"response.output_text.delta","output_index":2,"content_index":0,"delta":""})") +
        event(
            R"({"type":"response.output_text.annotation.added","output_index":2,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","url":"u","title":"t","start_index":0,"end_index":2}})") +
        event(
            R"({"type":"response.output_text.done","output_index":2,"content_index":0,"text":"hé"})") +
        event(
            R"({"type":"response.content_part.done","output_index":2,"content_index":0,"part":{}})") +
        event(
            R"({"type":"response.refusal.delta","output_index":2,"content_index":1,"delta":"no"})") +
        event(
            R"({"type":"response.output_item.done","output_index":2,"item":{"type":"message","content":[]}})") +
        event(
            R"({"type":"response.output_item.added","output_index":3,"item":{"type":"function_call","id":"fc","call_id":"c1","name":"f","arguments":""}})") +
        event(
            R"({"type":"response.output_item.added","output_index":4,"item":{"type":"function_call","id":"fd","call_id":"c2","name":"g","arguments":""}})") +
        event(
            R"({"type":"response.function_call_arguments.delta","output_index":4,"delta":"{\"b\""})") +
        event(
            R"({"type":"response.function_call_arguments.delta","output_index":3,"delta":"{}"})") +
        event(
            R"({"type":"response.function_call_arguments.delta","output_index":4,"delta":":2}"})") +
        event(
            R"({"type":"response.output_item.done","output_index":3,"item":{"type":"function_call","call_id":"c1","name":"f","arguments":"{}"}})") +
        event(
            R"({"type":"response.output_item.done","output_index":4,"item":{"type":"function_call","call_id":"c2","name":"g","arguments":"{\"b\":2}"}})") +
        event(R"({"type":"response.something_new","x":1})") + kCompleted);
    ASSERT_EQ(gathered.choice.parts.size(), 5u);
    EXPECT_EQ(part<llm::Reasoning>(gathered, 0),
              (llm::Reasoning{.text = "one\n\ntwo",
                              .signature = {"late", llm::Dialect::openai_responses},
                              .is_summary = true,
                              .id = "rs_1"}));
    EXPECT_EQ(part<llm::Text>(gathered, 1).text, "hé");
    EXPECT_EQ(part<llm::Text>(gathered, 1).citations.at(0).end, 2);
    EXPECT_EQ(part<llm::Refusal>(gathered, 2).text, "no");
    EXPECT_EQ(part<llm::ToolCall>(gathered, 3),
              (llm::ToolCall{.id = "c1", .name = "f", .arguments = "{}"}));
    EXPECT_EQ(part<llm::ToolCall>(gathered, 4),
              (llm::ToolCall{.id = "c2", .name = "g", .arguments = "{\"b\":2}"}));
    EXPECT_EQ(gathered.choice.finish, llm::FinishReason::tool_calls);
    EXPECT_EQ(gathered.answer.usage,
              (llm::Usage{.input_tokens = 5,
                          .cache_read_tokens = 2,
                          .output_tokens = 3,
                          .reasoning_tokens = 1,
                          .searches = 1}));
}

TEST(ResponsesStreamDecode, SurvivesServersThatLeaveThingsOut) {
    // Nothing in pieces: from what repeats the whole.
    EXPECT_EQ(
        part<llm::Text>(
            decode(
                event(
                    R"({"type":"response.output_text.done","output_index":0,"content_index":0,"text":"hi"})") +
                kCompleted),
            0)
            .text,
        "hi");
    EXPECT_EQ(
        part<llm::Text>(
            decode(
                event(
                    R"({"type":"response.output_item.done","output_index":0,"item":{"type":"message","content":[{"type":"output_text","text":"hi"}]}})") +
                kCompleted),
            0)
            .text,
        "hi");
    EXPECT_EQ(
        part<llm::ToolCall>(
            decode(
                event(
                    R"({"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f","arguments":"{\"a\":1}"}})") +
                kCompleted),
            0)
            .arguments,
        "{\"a\":1}");
    const Gatherer at_once = decode(event(
        R"({"type":"response.completed","response":{"status":"completed","output":[{"type":"reasoning","summary":[],"encrypted_content":"s"},{"type":"message","content":[{"type":"output_text","text":"hi"}]},{"type":"image_generation_call","result":"AAAA"}]}})"));
    EXPECT_TRUE(part<llm::Reasoning>(at_once, 0).redacted);
    EXPECT_EQ(part<llm::Text>(at_once, 1).text, "hi");
    EXPECT_EQ(part<llm::Media>(at_once, 2).data, "AAAA");
    // Every item has index 0.
    const Gatherer shared = decode(
        event(
            R"({"type":"response.output_item.added","output_index":0,"item":{"type":"message"}})") +
        event(
            R"({"type":"response.output_text.delta","output_index":0,"content_index":0,"delta":"a"})") +
        event(
            R"({"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"c","name":"f"}})") +
        event(
            R"({"type":"response.function_call_arguments.delta","output_index":0,"delta":"{}"})") +
        kCompleted);
    ASSERT_EQ(shared.choice.parts.size(), 2u);
    EXPECT_EQ(part<llm::ToolCall>(shared, 1).arguments, "{}");
    // Names by the event line only; [DONE] behind the end.
    const Gatherer named = decode(
        "event: response.output_text.delta\ndata: {\"output_index\":-7,\"delta\":\"a\"}\n\n" +
        kCompleted + "data: [DONE]\n\n");
    EXPECT_EQ(part<llm::Text>(named, 0).text, "a");
}

struct BrokenCase {
    std::string bytes;
    Code code;
};
TEST(ResponsesStreamDecode, NeverMakesUpAnEnd) {
    const std::string words =
        kCreated + event(R"({"type":"response.output_text.delta","output_index":0,"delta":"a"})");
    for (
        const BrokenCase& c :
        {BrokenCase{words, Code::upstream_invalid_response},
         BrokenCase{words + "data: [DONE]\n\n", Code::upstream_invalid_response},
         BrokenCase{words + event("{"), Code::upstream_invalid_response},
         BrokenCase{words + event(R"({"type":"response.completed"})"),
                    Code::upstream_invalid_response},
         BrokenCase{words + event(R"({"type":"response.cancelled","response":{}})"),
                    Code::upstream_invalid_response},
         BrokenCase{
             words +
                 event(
                     R"({"type":"error","code":"rate_limit_exceeded","message":"x","param":null})"),
             Code::rate_limited},
         BrokenCase{words + event(R"({"error":{"message":"x","code":"server_error"}})"),
                    Code::upstream_error},
         BrokenCase{
             words +
                 event(
                     R"({"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"x"}}})"),
             Code::upstream_error},
         BrokenCase{
             event(
                 R"({"type":"response.function_call_arguments.delta","output_index":3,"delta":"{}"})"),
             Code::upstream_invalid_response}}) {
        const Decoded decoded = decode_at(c.bytes, c.bytes.size());
        ASSERT_FALSE(decoded.result) << c.bytes;
        EXPECT_EQ(decoded.result.error().code(), c.code) << c.bytes;
        for (std::size_t cut = 0; cut < c.bytes.size(); ++cut) {
            ASSERT_EQ(decode_at(c.bytes, cut).outcome(), decoded.outcome());
        }
    }
}

TEST(ResponsesStreamDecode, SaysWhyItWasCut) {
    const Gatherer gathered = decode(
        event(R"({"type":"response.output_text.delta","output_index":0,"delta":"a"})") +
        event(
            R"({"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"content_filter"},"output":[]}})"));
    EXPECT_EQ(gathered.choice.finish, llm::FinishReason::content_filter);
}

// The encoder's side.

class Stream {
public:
    explicit Stream(const AnswerTerms& terms = {.model = "shown", .request_id = "r", .created = 7})
        : encoder_(client.encode_stream(terms)) {}
    Stream& take(const llm::Event& event) {
        encoder_->take(event, out);
        return *this;
    }
    Stream& part(std::uint32_t number, PartKind kind, std::vector<std::string_view> pieces) {
        take({.kind = Kind::part_begin, .part = number, .part_kind = kind, .id = "c", .name = "f"});
        for (const auto piece : pieces) {
            take({.kind = Kind::delta, .part = number, .part_kind = kind, .text = piece});
        }
        return take({.kind = Kind::part_end, .part = number, .part_kind = kind});
    }
    Stream& finish(llm::FinishReason reason) {
        const llm::Usage usage{.input_tokens = 3, .output_tokens = 2};
        take({.kind = Kind::finish, .reason = reason});
        take({.kind = Kind::usage, .usage = &usage});
        return take({.kind = Kind::end});
    }
    void fail(const Error& error) { encoder_->fail(error, out); }

    std::vector<Json> events() const {
        std::vector<Json> all;
        for (const sse::Event& one : events_of(out)) {
            all.push_back(Json::parse(one.data));
            EXPECT_EQ(all.back()["type"], one.name);
        }
        return all;
    }
    // The types in their order, without the prefix; runs of one type once.
    std::string order() const {
        std::string order, last;
        for (const Json& one : events()) {
            const auto type = one["type"].get<std::string>();
            if (type != last) {
                order += (order.empty() ? "" : " ") +
                         (type.starts_with("response.") ? type.substr(9) : type);
            }
            last = type;
        }
        return order;
    }
    std::string out;

private:
    std::unique_ptr<StreamEncoder> encoder_;
};

// What OpenAI's specification demands of each event.
const std::map<std::string, std::vector<std::string>> kRequired = {
    {"response.created", {"response"}},
    {"response.in_progress", {"response"}},
    {"response.completed", {"response"}},
    {"response.incomplete", {"response"}},
    {"response.failed", {"response"}},
    {"response.output_item.added", {"output_index", "item"}},
    {"response.output_item.done", {"output_index", "item"}},
    {"response.content_part.added", {"item_id", "output_index", "content_index", "part"}},
    {"response.content_part.done", {"item_id", "output_index", "content_index", "part"}},
    {"response.output_text.delta",
     {"item_id", "output_index", "content_index", "delta", "logprobs"}},
    {"response.output_text.done", {"item_id", "output_index", "content_index", "text", "logprobs"}},
    {"response.output_text.annotation.added",
     {"item_id", "output_index", "content_index", "annotation_index", "annotation"}},
    {"response.refusal.delta", {"item_id", "output_index", "content_index", "delta"}},
    {"response.refusal.done", {"item_id", "output_index", "content_index", "refusal"}},
    {"response.reasoning_summary_part.added", {"item_id", "output_index", "summary_index", "part"}},
    {"response.reasoning_summary_part.done", {"item_id", "output_index", "summary_index", "part"}},
    {"response.reasoning_summary_text.delta",
     {"item_id", "output_index", "summary_index", "delta"}},
    {"response.reasoning_summary_text.done", {"item_id", "output_index", "summary_index", "text"}},
    {"response.function_call_arguments.delta", {"item_id", "output_index", "delta"}},
    {"response.function_call_arguments.done", {"item_id", "output_index", "name", "arguments"}},
    {"response.image_generation_call.in_progress", {"item_id", "output_index"}},
    {"response.image_generation_call.generating", {"item_id", "output_index"}},
    {"response.image_generation_call.completed", {"item_id", "output_index"}},
    {"error", {"code", "message", "param"}},
};

// What must hold of any stream: keys, numbering, one item per index, the end repeats the items.
void check(const Stream& stream) {
    std::int64_t sequence = 0;
    std::map<std::int64_t, Json> done;
    std::int64_t open = -1, added = 0;
    for (const Json& one : stream.events()) {
        const auto type = one["type"].get<std::string>();
        EXPECT_EQ(one["sequence_number"], sequence++);
        ASSERT_TRUE(kRequired.contains(type)) << type;
        for (const std::string& key : kRequired.at(type)) {
            EXPECT_TRUE(one.contains(key)) << type << " " << key;
        }
        if (type == "response.output_item.added") {
            EXPECT_EQ(open, -1) << "items overlap";
            open = one["output_index"];
            EXPECT_EQ(open, added++);
        } else if (one.contains("output_index")) {
            EXPECT_EQ(one["output_index"], open) << type;
        }
        if (type == "response.output_item.done") {
            done[open] = one["item"];
            open = -1;
        }
        if (type == "response.completed" || type == "response.incomplete") {
            EXPECT_EQ(open, -1);
            Json expected = Json::array();
            for (const auto& [index, item] : done) {
                expected.push_back(item);
            }
            EXPECT_EQ(one["response"]["output"], expected);
        }
    }
}

TEST(ResponsesStreamEncode, KeepsTheOrderOfOpenAIsOwn) {
    Stream stream;
    stream.take({.kind = Kind::start, .model = "theirs"});
    stream.part(0, PartKind::text, {"", "Hel", "lo \"you\"\n"}).finish(llm::FinishReason::stop);
    check(stream);
    EXPECT_EQ(stream.order(),
              "created in_progress output_item.added content_part.added output_text.delta "
              "output_text.done content_part.done output_item.done completed");
    const auto events = stream.events();
    EXPECT_EQ(events[0]["response"]["status"], "in_progress");
    EXPECT_EQ(events[0]["response"]["model"], "shown");
    EXPECT_EQ(events[2]["item"]["content"], Json::array());
    EXPECT_EQ(events[4]["delta"], "Hel");  // nothing for the empty piece
    EXPECT_EQ(events[6]["text"], "Hello \"you\"\n");
    EXPECT_EQ(events.back()["response"]["output"][0]["content"][0]["text"], "Hello \"you\"\n");
    EXPECT_EQ(events.back()["response"]["usage"]["total_tokens"], 5);
    EXPECT_EQ(stream.out.find("[DONE]"), std::string::npos);
}

TEST(ResponsesStreamEncode, ThinkingThenCallsSideBySide) {
    Stream stream;
    stream.take({.kind = Kind::start});
    stream.take({.kind = Kind::part_begin, .part = 0, .part_kind = PartKind::reasoning});
    stream.take({.kind = Kind::delta, .part = 0, .part_kind = PartKind::reasoning, .text = "hm"});
    stream.take({.kind = Kind::signature,
                 .part = 0,
                 .text = "sig",
                 .signature_of = llm::Dialect::anthropic});
    stream.take({.kind = Kind::part_end, .part = 0});
    stream.take({.kind = Kind::part_begin,
                 .part = 1,
                 .part_kind = PartKind::tool_call,
                 .id = "c1",
                 .name = "f",
                 .signature = "thought",
                 .signature_of = llm::Dialect::gemini});
    stream.take({.kind = Kind::part_begin,
                 .part = 2,
                 .part_kind = PartKind::tool_call,
                 .id = "c2",
                 .name = "g"});
    stream.take({.kind = Kind::delta, .part = 2, .text = "{\"b\":2}"});
    stream.take({.kind = Kind::part_end, .part = 2});
    stream.take({.kind = Kind::part_end, .part = 1});
    stream.finish(llm::FinishReason::tool_calls);
    check(stream);
    EXPECT_EQ(stream.order(),
              "created in_progress output_item.added reasoning_summary_part.added "
              "reasoning_summary_text.delta reasoning_summary_text.done "
              "reasoning_summary_part.done output_item.done output_item.added "
              "function_call_arguments.delta function_call_arguments.done output_item.done "
              "output_item.added function_call_arguments.delta function_call_arguments.done "
              "output_item.done completed");
    const Json output = stream.events().back()["response"]["output"];
    EXPECT_EQ(output[0]["encrypted_content"],
              carry_in_field({"sig", llm::Dialect::anthropic}, llm::Dialect::openai_responses));
    EXPECT_EQ(output[1]["arguments"], "{}");  // it had none
    EXPECT_EQ(output[1]["call_id"], carry_in_id("c1", {"thought", llm::Dialect::gemini}));
    EXPECT_EQ(output[2]["arguments"], "{\"b\":2}");
}

TEST(ResponsesStreamEncode, RefusalsPicturesAndSealedThinking) {
    Stream stream;
    stream.take(
        {.kind = Kind::part_begin, .part = 0, .part_kind = PartKind::reasoning, .redacted = true});
    stream.take({.kind = Kind::signature, .part = 0, .text = "s"});
    stream.take({.kind = Kind::part_end, .part = 0});
    stream.part(1, PartKind::reasoning, {});  // says nothing: no item
    stream.part(2, PartKind::text, {""});     // neither
    stream.part(3, PartKind::refusal, {"no", "!"});
    stream.take(
        {.kind = Kind::part_begin, .part = 4, .part_kind = PartKind::media, .mime = "image/png"});
    stream.take({.kind = Kind::delta, .part = 4, .text = "AA"});
    stream.take({.kind = Kind::delta, .part = 4, .text = "AA"});
    stream.take({.kind = Kind::part_end, .part = 4});
    stream.finish(llm::FinishReason::stop);
    check(stream);
    EXPECT_EQ(stream.order(),
              "created in_progress output_item.added output_item.done output_item.added "
              "content_part.added refusal.delta refusal.done content_part.done output_item.done "
              "output_item.added image_generation_call.in_progress "
              "image_generation_call.generating image_generation_call.completed "
              "output_item.done completed");
    EXPECT_EQ(stream.events().back()["response"]["output"][2]["result"], "AAAA");
}

TEST(ResponsesStreamEncode, ACutAnswerSaysSo) {
    for (const auto& [reason, word] :
         {std::pair{llm::FinishReason::length, "max_output_tokens"},
          std::pair{llm::FinishReason::content_filter, "content_filter"}}) {
        Stream stream;
        stream.part(0, PartKind::text, {"a"}).part(1, PartKind::tool_call, {"{\"x"});
        stream.finish(reason);
        check(stream);
        const Json last = stream.events().back();
        EXPECT_EQ(last["type"], "response.incomplete");
        EXPECT_EQ(last["response"]["incomplete_details"]["reason"], word);
        EXPECT_EQ(last["response"]["output"][0]["status"], "completed");
        EXPECT_EQ(last["response"]["output"][1]["status"], "incomplete");  // nobody should call it

        Stream empty;
        empty.take({.kind = Kind::start}).finish(reason);
        check(empty);
        EXPECT_EQ(empty.order(), "created in_progress incomplete");
    }
}

TEST(ResponsesStreamEncode, NothingFollowsAFailure) {
    Stream stream;
    stream.take({.kind = Kind::start}).part(0, PartKind::text, {"a"});
    stream.fail(fail(Code::rate_limited, "Slow \"down\".").error());
    stream.finish(llm::FinishReason::stop);
    check(stream);
    EXPECT_TRUE(stream.order().ends_with("output_text.delta error failed")) << stream.order();
    const auto events = stream.events();
    const Json& error = events[events.size() - 2];
    EXPECT_EQ(error["code"], "rate_limited");
    EXPECT_EQ(error["message"], "Slow \"down\".");
    EXPECT_FALSE(error.contains("error"));  // OpenAI's SDK throws at that key
    EXPECT_EQ(events.back()["response"]["error"],
              Json::parse(R"({"code":"rate_limit_exceeded","message":"Slow \"down\"."})"));
    EXPECT_EQ(events.back()["response"]["status"], "failed");

    Stream fresh;  // a stream that passed as it came breaks off
    fresh.fail(unusable_answer("x").error());
    check(fresh);
    EXPECT_EQ(fresh.order(), "error failed");

    for (const auto reason : {llm::FinishReason::stop, llm::FinishReason::error}) {
        Stream empty;
        empty.take({.kind = Kind::start}).finish(reason);
        EXPECT_EQ(empty.order(), "created in_progress error failed");
    }
}

TEST(ResponsesStreamEncode, AnAnswerThatCannotBeRepeatedBreaksOff) {
    Stream stream;
    const std::string piece(1u << 20, '"');  // escaped it is twice as long
    stream.take({.kind = Kind::part_begin});
    for (int i = 0; i < 12; ++i) {
        stream.take({.kind = Kind::delta, .text = piece});
    }
    stream.take({.kind = Kind::part_end}).finish(llm::FinishReason::stop);
    EXPECT_TRUE(stream.order().ends_with("output_text.delta error failed")) << stream.order();
}

TEST(ResponsesStreamEncode, CitationsAndWhatItIgnores) {
    Stream stream;
    const llm::Citation placed{.url = "u", .title = "t", .start = 0, .end = 1};
    const llm::Citation elsewhere{.url = "u"};
    stream.take({.kind = Kind::part_begin});
    stream.take({.kind = Kind::delta, .text = "a"});
    stream.take({.kind = Kind::citation, .citation = &placed});
    stream.take({.kind = Kind::citation, .citation = &elsewhere});
    stream.take({.kind = Kind::part_end});
    stream.take({.kind = Kind::part_begin, .choice = 1});  // nobody could have asked for it
    stream.take({.kind = Kind::delta, .choice = 1, .text = "b"});
    stream.take(
        {.kind = Kind::part_begin, .part = 1, .part_kind = PartKind::media, .mime = "audio/wav"});
    stream.take({.kind = Kind::delta, .part = 1, .part_kind = PartKind::media, .text = "AAAA"});
    stream.take({.kind = Kind::part_end, .part = 1});
    stream.finish(llm::FinishReason::stop);
    check(stream);
    const Json output = stream.events().back()["response"]["output"];
    ASSERT_EQ(output.size(), 1u);
    EXPECT_EQ(output[0]["content"][0]["annotations"].size(), 1u);
}

// A whole answer and a stream of the same parts are the same answer.
TEST(ResponsesStreamEncode, EndsWithWhatAWholeAnswerWouldBe) {
    Stream stream;
    stream.part(0, PartKind::reasoning, {"h", "m"}).part(1, PartKind::text, {"so", " it is"});
    stream.part(2, PartKind::tool_call, {"{}"}).finish(llm::FinishReason::length);
    llm::Answer answer{
        .choices = {{.parts = {{.body = llm::Reasoning{.text = "hm", .id = "c"}},
                               {.body = llm::Text{.text = "so it is"}},
                               {.body = llm::ToolCall{.id = "c", .name = "f", .arguments = "{}"}}},
                     .finish = llm::FinishReason::length}},
        .usage = llm::Usage{.input_tokens = 3, .output_tokens = 2}};
    const Json whole = Json::parse(
        client.encode_answer(answer, {.model = "shown", .request_id = "r", .created = 7}));
    EXPECT_EQ(stream.events().back()["response"], whole);
}

}  // namespace
}  // namespace weir::dialect::openai_responses
