#include "guardrail/output_filter.h"

#include <bit>

#include "guardrail/code_point.h"

namespace weir::guardrail {
namespace {

// Most of what is held back is decided by the next word: more of the text is joined to it only
// where it is not.
constexpr std::size_t kJoinBytes = 64;

}  // namespace

std::shared_ptr<const OutputRules> OutputRules::make(const GuardrailsSection& section) {
    if (section.output.banned_words.empty() && !section.output.max_length) {
        return nullptr;
    }
    auto rules = std::make_shared<OutputRules>();
    if (!section.output.banned_words.empty()) {
        rules->banned_.emplace(section.output.banned_words);
    }
    for (unsigned char c = 0; c < 0x80; ++c) {
        if (is_word(c)) {
            rules->words_.add(c);
        }
        if (rules->banned_ && rules->banned_->may_begin_with(fold(c))) {
            rules->begins_.add(c);
        }
    }
    if (section.output.max_length) {
        rules->length_max_ = static_cast<std::uint64_t>(*section.output.max_length);
    }
    return rules;
}

// The ASCII in front, as far as there is room: most of any text. false: `at` is where it ends.
bool OutputFilter::scan_ascii(std::string_view text,
                              bool is_end,
                              std::uint64_t room,
                              Scanned& at) const {
    auto left = static_cast<std::size_t>(
        std::min<std::uint64_t>(text.size() - at.end, room - at.code_points));
    const auto step = [&at](unsigned bytes, unsigned word) {
        at.end += bytes;
        at.code_points += bytes;
        at.last_is_word = bytes > 0 ? (word >> (bytes - 1) & 1) != 0 : at.last_is_word;
    };
    while (left > 0) {
        const char* const from = text.data() + at.end;
        const auto count = static_cast<unsigned>(std::min(left, kBlockBytes));
        const Block block = count == kBlockBytes ? load_block(from) : load_few(from, count);
        const auto plain =
            static_cast<unsigned>(std::countr_zero(beyond_ascii(block) | 1u << count));
        const unsigned word = rules_.words_.in(block);
        const unsigned inside = word & (word << 1 | (at.last_is_word ? 1u : 0u));
        // Where a phrase may begin: not in the middle of a word.
        unsigned begins = rules_.begins_.in(block) & ~inside & ((1u << plain) - 1);
        for (; begins != 0; begins &= begins - 1) {
            const auto place = static_cast<unsigned>(std::countr_zero(begins));
            const Match match = rules_.banned_->at_front_of(text.substr(at.end + place), is_end);
            if (match != Match::no) {
                step(place, word);
                at.stop = match == Match::yes ? Stop::banned_word : Stop::none;
                return false;
            }
        }
        step(plain, word);
        if (plain < count) {
            return true;
        }
        left -= plain;
    }
    return true;
}

// From left to right; the first place where something is decided against the text, or cannot be
// decided yet, is the end.
OutputFilter::Scanned OutputFilter::scan(std::string_view text, bool is_end) const {
    Scanned at{.last_is_word = last_is_word_};
    const std::uint64_t room = rules_.length_max_ - length_.code_points;
    while (at.end < text.size()) {
        const std::string_view rest = text.substr(at.end);
        CodePoint c{.size = 1};
        const bool is_ascii = static_cast<unsigned char>(rest.front()) < 0x80;
        if (!is_ascii) {
            c = read_code_point(rest);
            if (c.size == 0) {
                if (!is_end) {
                    return at;
                }
                c.size = 1;  // it will never be whole
            }
        }
        if (at.code_points == room) {
            at.stop = Stop::length;
            return at;
        }
        if (is_ascii) {
            if (!scan_ascii(text, is_end, room, at)) {
                return at;
            }
            continue;
        }
        const bool word = is_word(c.value);
        if (rules_.banned_ && !(word && at.last_is_word)) {
            switch (rules_.banned_->at_front_of(rest, is_end)) {
                case Match::no:
                    break;
                case Match::yes:
                    at.stop = Stop::banned_word;
                    return at;
                case Match::undecided:
                    return at;
            }
        }
        at.end += c.size;
        at.last_is_word = word;
        ++at.code_points;
    }
    return at;
}

void OutputFilter::take(const Scanned& scanned) {
    length_.code_points += scanned.code_points;
    last_is_word_ = scanned.last_is_word;
    stopped_ = scanned.stop;
}

bool OutputFilter::pass(std::string_view text) {
    if (stopped_ != Stop::none || !held_.empty()) {
        return false;
    }
    const Scanned scanned = scan(text, false);
    if (scanned.stop != Stop::none || scanned.end != text.size()) {
        return false;
    }
    take(scanned);
    return true;
}

// Joins what is held back with the front of `text` until that is decided; gives back what of the
// text is still to be scanned, with nothing held, unless all of it went into what is held.
std::string_view OutputFilter::join(std::string_view text, std::string& released) {
    while (!held_.empty() && !text.empty()) {
        const std::size_t held_before = held_.size();
        const std::string_view step = text.substr(0, kJoinBytes);
        held_ += step;
        const Scanned scanned = scan(held_, false);
        take(scanned);
        released.append(held_, 0, scanned.end);
        if (stopped_ != Stop::none) {
            held_.clear();
            return {};
        }
        if (scanned.end >= held_before) {
            held_.clear();
            return text.substr(scanned.end - held_before);
        }
        held_.erase(0, scanned.end);
        text.remove_prefix(step.size());
    }
    return text;
}

Stop OutputFilter::feed(std::string_view text, std::string& released) {
    if (stopped_ != Stop::none) {
        return stopped_;
    }
    text = join(text, released);
    if (stopped_ != Stop::none || !held_.empty()) {
        return stopped_;
    }
    const Scanned scanned = scan(text, false);
    take(scanned);
    released += text.substr(0, scanned.end);
    if (stopped_ == Stop::none) {
        held_ = text.substr(scanned.end);
    }
    return stopped_;
}

Stop OutputFilter::finish(std::string& released) {
    if (stopped_ != Stop::none || held_.empty()) {
        return stopped_;
    }
    const std::string rest = std::move(held_);
    held_.clear();
    const Scanned scanned = scan(rest, true);
    take(scanned);
    released += std::string_view(rest).substr(0, scanned.end);
    return stopped_;
}

}  // namespace weir::guardrail
