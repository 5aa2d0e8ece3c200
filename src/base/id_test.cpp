#include "base/id.h"

#include <gtest/gtest.h>

#include <set>

namespace weir {
namespace {

using std::chrono::milliseconds;

TEST(Uuid, SortsByTimeAndSaysVersionSeven) {
    const WallTime now = wall_from_micros(1'700'000'000'000'000);
    const Uuid first = make_uuid_v7(now);
    const Uuid later = make_uuid_v7(now + milliseconds{1});
    EXPECT_LT(first, later);
    EXPECT_EQ(first.bytes[6] >> 4, 7);
    EXPECT_EQ(first.bytes[8] >> 6, 2);
}

TEST(Uuid, TextGoesThereAndBack) {
    const Uuid id = make_uuid_v7(wall_from_micros(1));
    const std::string text = to_text(id);
    EXPECT_EQ(text.size(), kUuidTextSize);
    EXPECT_EQ(parse_uuid(text), id);
    EXPECT_EQ(parse_uuid(text + "0"), std::nullopt);
    EXPECT_EQ(parse_uuid("0190a5c0_0000-7000-8000-000000000000"), std::nullopt);
    EXPECT_EQ(parse_uuid("0190a5c0-0000-7000-8000-00000000000g"), std::nullopt);
}

TEST(Uuid, NeverRepeatsWithinAMillisecond) {
    std::set<Uuid> seen;
    for (int i = 0; i < 10'000; ++i) {
        EXPECT_TRUE(seen.insert(make_uuid_v7(wall_from_micros(5))).second);
    }
}

}  // namespace
}  // namespace weir
