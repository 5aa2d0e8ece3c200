// The output guardrail: however a text is cut it leaves the same, that is what the plain rule
// leaves, and what it holds back may still become a hit.
//
// Input: one byte for the longest length (0: none), one line of phrases with '|' between them, the
// text.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "base/assert.h"
#include "guardrail/code_point.h"
#include "guardrail/output_filter.h"

namespace {

using namespace weir::guardrail;

// A text is run once for every place it can be cut at.
constexpr std::size_t kTextBytesMax = 200;
constexpr std::size_t kPhrasesMax = 16;

struct Outcome {
    std::string released;
    Stop stop = Stop::none;
    bool operator==(const Outcome&) const = default;
};

struct Point {
    std::uint32_t value, folded;
    std::size_t at;
    bool is_whole;
};
using Points = std::vector<Point>;

Points decode(std::string_view text) {
    Points points;
    for (std::size_t at = 0; at < text.size();) {
        const CodePoint c = read_code_point(text.substr(at));
        points.push_back({c.value, fold(c.value), at, c.size > 0});
        at += std::max<std::size_t>(c.size, 1);
    }
    return points;
}

// What the section lets through; U+FFFD also stands for what is no UTF-8.
bool is_phrase(std::string_view text) {
    return !text.empty() && text.size() <= kBannedWordBytesMax && text.front() != ' ' &&
           text.back() != ' ' && std::ranges::none_of(decode(text), [](const Point& point) {
               return point.value < 0x20 || point.value == 0x7f || point.value == 0xfffd;
           });
}

// How many of the phrase's code points stand at text[i].
std::size_t common(const Points& text, std::size_t i, const Points& phrase) {
    std::size_t k = 0;
    while (k < phrase.size() && i + k < text.size() && text[i + k].is_whole &&
           text[i + k].folded == phrase[k].folded) {
        ++k;
    }
    return k;
}

bool joins(const Points& text, std::size_t left) {
    return is_word(text[left].value) && is_word(text[left + 1].value);
}

Outcome plain_rule(const std::vector<Points>& phrases, std::size_t max, std::string_view text) {
    const Points points = decode(text);
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (i == max) {
            return {std::string(text.substr(0, points[i].at)), Stop::length};
        }
        for (const Points& phrase : phrases) {
            const std::size_t end = i + phrase.size();
            if (common(points, i, phrase) == phrase.size() && !(i > 0 && joins(points, i - 1)) &&
                !(end < points.size() && joins(points, end - 1))) {
                return {std::string(text.substr(0, points[i].at)), Stop::banned_word};
            }
        }
    }
    return {std::string(text), Stop::none};
}

// Held back is the beginning of a phrase, a phrase whose next character is not known, or the
// beginning of a character.
bool may_become_a_hit(const std::vector<Points>& phrases, std::string_view held) {
    Points points = decode(held);
    const auto cut = std::ranges::find(points, false, &Point::is_whole);
    points.erase(cut, points.end());
    return points.empty() || std::ranges::any_of(phrases, [&](const Points& phrase) {
               return common(points, 0, phrase) == points.size();
           });
}

Outcome filter(const OutputRules& rules,
               const std::vector<Points>& phrases,
               std::string_view text,
               std::initializer_list<std::size_t> cuts,
               bool may_pass) {
    AnswerLength length;
    OutputFilter filter(rules, length);
    Outcome outcome;
    std::size_t at = 0;
    const auto feed = [&](std::size_t end) {
        // A copy of its own size: reading past it is seen.
        const std::vector<char> part(text.begin() + static_cast<std::ptrdiff_t>(at),
                                     text.begin() + static_cast<std::ptrdiff_t>(end));
        const std::string_view view(part.data(), part.size());
        if (may_pass && filter.pass(view)) {
            outcome.released += view;
        } else {
            WEIR_ASSERT(filter.feed(view, outcome.released) == filter.stopped());
        }
        at = end;
        const std::string_view held =
            text.substr(outcome.released.size(), at - outcome.released.size());
        WEIR_ASSERT(filter.stopped() != Stop::none || filter.is_holding() == !held.empty());
        WEIR_ASSERT(!filter.is_holding() || may_become_a_hit(phrases, held));
    };
    for (const std::size_t cut : cuts) {
        feed(cut);
    }
    feed(text.size());
    outcome.stop = filter.finish(outcome.released);
    WEIR_ASSERT(outcome.stop == filter.stopped() && !filter.is_holding());
    return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    const std::size_t line = bytes.find('\n', 1);
    if (size < 2 || line == bytes.npos) {
        return 0;
    }
    GuardrailsSection section;
    std::vector<Points> phrases;
    std::string_view words = bytes.substr(1, line - 1);
    while (!words.empty() && phrases.size() < kPhrasesMax) {
        const std::string_view word = words.substr(0, words.find('|'));
        words.remove_prefix(std::min(words.size(), word.size() + 1));
        if (is_phrase(word)) {
            section.output.banned_words.emplace_back(word);
            phrases.push_back(decode(word));
        }
    }
    std::size_t max = ~std::size_t{0};
    if (data[0] > 0) {
        section.output.max_length = max = data[0];
    }
    const auto rules = OutputRules::make(section);
    if (rules == nullptr) {
        WEIR_ASSERT(phrases.empty() && data[0] == 0);
        return 0;
    }
    const std::string_view text = bytes.substr(line + 1, kTextBytesMax);
    const Outcome want = plain_rule(phrases, max, text);
    for (std::size_t cut = 0; cut <= text.size(); ++cut) {
        const std::size_t second = cut + (text.size() - cut) / 2;
        WEIR_ASSERT(filter(*rules, phrases, text, {cut}, false) == want);
        WEIR_ASSERT(filter(*rules, phrases, text, {cut, second}, true) == want);
    }
    AnswerLength length_by_byte;
    OutputFilter by_byte(*rules, length_by_byte);
    Outcome outcome;
    for (const char& byte : text) {
        by_byte.feed({&byte, 1}, outcome.released);
    }
    outcome.stop = by_byte.finish(outcome.released);
    WEIR_ASSERT(outcome == want);
    return 0;
}
