#include "guardrail/phrases.h"

#include <algorithm>

#include "base/assert.h"
#include "guardrail/code_point.h"

namespace weir::guardrail {
namespace {

constexpr auto kFoldedAscii = [] {
    std::array<std::uint8_t, 128> table{};
    for (std::uint32_t c = 0; c < table.size(); ++c) {
        table[c] = static_cast<std::uint8_t>(fold(c));
    }
    return table;
}();

std::u32string folded(std::string_view phrase) {
    std::u32string characters;
    while (!phrase.empty()) {
        const CodePoint c = read_code_point(phrase);
        WEIR_ASSERT(c.size > 0);
        phrase.remove_prefix(c.size);
        characters.push_back(fold(c.value));
    }
    return characters;
}

}  // namespace

Phrases::Phrases(const std::vector<std::string>& phrases) {
    std::vector<std::u32string> sorted;
    sorted.reserve(phrases.size());
    for (const std::string& phrase : phrases) {
        sorted.push_back(folded(phrase));
    }
    std::sort(sorted.begin(), sorted.end());

    // Phrases that begin alike lie side by side. Depth first, so that a chain lies in one piece.
    struct Range {
        std::uint32_t node;
        std::size_t first, last, depth;
    };
    std::vector<Range> open{{0, 0, sorted.size(), 0}};
    nodes_.emplace_back();
    while (!open.empty()) {
        auto [node, first, last, depth] = open.back();
        open.pop_back();
        while (first < last && sorted[first].size() == depth) {
            nodes_[node].is_phrase = true;
            ++first;
        }
        const auto first_child = static_cast<std::uint32_t>(nodes_.size());
        nodes_[node].first_child = first_child;
        while (first < last) {
            const char32_t character = sorted[first][depth];
            std::size_t end = first + 1;
            while (end < last && sorted[end][depth] == character) {
                ++end;
            }
            const auto child = static_cast<std::uint32_t>(nodes_.size());
            nodes_.push_back({.folded = character});
            open.push_back({child, first, end, depth + 1});
            if (node == 0 && character < starts_.size()) {
                starts_[character] = child;
            }
            first = end;
        }
        nodes_[node].children = static_cast<std::uint32_t>(nodes_.size()) - first_child;
    }
}

const Phrases::Node* Phrases::follow(const Node& from, std::uint32_t folded) const {
    const Node* const children = nodes_.data() + from.first_child;
    if (from.children == 1) {
        return children->folded == folded ? children : nullptr;
    }
    if (&from == nodes_.data() && folded < starts_.size()) {
        return starts_[folded] == 0 ? nullptr : nodes_.data() + starts_[folded];
    }
    const Node* const end = children + from.children;
    const Node* const found =
        std::lower_bound(children, end, folded, [](const Node& node, std::uint32_t wanted) {
            return node.folded < wanted;
        });
    return found != end && found->folded == folded ? found : nullptr;
}

Match Phrases::at_front_of(std::string_view text, bool is_end) const {
    const Node* node = nodes_.data();
    // Most walks end within a few letters: up to where a phrase ends, edges of words do not matter.
    while (!text.empty()) {
        const auto c = static_cast<unsigned char>(text.front());
        if (c >= kFoldedAscii.size()) {
            break;
        }
        const Node* const next = follow(*node, kFoldedAscii[c]);
        if (next == nullptr) {
            return Match::no;
        }
        if (next->is_phrase) {
            break;
        }
        node = next;
        text.remove_prefix(1);
    }
    return walk(node, text, is_end);
}

// On from a node where no phrase ends.
Match Phrases::walk(const Node* node, std::string_view text, bool is_end) const {
    bool last_is_word = false;
    for (;;) {
        CodePoint c;
        if (!text.empty()) {
            c = read_code_point(text);
        }
        if (c.size == 0) {
            // Nothing more, or the beginning of a character whose rest is still to come; at the end
            // of the text such a beginning is no part of a word.
            if (!is_end) {
                return Match::undecided;
            }
            return node->is_phrase ? Match::yes : Match::no;
        }
        const bool word = is_word(c.value);
        if (node->is_phrase && !(last_is_word && word)) {
            return Match::yes;
        }
        node = follow(*node, fold(c.value));
        if (node == nullptr) {
            return Match::no;
        }
        if (node->is_phrase && !word) {
            return Match::yes;  // what comes behind a symbol makes no difference
        }
        last_is_word = word;
        text.remove_prefix(c.size);
    }
}

}  // namespace weir::guardrail
