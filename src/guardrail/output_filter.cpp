#include "guardrail/output_filter.h"

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
    for (std::uint32_t c = 0; c < 0x80; ++c) {
        rules->ascii_[c] = {.is_ascii = true,
                            .is_word = is_word(c),
                            .may_begin = rules->banned_ && rules->banned_->may_begin_with(fold(c))};
    }
    if (section.output.max_length) {
        rules->length_max_ = static_cast<std::uint64_t>(*section.output.max_length);
    }
    return rules;
}

// Steps over ASCII where no phrase can begin: most of any text.
void OutputFilter::skip_plain(std::string_view text, std::uint64_t room, Scanned& at) const {
    const auto& ascii = rules_.ascii_;
    const std::size_t most = static_cast<std::size_t>(
        std::min<std::uint64_t>(text.size() - at.end, room - at.code_points));
    const char* const begin = text.data() + at.end;
    const char* const end = begin + most;
    const char* now = begin;
    bool last_is_word = at.last_is_word;
    for (; now != end; ++now) {
        const OutputRules::Ascii c = ascii[static_cast<unsigned char>(*now)];
        if (!c.is_ascii || (c.may_begin && !(c.is_word && last_is_word))) {
            break;
        }
        last_is_word = c.is_word;
    }
    const auto stepped = static_cast<std::size_t>(now - begin);
    at.end += stepped;
    at.code_points += stepped;
    at.last_is_word = last_is_word;
}

// From left to right; the first place where something is decided against the text, or cannot be
// decided yet, is the end.
OutputFilter::Scanned OutputFilter::scan(std::string_view text, bool is_end) const {
    Scanned at{.last_is_word = last_is_word_};
    const Phrases* const banned = rules_.banned_ ? &*rules_.banned_ : nullptr;
    const std::uint64_t room = rules_.length_max_ - length_.code_points;
    while (at.end < text.size()) {
        skip_plain(text, room, at);
        if (at.end == text.size()) {
            break;
        }
        const std::string_view rest = text.substr(at.end);
        const OutputRules::Ascii ascii = rules_.ascii_[static_cast<unsigned char>(rest.front())];
        CodePoint c{.size = 1};
        bool word = ascii.is_word;
        bool may_begin = ascii.may_begin;
        if (!ascii.is_ascii) {
            c = read_code_point(rest);
            if (c.size == 0) {
                if (!is_end) {
                    return at;
                }
                c.size = 1;  // it will never be whole
            }
            word = is_word(c.value);
            may_begin = banned != nullptr;
        }
        if (at.code_points == room) {
            at.stop = Stop::length;
            return at;
        }
        if (may_begin && !(word && at.last_is_word)) {
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
