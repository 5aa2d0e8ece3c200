#include "runtime/fetch_section.h"

#include <gtest/gtest.h>

namespace weir::runtime {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load({fetch_section()}, yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
}

TEST(FetchSection, IsOffUnlessSet) {
    const auto loaded = load("");
    ASSERT_TRUE(loaded.errors.empty());
    const auto& fetch = loaded.snapshot->get<FetchSection>();
    EXPECT_FALSE(fetch.enabled);
    EXPECT_FALSE(fetch.allow_http);
    EXPECT_TRUE(fetch.allow_private.empty());
    EXPECT_EQ(fetch.types, (std::vector<std::string>{"image/*", "application/pdf"}));
}

TEST(FetchSection, ReadsRules) {
    const auto loaded = load(
        "fetch: {enabled: true, allow_http: true, allow_private: [10.0.0.0/8, 'fd00::/8'], "
        "bytes_max: 1MiB, timeout: 3s, types: [text/plain], per_call_max: 2}");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const auto& fetch = loaded.snapshot->get<FetchSection>();
    EXPECT_TRUE(fetch.enabled);
    EXPECT_TRUE(fetch.allow_http);
    EXPECT_EQ(fetch.allow_private.size(), 2u);
    EXPECT_EQ(fetch.bytes_max, 1u << 20);
    EXPECT_EQ(fetch.timeout, std::chrono::seconds{3});
    EXPECT_EQ(fetch.types, std::vector<std::string>{"text/plain"});
    EXPECT_EQ(fetch.per_call_max, 2);
}

TEST(FetchSection, RefusesWhatCannotBeMeant) {
    for (const std::string_view yaml : {"fetch: {enabled: perhaps}",
                                        "fetch: {allow_private: [10.0.0.0/33]}",
                                        "fetch: {allow_private: [localhost]}",
                                        "fetch: {bytes_max: 0}",
                                        "fetch: {bytes_max: 65MiB}",
                                        "fetch: {timeout: 0s}",
                                        "fetch: {types: []}",
                                        "fetch: {types: [text/html]}",
                                        "fetch: {per_call_max: 0}",
                                        "fetch: {redirects: 5}"}) {
        EXPECT_EQ(load(yaml).errors.size(), 1u) << yaml;
    }
}

}  // namespace
}  // namespace weir::runtime
