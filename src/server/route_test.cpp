#include "server/route.h"

#include <gtest/gtest.h>

namespace weir::server {
namespace {

using llm::Dialect;
using llm::Operation;
using llm::Surface;

struct Case {
    std::string_view path;
    Route route;
    std::string_view item;
    Surface surface = Surface::chat;
    Dialect dialect = Dialect::openai_chat;
    bool stream = false;
    Operation operation = Operation::only;
};
constexpr Case passing(std::string_view path,
                       Surface surface,
                       Operation operation,
                       std::string_view item = {}) {
    return {path, Route::call, item, surface, Dialect::openai_chat, false, operation};
}
class RouteTable : public testing::TestWithParam<Case> {};
TEST_P(RouteTable, MeansThisAndNothingElse) {
    const auto routed = find_route(GetParam().path);
    EXPECT_EQ(routed.route, GetParam().route) << GetParam().path;
    EXPECT_EQ(routed.item, GetParam().item) << GetParam().path;
    EXPECT_EQ(routed.surface, GetParam().surface) << GetParam().path;
    EXPECT_EQ(routed.dialect, GetParam().dialect) << GetParam().path;
    EXPECT_EQ(routed.stream, GetParam().stream) << GetParam().path;
    EXPECT_EQ(routed.operation, GetParam().operation) << GetParam().path;
    EXPECT_EQ(routed.allow.empty(), routed.route == Route::none);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    RouteTable,
    testing::Values(
        Case{"/v1/chat/completions", Route::call, ""},
        Case{"/api/v1/chat/completions", Route::call, ""},
        Case{"/openai/v1/chat/completions", Route::call, ""},
        Case{"/v1beta/openai/chat/completions", Route::call, ""},
        Case{"/openai/deployments/gpt%2F4o/chat/completions", Route::call, "gpt/4o"},
        Case{"/openai/deployments/e/embeddings", Route::call, "e", Surface::embeddings},
        Case{"/openai/deployments//embeddings", Route::none, ""},
        Case{"/openai/deployments/e/messages", Route::none, ""},
        Case{"/v1/embeddings", Route::call, "", Surface::embeddings},
        Case{"/v1/completions", Route::call, "", Surface::completions},
        Case{"/v1/responses", Route::call, "", Surface::responses, Dialect::openai_responses},
        Case{"/v1/responses/input_tokens",
             Route::call,
             "",
             Surface::count_tokens,
             Dialect::openai_responses},
        Case{"/v1/responses/resp_1",
             Route::kept,
             "resp_1",
             Surface::responses,
             Dialect::openai_responses},
        Case{"/v1/responses/resp_1/cancel",
             Route::kept,
             "resp_1",
             Surface::responses,
             Dialect::openai_responses},
        Case{"/v1/responses/..%2fmodels", Route::none, ""},
        Case{"/v1/responses/a/b", Route::none, ""},
        Case{"/v1/messages", Route::call, "", Surface::messages, Dialect::anthropic},
        Case{"/v1/messages/count_tokens",
             Route::call,
             "",
             Surface::count_tokens,
             Dialect::anthropic},
        Case{"/v1beta/models/g-2.5:generateContent",
             Route::call,
             "g-2.5",
             Surface::generate,
             Dialect::gemini},
        Case{"/v1/models/a%2Fb%3Ac:streamGenerateContent",
             Route::call,
             "a/b:c",
             Surface::generate,
             Dialect::gemini,
             true},
        Case{"/v1beta/models/a:countTokens",
             Route::call,
             "a",
             Surface::count_tokens,
             Dialect::gemini},
        Case{"/v1beta/models", Route::models, "", Surface::chat, Dialect::gemini},
        Case{"/v1beta/models/a", Route::model, "a", Surface::chat, Dialect::gemini},
        Case{"/v1beta/models/%zz:countTokens", Route::none, ""},
        Case{"/v1beta/models/%00", Route::none, ""},
        Case{"/v1beta/files", Route::none, ""},
        Case{"/v1/models", Route::models, ""},
        Case{"/v1/models/gpt-4o", Route::model, "gpt-4o"},
        Case{"/v1/models/openai/gpt-4o", Route::model, "openai/gpt-4o"},
        Case{"/api/v1/keys", Route::admin, ""},
        Case{"/api/v1/usage/x", Route::admin, ""},
        Case{"/v1/moderations", Route::call, "", Surface::moderations},
        passing("/v1/images/generations", Surface::images, Operation::generation),
        passing("/v1/images/edits", Surface::images, Operation::edit),
        passing("/v1/images/variations", Surface::images, Operation::variation),
        passing("/v1/audio/speech", Surface::audio, Operation::speech),
        passing("/api/v1/audio/transcriptions", Surface::audio, Operation::transcription),
        passing("/v1/audio/translations", Surface::audio, Operation::translation),
        passing("/openai/deployments/w/audio/translations",
                Surface::audio,
                Operation::translation,
                "w"),
        Case{"/v1/rerank", Route::call, "", Surface::rerank},
        Case{"/v2/rerank", Route::call, "", Surface::rerank},
        Case{"/v2/chat/completions", Route::none, ""},
        Case{"/v1/audio", Route::none, ""},
        Case{"/v1/images/", Route::none, ""},
        Case{"/", Route::none, ""},
        Case{"/v1", Route::none, ""},
        Case{"/v1/models/", Route::none, ""},
        Case{"/v1/keys", Route::none, ""},
        Case{"//v1/models", Route::none, ""},
        Case{"/v1/../api/v1/keys", Route::none, ""},
        Case{"/v1/./models", Route::none, ""},
        Case{"/V1/models", Route::none, ""},
        Case{"/v1/chat%2fcompletions", Route::none, ""},
        Case{"/v1/chat/completions/", Route::none, ""},
        Case{"/api/v1/keys%00", Route::none, ""}));

TEST(QueryValue, FindsAndDecodes) {
    EXPECT_EQ(query_value("alt=sse&key=a%2Fb", "key"), "a/b");
    EXPECT_EQ(query_value("alt=sse", "alt"), "sse");
    EXPECT_EQ(query_value("xalt=sse&alt", "alt"), "");
    EXPECT_EQ(query_value("", "alt"), "");
}

TEST(IsAllowed, ComparesWholeWords) {
    EXPECT_TRUE(is_allowed("GET, HEAD", "HEAD"));
    EXPECT_TRUE(is_allowed("POST", "POST"));
    EXPECT_FALSE(is_allowed("GET, HEAD", "HEA"));
    EXPECT_FALSE(is_allowed("GET, HEAD", "POST"));
    EXPECT_FALSE(is_allowed("", ""));
}

}  // namespace
}  // namespace weir::server
