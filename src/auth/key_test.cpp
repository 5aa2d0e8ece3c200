#include "auth/key.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

namespace weir::auth {
namespace {

const std::string kGood = "sk-weir-0123456789ABCDEFabcdefXYZxyz0099";

struct ShapeCase {
    std::string_view name;
    std::string credential;
    bool good;
};
class ShapeTest : public testing::TestWithParam<ShapeCase> {};
TEST_P(ShapeTest, IsJudged) { EXPECT_EQ(has_key_shape(GetParam().credential), GetParam().good); }
INSTANTIATE_TEST_SUITE_P(
    Key,
    ShapeTest,
    testing::Values(ShapeCase{"good", kGood, true},
                    ShapeCase{"empty", "", false},
                    ShapeCase{"mark_only", "sk-weir-", false},
                    ShapeCase{"short_by_one", kGood.substr(0, kGood.size() - 1), false},
                    ShapeCase{"long_by_one", kGood + "a", false},
                    ShapeCase{"other_mark", "sk-wier-" + kGood.substr(8), false},
                    ShapeCase{"mark_in_capitals", "SK-WEIR-" + kGood.substr(8), false},
                    ShapeCase{"dash", kGood.substr(0, 39) + "-", false},
                    ShapeCase{"space", kGood.substr(0, 39) + " ", false},
                    ShapeCase{"nul", kGood.substr(0, 39) + std::string(1, '\0'), false},
                    ShapeCase{"beyond_ascii", kGood.substr(0, 38) + "\xc3\xa9", false}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Key, MadeOnesHaveTheShapeAndAreAllDifferent) {
    std::set<std::string> seen;
    std::map<char, int> counts;
    for (int i = 0; i < 5000; ++i) {
        const Secret key = make_key();
        ASSERT_TRUE(has_key_shape(key.reveal()));
        EXPECT_TRUE(seen.emplace(key.reveal()).second);
        for (const char c : key.reveal().substr(kKeyMark.size())) {
            ++counts[c];
        }
    }
    // 160,000 characters, 2,581 of each on average, standard deviation 50: ten of them either way.
    EXPECT_EQ(counts.size(), 62u);
    for (const auto& [c, count] : counts) {
        EXPECT_NEAR(count, 160'000 / 62, 500) << c;
    }
}

TEST(Key, ThePrefixShowsFourRandomCharacters) { EXPECT_EQ(key_prefix(kGood), "sk-weir-0123"); }

}  // namespace
}  // namespace weir::auth
