#include "server/route.h"

#include <gtest/gtest.h>

namespace weir::server {
namespace {

struct Case {
    std::string_view path;
    Route route;
    std::string_view item;
};
class RouteTable : public testing::TestWithParam<Case> {};
TEST_P(RouteTable, MeansThisAndNothingElse) {
    const auto routed = find_route(GetParam().path);
    EXPECT_EQ(routed.route, GetParam().route) << GetParam().path;
    EXPECT_EQ(routed.item, GetParam().item) << GetParam().path;
    EXPECT_EQ(routed.allow.empty(), routed.route == Route::none);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    RouteTable,
    testing::Values(Case{"/v1/chat/completions", Route::chat, ""},
                    Case{"/api/v1/chat/completions", Route::chat, ""},
                    Case{"/v1/embeddings", Route::embeddings, ""},
                    Case{"/v1/models", Route::models, ""},
                    Case{"/v1/models/gpt-4o", Route::model, "gpt-4o"},
                    Case{"/v1/models/openai/gpt-4o", Route::model, "openai/gpt-4o"},
                    Case{"/api/v1/keys", Route::admin, ""},
                    Case{"/api/v1/usage/x", Route::admin, ""},
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

TEST(IsAllowed, ComparesWholeWords) {
    EXPECT_TRUE(is_allowed("GET, HEAD", "HEAD"));
    EXPECT_TRUE(is_allowed("POST", "POST"));
    EXPECT_FALSE(is_allowed("GET, HEAD", "HEA"));
    EXPECT_FALSE(is_allowed("GET, HEAD", "POST"));
    EXPECT_FALSE(is_allowed("", ""));
}

}  // namespace
}  // namespace weir::server
