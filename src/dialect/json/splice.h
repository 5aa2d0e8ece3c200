// Changing a few places of a text without copying the rest: the result is a list of pieces, views
// into the original and into small replacements, fit for a gathering write.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "dialect/json/scanner.h"

namespace weir::dialect::json {

class Splice {
public:
    explicit Splice(std::string_view text) : text_(text) {}
    Splice(const Splice&) = delete;  // pieces point into it

    // Replaces `span` (size 0: inserts before it). Edits are made in the order of the text and do
    // not overlap.
    void replace(Span span, std::string with) {
        WEIR_ASSERT(span.at >= done_);
        done_ = span.end();
        edits_.push_back({span, std::move(with)});
    }

    bool has_edits() const { return !edits_.empty(); }
    std::size_t size() const {
        std::size_t total = text_.size();
        for (const Edit& edit : edits_) {
            total += edit.with.size() - edit.span.size;
        }
        return total;
    }
    // Appends the pieces. Valid while this and the text live and nothing more is replaced.
    void append_pieces(std::vector<std::string_view>& into) const {
        std::size_t at = 0;
        for (const Edit& edit : edits_) {
            into.push_back(text_.substr(at, edit.span.at - at));
            into.push_back(edit.with);
            at = edit.span.end();
        }
        into.push_back(text_.substr(at));
    }
    std::string str() const {
        std::vector<std::string_view> pieces;
        append_pieces(pieces);
        std::string joined;
        joined.reserve(size());
        for (const auto piece : pieces) {
            joined += piece;
        }
        return joined;
    }

private:
    struct Edit {
        Span span;
        std::string with;
    };
    std::string_view text_;
    std::size_t done_ = 0;
    std::vector<Edit> edits_;
};

}  // namespace weir::dialect::json
