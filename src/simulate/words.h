// What the simulated model says: words that follow from seed and prompt alone, so that a test can
// ask twice and expect the same. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::simulate {

struct Words {
    std::vector<std::string> tokens;
    bool cut_by_limit = false;
};
// `tokens_max` 0: as long as the model likes.
Words make_words(std::uint64_t seed, std::string_view prompt, std::int64_t tokens_max);

// A prompt's size in tokens, as the simulator counts.
std::int64_t count_prompt_tokens(std::string_view prompt);

std::uint64_t hash(std::uint64_t seed, std::string_view text);

}  // namespace weir::simulate
