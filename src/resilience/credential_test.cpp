#include "resilience/credential.h"

#include <gtest/gtest.h>

#include <array>
#include <thread>

#include "base/random.h"

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

TEST(Credential, IsWellAtFirst) {
    const Credential credential;
    EXPECT_FALSE(credential.is_cooled(kStart));
    EXPECT_FALSE(credential.why(kStart));
    EXPECT_FALSE(credential.is_cooled(SteadyTime{}));
}

struct CoolCase {
    std::string_view name;
    Why why;
    std::chrono::nanoseconds told;
    std::chrono::nanoseconds want;
};
class CoolTest : public testing::TestWithParam<CoolCase> {};

TEST_P(CoolTest, CoolsForAsLongAsItsReasonSays) {
    const auto& [name, why, told, want] = GetParam();
    Credential credential;
    credential.cool(told, why, kStart);
    EXPECT_EQ(credential.cools_for(kStart), want);
    EXPECT_EQ(credential.why(kStart), why);
    EXPECT_TRUE(credential.is_cooled(kStart + want - 2ns));
    EXPECT_FALSE(credential.is_cooled(kStart + want));
}

INSTANTIATE_TEST_SUITE_P(Credential,
                         CoolTest,
                         testing::Values(CoolCase{"refused", Why::refused, 0s, 5min},
                                         CoolCase{"limited", Why::limited, 0s, 1s},
                                         CoolCase{"limited_and_told", Why::limited, 17s, 17s},
                                         CoolCase{"told_more_than_an_hour", Why::limited, 24h, 1h}),
                         [](const auto& info) { return std::string{info.param.name}; });

TEST(Credential, DoublesWithEachLimitInARowAndASuccessBeginsAnew) {
    Credential credential;
    SteadyTime now = kStart;
    for (const auto want : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        credential.cool(0s, Why::limited, now);
        EXPECT_EQ(credential.cools_for(now), want);
        now += want;
    }
    credential.succeeded(now);
    credential.cool(0s, Why::limited, now);
    EXPECT_EQ(credential.cools_for(now), 1s);
}

TEST(Credential, TakesCallsThatWereOnTheirWayTogetherForOneStrike) {
    Credential credential;
    for (int i = 0; i < 50; ++i) {
        credential.cool(0s, Why::limited, kStart + i * 1ms);
    }
    EXPECT_EQ(credential.cools_for(kStart), 1s);
    credential.succeeded(kStart + 60ms);  // was sent before
    EXPECT_TRUE(credential.is_cooled(kStart + 60ms));
    credential.cool(0s, Why::limited, kStart + 1s);
    EXPECT_EQ(credential.cools_for(kStart + 1s), 2s);
}

TEST(Credential, IsNeverCooledForLessThanBefore) {
    Credential credential;
    credential.cool(30s, Why::limited, kStart);
    credential.cool(5s, Why::limited, kStart);
    EXPECT_EQ(credential.cools_for(kStart), 30s);
    credential.cool(0s, Why::refused, kStart);
    EXPECT_EQ(credential.why(kStart), Why::refused);
    credential.cool(10min, Why::limited, kStart);
    EXPECT_EQ(credential.why(kStart), Why::refused);
    EXPECT_EQ(credential.cools_for(kStart), 5min);
}

// One letter a key: w well, l limited, r refused, t tried, 0 of no weight; the choice, - for none.
struct ChoiceCase {
    std::string_view keys;
    std::string_view want;  // every key that may be chosen
};
class ChoiceTest : public testing::TestWithParam<ChoiceCase> {};

