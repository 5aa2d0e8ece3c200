#include "dialect/json/likeness.h"

#include <gtest/gtest.h>

namespace weir::dialect::json {
namespace {

constexpr std::string_view kFirst =
    R"({"id":"x","a":[{"text":"one","end":null}],"pad":"Zq","n":7})";

Span string_in(std::string_view text, std::string_view quoted) {
    return {text.find(quoted), quoted.size()};
}

Likeness learnt() {
    Likeness likeness;
    const Span strings[] = {string_in(kFirst, R"("one")"), string_in(kFirst, R"("Zq")")};
    likeness.learn(kFirst, strings);
    return likeness;
}

TEST(Likeness, GivesThePlacesOfWhatDiffers) {
    for (const auto& [text, words, padding] :
         std::initializer_list<std::array<std::string_view, 3>>{
             {kFirst, R"("one")", R"("Zq")"},
             {R"({"id":"x","a":[{"text":"","end":null}],"pad":"","n":7})", R"("")", R"("")"},
             {R"({"id":"x","a":[{"text":"a \"b\" \u00e9 é 机","end":null}],"pad":"longer","n":7})",
              R"("a \"b\" \u00e9 é 机")",
              R"("longer")"}}) {
        Likeness likeness = learnt();
        Span strings[Likeness::kStringsMax];
        ASSERT_TRUE(likeness.matches(text, strings)) << text;
        EXPECT_EQ(strings[0].in(text), words);
        EXPECT_EQ(strings[1].in(text), padding);
    }
}

TEST(Likeness, IsNoneWhereAnythingElseDiffers) {
    for (const std::string_view text : {
             R"({"id":"y","a":[{"text":"one","end":null}],"pad":"Zq","n":7})",
             R"({"id":"x","a":[{"text":"one","end":"no"}],"pad":"Zq","n":7})",
             R"({"id":"x","a":[{"text":"one","end":null}],"pad":"Zq","n":8})",
             R"({"id":"x","a":[{"text":"one","end":null}],"pad":"Zq","n":7} )",
             R"({"id":"x","a":[{"text":"one","end":null}],"pad":"Zq","n":7)",
             R"({"id":"x","a":[{"text":null,"end":null}],"pad":"Zq","n":7})",
             "",
         }) {
        Likeness likeness = learnt();
        Span strings[Likeness::kStringsMax];
        EXPECT_FALSE(likeness.matches(text, strings)) << text;
    }
    // Every byte changed, one at a time: alike only inside of the two strings.
    for (std::size_t i = 0; i < kFirst.size(); ++i) {
        for (const char c : {'"', '\x01', '\n', '\x80', 'w'}) {
            std::string text(kFirst);
            if (text[i] == c) {
                continue;
            }
            text[i] = c;
            const auto inside = [&](std::string_view quoted) {
                const Span span = string_in(kFirst, quoted);
                return i > span.at && i + 1 < span.end();
            };
            Likeness likeness = learnt();
            Span strings[Likeness::kStringsMax];
            EXPECT_EQ(likeness.matches(text, strings),
                      c == 'w' && (inside(R"("one")") || inside(R"("Zq")")))
                << text;
        }
    }
}

TEST(Likeness, StringsThatAreNoneAreNotAlike) {
    for (const std::string_view words : {"\\x", "\\u12g4", "a\tb", "\xff", "\xe6\x9c", "\\"}) {
        const std::string text = R"({"id":"x","a":[{"text":")" + std::string(words) +
                                 R"(","end":null}],"pad":"Zq","n":7})";
        Likeness likeness = learnt();
        Span strings[Likeness::kStringsMax];
        EXPECT_FALSE(likeness.matches(text, strings)) << text;
    }
}

TEST(Likeness, ForgetsAStreamThatDoesNotRepeat) {
    Likeness likeness = learnt();
    Span strings[Likeness::kStringsMax];
    const Span one[] = {string_in(kFirst, R"("one")")};
    for (std::size_t i = 0; i < Likeness::kMissesMax; ++i) {
        EXPECT_FALSE(likeness.matches("{}", strings));
    }
    likeness.learn(kFirst, one);
    EXPECT_FALSE(likeness.matches(kFirst, strings));
}

TEST(Likeness, OneThatRepeatsNowAndThenIsRemembered) {
    Likeness likeness = learnt();
    Span strings[Likeness::kStringsMax];
    for (std::size_t i = 0; i < 3 * Likeness::kMissesMax; ++i) {
        EXPECT_FALSE(likeness.matches("{}", strings));
        EXPECT_TRUE(likeness.matches(kFirst, strings));
    }
}

TEST(Likeness, RemembersNothingLong) {
    const std::string text = '"' + std::string(Likeness::kBytesMax, 'a') + '"';
    const Span all[] = {{0, text.size()}};
    Likeness likeness;
    likeness.learn(text, all);
    Span strings[Likeness::kStringsMax];
    EXPECT_FALSE(likeness.matches(text, strings));
}

}  // namespace
}  // namespace weir::dialect::json
