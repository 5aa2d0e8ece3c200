#include "guardrail/output_filter.h"

#include "guardrail/code_point.h"

namespace weir::guardrail {

std::shared_ptr<const OutputRules> OutputRules::make(const GuardrailsSection& section) {
    if (section.output.banned_words.empty() && !section.output.max_length) {
        return nullptr;
    }
    auto rules = std::make_shared<OutputRules>();
    if (!section.output.banned_words.empty()) {
        rules->banned_.emplace(section.output.banned_words);
    }
    if (section.output.max_length) {
        rules->length_max_ = static_cast<std::uint64_t>(*section.output.max_length);
    }
    return rules;
}

// From left to right; the first place where something is decided against the text, or cannot be
// decided yet, is the end.
OutputFilter::Scanned OutputFilter::scan(std::string_view text, bool is_end) const {
    Scanned at{.last_is_word = last_is_word_};
    const Phrases* const banned = rules_.banned_ ? &*rules_.banned_ : nullptr;
    const std::uint64_t room = rules_.length_max_ - released_code_points_;
    while (at.end < text.size()) {
        const std::string_view rest = text.substr(at.end);
        CodePoint c = read_code_point(rest);
        if (c.size == 0) {
            if (!is_end) {
                return at;
            }
            c.size = 1;  // it will never be whole
        }
        if (at.code_points == room) {
            at.stop = Stop::length;
            return at;
        }
        const bool word = is_word(c.value);
        if (banned != nullptr && !(word && at.last_is_word) &&
            banned->may_begin_with(fold(c.value))) {
            switch (banned->at_front_of(rest, is_end)) {
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
    released_code_points_ += scanned.code_points;
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

Stop OutputFilter::feed(std::string_view text, std::string& released) {
    if (stopped_ != Stop::none) {
        return stopped_;
    }
    std::string joined;
    if (!held_.empty()) {
        joined = std::move(held_);
        joined += text;
        held_.clear();
        text = joined;
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
