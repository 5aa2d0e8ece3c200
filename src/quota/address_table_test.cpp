#include "quota/address_table.h"

#include <gtest/gtest.h>

#include <set>
#include <thread>

namespace weir::quota {
namespace {

using namespace std::chrono_literals;

constexpr SteadyTime kNow{1h};

Address v4(std::uint32_t value) {
    Address a{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    for (std::size_t i = 0; i < 4; ++i) {
        a[12 + i] = static_cast<std::uint8_t>(value >> (24 - 8 * i));
    }
    return a;
}
Address v6(std::uint64_t high, std::uint64_t low) {
    Address a{};
    for (std::size_t i = 0; i < 8; ++i) {
        a[i] = static_cast<std::uint8_t>(high >> (56 - 8 * i));
        a[8 + i] = static_cast<std::uint8_t>(low >> (56 - 8 * i));
    }
    return a;
}
AddressKey key(std::uint32_t i) { return address_key(v4(i)); }

void nothing(AddressEntry&) {}
void limited(AddressEntry& entry) { entry.requests = (kNow + 10s).time_since_epoch().count(); }

TEST(AddressKey, IsTheAddressForV4AndThe64ForV6) {
    EXPECT_NE(address_key(v4(1)), address_key(v4(2)));
    EXPECT_EQ(address_key(v6(7, 1)), address_key(v6(7, 2)));
    EXPECT_NE(address_key(v6(7, 1)), address_key(v6(8, 1)));
    // ::1 is no mapped address, though its first half is the same as theirs.
    EXPECT_NE(address_key(v6(0, 1)), address_key(v4(1)));
}

TEST(AddressTable, FindsWhatWasAddedAndNothingElse) {
    AddressTable table(16'384);  // far from full in every shard, whatever the seed
    EXPECT_FALSE(table.find(key(1), nothing));
    for (std::uint32_t i = 0; i < 500; ++i) {
        EXPECT_TRUE(table.find_or_add(key(i), kNow, [&](AddressEntry& e) { e.in_flight = i; }));
    }
    EXPECT_EQ(table.size(), 500u);
    for (std::uint32_t i = 0; i < 500; ++i) {
        EXPECT_TRUE(table.find(key(i), [&](AddressEntry& e) { EXPECT_EQ(e.in_flight, i); }));
    }
    EXPECT_FALSE(table.find(key(500), nothing));
}

TEST(AddressTable, NeverGrowsBeyondItsBound) {
    AddressTable table(256);
    for (std::uint32_t i = 0; i < 100'000; ++i) {
        EXPECT_TRUE(table.find_or_add(key(i), kNow, nothing));
    }
    EXPECT_LE(table.size(), table.capacity());
    EXPECT_EQ(table.capacity(), 256u);
    EXPECT_EQ(table.untracked(), 0u);
}

TEST(AddressTable, NeverEvictsAnEntryThatLimitsOrHoldsASlot) {
    AddressTable table(4096);
    for (std::uint32_t i = 0; i < 300; ++i) {
        ASSERT_TRUE(table.find_or_add(key(i), kNow, [&](AddressEntry& entry) {
            switch (i % 3) {
                case 0:
                    return limited(entry);
                case 1:
                    entry.guesses = (kNow + 1ns).time_since_epoch().count();
                    return;
                default:
                    entry.in_flight = 1;
            }
        }));
    }
    for (std::uint32_t i = 1000; i < 200'000; ++i) {
        table.find_or_add(key(i), kNow, nothing);
    }
    for (std::uint32_t i = 0; i < 300; ++i) {
        EXPECT_TRUE(table.find(key(i), [&](AddressEntry& entry) {
            EXPECT_FALSE(entry.at_rest(kNow));
        })) << i;
    }
}

TEST(AddressTable, FullOfLimitingEntriesItLetsNewAddressesPassUntracked) {
    AddressTable table(64);  // one entry a shard
    std::uint32_t tracked = 0;
    for (std::uint32_t i = 0; i < 10'000; ++i) {
        tracked += table.find_or_add(key(i), kNow, limited) ? 1 : 0;
    }
    EXPECT_EQ(tracked, 64u);
    EXPECT_EQ(table.untracked(), 10'000u - 64u);
    // Once they are at rest, all can be replaced.
    for (std::uint32_t i = 20'000; i < 30'000; ++i) {
        EXPECT_TRUE(table.find_or_add(key(i), kNow + 10s, nothing));
    }
    EXPECT_EQ(table.size(), 64u);
}

TEST(AddressTable, AnEvictedAddressBeginsAnew) {
    AddressTable table(64);
    ASSERT_TRUE(table.find_or_add(key(1), kNow, limited));
    for (std::uint32_t i = 2; i < 10'000; ++i) {
        table.find_or_add(key(i), kNow + 10s, nothing);
    }
    EXPECT_FALSE(table.find(key(1), nothing));
    EXPECT_TRUE(table.find_or_add(
        key(1), kNow + 10s, [](AddressEntry& entry) { EXPECT_EQ(entry.requests, kRestingCell); }));
}

TEST(AddressTable, ManyThreadsCountEveryone) {
    AddressTable table(1024);
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 4; ++t) {
            threads.emplace_back([&] {
                for (std::uint32_t i = 0; i < 20'000; ++i) {
                    table.find_or_add(
                        key(i % 100), kNow, [](AddressEntry& entry) { ++entry.in_flight; });
                }
            });
        }
    }
    for (std::uint32_t i = 0; i < 100; ++i) {
        EXPECT_TRUE(
            table.find(key(i), [](AddressEntry& entry) { EXPECT_EQ(entry.in_flight, 800u); }));
    }
}

}  // namespace
}  // namespace weir::quota
