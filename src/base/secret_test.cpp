#include "base/secret.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <type_traits>

namespace weir {
namespace {

TEST(Secret, CannotBeFormattedOrCompared) {
    static_assert(!fmt::is_formattable<Secret>::value);
    static_assert(!std::is_convertible_v<Secret, std::string>);
    static_assert(!std::is_convertible_v<Secret, std::string_view>);
}

TEST(Secret, MovesItsBytesAndLeavesNothingBehind) {
    Secret first{std::string("a long enough secret to live on the heap")};
    const Secret second = std::move(first);
    EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move): that is the claim
    EXPECT_EQ(second.reveal(), "a long enough secret to live on the heap");
}

}  // namespace
}  // namespace weir
