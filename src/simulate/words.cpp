#include "simulate/words.h"

#include "base/random.h"

namespace weir::simulate {
namespace {

constexpr std::string_view kWords[] = {
    "the",     "river", "keeps", "its",   "level",  "while",   "water", "passes",  "over",
    "a",       "low",   "wall",  "and",   "every",  "drop",    "is",    "counted", "once",
    "before",  "it",    "moves", "on",    "slowly", "to",      "mills", "that",    "turn",
    "without", "haste", "or",    "waste", "until",  "evening",
};
constexpr std::size_t kTokensMin = 12;
constexpr std::size_t kTokensSpread = 36;
constexpr std::size_t kBytesPerToken = 4;

}  // namespace

std::uint64_t hash(std::uint64_t seed, std::string_view text) {
    std::uint64_t h = seed ^ 0xcbf29ce484222325u;
    for (const char c : text) {
        h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;  // FNV-1a
    }
    return h;
}

std::int64_t count_prompt_tokens(std::string_view prompt) {
    constexpr std::int64_t kPriming = 3;
    return static_cast<std::int64_t>((prompt.size() + kBytesPerToken - 1) / kBytesPerToken) +
           kPriming;
}

Words make_words(std::uint64_t seed, std::string_view prompt, std::int64_t tokens_max) {
    Random random(hash(seed, prompt));
    Words made;
    std::size_t count = kTokensMin + random.below(kTokensSpread);
    if (tokens_max > 0 && static_cast<std::size_t>(tokens_max) <= count) {
        made.cut_by_limit = static_cast<std::size_t>(tokens_max) < count;
        count = static_cast<std::size_t>(tokens_max);
    }
    made.tokens.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto word = kWords[random.below(std::size(kWords))];
        made.tokens.push_back(i == 0 ? std::string(word) : " " + std::string(word));
    }
    return made;
}

}  // namespace weir::simulate
