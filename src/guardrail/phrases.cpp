#include "guardrail/phrases.h"

#include <bit>

#include "base/assert.h"
#include "guardrail/code_point.h"

namespace weir::guardrail {

Phrases::Phrases(const std::vector<std::string>& phrases) {
    std::size_t nodes_max = 1;
    for (const std::string& phrase : phrases) {
        nodes_max += phrase.size();
    }
    const std::size_t slots = std::bit_ceil(2 * nodes_max);
    edges_.resize(slots);
    shift_ = 64 - static_cast<unsigned>(std::countr_zero(slots));
    is_phrase_.push_back(false);
    for (const std::string& phrase : phrases) {
        Node node = kRoot;
        for (std::string_view rest = phrase; !rest.empty();) {
            const CodePoint c = read_code_point(rest);
            WEIR_ASSERT(c.size > 0);
            rest.remove_prefix(c.size);
            const std::uint32_t folded = fold(c.value);
            Node next = follow(node, folded);
            if (next == kNone) {
                next = static_cast<Node>(is_phrase_.size());
                is_phrase_.push_back(false);
                insert(node, folded, next);
                if (node == kRoot && folded < first_.size()) {
                    first_[folded] = true;
                }
            }
            node = next;
        }
        is_phrase_[node] = true;
    }
}

Phrases::Node Phrases::follow(Node node, std::uint32_t folded) const {
    const std::uint64_t key = key_of(node, folded);
    for (std::size_t slot = slot_of(key);; slot = (slot + 1) % edges_.size()) {
        if (edges_[slot].key == key) {
            return edges_[slot].to;
        }
        if (edges_[slot].to == kNone) {
            return kNone;
        }
    }
}

void Phrases::insert(Node node, std::uint32_t folded, Node to) {
    const std::uint64_t key = key_of(node, folded);
    std::size_t slot = slot_of(key);
    while (edges_[slot].to != kNone) {
        slot = (slot + 1) % edges_.size();
    }
    edges_[slot] = {key, to};
}

Match Phrases::at_front_of(std::string_view text, bool is_end) const {
    Node node = kRoot;
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
            return is_phrase_[node] ? Match::yes : Match::no;
        }
        if (is_phrase_[node] && !(last_is_word && is_word(c.value))) {
            return Match::yes;
        }
        node = follow(node, fold(c.value));
        if (node == kNone) {
            return Match::no;
        }
        last_is_word = is_word(c.value);
        if (is_phrase_[node] && !last_is_word) {
            return Match::yes;  // what comes behind a symbol makes no difference
        }
        text.remove_prefix(c.size);
    }
}

}  // namespace weir::guardrail
