// Changing a few places of a text without copying the rest: the result is a list of pieces, views
// into the original and into small replacements, fit for a gathering write.
#pragma once

#include <array>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "dialect/json/scanner.h"

namespace weir::dialect::json {

class Splice {
public:
    static constexpr std::size_t kEditsMax = 8;

    explicit Splice(std::string_view text) : text_(text) {}
    Splice(const Splice&) = delete;  // pieces point into it

    // Replaces `span` (size 0: inserts before it). Edits are made in the order of the text and do
    // not overlap.
    void replace(Span span, std::string with) {
        WEIR_ASSERT(edits_ < kEditsMax && span.at >= done_);
        pieces_[count_++] = text_.substr(done_, span.at - done_);
        replacements_[edits_] = std::move(with);
        pieces_[count_++] = replacements_[edits_++];
        done_ = span.end();
    }

    std::size_t size() {
        std::size_t total = 0;
        for (const auto piece : pieces()) {
            total += piece.size();
        }
        return total;
    }
    // Valid while this and the text live and nothing more is replaced.
    std::span<const std::string_view> pieces() {
        pieces_[count_] = text_.substr(done_);
        return {pieces_.data(), count_ + 1};
    }
    std::string str() {
        std::string joined;
        for (const auto piece : pieces()) {
            joined += piece;
        }
        return joined;
    }

private:
    std::string_view text_;
    std::size_t done_ = 0;
    std::size_t edits_ = 0;
    std::size_t count_ = 0;
    std::array<std::string, kEditsMax> replacements_;
    std::array<std::string_view, 2 * kEditsMax + 1> pieces_;
};

}  // namespace weir::dialect::json
