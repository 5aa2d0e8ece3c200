#include "guardrail/output_filter.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "guardrail/code_point.h"

namespace weir::guardrail {
namespace {

struct Outcome {
    std::string released;
    Stop stop = Stop::none;
    bool operator==(const Outcome&) const = default;
};
void PrintTo(const Outcome& outcome, std::ostream* out) {
    *out << '"' << outcome.released << "\" stop " << static_cast<int>(outcome.stop);
}

std::shared_ptr<const OutputRules> rules(std::vector<std::string> words,
                                         std::optional<std::int64_t> max_length = std::nullopt) {
    return OutputRules::make(
        {.output = {.max_length = max_length, .banned_words = std::move(words)}});
}

Outcome filter_in(const OutputRules& with, const std::vector<std::string_view>& parts) {
    AnswerLength length;
    OutputFilter filter(with, length);
    Outcome outcome;
    for (const std::string_view part : parts) {
        // As the relay does it: the way without a copy first.
        if (filter.pass(part)) {
            outcome.released += part;
        } else {
            filter.feed(part, outcome.released);
        }
    }
    outcome.stop = filter.finish(outcome.released);
    return outcome;
}

struct Case {
    std::string_view name;
    std::vector<std::string> words;
    std::optional<std::int64_t> max_length;
    std::string_view text, released;
    Stop stop;
};
class OutputFilterTable : public testing::TestWithParam<Case> {};
TEST_P(OutputFilterTable, WholeAndCutAtEveryPairOfPlaces) {
    const Case& c = GetParam();
    const auto with = rules(c.words, c.max_length);
    const Outcome want{std::string(c.released), c.stop};
    EXPECT_EQ(filter_in(*with, {c.text}), want);
    for (std::size_t i = 0; i <= c.text.size(); ++i) {
        for (std::size_t j = i; j <= c.text.size(); ++j) {
            EXPECT_EQ(
                filter_in(*with, {c.text.substr(0, i), c.text.substr(i, j - i), c.text.substr(j)}),
                want)
                << i << ' ' << j;
        }
    }
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    OutputFilterTable,
    testing::Values(
        Case{"nothing", {"foo"}, {}, "all is well", "all is well", Stop::none},
        Case{"in_the_middle", {"foo"}, {}, "a foo b", "a ", Stop::banned_word},
        Case{"at_the_start", {"foo"}, {}, "foo b", "", Stop::banned_word},
        Case{"at_the_end", {"foo"}, {}, "b foo", "b ", Stop::banned_word},
        Case{"any_case", {"fOo"}, {}, "a FoO.", "a ", Stop::banned_word},
        Case{
            "inside_a_word", {"foo"}, {}, "food afoo foo_ foo1", "food afoo foo_ foo1", Stop::none},
        Case{"umlauts", {"größe"}, {}, "die GRÖßE!", "die ", Stop::banned_word},
        Case{"umlaut_is_a_letter", {"gr"}, {}, "grün", "grün", Stop::none},
        Case{"cyrillic", {"тайна"}, {}, "это ТАЙНА", "это ", Stop::banned_word},
        Case{"han_anywhere", {"机密"}, {}, "这是机密文件", "这是", Stop::banned_word},
        Case{"phrase", {"foo bar"}, {}, "x foo\nbar y", "x ", Stop::banned_word},
        Case{"phrase_diverges", {"foo bar"}, {}, "x foo bat y", "x foo bat y", Stop::none},
        Case{"shorter_wins_where_the_longer_fails",
             {"foo bar baz", "bar"},
             {},
             "foo bar bay",
             "foo ",
             Stop::banned_word},
        Case{"longer_begins_first",
             {"foo bar baz", "bar"},
             {},
             "foo bar baz",
             "",
             Stop::banned_word},
        Case{"prefix_is_a_phrase", {"foo", "foo bar"}, {}, "a foo bat", "a ", Stop::banned_word},
        Case{"symbols", {"$$$"}, {}, "cash $$$ now", "cash ", Stop::banned_word},
        Case{"symbols_need_no_edge", {"$$"}, {}, "a$$b", "a", Stop::banned_word},
        Case{"overlap", {"a a b"}, {}, "a a a b", "a ", Stop::banned_word},
        Case{"length", {}, 3, "abcd", "abc", Stop::length},
        Case{"length_exact", {}, 4, "abcd", "abcd", Stop::none},
        Case{"length_counts_characters", {}, 2, "äöü", "äö", Stop::length},
        Case{"length_before_word", {"foo"}, 2, "ab foo", "ab", Stop::length},
        Case{"word_before_length", {"foo"}, 3, "a foo", "a ", Stop::banned_word},
        Case{"word_over_the_length", {"foo bar"}, 4, "a foo bar", "a ", Stop::banned_word},
        Case{"length_inside_a_near_hit", {"foo bar"}, 4, "a foo bat", "a fo", Stop::length},
        Case{"invalid_utf8", {"foo"}, {}, "a\xff\xe2\x82 foo", "a\xff\xe2\x82 ", Stop::banned_word},
        Case{"cut_off_character", {"foo"}, {}, "ab\xe2\x82", "ab\xe2\x82", Stop::none},
        Case{"word_then_cut_off_character", {"foo"}, {}, "a foo\xe2\x82", "a ", Stop::banned_word},
        Case{"empty", {"foo"}, 1, "", "", Stop::none}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(OutputFilter, HoldsBackOnlyWhatMayBecomeAHit) {
    const auto with = rules({"foo bar"});
    AnswerLength length;
    OutputFilter filter(*with, length);
    std::string released;
    filter.feed("an x fo", released);
    EXPECT_EQ(released, "an x ");
    EXPECT_TRUE(filter.is_holding());
    filter.feed("x", released);
    EXPECT_EQ(released, "an x fox");
    EXPECT_FALSE(filter.is_holding());
}

TEST(OutputFilter, NothingComesAfterAStop) {
    const auto with = rules({"foo"});
    AnswerLength length;
    OutputFilter filter(*with, length);
    std::string released;
    EXPECT_EQ(filter.feed("foo and more", released), Stop::banned_word);
    EXPECT_EQ(filter.feed("bar", released), Stop::banned_word);
    EXPECT_FALSE(filter.pass("bar"));
    EXPECT_EQ(filter.finish(released), Stop::banned_word);
    EXPECT_EQ(released, "");
}

TEST(OutputRules, AreNoneWhereTheSectionHasNone) { EXPECT_EQ(rules({}), nullptr); }

// The rule, said as plainly as it can be.
Outcome naive(const std::vector<std::string>& words,
              std::optional<std::int64_t> max_length,
              std::string_view text) {
    struct Point {
        std::uint32_t value;
        std::size_t at;
    };
    const auto decode = [](std::string_view bytes) {
        std::vector<Point> points;
        for (std::size_t at = 0; at < bytes.size();) {
            const CodePoint c = read_code_point(bytes.substr(at));
            points.push_back({c.value, at});
            at += std::max<std::size_t>(c.size, 1);
        }
        return points;
    };
    const auto points = decode(text);
    for (std::size_t i = 0; i < points.size(); ++i) {
        if (max_length && static_cast<std::int64_t>(i) == *max_length) {
            return {std::string(text.substr(0, points[i].at)), Stop::length};
        }
        for (const std::string& word : words) {
            const auto phrase = decode(word);
            bool same = i + phrase.size() <= points.size();
            for (std::size_t k = 0; same && k < phrase.size(); ++k) {
                same = fold(points[i + k].value) == fold(phrase[k].value);
            }
            const auto joins = [&](std::size_t left) {
                return is_word(points[left].value) && is_word(points[left + 1].value);
            };
            const std::size_t last = i + phrase.size() - 1;
            if (same && !(i > 0 && joins(i - 1)) && !(last + 1 < points.size() && joins(last))) {
                return {std::string(text.substr(0, points[i].at)), Stop::banned_word};
            }
        }
    }
    return {std::string(text), Stop::none};
}

TEST(OutputFilter, AgreesWithThePlainRuleOnRandomTexts) {
    Random random(7);
    const std::string_view atoms[] = {
        "a", "b", "A", " ", "ab", "ä", "Ä", "\n", ".", "机", "\xe4", "_"};
    const auto make = [&](std::size_t atoms_max) {
        std::string text;
        for (std::size_t i = 1 + random.below(atoms_max); i > 0; --i) {
            text += atoms[random.below(std::size(atoms))];
        }
        return text;
    };
    for (int round = 0; round < 20'000; ++round) {
        std::vector<std::string> words;
        while (words.size() < 1 + random.below(4)) {
            std::string word = make(4);
            if (word.find('\xe4') == std::string::npos && word.front() != ' ' &&
                word.back() != ' ' && word.find('\n') == std::string::npos) {
                words.push_back(std::move(word));
            }
        }
        const auto max_length =
            random.below(3) == 0 ? std::optional<std::int64_t>(1 + random.below(12)) : std::nullopt;
        const std::string text = make(round % 2 == 0 ? 14 : 60);  // also of several blocks
        const auto with = rules(words, max_length);
        const Outcome want = naive(words, max_length, text);
        std::vector<std::string_view> parts;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t size = 1 + random.below(5);
            parts.push_back(std::string_view(text).substr(at, size));
            at += size;
        }
        ASSERT_EQ(filter_in(*with, {text}), want) << fmt::format("{}", fmt::join(words, "|"));
        ASSERT_EQ(filter_in(*with, parts), want) << fmt::format("{}", fmt::join(words, "|"));
    }
}

// Long enough that what is held back is joined with the text in several steps.
TEST(OutputFilter, LongPhrasesAreTheSameForEveryChunk) {
    std::string phrase;
    while (phrase.size() + 4 < kBannedWordBytesMax) {
        phrase += "ab ";
    }
    phrase += 'c';
    const auto with = rules({phrase, "ab d"});
    const std::string near = phrase.substr(0, phrase.size() - 1);
    for (const std::string& text : {"x " + near + "x ab " + near + "ab c and more",
                                    near + near + near + "ab!",
                                    near + "ab d",
                                    near + "\xe2\x82",
                                    near + near}) {
        const Outcome want = filter_in(*with, {text});
        EXPECT_EQ(want, naive({phrase, "ab d"}, std::nullopt, text));
        for (std::size_t size = 1; size <= text.size(); ++size) {
            std::vector<std::string_view> parts;
            for (std::size_t at = 0; at < text.size(); at += size) {
                parts.push_back(std::string_view(text).substr(at, size));
            }
            EXPECT_EQ(filter_in(*with, parts), want) << size;
        }
    }
}

}  // namespace
}  // namespace weir::guardrail
