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
