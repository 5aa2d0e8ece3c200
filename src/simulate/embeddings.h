// Embeddings in OpenAI's form and in Gemini's (embedContent, batchEmbedContents): the same texts
// have the same vectors in both. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "simulate/door.h"

namespace weir::simulate {

// A request, read as loosely as by a provider that only wants the text.
struct Inputs {
    std::string model;
    std::string text;  // of all inputs, one after the other
    std::size_t count = 1;
    std::size_t dimensions = 8;
    bool is_single = false;  // Gemini's embedContent, whose answer is no list
};
// Errors: invalid_json, invalid_request.
Result<Inputs> read_embeddings(const Door& door, std::string_view body);

std::string write_embeddings(const Door& door, const Inputs& inputs, std::uint64_t seed);

// Components in [-1, 1], different for each input.
std::vector<double> embedding(std::uint64_t seed,
                              std::string_view text,
                              std::size_t index,
                              std::size_t dimensions);

}  // namespace weir::simulate
