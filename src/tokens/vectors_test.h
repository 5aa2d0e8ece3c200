// vectors.txt: texts, and what OpenAI's own tokenizer makes of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace weir::tokens {

struct Vector {
    std::int64_t cl100k = 0;
    std::int64_t o200k = 0;
    std::string text;
    std::string line;  // as the file has it, to say which one failed
};
// Ends the test program where the file is not to be had or not as ranks/make_vectors.mjs writes it.
std::vector<Vector> read_vectors();

}  // namespace weir::tokens
