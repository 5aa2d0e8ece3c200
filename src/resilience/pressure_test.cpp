#include "resilience/pressure.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "base/random.h"

namespace weir::resilience {
namespace {

MemoryUse percent(int used) { return {.used = static_cast<std::uint64_t>(used), .limit = 100}; }

struct JudgeCase {
    std::string_view name;
    std::vector<int> used;  // percent, one after the other
    std::vector<double> want;
};
class JudgeTest : public testing::TestWithParam<JudgeCase> {};

TEST_P(JudgeTest, ShedsByUseAndLetsGoLate) {
    double pressure = 0;
    for (std::size_t i = 0; i < GetParam().used.size(); ++i) {
        pressure = judge(percent(GetParam().used[i]), pressure);
        EXPECT_NEAR(pressure, GetParam().want[i], 1e-9) << "at " << i;
    }
}

INSTANTIATE_TEST_SUITE_P(
    Pressure,
    JudgeTest,
    testing::Values(JudgeCase{"nothing_below_85", {0, 50, 84, 85}, {0, 0, 0, 0}},
                    JudgeCase{"rises_at_once", {86, 90, 95, 99, 130}, {0.1, 0.5, 1, 1, 1}},
                    JudgeCase{"stays_within_the_gap", {90, 89, 86, 85}, {0.5, 0.5, 0.5, 0.5}},
                    JudgeCase{"falls_beyond_it", {95, 90, 85, 82, 80}, {1, 1, 0.5, 0.2, 0}},
                    JudgeCase{"does_not_flap", {86, 84, 86, 84, 86}, {0.1, 0.1, 0.1, 0.1, 0.1}}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(Pressure, ShedsNothingWhereTheLimitIsUnknown) {
    EXPECT_EQ(judge({.used = 1u << 30, .limit = 0}, 1), 0);
}

TEST(Pressure, LowPriorityGoesFirst) {
    struct Row {
        double pressure, low, normal, high;
    };
    for (const Row& row : {Row{0, 0, 0, 0},
                           Row{0.25, 0.5, 0, 0},
                           Row{0.5, 1, 0.5, 0},
                           Row{0.75, 1, 1, 0.5},
                           Row{1, 1, 1, 1}}) {
        EXPECT_EQ(shed_share(Priority::low, row.pressure), row.low);
        EXPECT_EQ(shed_share(Priority::normal, row.pressure), row.normal);
        EXPECT_EQ(shed_share(Priority::high, row.pressure), row.high);
    }
}

TEST(Pressure, RefusesThatShareOfCalls) {
    Pressure pressure;
    Random random(1);
    const auto shed = [&](Priority priority) {
        int count = 0;
        for (int i = 0; i < 10'000; ++i) {
            count += pressure.sheds(priority, random.next()) ? 1 : 0;
        }
        return count;
    };
    EXPECT_EQ(shed(Priority::low), 0);
    pressure.update(percent(90));
    EXPECT_EQ(shed(Priority::low), 10'000);
    EXPECT_NEAR(shed(Priority::normal), 5'000, 300);
    EXPECT_EQ(shed(Priority::high), 0);
    pressure.update(percent(95));
    EXPECT_EQ(shed(Priority::high), 10'000);
}

class MemoryReaderTest : public testing::Test {
protected:
    MemoryReaderTest() {
        std::filesystem::remove_all(root_);
        write("proc/meminfo", "MemTotal:       1000 kB\nMemFree: 1 kB\n");
        write("proc/self/statm", "900 100 50 1 0 80 0\n");
        write("proc/self/cgroup", "0::/\n");
    }
    ~MemoryReaderTest() override { std::filesystem::remove_all(root_); }

    void write(const std::string& file, std::string_view text) {
        std::filesystem::create_directories((root_ / file).parent_path());
        std::ofstream(root_ / file) << text;
    }
    MemoryUse read() { return MemoryReader(root_ / "proc", root_ / "groups").read(); }

    const std::filesystem::path root_ =
        std::filesystem::path(testing::TempDir()) /
        ("weir-pressure-" + std::to_string(::getpid()) + "-" +
         testing::UnitTest::GetInstance()->current_test_info()->name());
};

TEST_F(MemoryReaderTest, ReadsTheControlGroupWithoutWhatIsCachedOfFiles) {
    write("groups/memory.max", "1000000\n");
    write("groups/memory.current", "900000\n");
    write("groups/memory.stat", "anon 500000\nfile 400000\ninactive_file 300000\nactive_file 1\n");
    EXPECT_EQ(read().used, 600'000u);
    EXPECT_EQ(read().limit, 1'000'000u);
}

TEST_F(MemoryReaderTest, TakesTheFullestOfTheGroupsItIsIn) {
    write("proc/self/cgroup", "12:cpu:/x\n0::/slice/weir\n");
    write("groups/slice/weir/memory.max", "max\n");
    write("groups/slice/weir/memory.current", "5\n");
    write("groups/slice/memory.max", "200\n");
    write("groups/slice/memory.current", "180\n");
    write("groups/memory.max", "1000\n");
    write("groups/memory.current", "500\n");
    EXPECT_EQ(read().used, 180u);
    EXPECT_EQ(read().limit, 200u);
}

TEST_F(MemoryReaderTest, KnowsTheOlderControlGroupsToo) {
    write("proc/self/cgroup", "9:cpu:/x\n4:memory:/docker/1a\n0::/\n");
    write("groups/memory/docker/1a/memory.limit_in_bytes", "1000\n");
    write("groups/memory/docker/1a/memory.usage_in_bytes", "900\n");
    write("groups/memory/docker/1a/memory.stat", "inactive_file 1\ntotal_inactive_file 300\n");
    write("groups/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("groups/memory/memory.usage_in_bytes", "9000\n");
    EXPECT_EQ(read().used, 600u);
    EXPECT_EQ(read().limit, 1000u);
    EXPECT_EQ(MemoryReader(root_ / "proc", root_ / "groups").limit(), 1000u);
}

TEST_F(MemoryReaderTest, InAContainerThePathIsTheHosts) {
    write("proc/self/cgroup", "4:memory:/docker/1a\n");
    write("groups/memory/memory.limit_in_bytes", "1000\n");
    write("groups/memory/memory.usage_in_bytes", "900\n");
    EXPECT_EQ(read().limit, 1000u);
}

TEST_F(MemoryReaderTest, WithoutALimitItIsTheProcessAgainstTheMachine) {
    write("groups/memory.max", "max\n");
    write("groups/memory.current", "5\n");
    EXPECT_EQ(read().used, 100u * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE)));
    EXPECT_EQ(read().limit, 1000u * 1024);
}

TEST_F(MemoryReaderTest, KnowsNothingWhereNothingCanBeRead) {
    std::filesystem::remove_all(root_);
    EXPECT_EQ(read().limit, 0u);
}

TEST(MemoryReader, ReadsThisMachine) {
    const MemoryUse use = MemoryReader().read();
    EXPECT_GT(use.used, 0u);
    EXPECT_GT(use.limit, use.used);
}

}  // namespace
}  // namespace weir::resilience
