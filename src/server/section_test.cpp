#include "server/section.h"

#include <gtest/gtest.h>

namespace weir::server {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load({server_section()}, yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
}

TEST(ServerSection, HasDefaultsOnLoopback) {
    const auto loaded = load("");
    const auto& server = loaded.snapshot->get<ServerSection>();
    EXPECT_EQ(net::to_text(server.listen), "127.0.0.1:8080");
    EXPECT_EQ(net::to_text(server.operations), "127.0.0.1:9090");
    EXPECT_FALSE(server.threads);
}

TEST(ServerSection, ReadsEverything) {
    const auto loaded = load(
        "server: {listen: '[::1]:0', operations: 0.0.0.0:1, threads: 4, trusted_proxies: "
        "[10.0.0.0/8], tls: {cert: a, key: b}}");
    ASSERT_TRUE(loaded.errors.empty());
    const auto& server = loaded.snapshot->get<ServerSection>();
    EXPECT_EQ(server.threads, 4u);
    EXPECT_EQ(server.trusted_proxies.size(), 1u);
    EXPECT_EQ(server.tls->key, "b");
}

TEST(ServerSection, RefusesNamesAndNonsense) {
    for (const std::string_view yaml : {"server: {listen: localhost:80}",
                                        "server: {threads: 0}",
                                        "server: {trusted_proxies: [10.0.0.0/33]}",
                                        "server: {tls: {cert: a}}"}) {
        EXPECT_FALSE(load(yaml).errors.empty()) << yaml;
    }
}

}  // namespace
}  // namespace weir::server
