// The tier that an answer was served in, which decides its price: of every dialect, whole and
// streamed, passed on and translated.
#include <gtest/gtest.h>

#include "dialect/edge.h"

namespace weir::dialect {
namespace {

using llm::Dialect;
using llm::ServiceTier;

struct TierCase {
    std::string_view name;
    Dialect dialect;
    std::string_view whole;
    std::string_view stream;
    ServiceTier tier;
};

class TierTest : public testing::TestWithParam<TierCase> {};

struct LastUsage : EventSink {
    std::optional<llm::Usage> usage;
    Result<void> take(const llm::Event& event) override {
        if (event.kind == llm::Event::Kind::usage) {
            usage = *event.usage;
        }
        return {};
    }
};

TEST_P(TierTest, IsReadOfAWholeAnswer) {
    json::Scratch scratch;
    AnswerView view;
    ASSERT_TRUE(pass_edge(GetParam().dialect)->read_answer(GetParam().whole, scratch, view));
    ASSERT_TRUE(view.usage);
    EXPECT_EQ(view.usage->tier, GetParam().tier);
    const auto answer = provider_edge(GetParam().dialect).decode_answer(GetParam().whole);
    ASSERT_TRUE(answer && answer->usage);
    EXPECT_EQ(answer->usage->tier, GetParam().tier);
}

TEST_P(TierTest, IsReadOfAStream) {
    json::Scratch scratch;
    AnswerView view;
    std::optional<llm::Usage> passed;
    const auto reader = pass_edge(GetParam().dialect)->read_stream({});
    sse::Decoder events;
    events.feed(GetParam().stream);
    for (sse::Event event; events.next(event).value();) {
        ASSERT_TRUE(reader->read(event, scratch, view)) << event.data;
        passed = view.usage ? view.usage : passed;
    }
    ASSERT_TRUE(passed);
    EXPECT_EQ(passed->tier, GetParam().tier);

    LastUsage translated;
    const auto decoder = provider_edge(GetParam().dialect).decode_stream(false);
    ASSERT_TRUE(decoder->feed(GetParam().stream, translated));
    ASSERT_TRUE(decoder->end(translated));
    ASSERT_TRUE(translated.usage);
    EXPECT_EQ(translated.usage->tier, GetParam().tier);
}

INSTANTIATE_TEST_SUITE_P(
    Dialects,
    TierTest,
    testing::Values(
        TierCase{
            "chat",
            Dialect::openai_chat,
            R"({"id":"1","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":1},"service_tier":"flex"})",
            // The usage comes in a chunk that does not say it.
            "data: {\"id\":\"1\",\"model\":\"m\",\"service_tier\":\"flex\",\"choices\":[{\"index\":"
            "0,\"delta\":{\"content\":\"a\"},\"finish_reason\":\"stop\"}]}\n\n"
            "data: {\"id\":\"1\",\"model\":\"m\",\"service_tier\":null,\"choices\":[],\"usage\":"
            "{\"prompt_tokens\":1,\"completion_tokens\":1}}\n\n"
            "data: [DONE]\n\n",
            ServiceTier::flex},
        TierCase{
            "responses",
            Dialect::openai_responses,
            R"({"id":"r","model":"m","status":"completed","service_tier":"priority","output":[{"type":"message","role":"assistant","content":[{"type":"output_text","text":"a"}]}],"usage":{"input_tokens":1,"output_tokens":1}})",
            "data: {\"type\":\"response.created\",\"response\":{\"id\":\"r\",\"model\":\"m\","
            "\"service_tier\":\"auto\",\"output\":[],\"usage\":null}}\n\n"
            "data: {\"type\":\"response.output_item.added\",\"output_index\":0,\"item\":{\"type\":"
            "\"message\",\"id\":\"i\",\"role\":\"assistant\",\"content\":[]}}\n\n"
            "data: {\"type\":\"response.output_text.delta\",\"item_id\":\"i\",\"output_index\":0,"
            "\"content_index\":0,\"delta\":\"a\"}\n\n"
            "data: {\"type\":\"response.output_item.done\",\"output_index\":0,\"item\":{\"type\":"
            "\"message\",\"id\":\"i\",\"role\":\"assistant\",\"content\":[{\"type\":"
            "\"output_text\",\"text\":\"a\"}]}}\n\n"
            "data: {\"type\":\"response.completed\",\"response\":{\"id\":\"r\",\"model\":\"m\","
            "\"status\":\"completed\",\"service_tier\":\"priority\",\"output\":[],\"usage\":"
            "{\"input_tokens\":1,\"output_tokens\":1}}}\n\n",
            ServiceTier::priority},
        TierCase{
            "messages",
            Dialect::anthropic,
            R"({"id":"msg_1","model":"m","content":[{"type":"text","text":"a"}],"stop_reason":"end_turn","usage":{"input_tokens":1,"output_tokens":1,"service_tier":"batch"}})",
            // It is said at the beginning, the usage at the end.
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\","
            "\"model\":\"m\",\"content\":[],\"usage\":{\"input_tokens\":1,\"output_tokens\":1,"
            "\"service_tier\":\"batch\"}}}\n\n"
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,"
            "\"content_block\":{\"type\":\"text\",\"text\":\"\"}}\n\n"
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":0,"
            "\"delta\":{\"type\":\"text_delta\",\"text\":\"a\"}}\n\n"
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n"
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"
            "\"end_turn\"},\"usage\":{\"output_tokens\":1}}\n\n"
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            ServiceTier::batch},
        TierCase{
            "generate",
            Dialect::gemini,
            R"({"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"serviceTier":"FLEX"}})",
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":"
            "\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":1,\"candidatesTokenCount\":1,"
            "\"serviceTier\":\"FLEX\"}}\n\n",
            ServiceTier::flex}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(ServiceTiers, AreReadInEveryMakersWord) {
    EXPECT_EQ(llm::read_service_tier("default"), ServiceTier::standard);
    EXPECT_EQ(llm::read_service_tier("on_demand"), ServiceTier::standard);
    EXPECT_EQ(llm::read_service_tier("Priority"), ServiceTier::priority);
    EXPECT_EQ(llm::read_service_tier("auto"), std::nullopt);  // nothing is served in it
    EXPECT_EQ(llm::read_service_tier(""), std::nullopt);
}

}  // namespace
}  // namespace weir::dialect
