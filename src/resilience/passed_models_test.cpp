#include "resilience/passed_models.h"

#include <gtest/gtest.h>

namespace weir::resilience {
namespace {

TEST(PassedModels, GivesAModelATargetOfItsOwnOnceItIsKnown) {
    TargetTable table(1);
    PassedModels models("p", table, {});
    EXPECT_EQ(models.find("a"), nullptr);
    models.learn("a");
    models.learn("b");
    ASSERT_NE(models.find("a"), nullptr);
    EXPECT_NE(models.find("a"), models.find("b"));
    models.learn("a");
    EXPECT_EQ(models.all().size(), 2u);
}

TEST(PassedModels, SharesWithATargetOfTheConfiguration) {
    TargetTable table(1);
    const auto configured = table.take(target_identity("p", "a"), {});
    PassedModels models("p", table, {});
    models.learn("a");
    EXPECT_EQ(models.find("a"), configured.get());
}

TEST(PassedModels, IsBounded) {
    TargetTable table(1);
    PassedModels models("p", table, {});
    for (std::size_t i = 0; i < kPassedModelsMax + 10; ++i) {
        models.learn("model-" + std::to_string(i));
    }
    EXPECT_EQ(models.all().size(), kPassedModelsMax);
    EXPECT_EQ(models.find("model-" + std::to_string(kPassedModelsMax)), nullptr);
}

TEST(PassedModels, FollowsAReload) {
    TargetTable table(1);
    PassedModels models("p", table, {});
    models.learn("a");
    models.change({.admission = {.in_flight = 7}});
    models.learn("b");
    EXPECT_EQ(models.find("a")->admission.limit(), 7u);
    EXPECT_EQ(models.find("b")->admission.limit(), 7u);
}

}  // namespace
}  // namespace weir::resilience
