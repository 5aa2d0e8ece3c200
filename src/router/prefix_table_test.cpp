#include "router/prefix_table.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/random.h"

namespace weir::router {
namespace {

constexpr std::uint64_t kA = 0x1111222233334444, kB = 0x5555666677778888, kC = 0x9999aaaabbbbcccc;

std::string blocks(std::size_t count, char seed) {
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += std::string(kPrefixBlockBytes - 1, seed) + static_cast<char>('0' + i % 64);
    }
    return text;
}

std::vector<std::uint64_t> hashes(std::string_view prompt) {
    PrefixHashes out;
    prefix_hashes(prompt, out);
    return {out.begin(), out.end()};
}

TEST(PrefixHashes, AreOfWholeBlocksAndOfAllBeforeThem) {
    EXPECT_TRUE(hashes(std::string(kPrefixBlockBytes - 1, 'x')).empty());
    EXPECT_EQ(hashes(std::string(kPrefixBlockBytes, 'x')).size(), 1u);
    EXPECT_EQ(hashes(std::string(kPrefixBlockBytes * 3 - 1, 'x')).size(), 2u);
    EXPECT_EQ(hashes(blocks(100, 'x')).size(), kPrefixBlocksMax);

    auto one = blocks(4, 'a');
    auto other = one;
    other[kPrefixBlockBytes * 2] = 'b';  // the third
    const auto of_one = hashes(one);
    const auto of_other = hashes(other);
    EXPECT_EQ(of_one[1], of_other[1]);
    EXPECT_NE(of_one[2], of_other[2]);
    EXPECT_NE(of_one[3], of_other[3]);  // the same bytes after another beginning
    // The same block at another place is another.
    const auto twice = hashes(std::string(kPrefixBlockBytes * 2, 'x'));
    EXPECT_NE(twice[0], twice[1]);
    // Every byte counts.
    for (const std::size_t at : {0u, 7u, 255u, 511u}) {
        auto changed = one;
        changed[at] ^= 1;
        EXPECT_NE(hashes(changed)[0], of_one[0]) << at;
    }
}

struct SawCase {
    std::string_view name;
    std::size_t a, b;          // blocks of the same prompt that they saw
    std::size_t asked;         // blocks
    std::uint32_t at_a, at_b;  // blocks
};
class PrefixTableFinds : public testing::TestWithParam<SawCase> {};
TEST_P(PrefixTableFinds, WhoHasHowMuch) {
    const SawCase& c = GetParam();
    PrefixTable table;
    const auto all = hashes(blocks(64, 'p'));
    const std::span<const std::uint64_t> prompt(all);
    table.saw(prompt.first(c.a), kA);
    table.saw(prompt.first(c.b), kB);
    table.saw(hashes(blocks(64, 'q')), kC);
    EXPECT_EQ(table.cached_bytes(prompt.first(c.asked), kA), c.at_a * kPrefixBlockBytes);
    EXPECT_EQ(table.cached_bytes(prompt.first(c.asked), kB), c.at_b * kPrefixBlockBytes);
    EXPECT_EQ(table.cached_bytes(prompt.first(c.asked), kC), 0u);
}
INSTANTIATE_TEST_SUITE_P(Table,
                         PrefixTableFinds,
                         testing::Values(SawCase{"nothing_asked", 4, 4, 0, 0, 0},
                                         SawCase{"nobody", 0, 0, 8, 0, 0},
                                         SawCase{"one", 5, 0, 8, 5, 0},
                                         SawCase{"both", 5, 5, 8, 5, 5},
                                         SawCase{"more_than_asked", 64, 3, 3, 3, 3},
                                         SawCase{"all", 64, 0, 64, 64, 0},
                                         SawCase{"the_first_block_only", 64, 1, 64, 64, 1},
                                         // The longest exactly, others to half of it at least.
                                         SawCase{"one_less", 8, 7, 8, 8, 7},
                                         SawCase{"a_shorter_one", 60, 40, 64, 60, 29}),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(PrefixTable, KeepsTheLastHoldersOfABlock) {
    PrefixTable table;
    const auto prompt = hashes(blocks(2, 'p'));
    for (std::uint64_t identity = 1; identity <= 6; ++identity) {
        table.saw(prompt, identity << 40);
    }
    table.saw(prompt, std::uint64_t{4} << 40);
    for (std::uint64_t identity = 1; identity <= 6; ++identity) {
        EXPECT_EQ(table.cached_bytes(prompt, identity << 40) > 0, identity >= 3) << identity;
    }
}

TEST(PrefixTable, ForgetsWhatNobodyAsksForAndNotWhatIsUsed) {
    PrefixTable table(PrefixTable::kBlocksMin * 4);
    const auto used = hashes(blocks(16, 'u'));
    const auto once = hashes(blocks(16, 'o'));
    table.saw(once, kB);
    Random random(5);
    for (int i = 0; i < 20'000; ++i) {
        const std::uint64_t other[] = {random.next(), random.next()};
        table.saw(other, kC);
        if (i % 100 == 0) {
            table.saw(used, kA);
        }
    }
    EXPECT_LE(table.blocks(), PrefixTable::kBlocksMin * 4);
    EXPECT_GE(table.blocks(), PrefixTable::kBlocksMin * 4 * 9 / 10);
    EXPECT_EQ(table.cached_bytes(used, kA), 16 * kPrefixBlockBytes);
    EXPECT_EQ(table.cached_bytes(once, kB), 0u);
}

TEST(PrefixTable, IsOfTheSizeItWasGiven) {
    PrefixTable table(PrefixTable::kBlocksMin);
    Random random(6);
    for (int i = 0; i < 10'000; ++i) {
        const std::uint64_t block[] = {random.next()};
        table.saw(block, kA);
    }
    EXPECT_EQ(table.blocks(), PrefixTable::kBlocksMin);
}

TEST(PrefixTable, ServesManyThreads) {
    PrefixTable table;
    const auto prompt = hashes(blocks(32, 'p'));
    std::vector<std::thread> threads;
    for (std::uint64_t t = 1; t <= 4; ++t) {
        threads.emplace_back([&table, &prompt, t] {
            Random random(t);
            for (int i = 0; i < 500; ++i) {
                table.saw(prompt, t << 32);
                const std::uint64_t other[] = {random.next()};
                table.saw(other, t);
                EXPECT_EQ(table.cached_bytes(prompt, t << 32), 32 * kPrefixBlockBytes);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
}

}  // namespace
}  // namespace weir::router
