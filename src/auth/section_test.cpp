#include "auth/section.h"

#include <gtest/gtest.h>

namespace weir::auth {
namespace {

config::Loaded read(std::string_view text) {
    return config::load(
        {auth_section()}, text, "weir.yaml", [](std::string_view) { return std::nullopt; });
}

TEST(AuthSection, NeedsAKeyUnlessToldOtherwise) {
    ASSERT_TRUE(read("").snapshot);
    EXPECT_EQ(read("").snapshot->get<AuthSection>().mode, Mode::required);
    EXPECT_EQ(read("auth: {mode: optional}").snapshot->get<AuthSection>().mode, Mode::optional);
    EXPECT_EQ(read("auth: {mode: off}").snapshot->get<AuthSection>().mode, Mode::off);
}

TEST(AuthSection, RefusesAnotherMode) {
    const auto loaded = read("auth: {mode: none}");
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(to_text(loaded.errors[0]),
              "weir.yaml:1: auth.mode: expected one of required, optional, off, found 'none'");
}

}  // namespace
}  // namespace weir::auth
