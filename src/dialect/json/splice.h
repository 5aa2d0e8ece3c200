// Changing a few places of a text without copying the rest: the result is a list of pieces, views
// into the original and into small replacements, fit for a gathering write.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "dialect/json/scanner.h"

namespace weir::dialect::json {

class Splice {
public:
    explicit Splice(std::string_view text) : text_(text), size_(text.size()) {}
    Splice(const Splice&) = delete;  // pieces point into it

    // Replaces `span` (size 0: inserts before it). Edits are made in the order of the text and do
    // not overlap.
    void replace(Span span, std::string with) {
        WEIR_ASSERT(span.at >= done_);
        done_ = span.end();
        size_ += with.size();
        size_ -= span.size;
        if (count_ < first_.size()) {
            first_[count_] = {span, std::move(with)};
        } else {
            more_.push_back({span, std::move(with)});
        }
        ++count_;
    }

    std::size_t size() const { return size_; }
    // Appends the pieces. Valid while this and the text live and nothing more is replaced.
    void append_pieces(std::vector<std::string_view>& into) const {
        std::size_t at = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const Edit& edit = i < first_.size() ? first_[i] : more_[i - first_.size()];
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
    std::size_t size_;
    std::size_t done_ = 0;
    std::size_t count_ = 0;
    std::array<Edit, 2> first_;  // all that most texts need, without an allocation
    std::vector<Edit> more_;
};

}  // namespace weir::dialect::json
