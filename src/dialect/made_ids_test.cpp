// Ids that an answer tells of what its provider keeps: the client may send them back, and nobody
// else.
#include <gtest/gtest.h>

#include "dialect/edge.h"
#include "dialect/json/value.h"

namespace weir::dialect {
namespace {

using llm::Dialect;

struct MadeCase {
    std::string_view name;
    Dialect dialect;
    std::string_view json;
    std::string_view ids;  // each followed by a space
    std::string_view files;
};

std::string words(const std::vector<json::Span>& spans, std::string_view text) {
    std::string words;
    for (const json::Span span : spans) {
        words += json::read_string(span.in(text)) + " ";
    }
    return words;
}

class AnswerTest : public testing::TestWithParam<MadeCase> {};
TEST_P(AnswerTest, TellsItsIds) {
    json::Scratch scratch;
    AnswerView view;
    const std::string_view text = GetParam().json;
    ASSERT_TRUE(pass_edge(GetParam().dialect)->read_answer(text, scratch, view));
    EXPECT_EQ(words(view.ids, text), GetParam().ids);
    EXPECT_EQ(words(view.file_ids, text), GetParam().files);
}

INSTANTIATE_TEST_SUITE_P(
    MadeIds,
    AnswerTest,
    testing::Values(
        MadeCase{
            "responses",
            Dialect::openai_responses,
            R"({"id":"resp_1","status":"completed","tools":[{"container":{"file_ids":["no"]}}],"output":[{"type":"code_interpreter_call","id":"ci_1","container_id":"cntr_1","outputs":[{"type":"image","url":"u"}]},{"type":"shell_call","id":"sh_1","environment":{"container_id":"cntr_2"}},{"type":"message","id":"msg_1","content":[{"type":"output_text","text":"a","annotations":[{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1"},{"type":"file_citation","file_id":"file_1"}]}]}]})",
            "resp_1 ci_1 sh_1 msg_1 ",
            "cntr_1 cntr_2 cntr_1 cfile_1 file_1 "},
        MadeCase{
            "messages",
            Dialect::anthropic,
            R"({"id":"msg_1","container":{"id":"c1","expires_at":"x"},"content":[{"type":"code_execution_tool_result","tool_use_id":"t","content":{"type":"code_execution_result","content":[{"type":"code_execution_output","file_id":"f1"}]}},{"type":"tool_use","id":"t","name":"f","input":{"file_id":"no","content":[{"file_id":"no"}]}},{"type":"container_upload","file_id":"f2"}],"stop_reason":"end_turn"})",
            "",
            "c1 f1 f2 "},
        MadeCase{
            "chat",
            Dialect::openai_chat,
            R"({"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":null,"audio":{"id":"audio_1","data":"","transcript":"a"}},"finish_reason":"stop"}]})",
            "audio_1 ",
            ""},
        MadeCase{
            "generate",
            Dialect::gemini,
            R"({"candidates":[{"content":{"parts":[{"fileData":{"fileUri":"https://f/v1beta/files/a"}},{"text":"a"}]},"finishReason":"STOP"}]})",
            "",
            "https://f/v1beta/files/a "}),
    [](const auto& info) { return std::string{info.param.name}; });

class EventTest : public testing::TestWithParam<MadeCase> {};
TEST_P(EventTest, TellsItsIds) {
    json::Scratch scratch;
    AnswerView view;
    const std::string_view text = GetParam().json;
    const auto reader = pass_edge(GetParam().dialect)->read_stream({});
    ASSERT_TRUE(reader->read({.data = text}, scratch, view));
    EXPECT_EQ(words(view.ids, text), GetParam().ids);
    EXPECT_EQ(words(view.file_ids, text), GetParam().files);
}

INSTANTIATE_TEST_SUITE_P(
    MadeIds,
    EventTest,
    testing::Values(
        MadeCase{
            "annotation",
            Dialect::openai_responses,
            R"({"type":"response.output_text.annotation.added","item_id":"i","annotation":{"type":"container_file_citation","container_id":"cntr_1","file_id":"cfile_1"}})",
            "",
            "cntr_1 cfile_1 "},
        MadeCase{
            "item",
            Dialect::openai_responses,
            R"({"type":"response.output_item.added","output_index":0,"item":{"type":"code_interpreter_call","id":"ci_1","container_id":"cntr_1"}})",
            "ci_1 ",
            "cntr_1 "},
        MadeCase{
            "message_start",
            Dialect::anthropic,
            R"({"type":"message_start","message":{"id":"m","content":[],"container":{"id":"c1"}}})",
            "",
            "c1 "},
        MadeCase{
            "message_delta",
            Dialect::anthropic,
            R"({"type":"message_delta","delta":{"stop_reason":"end_turn","container":{"id":"c1"}}})",
            "",
            "c1 "},
        MadeCase{
            "block",
            Dialect::anthropic,
            R"({"type":"content_block_start","index":0,"content_block":{"type":"bash_code_execution_tool_result","content":{"type":"bash_code_execution_result","content":[{"type":"bash_code_execution_output","file_id":"f1"}]}}})",
            "",
            "f1 "},
        MadeCase{"audio",
                 Dialect::openai_chat,
                 R"({"id":"x","choices":[{"index":0,"delta":{"audio":{"id":"audio_1"}}}]})",
                 "audio_1 ",
                 ""}),
    [](const auto& info) { return std::string{info.param.name}; });

struct NamedCase {
    std::string_view name, body;
    llm::Surface surface;
    std::string_view ids;
};
class ChatIds : public testing::TestWithParam<NamedCase> {};
TEST_P(ChatIds, AreFoundInRequests) {
    json::Scratch scratch;
    const auto request =
        client_edge(Dialect::openai_chat)
            ->read_request({.surface = GetParam().surface}, GetParam().body, scratch);
    ASSERT_TRUE(request) << request.error().message();
    std::string ids;
    for (const ProviderId& named : request->provider_ids) {
        ids += named.id + " ";
    }
    EXPECT_EQ(ids, GetParam().ids);
}
INSTANTIATE_TEST_SUITE_P(
    MadeIds,
    ChatIds,
    testing::Values(
        NamedCase{
            "file",
            R"({"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"f1"}},{"type":"text","text":"file_id"}]},{"role":"assistant","content":null,"audio":{"id":"audio_1"},"tool_calls":[{"id":"t","function":{"file_id":"no"}}]}]})",
            llm::Surface::chat,
            "f1 audio_1 "},
        NamedCase{
            "picture",
            R"({"model":"m","prompt":"p","images":[{"file_id":"f1"},{"image_url":"u"}],"mask":{"file_id":"f2"}})",
            llm::Surface::images,
            "f1 f2 "},
        NamedCase{
            "none", R"({"model":"m","input":[{"file_id":"no"}]})", llm::Surface::moderations, ""}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::dialect
