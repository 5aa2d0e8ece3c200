// A whole answer, in a form that every dialect can be decoded into and encoded from. Values only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "llm/content.h"
#include "llm/names.h"
#include "llm/usage.h"

namespace weir::llm {

struct Choice {
    std::vector<Part> parts;  // Text, Refusal, Reasoning, ToolCall, Media, Opaque
    FinishReason finish = FinishReason::none;
    std::string stop_sequence;  // the one met
    std::string finish_word;    // the provider's, of FinishReason::other: in lower case
    std::string logprobs_json;  // OpenAI's form; empty: none
    bool operator==(const Choice&) const = default;
};

struct Answer {
    std::string id;            // the provider's; empty: none
    std::string model;         // as the provider calls it
    std::int64_t created = 0;  // seconds of Unix time; 0: not said
    std::vector<Choice> choices;
    std::optional<Usage> usage;
    std::string service_tier;
    bool operator==(const Answer&) const = default;
};

}  // namespace weir::llm
