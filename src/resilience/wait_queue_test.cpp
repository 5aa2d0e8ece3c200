#include "resilience/wait_queue.h"

#include <gtest/gtest.h>

#include <deque>
#include <list>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "base/random.h"

namespace weir::resilience {
namespace {

struct Caller final : WaitQueue::Entry {
    Caller(Priority priority, TenantId tenant, std::string label)
        : Entry(priority, tenant), name(std::move(label)) {}
    std::string name;
};

Priority priority_of(char letter) {
    return letter == 'h' ? Priority::high : letter == 'n' ? Priority::normal : Priority::low;
}

// "n1a" is call a of tenant 1, of normal priority.
class Callers {
public:
    Caller& make(const std::string& name) {
        return all_.emplace_back(priority_of(name[0]), name[1] - '0', name);
    }

private:
    std::deque<Caller> all_;
};

std::string pop_all(WaitQueue& queue) {
    std::string order;
    while (auto* entry = queue.pop()) {
        order += (order.empty() ? "" : " ") + static_cast<Caller*>(entry)->name;
    }
    return order;
}

struct OrderCase {
    std::string_view name;
    std::string arrive;
    std::string want;
};
class OrderTest : public testing::TestWithParam<OrderCase> {};

TEST_P(OrderTest, ServesInTurn) {
    WaitQueue queue;
    Callers callers;
    std::istringstream words(GetParam().arrive);
    for (std::string word; words >> word;) {
        queue.push(callers.make(word));
    }
    EXPECT_EQ(pop_all(queue), GetParam().want);
    EXPECT_EQ(queue.size(), 0u);
}

INSTANTIATE_TEST_SUITE_P(
    WaitQueue,
    OrderTest,
    testing::Values(
        OrderCase{"nobody", "", ""},
        OrderCase{"first_come", "n1a n1b n1c", "n1a n1b n1c"},
        OrderCase{"by_class", "l1a n1a h1a n1b h1b", "h1a h1b n1a n1b l1a"},
        OrderCase{"tenants_in_turn", "n1a n1b n1c n2a n2b n3a", "n1a n2a n3a n1b n2b n1c"},
        OrderCase{
            "turns_of_each_class_apart", "n1a n1b h2a h2b h1a n2a", "h2a h1a h2b n1a n2a n1b"}),
    [](const auto& info) { return std::string{info.param.name}; });

TEST(WaitQueue, ATenantThatComesLaterWaitsForOneRoundOnly) {
    WaitQueue queue;
    Callers callers;
    for (int i = 0; i < 100; ++i) {
        queue.push(callers.make("n1" + std::to_string(i)));
    }
    queue.pop();
    queue.push(callers.make("n2x"));
    queue.pop();
    EXPECT_EQ(static_cast<Caller*>(queue.pop())->name, "n2x");
}

TEST(WaitQueue, AClassThatWaitsIsPassedOverALimitedNumberOfTimes) {
    WaitQueue queue;
    Callers callers;
    for (int i = 0; i < 200; ++i) {
        queue.push(callers.make("h1"));
    }
    for (int i = 0; i < 20; ++i) {
        queue.push(callers.make("n1"));
        queue.push(callers.make("l1"));
    }
    std::map<char, std::uint32_t> since{{'n', 0}, {'l', 0}};
    std::map<char, int> served;
    for (int i = 0; i < 100; ++i) {
        const char who = static_cast<Caller*>(queue.pop())->name[0];
        ++served[who];
        for (auto& [letter, passes] : since) {
            passes = letter == who ? 0 : passes + 1;
            ASSERT_LE(passes, kPassedOverMax + 1);
        }
    }
    EXPECT_EQ(served['n'], 5);
    EXPECT_EQ(served['l'], 5);
    EXPECT_EQ(served['h'], 90);
    pop_all(queue);
}

TEST(WaitQueue, WhoLeavesIsNotServed) {
    WaitQueue queue;
    Callers callers;
    std::map<std::string, Caller*> by_name;
    for (const char* name : {"n1a", "n1b", "n1c", "n2a", "n3a", "h1a"}) {
        by_name[name] = &callers.make(name);
        queue.push(*by_name[name]);
    }
    for (const char* name : {"n1b", "n2a", "h1a", "n1a"}) {
        queue.remove(*by_name[name]);
    }
    EXPECT_EQ(queue.size(), 2u);
    EXPECT_EQ(pop_all(queue), "n1c n3a");
}

struct DisplaceCase {
    std::string_view name;
    std::string waiting;
    std::string newcomer;
    std::string want;  // who makes room; empty: nobody
};
class DisplaceTest : public testing::TestWithParam<DisplaceCase> {};

TEST_P(DisplaceTest, MakesRoomWhereItIsUnfairNotTo) {
    WaitQueue queue;
    Callers callers;
    std::istringstream words(GetParam().waiting);
    for (std::string word; words >> word;) {
        queue.push(callers.make(word));
    }
    const std::size_t before = queue.size();
    auto* entry =
        queue.displace_for(priority_of(GetParam().newcomer[0]), GetParam().newcomer[1] - '0');
    EXPECT_EQ(entry == nullptr ? "" : static_cast<Caller*>(entry)->name, GetParam().want);
    EXPECT_EQ(queue.size(), before - (entry == nullptr ? 0 : 1));
    pop_all(queue);
}

INSTANTIATE_TEST_SUITE_P(
    WaitQueue,
    DisplaceTest,
    testing::Values(DisplaceCase{"own_tenant_first_come", "n1a n1b n1c", "n1", ""},
                    DisplaceCase{"of_a_lower_class", "n1a l1a l1b", "n1", "l1b"},
                    DisplaceCase{"of_the_lowest_class", "n1a l1a", "h1", "l1a"},
                    DisplaceCase{"never_of_a_higher_class", "h1a h1b h1c", "n2", ""},
                    DisplaceCase{"of_a_tenant_with_more", "n1a n1b n1c n2a", "n2", "n1c"},
                    DisplaceCase{"not_of_one_with_as_many", "n1a n1b n2a", "n2", ""},
                    DisplaceCase{"for_a_tenant_with_none", "n1a n1b", "n2", "n1b"},
                    DisplaceCase{"not_the_only_one", "n1a n3a", "n2", ""}),
    [](const auto& info) { return std::string{info.param.name}; });

// Against a model of plain lists: random arrivals, departures and services.
TEST(WaitQueue, LosesNobody) {
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
        Random random(seed);
        WaitQueue queue;
        std::list<Caller> waiting;
        const auto forget = [&](WaitQueue::Entry* entry) {
            waiting.remove_if([&](const Caller& caller) { return &caller == entry; });
        };
        for (int i = 0; i < 500; ++i) {
            switch (random.below(5)) {
                case 0:
                case 1:
                    waiting.emplace_back(static_cast<Priority>(random.below(kPriorities)),
                                         static_cast<TenantId>(random.below(4)),
                                         "");
                    queue.push(waiting.back());
                    break;
                case 2:
                    if (auto* served = queue.pop()) {
                        forget(served);
                    }
                    break;
                case 3:
                    if (auto* displaced =
                            queue.displace_for(static_cast<Priority>(random.below(kPriorities)),
                                               static_cast<TenantId>(random.below(4)))) {
                        forget(displaced);
                    }
                    break;
                default:
                    if (!waiting.empty()) {
                        auto leaving = waiting.begin();
                        std::advance(leaving, random.below(waiting.size()));
                        queue.remove(*leaving);
                        waiting.erase(leaving);
                    }
            }
            ASSERT_EQ(queue.size(), waiting.size());
        }
        std::size_t left = waiting.size();
        while (queue.pop() != nullptr) {
            --left;
        }
        EXPECT_EQ(left, 0u) << "seed " << seed;
    }
}

}  // namespace
}  // namespace weir::resilience
