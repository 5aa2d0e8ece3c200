#include "resilience/target.h"

#include <gtest/gtest.h>

#include <thread>

namespace weir::resilience {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kStart{1h};

void open(Target& target) {
    for (int i = 0; i < 5; ++i) {
        target.breaker.failed(target.breaker.admit(kStart), kStart);
    }
}

TEST(TargetTable, KeepsWhatSomebodyHolds) {
    TargetTable table(1);
    auto of_the_old = table.take(target_identity("openai", "gpt"), {});
    open(*of_the_old);
    const auto of_the_new = table.take(target_identity("openai", "gpt"), {});
    EXPECT_EQ(of_the_new, of_the_old);
    of_the_old.reset();
    EXPECT_EQ(of_the_new->breaker.state(kStart), BreakerState::open);
    EXPECT_EQ(table.find("openai\ngpt"), of_the_new);
    EXPECT_NE(table.take(target_identity("other", "gpt"), {}), of_the_new);
}

TEST(TargetTable, ForgetsWhatNobodyHolds) {
    TargetTable table(1);
    open(*table.take("a\nb", {}));
    EXPECT_EQ(table.find("a\nb"), nullptr);
    EXPECT_TRUE(table.all().empty());
    EXPECT_EQ(table.take("a\nb", {})->breaker.state(kStart), BreakerState::closed);
}

TEST(KeptTable, DoesNotGrowWithNamesOfTheDead) {
    KeptTable<int> table;
    std::vector<std::shared_ptr<int>> held;
    for (int i = 0; i < 10'000; ++i) {
        auto one = table.take(std::to_string(i), [&] { return std::make_shared<int>(i); });
        if (i % 1000 == 0) {
            held.push_back(std::move(one));
        }
    }
    EXPECT_EQ(table.all().size(), held.size());
    EXPECT_LE(table.size(), 200u);
}

TEST(Target, IsNotPlannedForWhileAnOperatorOrTheBreakerSaysNo) {
    TargetTable table(1);
    const auto target = table.take("a\nb", {});
    EXPECT_TRUE(target->may_admit(kStart));
    target->set_service(Service::drained);
    EXPECT_FALSE(target->may_admit(kStart));
    target->set_service(Service::on);
    EXPECT_TRUE(target->may_admit(kStart));
    open(*target);
    EXPECT_FALSE(target->may_admit(kStart));
}

TEST(Target, HasTheConfiguredWeightUnlessToldAnother) {
    TargetTable table(1);
    const auto target = table.take("a\nb", {});
    EXPECT_EQ(target->weight(), std::nullopt);
    target->set_weight(0);
    EXPECT_EQ(target->weight(), 0u);
    target->set_weight(std::nullopt);
    EXPECT_EQ(target->weight(), std::nullopt);
}

TEST(Target, AnAdaptiveLimitDrivesTheAdmission) {
    TargetTable table(1);
    const TargetRules rules{.admission = {.in_flight = 7}, .adaptive = {.enabled = true}};
    const auto target = table.take("a\nb", rules);
    EXPECT_EQ(target->admission.limit(), rules.adaptive.first);
    std::vector<Ticket> busy;
    for (int i = 0; i < 15; ++i) {
        busy.push_back(std::move(*target->admission.try_enter()));
    }
    for (int i = 0; i < 100; ++i) {
        target->record_first_token(100ms, kStart + i * 100ms);
    }
    const std::uint32_t found = target->admission.limit();
    EXPECT_GT(found, rules.adaptive.first);
    EXPECT_NEAR(target->latency.first_token_us(kStart + 9900ms), 100'000, 1);
    // A reload keeps what was found out; one that turns it off goes by its own figure.
    target->change(rules);
    EXPECT_EQ(target->admission.limit(), found);
    target->change({.admission = {.in_flight = 7}});
    EXPECT_EQ(target->admission.limit(), 7u);
}

TEST(CredentialsTable, AKeyThatStaysKeepsItsCoolDown) {
    CredentialsTable table;
    const std::vector<CredentialsTable::KeyRules> before{{.name = "a", .fingerprint = "1"},
                                                         {.name = "b", .fingerprint = "2"}};
    const Credentials old = table.take("openai", before);
    old.credential(0).cool(0s, Why::refused, kStart);
    old.credential(1).cool(0s, Why::refused, kStart);
    // b has another value now, c is new.
    const std::vector<CredentialsTable::KeyRules> after{{.name = "c", .fingerprint = "9"},
                                                        {.name = "a", .fingerprint = "1"},
                                                        {.name = "b", .fingerprint = "3"}};
    const Credentials fresh = table.take("openai", after);
    EXPECT_FALSE(fresh.credential(0).is_cooled(kStart));
    EXPECT_TRUE(fresh.credential(1).is_cooled(kStart));
    EXPECT_FALSE(fresh.credential(2).is_cooled(kStart));
    EXPECT_FALSE(table.take("other", before).credential(0).is_cooled(kStart));
}

TEST(TargetTable, MayBeTakenFromByAllThreads) {
    TargetTable table(1);
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5'000; ++i) {
                const std::string name = std::to_string(i % 7);
                const auto one = table.take(name, {});
                const auto same = table.take(name, {});
                EXPECT_EQ(one, same);
            }
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
}

TEST(Target, GetsNothingWhileItCannotBeReached) {
    TargetTable table(1);
    const auto target = table.take("p\nm", {});
    EXPECT_TRUE(target->may_admit(SteadyTime{1h}));
    target->set_reachable(false);
    EXPECT_FALSE(target->may_admit(SteadyTime{1h}));
    EXPECT_FALSE(target->is_in_service());
    target->set_reachable(true);
    target->set_service(Service::drained);
    EXPECT_FALSE(target->is_in_service());
}

}  // namespace
}  // namespace weir::resilience
