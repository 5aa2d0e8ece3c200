// Many phrases in one trie of folded code points. It answers the question a stream asks: does a
// phrase stand at this place, can none any more, or does the text end too soon to say? A walk is at
// most as long as the longest phrase, which is bounded: the time is linear in the text, by a factor
// that only the operator's own phrases decide. Immutable; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace weir::guardrail {

enum class Match : std::uint8_t { no, yes, undecided };

class Phrases {
public:
    // Valid UTF-8, none empty.
    explicit Phrases(const std::vector<std::string>& phrases);

    // Whether a phrase stands at the front of `text`, as whole words: what comes before it is the
    // caller's business, what comes behind it is not. `is_end`: the text is over with `text`.
    Match at_front_of(std::string_view text, bool is_end) const;
    // The folded ASCII characters that phrases begin with: a cheap first look.
    bool may_begin_with(std::uint32_t folded_ascii) const { return starts_[folded_ascii] != 0; }

private:
    // A node lies among its siblings, in the order of their characters, behind its parent: what has
    // one child, as most have, is followed by one look at the next place.
    struct Node {
        std::uint32_t folded = 0;       // the character that leads here
        std::uint32_t first_child = 0;  // index of it
        std::uint32_t children = 0;
        bool is_phrase = false;  // one ends here
    };
    const Node* follow(const Node& from, std::uint32_t folded) const;
    Match walk(const Node* node, std::string_view text, bool is_end) const;

    std::vector<Node> nodes_;                  // the root first
    std::array<std::uint32_t, 128> starts_{};  // the root's children by ASCII character; 0: none
};

}  // namespace weir::guardrail
