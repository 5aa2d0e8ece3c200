#include "dialect/check.h"

#include <gtest/gtest.h>

namespace weir::dialect {
namespace {

llm::Call call_of(std::vector<llm::Message> messages) { return {.messages = std::move(messages)}; }
llm::Part text(std::string words) { return {.body = llm::Text{.text = std::move(words)}}; }
llm::Part tool(std::string id, std::string arguments) {
    return {.body =
                llm::ToolCall{.id = std::move(id), .name = "f", .arguments = std::move(arguments)}};
}
llm::Part result(std::string id) {
    return {.body = llm::ToolResult{.call_id = std::move(id), .content = {text("x")}}};
}

TEST(Check, RefusesWhatNoProviderCanRead) {
    using llm::Role;
    EXPECT_TRUE(check(call_of({{.parts = {text("hi")}}})));
    EXPECT_TRUE(check(call_of({{.parts = {text("hi")}},
                               {.role = Role::assistant, .parts = {tool("a", "{}"), tool("b", "")}},
                               {.parts = {result("b"), result("a")}}})));
    for (const auto& bad : {call_of({}),
                            call_of({{.role = Role::system, .parts = {text("be")}}}),
                            call_of({{.parts = {result("a")}}}),
                            call_of({{.parts = {text("hi")}},
                                     {.role = Role::assistant, .parts = {tool("a", "{}")}},
                                     {.parts = {result("c")}}}),
                            call_of({{.parts = {text("hi"), tool("a", "not json")}}}),
                            call_of({{.parts = {text("hi"), tool("a", "[1]")}}}),
                            call_of({{.parts = {{.body = llm::Media{.data = "%%%"}}}}})}) {
        const auto checked = check(bad);
        ASSERT_FALSE(checked);
        EXPECT_EQ(checked.error().code(), Code::invalid_request);
        EXPECT_EQ(checked.error().parameter(), "messages");
    }
    llm::Call twice = call_of({{.parts = {text("hi")}}});
    twice.tools = {{.name = "f"}, {.name = "f"}};
    EXPECT_EQ(check(twice).error().parameter(), "tools");
    twice.tools.pop_back();
    twice.tool_choice = {.mode = llm::ToolChoice::Mode::named, .name = "g"};
    EXPECT_EQ(check(twice).error().parameter(), "tool_choice");
}

}  // namespace
}  // namespace weir::dialect
