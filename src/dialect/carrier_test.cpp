#include "dialect/carrier.h"

#include <gtest/gtest.h>

namespace weir::dialect {
namespace {

using llm::Dialect;
using llm::Signature;

TEST(Carrier, BringsASignatureBackThroughAnId) {
    const Signature signature{.text = std::string("\x00\xc3\xbf/+ sig", 9), .of = Dialect::gemini};
    const std::string carried = carry_in_id("call_1", signature);
    EXPECT_EQ(carried.find_first_not_of(
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_"),
              std::string::npos);
    const CarriedId read = read_carried_id(carried);
    EXPECT_EQ(read.id, "call_1");
    EXPECT_EQ(read.signature, signature);
    EXPECT_EQ(carry_in_id("call_1", {}), "call_1");
}

TEST(Carrier, LeavesIdsOfOthersAlone) {
    for (const std::string_view id : {"",
                                      "call_1",
                                      "toolu_-weir-sig-",
                                      "a-weir-sig-g-!!",
                                      "a-weir-sig-z-Zg",
                                      "a-weir-sig-gZg",
                                      // A signature that is no UTF-8, cut off, overlong.
                                      "a-weir-sig-g-_w",
                                      "a-weir-sig-g-YcM",
                                      "a-weir-sig-g-wIA"}) {
        EXPECT_EQ(read_carried_id(id).id, id);
        EXPECT_EQ(read_carried_id(id).signature.text, "");
    }
}

TEST(Carrier, MarksOnlyForeignSignaturesInAField) {
    const Signature own{.text = "EqQBCkgIBRAB", .of = Dialect::anthropic};
    EXPECT_EQ(carry_in_field(own, Dialect::anthropic), own.text);
    EXPECT_EQ(read_carried_field(own.text, Dialect::anthropic), own);
    const Signature foreign{.text = "AbCd==", .of = Dialect::gemini};
    const std::string carried = carry_in_field(foreign, Dialect::anthropic);
    EXPECT_NE(carried, foreign.text);
    EXPECT_EQ(read_carried_field(carried, Dialect::anthropic), foreign);
    EXPECT_EQ(read_carried_field("", Dialect::gemini).text, "");
}

TEST(Carrier, TakesNoBytesThatAreNoTextOutOfAField) {
    // "weir-sig:g:" and 0xff
    const std::string made_up = "d2Vpci1zaWc6Zzr/";
    EXPECT_EQ(read_carried_field(made_up, Dialect::anthropic),
              (Signature{.text = made_up, .of = Dialect::anthropic}));
}

TEST(Carrier, MarksAThoughtOfAnothersThatNobodySigned) {
    const Signature nobodys{.of = Dialect::openai_chat};
    const std::string carried = carry_in_field(nobodys, Dialect::anthropic);
    EXPECT_TRUE(may_carry('"' + carried + '"'));
    EXPECT_EQ(read_carried_field(carried, Dialect::anthropic), nobodys);
    const Signature own{.of = Dialect::anthropic};
    EXPECT_EQ(carry_in_field(own, Dialect::anthropic), "");
    EXPECT_EQ(read_carried_field("", Dialect::anthropic), own);
}

TEST(Carrier, FindsAMarkInABody) {
    const Signature signature{.text = "AbCd==", .of = Dialect::gemini};
    const std::string id = carry_in_id("call_1", signature);
    const std::string field = carry_in_field(signature, Dialect::anthropic);
    EXPECT_TRUE(may_carry(R"({"messages":[{"tool_call_id":")" + id + R"("}]})"));
    EXPECT_TRUE(may_carry(R"({"signature":")" + field + R"("})"));
    EXPECT_FALSE(may_carry(R"({"messages":[{"role":"user","content":"weir-sig"}]})"));
    EXPECT_FALSE(may_carry(""));
    // Wherever it stands to the blocks that are looked at.
    for (std::size_t before = 0; before < 70; ++before) {
        for (const std::size_t after : {0, 1, 20, 40}) {
            const std::string open(before, '-');
            const std::string close(after, '"');
            EXPECT_TRUE(may_carry(open + id + close)) << before << ' ' << after;
            EXPECT_TRUE(may_carry(open + '"' + field + close)) << before << ' ' << after;
            EXPECT_FALSE(may_carry(open + "-weir-si-" + close)) << before << ' ' << after;
            EXPECT_FALSE(may_carry(open + R"("d2Vpci1zaWc5")" + close)) << before << ' ' << after;
        }
    }
}

struct ForeignCase {
    std::string_view name;
    Dialect own;
    llm::Part part;
    bool is_foreign;
};

class ForeignTest : public testing::TestWithParam<ForeignCase> {};

TEST_P(ForeignTest, IsWhatAProviderOfTheDialectRefuses) {
    llm::Call call{.from = GetParam().own};
    call.messages.push_back({.role = llm::Role::assistant, .parts = {GetParam().part}});
    EXPECT_EQ(carries_foreign(call, GetParam().own), GetParam().is_foreign);
}

llm::Part thought(std::string seal, Dialect of) {
    return {.body = llm::Reasoning{.text = "hm", .signature = {std::move(seal), of}}};
}
llm::Part tool(std::string seal, Dialect of) {
    return {.body = llm::ToolCall{.id = "1", .name = "f", .signature = {std::move(seal), of}}};
}

INSTANTIATE_TEST_SUITE_P(
    Carrier,
    ForeignTest,
    testing::Values(
        ForeignCase{"own_thought", Dialect::anthropic, thought("s", Dialect::anthropic), false},
        ForeignCase{"own_unsigned", Dialect::anthropic, thought("", Dialect::anthropic), false},
        ForeignCase{"thought", Dialect::anthropic, thought("s", Dialect::gemini), true},
        ForeignCase{"unsigned_thought", Dialect::anthropic, thought("", Dialect::bedrock), true},
        ForeignCase{"claude_elsewhere", Dialect::anthropic, thought("s", Dialect::bedrock), true},
        ForeignCase{"tool", Dialect::anthropic, tool("s", Dialect::gemini), true},
        ForeignCase{"plain_tool", Dialect::anthropic, tool("", Dialect::openai_chat), false},
        ForeignCase{"item", Dialect::openai_responses, thought("s", Dialect::anthropic), true},
        ForeignCase{
            "kept_item", Dialect::openai_responses, thought("", Dialect::openai_responses), false},
        ForeignCase{"gemini_takes_unsigned", Dialect::gemini, thought("", Dialect::bedrock), false},
        ForeignCase{"gemini_thought", Dialect::gemini, thought("s", Dialect::anthropic), true},
        ForeignCase{"gemini_tool", Dialect::gemini, tool("s", Dialect::gemini), false},
        ForeignCase{"chat_tool", Dialect::openai_chat, tool("s", Dialect::gemini), true},
        // OpenRouter says whose its thoughts are, and wants them back.
        ForeignCase{"chat_thought", Dialect::openai_chat, thought("s", Dialect::anthropic), false}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::dialect
