// What the simulated model answers to a call of any dialect. The rules are few, so that a test
// knows what to expect (docs/simulator.md):
//
//   * a tool that must be called is called, and so is each tool whose name the last message of the
//     user says; arguments follow from the tool's schema; once results are there, it answers in
//     words
//   * where thinking is asked for it thinks, signs its thoughts, and refuses a history whose
//     signatures are not its own
//   * where JSON is asked for it gives JSON that the schema allows
//   * all else is words that follow from the seed and the prompt
//
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "llm/answer.h"
#include "llm/call.h"

namespace weir::simulate {

// All text of a call, one after the other: what its size in tokens is counted from.
std::string text_of(const llm::Call& call);

struct Composition {
    llm::Answer answer;
    // The answer's texts in the pieces that a stream gives, by part; a tool call's arguments, too.
    std::vector<std::vector<std::string>> pieces;
    std::int64_t output_tokens = 0;
};

struct ComposeOptions {
    std::uint64_t seed = 1;
    bool refuses = false;  // says so, in the dialect's own way
    bool from_cache = false;
};

// Errors: invalid_request for a signature that is not the simulator's.
Result<Composition> compose(const llm::Call& call, const ComposeOptions& options);

}  // namespace weir::simulate
