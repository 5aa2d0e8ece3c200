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
    // Whether any phrase begins with this code point: a cheap first look. Folded.
    bool may_begin_with(std::uint32_t folded) const {
        return folded < first_.size() ? first_[folded] : true;
    }

private:
    using Node = std::uint32_t;
    static constexpr Node kRoot = 0;
    static constexpr Node kNone = ~0u;
    struct Edge {
        std::uint64_t key = ~0ull;  // node and code point
        Node to = kNone;
    };
    static std::uint64_t key_of(Node node, std::uint32_t folded) {
        return std::uint64_t{node} << 32 | folded;
    }
    std::size_t slot_of(std::uint64_t key) const {
        return static_cast<std::size_t>((key * 0x9e3779b97f4a7c15u) >> shift_);
    }
    Node follow(Node node, std::uint32_t folded) const;
    void insert(Node node, std::uint32_t folded, Node to);

    std::vector<Edge> edges_;  // open addressing, at most half full
    unsigned shift_ = 63;
    std::vector<bool> is_phrase_;  // by node
    std::array<bool, 128> first_{};
};

}  // namespace weir::guardrail
