#include "dialect/rewrite.h"

#include <algorithm>

#include "dialect/json/value.h"

namespace weir::dialect {
namespace {

std::string quoted(std::string_view text) {
    std::string out = "\"";
    json::append_escaped(out, text);
    out += '"';
    return out;
}

}  // namespace

void rewrite_answer(const AnswerView& answer,
                    std::string_view public_model,
                    const std::vector<Cut>& cuts,
                    json::Splice& splice) {
    struct Edit {
        json::Span span;
        std::string with;
    };
    if (cuts.empty()) {  // nearly always
        if (!public_model.empty() && answer.model.is_set()) {
            splice.replace(answer.model, quoted(public_model));
        }
        return;
    }
    std::vector<Edit> edits;
    if (!public_model.empty() && answer.model.is_set()) {
        edits.push_back({answer.model, quoted(public_model)});
    }
    for (const Cut& cut : cuts) {
        const AnswerView::Output& output = answer.outputs[cut.output];
        if (output.text.is_set()) {
            edits.push_back({output.text, quoted(cut.kept)});
        }
        if (output.finish.is_set() && !cut.finish_word.empty()) {
            edits.push_back({output.finish, quoted(cut.finish_word)});
        }
        if (output.logprobs.is_set()) {
            edits.push_back({output.logprobs, "null"});  // they would spell out what was cut
        }
    }
    std::sort(edits.begin(), edits.end(), [](const Edit& a, const Edit& b) {
        return a.span.at < b.span.at;
    });
    for (Edit& edit : edits) {
        splice.replace(edit.span, std::move(edit.with));
    }
}

}  // namespace weir::dialect
