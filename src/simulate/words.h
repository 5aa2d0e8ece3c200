// What the simulated model says: words that follow from seed and prompt alone, so that a test can
// ask twice and expect the same. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::simulate {

struct Words {
    std::vector<std::string> tokens;
    bool cut_by_limit = false;
};
// `tokens_max` 0: as long as the model likes.
Words make_words(std::uint64_t seed, std::string_view prompt, std::int64_t tokens_max);

// A prompt's size in tokens, as the simulator counts.
std::int64_t count_prompt_tokens(std::string_view prompt);

// An embeddings request of OpenAI's shape, read as loosely as by a provider that only wants the
// text. Errors: invalid_json, invalid_request.
struct Inputs {
    std::string model;
    std::string text;  // of all inputs, one after the other
    std::size_t count = 1;
    std::size_t dimensions = 8;
};
Result<Inputs> read_embeddings(std::string_view body);

// Components in [-1, 1], different for each input.
std::vector<double> embedding(std::uint64_t seed,
                              std::string_view text,
                              std::size_t index,
                              std::size_t dimensions);

std::uint64_t hash(std::uint64_t seed, std::string_view text);

}  // namespace weir::simulate
