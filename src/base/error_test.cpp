#include "base/error.h"

#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

Result<int> half(int n) {
    if (n % 2 != 0) {
        return fail(Code::invalid_request, "Odd.").parameter("n").detail("private");
    }
    return n / 2;
}

Result<int> quarter(int n) {
    WEIR_TRY(auto once, half(n));
    WEIR_TRY(half(once));
    return half(once);
}

TEST(Error, EveryCodeHasItsOwnNameAndAnHttpStatus) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < kCodeCount; ++i) {
        const auto& row = info(static_cast<Code>(i));
        EXPECT_TRUE(names.insert(row.name).second) << row.name;
        EXPECT_GE(row.status, 400);
        EXPECT_LE(row.status, 504);
    }
}

TEST(Error, TryPassesValuesAndErrorsOn) {
    EXPECT_EQ(quarter(12).value(), 3);
    const auto odd = quarter(6);
    ASSERT_FALSE(odd);
    EXPECT_EQ(odd.error().code(), Code::invalid_request);
    EXPECT_EQ(odd.error().parameter(), "n");
    EXPECT_EQ(odd.error().detail(), "private");
}

TEST(Error, CopiesAreIndependent) {
    const Error first =
        fail(Code::rate_limited, "Wait.").retry_after(std::chrono::seconds{2}).error();
    Error second = first;
    second = std::move(second).with_detail("other");
    EXPECT_EQ(first.detail(), "");
    EXPECT_EQ(second.retry_after(), std::chrono::seconds{2});
}

}  // namespace
}  // namespace weir
