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
    // Valid while this and the text live and nothing more is replaced.
    std::span<const std::string_view> pieces() {
        pieces_.clear();
        std::size_t at = 0;
        for (const Edit& edit : edits_) {
            pieces_.push_back(text_.substr(at, edit.span.at - at));
            pieces_.push_back(edit.with);
            at = edit.span.end();
        }
        pieces_.push_back(text_.substr(at));
        return pieces_;
    }
    void append_to(std::string& into) {
        for (const auto piece : pieces()) {
            into += piece;
        }
    }
    std::string str() {
        std::string joined;
        append_to(joined);
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
    std::vector<std::string_view> pieces_;
};

}  // namespace weir::dialect::json
