#include "dialect/gemini/finish.h"

#include <array>
#include <utility>

#include "base/text.h"

namespace weir::dialect::gemini {
namespace {

using enum llm::FinishReason;

constexpr std::array<std::pair<std::string_view, llm::FinishReason>, 22> kReasons{{
    {"STOP", stop},
    {"MAX_TOKENS", length},
    {"SAFETY", content_filter},
    {"RECITATION", content_filter},
    {"LANGUAGE", content_filter},
    {"BLOCKLIST", content_filter},
    {"PROHIBITED_CONTENT", content_filter},
    {"SPII", content_filter},
    {"MODEL_ARMOR", content_filter},
    {"ESCALATION", content_filter},
    {"IMAGE_SAFETY", content_filter},
    {"IMAGE_PROHIBITED_CONTENT", content_filter},
    {"IMAGE_RECITATION", content_filter},
    {"IMAGE_OTHER", content_filter},
    {"NO_IMAGE", error},
    {"MALFORMED_FUNCTION_CALL", error},
    {"UNEXPECTED_TOOL_CALL", error},
    {"TOO_MANY_TOOL_CALLS", error},
    {"MISSING_THOUGHT_SIGNATURE", error},
    {"MALFORMED_RESPONSE", error},
    {"OTHER", error},
    {"FINISH_REASON_UNSPECIFIED", none},
}};

}  // namespace

llm::FinishReason finish_reason_of(std::string_view word) {
    for (const auto& [known, reason] : kReasons) {
        if (known == word) {
            return reason;
        }
    }
    return word.empty() ? none : other;
}

std::string_view word_of(llm::FinishReason reason) {
    switch (reason) {
        case none:
        case other:
            return "";
        case stop:
        case stop_sequence:
        case tool_calls:
            return "STOP";
        case length:
            return "MAX_TOKENS";
        case content_filter:
            return "SAFETY";
        case error:
            return "OTHER";
    }
    std::unreachable();
}

void write_ending(const Ending& ending, json::Writer& json) {
    // An answer that was cut off, by its length or by a filter, is not to blame for half a call.
    const bool was_cut = ending.reason == length || ending.reason == content_filter;
    if (ending.has_malformed_call && !was_cut) {
        json.field("finishReason", "MALFORMED_FUNCTION_CALL");
        json.field("finishMessage", "The model called a tool with arguments that are no JSON.");
    } else if (ending.reason == other) {
        json.field("finishReason", upper_case(ending.word));
    } else if (ending.reason == stop && ending.has_refusal) {
        json.field("finishReason", word_of(content_filter));
    } else {
        json.field_unless_empty("finishReason", word_of(ending.reason));
    }
}

std::string upper_case(std::string_view word) {
    std::string upper(word);
    for (char& c : upper) {
        c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    }
    return upper;
}

std::string lower_case(std::string_view word) {
    std::string lower(word);
    for (char& c : lower) {
        c = to_lower(c);
    }
    return lower;
}

}  // namespace weir::dialect::gemini
