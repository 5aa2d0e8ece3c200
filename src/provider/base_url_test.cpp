#include "provider/base_url.h"

#include <gtest/gtest.h>

#include "provider/kind.h"
#include "provider/section.h"

namespace weir::provider {
namespace {

TEST(BaseUrl, TakesApartWhatIsRight) {
    const auto url = parse_base_url("http://[::1]:9001/v1/");
    ASSERT_TRUE(url);
    EXPECT_FALSE(url->tls);
    EXPECT_EQ(url->host, "::1");
    EXPECT_EQ(url->port, 9001);
    EXPECT_EQ(url->path, "/v1");
    const auto plain = parse_base_url("https://api.example.com");
    ASSERT_TRUE(plain);
    EXPECT_EQ(plain->port, 443);
    EXPECT_EQ(plain->path, "");
}

TEST(BaseUrl, RefusesWhatCouldMeanSomethingElse) {
    for (const auto* bad : {"",
                            "api.example.com/v1",
                            "ftp://x/v1",
                            "https://",
                            "https:///v1",
                            "https://user:pw@x/v1",
                            "https://x/v1?key=1",
                            "https://x/v1#a",
                            "https://x:0/",
                            "https://x:99999/",
                            "https://x:y/",
                            "https://[::1/v1",
                            "https://a]example.com/v1",
                            "https://a[example.com/v1",
                            "https://a,b/v1",
                            "https://a%2fb/v1",
                            "https://\"a\"/v1",
                            "https://a\xc3\xa9/v1",
                            "https://[]/v1",
                            "https://[api.example.com]/v1",
                            "https://[127.0.0.1]/v1",
                            "https://[::1%25lo]/v1",
                            "https://a b/"}) {
        EXPECT_FALSE(parse_base_url(bad)) << bad;
    }
}

struct JoinCase {
    std::string_view name, base, endpoint, path;
};
class JoinTest : public testing::TestWithParam<JoinCase> {};
TEST_P(JoinTest, SaysTheVersionOnce) {
    const auto url = parse_base_url("https://h" + std::string(GetParam().base));
    ASSERT_TRUE(url);
    EXPECT_EQ(join_paths(url->path, GetParam().endpoint), GetParam().path);
}
INSTANTIATE_TEST_SUITE_P(
    BaseUrl,
    JoinTest,
    testing::Values(
        JoinCase{"anthropic", "", "/v1/messages", "/v1/messages"},
        JoinCase{"anthropic_v1", "/v1", "/v1/messages", "/v1/messages"},
        JoinCase{"anthropic_slash", "/v1/", "/v1/messages", "/v1/messages"},
        JoinCase{"anthropic_proxy", "/claude/v1", "/v1/messages", "/claude/v1/messages"},
        JoinCase{"gemini", "", "/v1beta/models/{model}:x", "/v1beta/models/{model}:x"},
        JoinCase{"gemini_beta", "/v1beta", "/v1beta/models/{model}:x", "/v1beta/models/{model}:x"},
        JoinCase{"azure", "/openai/v1", "/openai/v1/responses", "/openai/v1/responses"},
        JoinCase{"azure_short", "/openai", "/openai/v1/responses", "/openai/v1/responses"},
        JoinCase{"azure_deployment",
                 "/openai",
                 "/openai/deployments/{model}/chat/completions",
                 "/openai/deployments/{model}/chat/completions"},
        JoinCase{"openai", "/v1", "/chat/completions", "/v1/chat/completions"},
        // Only whole names are the same.
        JoinCase{"longer", "/v1", "/v1beta/models", "/v1/v1beta/models"},
        JoinCase{"shorter", "/v1beta", "/v1/messages", "/v1beta/v1/messages"},
        JoinCase{"part", "/my-v1", "/v1/messages", "/my-v1/v1/messages"},
        JoinCase{"before", "/v1/proxy", "/v1/messages", "/v1/proxy/v1/messages"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(ProviderKind, TheCatalogNamesEachKindOnceAndItsDefaultsParse) {
    EXPECT_GE(all_kinds().size(), 3u);
    for (const ProviderKind* kind : all_kinds()) {
        EXPECT_EQ(find_kind(kind->name), kind);
        if (!kind->base_url.empty()) {
            EXPECT_FALSE(base_url_of({.kind = kind}).host.empty()) << kind->name;
        }
    }
    EXPECT_EQ(find_kind("nonsense"), nullptr);
}

}  // namespace
}  // namespace weir::provider
