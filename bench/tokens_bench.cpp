// What counting tokens costs a byte of text, on one core: English with Markdown, and texts that are
// dear.
#include <benchmark/benchmark.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/assert.h"
#include "base/random.h"
#include "tokens/count.h"
#include "tokens/vocabulary.h"

namespace {

using namespace weir;
using namespace weir::tokens;

constexpr std::size_t kTextBytes = 1u << 20;

// This repository's own documents, over and over.
std::string english() {
    std::string all;
    for (const char* file : {"README.md",
                             "ARCHITECTURE.md",
                             "CONTRIBUTING.md",
                             "LICENSE",
                             "docs/api.md",
                             "docs/configuration.md"}) {
        std::ifstream in(std::string(WEIR_SOURCE_FOLDER "/") + file);
        WEIR_ASSERT(in.good());
        all.append(std::istreambuf_iterator<char>(in), {});
    }
    std::string text;
    while (text.size() < kTextBytes) {
        text += all;
    }
    return text;
}

// A million bytes of characters drawn from a range.
std::string drawn(std::uint32_t first, std::uint32_t count) {
    Random random(2);
    std::string text;
    while (text.size() + 3 <= kTextBytes) {
        const auto c = static_cast<std::uint32_t>(first + random.below(count));
        text += static_cast<char>(0xe0 | c >> 12);
        text += static_cast<char>(0x80 | (c >> 6 & 0x3f));
        text += static_cast<char>(0x80 | (c & 0x3f));
    }
    return text;
}

std::string letters() {
    Random random(3);
    std::string text;
    while (text.size() < kTextBytes) {
        text += static_cast<char>('a' + random.below(26));
    }
    return text;
}

enum class Text : std::int64_t { english, ideographs, one_letter, one_word, spaces };

std::string make(Text text) {
    switch (text) {
        case Text::english:
            return english();
        case Text::ideographs:
            return drawn(0x4e00, 0x1000);
        case Text::one_letter:
            return std::string(kTextBytes, 'a');
        case Text::one_word:
            return letters();
        case Text::spaces:
            return std::string(kTextBytes, ' ');
    }
    std::unreachable();
}

// Once per process and encoding: before anything is counted.
void load_tables(benchmark::State& state) {
    const auto encoding = static_cast<Encoding>(state.range(0));
    for (auto _ : state) {
        load(encoding);
    }
    state.counters["loaded_bytes"] = static_cast<double>(Vocabulary::of(encoding).loaded_bytes());
}
BENCHMARK(load_tables)->ArgName("encoding")->Arg(0)->Arg(1)->Iterations(1);

void count_text(benchmark::State& state) {
    const auto encoding = static_cast<Encoding>(state.range(0));
    const std::string text = make(static_cast<Text>(state.range(1)));
    load(encoding);
    std::int64_t tokens = 0;
    for (auto _ : state) {
        tokens = count(encoding, text);
        benchmark::DoNotOptimize(tokens);
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
    state.counters["bytes_per_token"] =
        static_cast<double>(text.size()) / static_cast<double>(tokens);
}
BENCHMARK(count_text)
    ->ArgNames({"encoding", "text"})
    ->ArgsProduct({{0, 1}, {0, 1, 2, 3, 4}})
    ->Unit(benchmark::kMillisecond);

// A message of a chat: what a call would pay.
void count_message(benchmark::State& state) {
    const std::string text = english().substr(0, 400);
    load(Encoding::o200k);
    for (auto _ : state) {
        benchmark::DoNotOptimize(count(Encoding::o200k, text));
    }
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(text.size()));
}
BENCHMARK(count_message);

}  // namespace
