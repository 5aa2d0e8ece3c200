#include "quota/section.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace weir::quota {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kMemory = 1u << 30;

config::Loaded read(std::string_view text) {
    return config::load(
        {limits_section()}, text, "weir.yaml", [](std::string_view) { return std::nullopt; });
}

TEST(LimitsSection, LimitsNobodyUnlessAskedTo) {
    const auto loaded = read("");
    ASSERT_TRUE(loaded.snapshot);
    const auto rules = rules_of(loaded.snapshot->get<LimitsSection>(), kMemory);
    EXPECT_FALSE(rules.address_requests);
    EXPECT_FALSE(rules.address_concurrency_max);
    EXPECT_FALSE(rules.tokens_max);
    ASSERT_TRUE(rules.guesses);
    EXPECT_EQ(rules.guesses->burst(), kGuessesPerMinute);
    EXPECT_EQ(rules.body_bytes_max, kMemory / 4);
}

TEST(LimitsSection, ReadsEveryKey) {
    const auto loaded = read(
        "limits:\n"
        "  per_ip: {requests: 600/min, concurrency: 20}\n"
        "  guesses: 5/h\n"
        "  max_in_flight_bytes: 10%\n"
        "  max_tokens_in_flight: 1000000\n"
        "  in_flight: {calls: 7, queue: 0, wait: 2s}\n");
    ASSERT_TRUE(loaded.snapshot) << to_text(loaded.errors.at(0));
    const auto rules = rules_of(loaded.snapshot->get<LimitsSection>(), kMemory);
    ASSERT_TRUE(rules.address_requests);
    EXPECT_EQ(rules.address_requests->burst(), 600u);
    EXPECT_EQ(rules.address_requests->interval(), 100ms);
    EXPECT_EQ(rules.address_concurrency_max, 20u);
    EXPECT_EQ(rules.guesses->interval(), 12min);
    EXPECT_EQ(rules.body_bytes_max, kMemory / 10);
    EXPECT_EQ(rules.tokens_max, 1'000'000);
    const auto& in_flight = loaded.snapshot->get<LimitsSection>().in_flight;
    EXPECT_EQ(in_flight.calls, 7);
    EXPECT_EQ(in_flight.queue, 0);
    EXPECT_EQ(in_flight.wait, 2s);
    const auto sized = read("limits: {max_in_flight_bytes: 64MiB}");
    ASSERT_TRUE(sized.snapshot);
    EXPECT_EQ(rules_of(sized.snapshot->get<LimitsSection>(), kMemory).body_bytes_max, 64u << 20);
}

struct BadCase {
    std::string_view name, text, message;
};
class BadLimitsTest : public testing::TestWithParam<BadCase> {};
TEST_P(BadLimitsTest, NamesTheKeyAndWhatWasExpected) {
    const auto loaded = read(fmt::format("limits: {{{}}}", GetParam().text));
    ASSERT_FALSE(loaded.snapshot);
    ASSERT_EQ(loaded.errors.size(), 1u);
    EXPECT_EQ(to_text(loaded.errors[0]), GetParam().message);
}
INSTANTIATE_TEST_SUITE_P(
    LimitsSection,
    BadLimitsTest,
    testing::Values(
        BadCase{"rate_without_a_period",
                "per_ip: {requests: 600}",
                "weir.yaml:1: limits.per_ip.requests: expected a rate such as 60/min, 5/s, 1000/h "
                "or 10000/d, found '600'"},
        BadCase{"rate_of_zero",
                "per_ip: {requests: 0/min}",
                "weir.yaml:1: limits.per_ip.requests: expected a rate from 1 to 1000000000 a "
                "period"},
        BadCase{"share_of_zero",
                "max_in_flight_bytes: 0%",
                "weir.yaml:1: limits.max_in_flight_bytes: expected a share such as 25% or a size "
                "such as 512MiB, above zero, found '0%'"},
        BadCase{"unknown_key",
                "per_ip: {request: 600/min}",
                "weir.yaml:1: limits.per_ip.request: unknown key; did you mean 'requests'?"}),
    [](const auto& info) { return std::string{info.param.name}; });

}  // namespace
}  // namespace weir::quota
