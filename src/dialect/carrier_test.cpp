#include "dialect/carrier.h"

#include <gtest/gtest.h>

namespace weir::dialect {
namespace {

using llm::Dialect;
using llm::Signature;

TEST(Carrier, BringsASignatureBackThroughAnId) {
    const Signature signature{.text = std::string("\x00\xff/+ sig", 8), .of = Dialect::gemini};
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
                                      "a-weir-sig-gZg"}) {
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

}  // namespace
}  // namespace weir::dialect
