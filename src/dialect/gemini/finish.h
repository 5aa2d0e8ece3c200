// Why Gemini stopped, to and from the normal form (API-MAPPING 4.1). Pure.
#pragma once

#include <string>
#include <string_view>

#include "dialect/json/writer.h"
#include "llm/names.h"

namespace weir::dialect::gemini {

// none: it has not stopped. Calls do not count here: Gemini says STOP after them.
llm::FinishReason finish_reason_of(std::string_view word);
// Empty for none and for `other`, which has its own word.
std::string_view word_of(llm::FinishReason reason);
// How a choice ended, as far as it changes what is said of it.
struct Ending {
    llm::FinishReason reason = llm::FinishReason::none;
    std::string word{};  // the provider's, of `other`
    bool has_refusal = false;
    // A call's arguments are no JSON object: it cannot be said, and Gemini has a word for that.
    bool has_malformed_call = false;
};
// Writes finishReason, where there is one.
void write_ending(const Ending& ending, json::Writer& json);

// Gemini shouts its words, the normal form does not.
std::string upper_case(std::string_view word);
std::string lower_case(std::string_view word);

}  // namespace weir::dialect::gemini
