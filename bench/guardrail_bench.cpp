// What the output guardrail costs a text: 10,000 banned words, fed as a model's stream comes and as
// whole answers. `allocations` are those of one pass over the text.
#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "base/random.h"
#include "guardrail/output_filter.h"

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

// Counted here: what a feed allocates is part of its price.
void* operator new(std::size_t size) {
    allocations.fetch_add(1, std::memory_order_relaxed);
    if (void* memory = std::malloc(size)) {
        return memory;
    }
    std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

using namespace weir;
using namespace weir::guardrail;

constexpr std::size_t kTextBytes = 1u << 20;

enum class Letters : std::int64_t { ascii, cyrillic };

std::string word(Random& random, Letters letters, std::size_t length) {
    // Roughly by how often they come, so that words begin alike.
    static constexpr std::string_view kAscii = "eeettaaooiinnsshhrrddlluucmwfgypbvkjxqz";
    std::string made;
    for (std::size_t i = 0; i < length; ++i) {
        if (letters == Letters::ascii) {
            made += kAscii[random.below(kAscii.size())];
        } else {
            made += '\xd0';
            made += static_cast<char>(0xb0 + random.below(16));
        }
    }
    return made;
}

std::shared_ptr<const OutputRules> rules(Letters letters) {
    Random random(1);
    GuardrailsSection section;
    while (section.output.banned_words.size() < kBannedWordsMax) {
        // Seven letters and more: by chance none of them is in the text.
        std::string phrase = word(random, letters, 7 + random.below(6));
        if (random.below(4) == 0) {
            phrase += ' ' + word(random, letters, 3 + random.below(6));
        }
        section.output.banned_words.push_back(std::move(phrase));
    }
    return OutputRules::make(section);
}

// Words shorter than any banned one: nothing is hit, many begin as a banned one does.
std::string text(Letters letters) {
    Random random(2);
    std::string made;
    while (made.size() < kTextBytes) {
        made += word(random, letters, 1 + random.below(6)) + ' ';
    }
    return made;
}

void run(benchmark::State& state, const OutputRules& with, std::string_view all, bool may_pass) {
    const auto chunk = static_cast<std::size_t>(state.range(0));
    std::string released;
    released.reserve(all.size() + 1024);
    std::uint64_t allocated = 0;
    for (auto _ : state) {
        AnswerLength length;
        OutputFilter filter(with, length);
        released.clear();
        const std::uint64_t before = allocations.load();
        for (std::size_t at = 0; at < all.size(); at += chunk) {
            const std::string_view part = all.substr(at, chunk);
            if (!may_pass || !filter.pass(part)) {
                filter.feed(part, released);
            }
        }
        const Stop stop = filter.finish(released);
        allocated = allocations.load() - before;
        if (stop != Stop::none) {
            state.SkipWithError("a hit");
            break;
        }
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(all.size()));
    state.counters["allocations"] = static_cast<double>(allocated);
}

void feed(benchmark::State& state) {
    const auto letters = static_cast<Letters>(state.range(1));
    run(state, *rules(letters), text(letters), false);
}
BENCHMARK(feed)->ArgNames({"chunk", "letters"})->ArgsProduct({{4, 20, 200, 65536}, {0, 1}});

// As the relay does it: without a copy where that goes.
void pass_or_feed(benchmark::State& state) {
    const auto letters = static_cast<Letters>(state.range(1));
    run(state, *rules(letters), text(letters), true);
}
BENCHMARK(pass_or_feed)->ArgNames({"chunk", "letters"})->ArgsProduct({{4, 20, 200, 65536}, {0, 1}});

// A long phrase of repeated words against a text of them: every place begins it.
void repeated(benchmark::State& state) {
    std::string phrase;
    while (phrase.size() + 3 <= kBannedWordBytesMax) {
        phrase += "a ";
    }
    std::string all;
    while (all.size() < kTextBytes) {
        all += "a ";
    }
    run(state, *OutputRules::make({.output = {.banned_words = {phrase + "b"}}}), all, false);
}
BENCHMARK(repeated)->ArgNames({"chunk"})->Arg(1)->Arg(20)->Arg(65536);

void length_only(benchmark::State& state) {
    run(state,
        *OutputRules::make({.output = {.max_length = 1'000'000'000}}),
        text(Letters::ascii),
        true);
}
BENCHMARK(length_only)->ArgNames({"chunk"})->Arg(20)->Arg(65536);

void build(benchmark::State& state) {
    for (auto _ : state) {
        benchmark::DoNotOptimize(rules(Letters::ascii));
    }
}
BENCHMARK(build)->Unit(benchmark::kMillisecond);

}  // namespace
