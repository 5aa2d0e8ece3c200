// What the simulated model says: text that follows from seed and prompt alone, so that a test can
// ask twice and expect the same. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::simulate {

struct Prompt {
    std::string model;
    std::string text;             // all text of all messages, or the inputs, one after the other
    std::int64_t max_tokens = 0;  // 0: as long as the model likes
    std::size_t inputs = 1;       // embeddings: how many
    std::size_t dimensions = 8;
    bool stream = false;
    bool include_usage = false;
};

// Reads an OpenAI-shaped request as loosely as a provider that only wants the text. Errors:
// invalid_json, invalid_request.
Result<Prompt> read_chat(std::string_view body);
Result<Prompt> read_embeddings(std::string_view body);

struct Answer {
    std::vector<std::string> tokens;
    bool cut_by_limit = false;
    std::int64_t prompt_tokens = 0;
};
Answer answer(std::uint64_t seed, const Prompt& prompt);

// Components in [-1, 1], different for each input.
std::vector<double> embedding(std::uint64_t seed,
                              std::string_view text,
                              std::size_t index,
                              std::size_t dimensions);

std::uint64_t hash(std::uint64_t seed, std::string_view text);

}  // namespace weir::simulate
