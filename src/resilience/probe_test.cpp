#include "resilience/probe.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

struct ProbeCase {
    std::string_view name;
    ProbeRules rules;
    std::string_view answers;  // +: good, -: bad
    std::string_view want;     // W: well after it, a: away
};
class ProbeTest : public testing::TestWithParam<ProbeCase> {};
TEST_P(ProbeTest, Judges) {
    Probe probe(GetParam().rules);
    std::string seen;
    bool was_well = true;
    for (const char answer : GetParam().answers) {
        const bool has_changed = probe.record(answer == '+');
        EXPECT_EQ(has_changed, probe.is_well() != was_well);
        was_well = probe.is_well();
        seen += was_well ? 'W' : 'a';
    }
    EXPECT_EQ(seen, GetParam().want);
}
INSTANTIATE_TEST_SUITE_P(
    Probe,
    ProbeTest,
    testing::Values(ProbeCase{"away_after_three_back_after_two", {}, "---++-+++", "WWaaWWWWW"},
                    ProbeCase{"one_good_answer_begins_anew", {}, "--+--+---", "WWWWWWWWa"},
                    ProbeCase{"one_bad_answer_begins_anew", {}, "---+-+-++", "WWaaaaaaW"},
                    ProbeCase{
                        "at_once", {.unhealthy_after = 1, .healthy_after = 1}, "+-+--+", "WaWaaW"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Probe, AsksOnceAnIntervalAndNeverTwiceAtATime) {
    Random random(1);
    Probe probe({.interval = 10s});
    SteadyTime now = kStart;
    EXPECT_TRUE(probe.begin(now, random));
    EXPECT_FALSE(probe.begin(now + 1h, random)) << "one is out";
    probe.record(true);
    EXPECT_FALSE(probe.begin(now + 8s, random));
    EXPECT_TRUE(probe.begin(now + 12s, random));
}

TEST(Probe, KeepsWhatItSawOverAReload) {
    Probe probe({.unhealthy_after = 1});
    EXPECT_TRUE(probe.record(false));
    probe.change({.healthy_after = 1});
    EXPECT_FALSE(probe.is_well());
    EXPECT_TRUE(probe.record(true));
}

}  // namespace
}  // namespace weir::resilience
