#include "base/timestamp.h"

#include <gtest/gtest.h>

namespace weir {
namespace {

TEST(Timestamp, WritesWhatItReads) {
    const WallTime time = wall_from_micros(1'795'241'600'123'456);
    EXPECT_EQ(to_rfc3339(time), "2026-11-21T06:13:20.123456Z");
    EXPECT_EQ(parse_rfc3339(to_rfc3339(time)), time);
}

struct Case {
    std::string_view name, text;
    std::int64_t micros;
};
class TimestampReads : public testing::TestWithParam<Case> {};
TEST_P(TimestampReads, EveryForm) {
    const auto time = parse_rfc3339(GetParam().text);
    ASSERT_TRUE(time.has_value());
    EXPECT_EQ(micros(*time), GetParam().micros);
}
INSTANTIATE_TEST_SUITE_P(Table,
                         TimestampReads,
                         testing::Values(Case{"epoch", "1970-01-01T00:00:00Z", 0},
                                         Case{"lower_case", "1970-01-01t00:00:01z", 1'000'000},
                                         Case{"fraction", "1970-01-01T00:00:00.5Z", 500'000},
                                         Case{"nanoseconds", "1970-01-01T00:00:00.000001999Z", 1},
                                         Case{"east", "1970-01-01T01:30:00+01:30", 0},
                                         Case{"west", "1969-12-31T19:00:00-05:00", 0}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Timestamp, RefusesEverythingElse) {
    for (const std::string_view text : {"",
                                        "2026-11-21",
                                        "2026-02-30T00:00:00Z",
                                        "2026-11-21T24:00:00Z",
                                        "2026-11-21T00:00:00",
                                        "2026-11-21T00:00:00.Z",
                                        "2026-11-21T00:00:00Z ",
                                        "2026-11-21 00:00:00Z",
                                        "+026-11-21T00:00:00Z",
                                        "2026-11-21T00:00:00+0100"}) {
        EXPECT_FALSE(parse_rfc3339(text)) << text;
    }
}

TEST(Timestamp, ReadsHttpDates) {
    EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
              parse_rfc3339("1994-11-06T08:49:37Z"));
    for (const std::string_view bad : {"",
                                       "Sun, 31 Feb 2026 08:49:37 GMT",
                                       "Sunday, 06-Nov-94 08:49:37 GMT",
                                       "Sun Nov  6 08:49:37 1994",
                                       "Sun, 06 Nov 1994 24:49:37 GMT",
                                       "Sun, 06 Nux 1994 08:49:37 GMT",
                                       "Sun, 06 Nov 1994 08:49:37 CET"}) {
        EXPECT_FALSE(parse_http_date(bad)) << bad;
    }
}

}  // namespace
}  // namespace weir
