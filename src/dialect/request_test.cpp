// What the readers of all dialects find in a request besides its model: the same facts, wherever
// each dialect has them.
#include "dialect/request.h"

#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "dialect/edge.h"

namespace weir::dialect {
namespace {

using llm::Dialect;

// Every place where a client may carry, by itself: there the body is searched, nowhere else.
TEST(History, IsSeenWhereverSomethingCanBeCarried) {
    const auto has_history = [](Dialect dialect, std::string_view body) {
        json::Scratch scratch;
        const auto request = client_edge(dialect)->read_request(
            {.surface = llm::surface_of(dialect), .model = "m"}, body, scratch);
        return request && request->has_history;
    };
    for (
        const auto& [dialect, open, close, places] :
        {std::tuple(Dialect::openai_chat,
                    R"({"model":"m","messages":[{"role":"user","content":"-weir-sig-c-")",
                    "}]}",
                    std::vector{R"("tool_calls":[{"id":"i"}])", R"("tool_call_id":"i")"}),
         std::tuple(
             Dialect::openai_responses,
             R"({"model":"m","input":[{"type":"message","role":"user","content":"hi"},{"type":"x")",
             "}]}",
             std::vector{R"("call_id":"i")", R"("encrypted_content":"e")"}),
         std::tuple(
             Dialect::anthropic,
             R"({"model":"m","max_tokens":9,"messages":[{"role":"user","content":[{"type":"x")",
             "}]}]}",
             std::vector{
                 R"("signature":"s")", R"("data":"d")", R"("id":"i")", R"("tool_use_id":"i")"}),
         std::tuple(Dialect::gemini,
                    R"({"contents":[{"role":"user","parts":[{"text":"hi")",
                    "}]}]}",
                    std::vector{R"("thoughtSignature":"s")", R"("thought_signature":"s")"})}) {
        EXPECT_FALSE(has_history(dialect, std::string(open) + close)) << open;
        for (const auto* place : places) {
            EXPECT_TRUE(has_history(dialect, std::string(open) + ',' + place + close)) << place;
        }
    }
}

TEST(Belonging, IsWhatEachDialectCallsIt) {
    struct Row {
        Dialect dialect;
        std::string_view body, cache_key, user;
    };
    for (
        const Row& row :
        {Row{Dialect::openai_chat,
             R"({"model":"m","prompt_cache_key":"k","user":"u","messages":[{"role":"user","content":"hi"}]})",
             R"("k")",
             R"("u")"},
         Row{Dialect::openai_responses,
             R"({"model":"m","input":"hi","user":"u","prompt_cache_key":"k"})",
             R"("k")",
             R"("u")"},
         Row{Dialect::anthropic,
             R"({"model":"m","max_tokens":9,"metadata":{"user_id":"u"},"messages":[{"role":"user","content":"hi"}]})",
             "",
             R"("u")"},
         Row{Dialect::gemini, R"({"contents":[{"parts":[{"text":"hi"}]}]})", "", ""},
         Row{Dialect::openai_chat,
             R"({"model":"m","prompt_cache_key":null,"user":null,"messages":[{"role":"user","content":"hi"}]})",
             "",
             ""}}) {
        json::Scratch scratch;
        const auto request =
            client_edge(row.dialect)
                ->read_request(
                    {.surface = llm::surface_of(row.dialect), .model = "m"}, row.body, scratch);
        ASSERT_TRUE(request) << row.body;
        const auto text = [&row](json::Span span) {
            return span.is_set() ? span.in(row.body) : std::string_view{};
        };
        EXPECT_EQ(text(request->cache_key), row.cache_key) << row.body;
        EXPECT_EQ(text(request->user), row.user) << row.body;
    }
}

}  // namespace
}  // namespace weir::dialect
