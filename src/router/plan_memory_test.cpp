// A plan takes nothing from the heap. Sanitizers bring their own operator new: not looked at there.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "config/snapshot.h"
#include "router/plan.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WEIR_TEST_HAS_SANITIZER 1
#endif
#endif

#ifndef WEIR_TEST_HAS_SANITIZER
namespace {
thread_local std::size_t taken = 0;
}
void* operator new(std::size_t size) {
    ++taken;
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    throw std::bad_alloc();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace weir::router {
namespace {

TEST(Plan, TakesNothingFromTheHeap) {
    std::string targets;
    for (int i = 0; i < 40; ++i) {
        targets +=
            fmt::format("{{provider: p, model: a{}, price: {{input: 1 USD, output: 1 USD}}}}, ", i);
    }
    for (const std::string_view strategy : {"weighted",
                                            "pinned",
                                            "least_inflight",
                                            "latency",
                                            "cost",
                                            "priority",
                                            "prefix_affinity"}) {
        const auto loaded = config::load(
            {models_section()},
            fmt::format(
                "models: [{{name: m, strategy: {0}, targets: [{1} {{strategy: {0}, targets: "
                "[{{provider: p, model: b}}]}}], fallback: [{{provider: p, model: f}}, "
                "{{model: n}}], rules: [{{when: {{tag: x}}, use: {{strategy: cost}}}}]}}, "
                "{{name: n, targets: [{{provider: p, model: c}}]}}]",
                strategy,
                targets),
            "weir.yaml",
            [](std::string_view) { return std::optional<std::string>(); });
        ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
        const Catalog catalog(loaded.snapshot->get<ModelsSection>(), {}, {{"p", false, ""}});
        const auto resolved = *catalog.resolve("m");
        Random random(1);
        PrefixTable table;
        const std::uint64_t prefix[] = {1, 2, 3};
        table.saw(prefix, catalog.identities()[0].hash);
        const auto header = [](std::string_view) { return std::string_view(); };
        Plan out;
        ASSERT_GT(taken, 0u);  // it counts
        const std::size_t before = taken;
        plan(
            resolved,
            catalog,
            {.traits = {.header = header},
             .sticky = 7,
             .prefix = prefix,
             .prefixes = &table,
             .random = random},
            [](const Target& target) {
                return Load{.is_available = target.index % 3 > 0, .first_token_us = 5};
            },
            out);
        const std::size_t after = taken;
        EXPECT_EQ(after, before) << strategy;
        EXPECT_EQ(out.size(), 43u);
    }
}

}  // namespace
}  // namespace weir::router
#endif
