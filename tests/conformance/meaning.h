// What an answer says, whatever dialect it was written in: read back by the decoder of that dialect
// at the provider's edge. A translation must not change it; nor may a whole answer and a stream of
// the same words differ in it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "llm/answer.h"
#include "llm/names.h"

namespace weir::conformance {

struct Meaning {
    std::string words;  // texts and refusals, in their order
    std::string thoughts;
    // Names and arguments, these without their spaces. A call that broke off is none.
    std::vector<std::pair<std::string, std::string>> calls;
    std::string finish;
    std::int64_t input_tokens = 0, cache_read_tokens = 0, output_tokens = 0;
    bool operator==(const Meaning&) const = default;
};
std::string describe(const Meaning& meaning);

Result<Meaning> meaning_of_answer(std::string_view body, llm::Dialect dialect);
Result<Meaning> meaning_of_stream(std::string_view body, llm::Dialect dialect);

}  // namespace weir::conformance
