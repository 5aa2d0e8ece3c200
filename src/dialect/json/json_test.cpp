#include <fmt/format.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dialect/json/scanner.h"
#include "dialect/json/splice.h"
#include "dialect/json/value.h"

namespace weir::dialect::json {
namespace {

// Writes down everything it is told, two levels deep.
struct Recorder {
    std::string_view text;
    std::vector<std::string> seen;
    int open(int scope, std::string_view key, Kind kind) {
        seen.push_back(fmt::format("{}:{}{}", scope, key, kind == Kind::object ? "{" : "["));
        return scope < 3 ? scope + 1 : kIgnored;
    }
    void close(int scope, Span span) {
        seen.push_back(fmt::format("/{}:{}", scope, span.in(text)));
    }
    void scalar(int scope, std::string_view key, Kind, Span span) {
        seen.push_back(fmt::format("{}:{}={}", scope, key, span.in(text)));
    }
};

Result<void> check(std::string_view text, Duplicates duplicates = Duplicates::refused) {
    Scratch scratch;
    Recorder recorder{text, {}};
    return scan(text, duplicates, scratch, recorder);
}

TEST(JsonScanner, TellsEveryValueOfTheScopesItWasAskedFor) {
    const std::string_view text =
        R"( {"a" : 1, "b":{"c":[true,{"d":null}],"e\u0066":"x"}, "g":[] } )";
    Scratch scratch;
    Recorder recorder{text, {}};
    ASSERT_TRUE(scan(text, Duplicates::refused, scratch, recorder));
    const std::vector<std::string> want = {
        "1:{",
        "2:a=1",
        "2:b{",
        "3:c[",
        "3:ef=\"x\"",
        R"(/3:{"c":[true,{"d":null}],"e\u0066":"x"})",
        "2:g[",
        "/3:[]",
        R"(/2:{"a" : 1, "b":{"c":[true,{"d":null}],"e\u0066":"x"}, "g":[] })",
    };
    EXPECT_EQ(recorder.seen, want);
}

TEST(JsonScanner, AcceptsWhatTheGrammarAllows) {
    for (const std::string_view good : {"0",
                                        "-0",
                                        "-1.5e+10",
                                        "1E5",
                                        "\"\"",
                                        R"("\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00")",
                                        R"("\ud800")",
                                        "\"\x7f\"",
                                        "\"\xf0\x9f\x98\x80\"",
                                        "true",
                                        "null",
                                        "[]",
                                        "{}",
                                        "[[],{}]",
                                        "[1 , 2]",
                                        "\t\n\r {\"a\":\n1}\n",
                                        R"({"":0})",
                                        R"({"a\u0000b":1,"a":2})",
                                        R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"}) {
        const auto result = check(good);
        EXPECT_TRUE(result) << good << ": " << (result ? "" : result.error().message());
    }
}

struct BadCase {
    std::string text;
    std::size_t offset;
};
TEST(JsonScanner, RefusesEverythingElseAndSaysWhere) {
    const BadCase cases[] = {
        {"", 0},
        {" ", 1},
        {"{", 1},
        {"[", 1},
        {"[1", 2},
        {"[1,", 3},
        {"[1,]", 3},
        {"[,1]", 1},
        {"[1 2]", 3},
        {"{\"a\"}", 4},
        {"{\"a\":}", 5},
        {"{\"a\":1,}", 7},
        {"{a:1}", 1},
        {"{'a':1}", 1},
        {"{\"a\":1]", 6},
        {"[1}", 2},
        {"}", 0},
        {"tru", 0},
        {"truE", 0},
        {"nul", 0},
        {"+1", 0},
        {"01", 1},
        {"1.", 0},
        {".5", 0},
        {"-", 0},
        {"1e", 0},
        {"0x1", 1},
        {"NaN", 0},
        {"Infinity", 0},
        {"\"", 1},
        {"\"a", 2},
        {"\"\\x\"", 1},
        {"\"\\u12g4\"", 1},
        {"\"\\", 1},
        {"\"a\nb\"", 2},
        {"\"a\tb\"", 2},
        {std::string("\"a\0b\"", 5), 2},
        {"1 2", 2},
        {"{} x", 3},
        {"/**/1", 0},
        {"\xef\xbb\xbf{}", 0},
        {"\"\xff\"", 1},
        {"\"ab\xc3\"", 3},
        {"\"\xed\xa0\x80\"", 1},
        {"\"0123456789abcdef0123456789abcdef\xc0\xaf\"", 33},
        {R"({"a":1,"a":2})", 8},
        {R"({"a":1,"\u0061":2})", 8},
        {R"({"b":{"x":1,"x":2}})", 13},
    };
    for (const auto& c : cases) {
        const auto result = check(c.text);
        ASSERT_FALSE(result) << c.text;
        EXPECT_EQ(result.error().code(), Code::invalid_json);
        EXPECT_NE(result.error().message().find(fmt::format("at byte {}.", c.offset)),
                  std::string::npos)
            << c.text << ": " << result.error().message();
    }
}

TEST(JsonScanner, DepthEndsAtSixtyFour) {
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(check(nested(kDepthMax)));
    EXPECT_FALSE(check(nested(kDepthMax + 1)));
    EXPECT_FALSE(check(std::string(100'000, '[')));
}

TEST(JsonScanner, FindsADuplicateAmongManyKeysAndAllowsItWhereAsked) {
    std::string text = "{";
    for (int i = 0; i < 5000; ++i) {
        text += fmt::format("\"key{}\":{{\"a\":1,\"b\":2}},", i);
    }
    EXPECT_TRUE(check(text + "\"last\":0}"));
    EXPECT_FALSE(check(text + "\"key17\":0}"));
    EXPECT_TRUE(check(text + "\"key17\":0}", Duplicates::allowed));
}

TEST(JsonScanner, ManyLargeObjectsInsideOneAnotherStayLinear) {
    // Quadratic behaviour here would run into the hang guard.
    std::string inner = "{";
    for (int i = 0; i < 20; ++i) {
        inner += fmt::format("{}\"k{}\":0", i == 0 ? "" : ",", i);
    }
    inner += "}";
    std::string text = "{";
    for (int i = 0; i < 50'000; ++i) {
        text += fmt::format("{}\"o{}\":{}", i == 0 ? "" : ",", i, inner);
    }
    EXPECT_TRUE(check(text + "}"));
    EXPECT_FALSE(check(text + ",\"o49999\":1}"));
}

TEST(JsonScanner, CountsKeysOfOneObject) {
    const auto object = [](std::size_t keys) {
        std::string text = "{";
        for (std::size_t i = 0; i < keys; ++i) {
            text += fmt::format("{}\"{}\":0", i == 0 ? "" : ",", i);
        }
        return text + "}";
    };
    EXPECT_TRUE(check(object(kKeysMax)));
    EXPECT_FALSE(check(object(kKeysMax + 1)));
}

TEST(JsonValue, IntegersAreWholeAndFit) {
    EXPECT_EQ(read_integer("0"), 0);
    EXPECT_EQ(read_integer("-12"), -12);
    EXPECT_EQ(read_integer("9223372036854775807"), 9223372036854775807);
    for (const auto* bad : {"9223372036854775808", "1.0", "1e3", ""}) {
        EXPECT_EQ(read_integer(bad), std::nullopt) << bad;
    }
}

TEST(JsonValue, EscapedTextComesBack) {
    std::string all;
    for (int c = 0; c < 0x80; ++c) {
        all.push_back(static_cast<char>(c));
    }
    all += "\xc3\xa9\xf0\x9f\x98\x80";
    std::string quoted = "\"";
    append_escaped(quoted, all);
    quoted += "\"";
    EXPECT_TRUE(check(quoted));
    EXPECT_EQ(read_string(quoted), all);
    EXPECT_EQ(read_string(R"("\ud83d\ude00\ud800x")"), "\xf0\x9f\x98\x80\xef\xbf\xbdx");
}

TEST(JsonSplice, ChangesItsPlacesAndNothingElse) {
    Splice splice(R"({"model":"a","n":1})");
    splice.replace({1, 0}, "\"x\":0,");
    splice.replace({9, 3}, "\"longer\"");
    EXPECT_EQ(splice.str(), R"({"x":0,"model":"longer","n":1})");
    EXPECT_EQ(splice.size(), splice.str().size());
}

TEST(JsonValue, IsCompactedOutsideItsStrings) {
    EXPECT_EQ(compacted("{\n  \"a b\": [1.50,\t\"x \\\" y\", \"\\\\\" ],\r\n \"c\" : null }"),
              R"({"a b":[1.50,"x \" y","\\"],"c":null})");
    EXPECT_EQ(compacted(""), "");
}

}  // namespace
}  // namespace weir::dialect::json
