// Changing an answer that passes as it came: its model's name, and texts that a guardrail cut.
// Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "dialect/json/splice.h"
#include "dialect/stream.h"

namespace weir::dialect {

// A guardrail changed output `output`: its text is `kept`.
struct Cut {
    std::size_t output;  // index into AnswerView::outputs
    std::string kept;
    std::string finish_word{};  // why it ended there; empty: it goes on, or ended by itself
};

// Name and cuts in one go; edits in the order of the text.
void rewrite_answer(const AnswerView& answer,
                    std::string_view public_model,  // empty: stays
                    const std::vector<Cut>& cuts,
                    json::Splice& splice);

}  // namespace weir::dialect
