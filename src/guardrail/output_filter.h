// The operational guardrail on what a model says: banned words and a longest length, on whole
// answers and on streams alike. However the text is split, what is released and where it stops is
// the same.
//
// A hit ends the answer before its first character; of two the one that begins first counts. Text
// is held back only while it may still become a hit: from a place where a phrase has begun and not
// been decided.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/byte_blocks.h"
#include "base/error.h"
#include "guardrail/phrases.h"
#include "guardrail/section.h"

namespace weir::guardrail {

enum class Stop : std::uint8_t { none, banned_word, length };

// Immutable; one per Runtime; any thread.
class OutputRules {
public:
    // Null where the section has no rules.
    static std::shared_ptr<const OutputRules> make(const GuardrailsSection& section);

private:
    friend class OutputFilter;
    AsciiSet words_;   // what is part of a word
    AsciiSet begins_;  // what a phrase may begin with
    std::optional<Phrases> banned_;
    std::uint64_t length_max_ = ~0ull;  // code points
};

// What the texts of one answer have in common: how long all that was released of them is.
struct AnswerLength {
    std::uint64_t code_points = 0;
};

// One per text of an answer, each finished before the next begins; one thread. About 60 bytes and
// what it holds back, which is never more characters than the longest phrase; allocates only where
// that grows.
class OutputFilter {
public:
    // The rules must outlive it, and the length of the answer that the text belongs to.
    OutputFilter(const OutputRules& rules, AnswerLength& length) : rules_(rules), length_(length) {}

    // Takes the next text and appends to `released` what may go to the client now, never anything
    // at or behind a hit. After a stop all text is swallowed.
    Stop feed(std::string_view text, std::string& released);
    // The text is over: what was held back is decided.
    Stop finish(std::string& released);
    // feed() without a copy, for the usual case: true where nothing is held back before or after
    // and all of `text` may go. false: nothing was taken, use feed().
    bool pass(std::string_view text);

    bool is_holding() const { return !held_.empty(); }
    Stop stopped() const { return stopped_; }

private:
    struct Scanned {
        std::size_t end = 0;  // bytes that may go
        Stop stop = Stop::none;
        std::uint64_t code_points = 0;  // in them
        bool last_is_word = false;      // the last of them
    };
    Scanned scan(std::string_view text, bool is_end) const;
    bool scan_ascii(std::string_view text, bool is_end, std::uint64_t room, Scanned& at) const;
    void take(const Scanned& scanned);
    std::string_view join(std::string_view text, std::string& released);

    const OutputRules& rules_;
    AnswerLength& length_;
    std::string held_;
    bool last_is_word_ = false;  // of what was released
    Stop stopped_ = Stop::none;
};

}  // namespace weir::guardrail
