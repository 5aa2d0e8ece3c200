#include "tokens/call.h"

#include <gtest/gtest.h>

#include "tokens/count.h"

namespace weir::tokens {
namespace {

TEST(CountCall, CountsTextsExactlyWhereTheTokenizerIsPublic) {
    llm::Call call;
    call.messages.push_back({.parts = {{.body = llm::Text{.text = "hello world"}}}});
    const std::int64_t bare = count(call, "gpt-4o");
    EXPECT_EQ(bare,
              count(Encoding::o200k, "hello world\n") + kTokensPerMessage + kTokensOfReplyStart);
    EXPECT_GT(count(call, "claude-haiku-4-5"), bare);
    call.messages.push_back({.parts = {{.body = llm::Media{.data = "AAAA"}}}});
    EXPECT_EQ(count(call, "gpt-4o"), bare + kTokensPerMessage + kTokensPerImage);
    call.tools.push_back({.name = "f", .description = "does", .schema = R"({"type":"object"})"});
    EXPECT_GT(count(call, "gpt-4o"), bare + kTokensPerMessage + kTokensPerImage);
}

}  // namespace
}  // namespace weir::tokens