Credentials make_keys(std::string_view letters, std::uint64_t& tried) {
    std::vector<Credentials::Key> keys;
    for (std::size_t i = 0; i < letters.size(); ++i) {
        auto credential = std::make_shared<Credential>();
        const char letter = letters[i];
        if (letter == 'l') {
            credential->cool(static_cast<int>(10 - i) * 1s, Why::limited, kStart);
        } else if (letter == 'r') {
            credential->cool(0s, Why::refused, kStart);
        } else if (letter == 't') {
            tried |= std::uint64_t{1} << i;
        }
        keys.push_back({.credential = std::move(credential), .weight = letter == '0' ? 0u : 1u});
    }
    return Credentials(std::move(keys));
}

TEST_P(ChoiceTest, IsOneOfThoseOfUse) {
    std::uint64_t tried = 0;
    const Credentials keys = make_keys(GetParam().keys, tried);
    std::array<bool, 4> chosen{};
    bool none = false;
    Random random(1);
    for (int i = 0; i < 200; ++i) {
        const auto choice = keys.choose(kStart, random.next(), tried);
        choice ? chosen[*choice] = true : none = true;
    }
    std::string seen = none ? "-" : "";
    for (std::size_t i = 0; i < keys.size(); ++i) {
        seen += chosen[i] ? std::to_string(i) : "";
    }
    EXPECT_EQ(seen, GetParam().want);
}

INSTANTIATE_TEST_SUITE_P(Credentials,
                         ChoiceTest,
                         testing::Values(ChoiceCase{"", "-"},
                                         ChoiceCase{"www", "012"},
                                         ChoiceCase{"wlr", "0"},
                                         ChoiceCase{"twl", "1"},
                                         ChoiceCase{"0w", "1"},
                                         ChoiceCase{"0", "-"},
                                         ChoiceCase{"tl", "1"},
                                         ChoiceCase{"ll", "1"},  // which is cooled shorter
                                         ChoiceCase{"lr", "0"},
                                         ChoiceCase{"tr", "-"},
                                         ChoiceCase{"r", "-"},
                                         ChoiceCase{"0l", "1"},
                                         ChoiceCase{"ttt", "-"}),
                         [](const auto& info) {
                             return info.param.keys.empty() ? std::string("none")
                                                            : std::string{info.param.keys};
                         });

TEST(Credentials, ChoosesByWeight) {
    std::vector<Credentials::Key> keys;
    for (const std::uint32_t weight : {1u, 2u, 7u}) {
        keys.push_back({.credential = std::make_shared<Credential>(), .weight = weight});
    }
    const Credentials credentials(std::move(keys));
    std::array<int, 3> counts{};
    Random random(5);
    for (int i = 0; i < 100'000; ++i) {
        ++counts[*credentials.choose(kStart, random.next(), 0)];
    }
    EXPECT_NEAR(counts[0], 10'000, 500);
    EXPECT_NEAR(counts[1], 20'000, 700);
    EXPECT_NEAR(counts[2], 70'000, 1000);
}

TEST(Credentials, SaysWhenTheFirstKeyIsOfUseAgain) {
    std::uint64_t tried = 0;
    EXPECT_EQ(make_keys("rl", tried).cools_for(kStart), 9s);
    EXPECT_EQ(make_keys("rw", tried).cools_for(kStart), 0s);
    EXPECT_EQ(make_keys("", tried).cools_for(kStart), 0s);
}

TEST(Credentials, MayBeCooledAndChosenByAllThreads) {
    std::uint64_t tried = 0;
    const Credentials keys = make_keys("www", tried);
    std::vector<std::thread> threads;
    for (std::uint64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&keys, t] {
            Random random(t);
            for (int i = 0; i < 20'000; ++i) {
                const SteadyTime now = kStart + i * 10ms;
                if (const auto choice = keys.choose(now, random.next(), 0)) {
                    random.below(4) == 0
                        ? keys.credential(*choice).cool(
                              0s, random.below(8) == 0 ? Why::refused : Why::limited, now)
                        : keys.credential(*choice).succeeded(now);
                }
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    EXPECT_TRUE(keys.choose(kStart + 10h, 1, 0));
}

}  // namespace
}  // namespace weir::resilience
