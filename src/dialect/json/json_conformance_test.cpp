// What is JSON and what is not, in the manner of JSONTestSuite: texts that must be accepted, texts
// that must be refused with the offset of the fault, and texts that RFC 8259 leaves open. Then the
// same question put to a second parser over mutated documents.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "dialect/json/scanner.h"

namespace weir::dialect::json {
namespace {

using Tree = nlohmann::json;
using namespace std::string_literals;

struct Silent {
    int open(int, std::string_view, Kind) { return kIgnored; }
    void close(int, Span) {}
    void scalar(int, std::string_view, Kind, Span) {}
};

Result<void> check(std::string_view text, Duplicates duplicates = Duplicates::refused) {
    static Scratch scratch;  // one for all, as a call thread has it: nothing may be left in it
    // Of exactly this size, so that ASan sees a read beyond it.
    const std::vector<char> exact(text.begin(), text.end());
    Silent visitor;
    return scan({exact.data(), exact.size()}, duplicates, scratch, visitor);
}

// nullopt: accepted.
std::optional<std::size_t> fault_of(std::string_view text) {
    const auto result = check(text);
    if (result) {
        return std::nullopt;
    }
    EXPECT_EQ(result.error().code(), Code::invalid_json);
    const std::string_view message = result.error().message();
    return std::stoul(std::string(message.substr(message.rfind(' ') + 1)));
}

const std::string kAccepted[] = {
    // numbers
    "0",
    "-0",
    "1",
    "-1",
    "10",
    "1234567890",
    "0.0",
    "-0.0",
    "0.5",
    "-0.5",
    "1.0625",
    "0e0",
    "0e1",
    "0E+1",
    "0e-1",
    "1e1",
    "1E1",
    "1e+1",
    "1E-1",
    "1e01",
    "1e00",
    "1.5e10",
    "-1.5E-10",
    "123e65",
    "0.000000000000000000000000000000000000000000000000000000000000000000000001",
    "18446744073709551616",
    "-9223372036854775809",
    "[ 4]",
    "[-0]",
    "[1,-2,3.5,4e5]",
    // strings and escapes
    R"("")",
    R"(" ")",
    R"("a")",
    R"("\"")",
    R"("\\")",
    R"("\/")",
    R"("\b\f\n\r\t")",
    R"("\u0000")",
    R"("\u001f")",
    R"("\u0020")",
    R"("\u00e9")",
    R"("\u00E9")",
    R"("\uABCD")",
    R"("\uabcd")",
    R"("\uffff")",
    R"("\ufdd0")",
    R"("\u2028\u2029")",
    R"("\u200b\u2060\ufeff")",
    R"("\ud83d\ude00")",
    R"("\uD83D\uDE00")",
    R"("\ud800\udc00")",
    R"("\udbff\udfff")",
    R"("\\u0061")",
    R"("\\\\")",
    R"("\\\"")",
    R"("\\n")",
    R"("/")",
    R"("'")",
    R"("/* no comment */")",
    R"("{[,:]}")",
    R"("0123456789abcdef0123456789abcdef\n0123456789abcdef")",
    "\"\x7f\"",
    "\"\xc2\x80\"",
    "\"\xc3\xa9\"",
    "\"\xdf\xbf\"",
    "\"\xe0\xa0\x80\"",
    "\"\xe2\x82\xac\"",
    "\"\xe2\x80\xa8\xe2\x80\xa9\"",
    "\"\xed\x9f\xbf\"",
    "\"\xee\x80\x80\"",
    "\"\xef\xbb\xbf\"",
    "\"\xef\xbf\xbd\"",
    "\"\xef\xbf\xbf\"",
    "\"\xf0\x90\x80\x80\"",
    "\"\xf0\x9f\x98\x80\"",
    "\"\xf4\x8f\xbf\xbf\"",
    // words
    "true",
    "false",
    "null",
    "[true,false,null]",
    // structures
    "[]",
    "{}",
    "[[]]",
    "[{}]",
    "[[],[]]",
    "[[[[[]]]]]",
    "[1,[2,[3]],4]",
    R"([""])",
    R"({"":0})",
    R"({"a":[]})",
    R"({"a":{}})",
    R"({"a":{"b":{"c":null}}})",
    R"({"a":1,"b":2})",
    R"({"a":1,"A":2})",
    R"({"a":1,"a ":2})",
    R"({"a":{"a":1},"b":{"a":1}})",
    R"([{"a":1},{"a":1}])",
    R"({"a\u0000b":1,"a":2,"a\u0000":3})",
    R"({"\u00e9":1,"e":2})",
    "{\"\xc3\xa9\":1,\"\xc3\xaa\":2}",
    R"({"é":1,"e\u0301":2})",
    R"({"true":true,"null":null})",
    // white space
    " 1",
    "1 ",
    " [] ",
    "\t[]\t",
    "\n[]\n",
    "\r[]\r",
    "\r\n{ }\r\n",
    "[\n]",
    "[ ]",
    "{ }",
    " [ 1 , 2 ] ",
    " { \"a\" : 1 , \"b\" : 2 } ",
    "{\t\"a\"\r\n:\n\t1\n}",
    std::string(1000, ' ') + "1" + std::string(1000, '\n'),
};

struct Refused {
    std::string text;
    std::size_t fault;
};

const Refused kRefused[] = {
    // nothing, or not a value
    {"", 0},
    {" ", 1},
    {"\r\n\t ", 4},
    {"a", 0},
    {"*", 0},
    {",", 0},
    {":", 0},
    {"]", 0},
    {"}", 0},
    {"\\", 0},
    {"'a'", 0},
    {"`a`", 0},
    {"<null>", 0},
    {"undefined", 0},
    {"\0"s, 0},
    {"\x7f", 0},
    {"\xc3\xa9", 0},
    {"\xe2\x81\xa0", 0},
    {"\xef\xbb\xbf", 0},
    {"\xef\xbb\xbf{}", 0},
    {"\xc2\xa0[]", 0},
    {"\xc2\x85[]", 0},
    {"\v[]", 0},
    {"\f[]", 0},
    // numbers
    {"-", 0},
    {"+", 0},
    {"+1", 0},
    {"--1", 0},
    {"-+1", 0},
    {"-a", 0},
    {"- 1", 0},
    {".5", 0},
    {"-.5", 0},
    {".", 0},
    {"1.", 0},
    {"-1.", 0},
    {"1.e1", 0},
    {"0.e1", 0},
    {"1.2.3", 3},
    {"1..2", 0},
    {"1.-2", 0},
    {"00", 1},
    {"01", 1},
    {"-00", 2},
    {"-01", 2},
    {"-012", 2},
    {"1e", 0},
    {"1E", 0},
    {"1e+", 0},
    {"1e-", 0},
    {"0e", 0},
    {"0e+-1", 0},
    {"1ee1", 0},
    {"1e1e1", 3},
    {"1e1.5", 3},
    {"1e1-", 3},
    {"1+2", 1},
    {"1-2", 1},
    {"0x1", 1},
    {"0b1", 1},
    {"0o7", 1},
    {"1_000", 1},
    {"1,000", 1},
    {"1 000", 2},
    {"1a", 1},
    {"1f", 1},
    {"1L", 1},
    {"1n", 1},
    {"1\xc3\xa9", 1},
    {"1\0"s, 1},
    {"NaN", 0},
    {"-NaN", 0},
    {"nan", 0},
    {"Infinity", 0},
    {"-Infinity", 0},
    {"Inf", 0},
    {"\xef\xbc\x91", 0},
    {"[-]", 1},
    {"[- 1]", 1},
    {"[1.]", 1},
    {"[+1]", 1},
    {"[.5]", 1},
    {"[01]", 2},
    {"[0 1]", 3},
    {"[1e]", 1},
    {"{\"a\":-}", 5},
    {"{\"a\":01}", 6},
    {"{\"a\":1.}", 5},
    // words
    {"t", 0},
    {"tru", 0},
    {"True", 0},
    {"TRUE", 0},
    {"trUe", 0},
    {"truee", 4},
    {"true1", 4},
    {"truefalse", 4},
    {"f", 0},
    {"fals", 0},
    {"False", 0},
    {"falsey", 5},
    {"n", 0},
    {"nul", 0},
    {"Null", 0},
    {"nil", 0},
    {"None", 0},
    {"nulll", 4},
    {"[nul]", 1},
    {"[tru,1]", 1},
    {"{\"a\":fals}", 5},
    // strings and escapes
    {"\"", 1},
    {"\"a", 2},
    {"\"\\", 1},
    {"\"\\\"", 3},
    {"\"\\\\\"\"", 4},
    {"\"\\a\"", 1},
    {"\"\\0\"", 1},
    {"\"\\x41\"", 1},
    {"\"\\'\"", 1},
    {"\"\\ \"", 1},
    {"\"\\\n\"", 1},
    {"\"\\\0\""s, 1},
    {"\"\\N\"", 1},
    {"\"\\U0041\"", 1},
    {"\"\\u\"", 1},
    {"\"\\u1\"", 1},
    {"\"\\u12\"", 1},
    {"\"\\u123\"", 1},
    {"\"\\u123g\"", 1},
    {"\"\\u12 4\"", 1},
    {"\"\\u+123\"", 1},
    {"\"\\u-123\"", 1},
    {"\"\\u{41}\"", 1},
    {"\"\\u004\x31\\uD8\"", 7},
    {"\"ab\\q\"", 3},
    {"\"\\ud83d\\u12\"", 7},
    {"\"\\ud83d\\\"", 9},
    {"\"\\\xc3\xa9\"", 1},
    {"\"\\u00\xc3\xa9\"", 1},
    {"\"a\"b\"", 3},
    {"\"a\" \"b\"", 4},
    {"\"\"\"", 2},
    {"'a'", 0},
    {"[\"a", 3},
    {"[\"a\"\"b\"]", 4},
    {"[\"a\nb\"]", 3},
    {"\"\t\"", 1},
    {"\"\n\"", 1},
    {"\"\r\n\"", 1},
    {"\"0123456789abcdef\x1f\"", 17},
    {"\"0123456789abcdef0123456789abcde\\v\"", 32},
    // UTF-8: the first byte of what is no character, wherever it stands
    {"\"\x80\"", 1},
    {"\"\xbf\"", 1},
    {"\"\xc0\xaf\"", 1},
    {"\"\xc1\xbf\"", 1},
    {"\"\xc3\"", 1},
    {"\"\xc3(\"", 1},
    {"\"\xe0\x80\x80\"", 1},
    {"\"\xe0\x9f\xbf\"", 1},
    {"\"\xe2\x82\"", 1},
    {"\"\xe2(\xa1\"", 1},
    {"\"\xe2\x82(\"", 1},
    {"\"\xed\xa0\x80\"", 1},
    {"\"\xed\xbf\xbf\"", 1},
    {"\"\xed\xa0\xbd\xed\xb8\x80\"", 1},
    {"\"\xf0\x80\x80\x80\"", 1},
    {"\"\xf0\x8f\xbf\xbf\"", 1},
    {"\"\xf0\x9f\x98\"", 1},
    {"\"\xf0(\x8c\xbc\"", 1},
    {"\"\xf0\x90(\xbc\"", 1},
    {"\"\xf0\x90\x8c(\"", 1},
    {"\"\xf4\x90\x80\x80\"", 1},
    {"\"\xf5\x80\x80\x80\"", 1},
    {"\"\xf8\x88\x80\x80\x80\"", 1},
    {"\"\xfc\x84\x80\x80\x80\x80\"", 1},
    {"\"\xfe\"", 1},
    {"\"\xff\"", 1},
    {"\"abc\xc3\xa9\xff\"", 6},
    {"\"\xc3\xa9\xe2\x82\xac\x80\"", 6},
    {"{\"\xff\":0}", 2},
    {"[\xff]", 1},
    {"\xff\xfe[\0]\0"s, 0},
    {"\xfe\xff\0[\0]"s, 0},
    {"[\0]\0"s, 1},
    {"1\xff", 1},
    {"x \xff", 2},  // the whole text is looked through for UTF-8 before its grammar
    // arrays
    {"[", 1},
    {"[ ", 2},
    {"[1", 2},
    {"[1 ", 3},
    {"[1,", 3},
    {"[1, ", 4},
    {"[,", 1},
    {"[,]", 1},
    {"[,1]", 1},
    {"[1,]", 3},
    {"[1, ]", 4},
    {"[1,,2]", 3},
    {"[1 2]", 3},
    {"[1;2]", 2},
    {"[1:2]", 2},
    {"[\"a\":1]", 4},
    {"[1}", 2},
    {"[}", 1},
    {"[[]", 3},
    {"[[1]", 4},
    {"[]]", 2},
    {"[][]", 2},
    {"[],", 2},
    {"[1]x", 3},
    {"[a]", 1},
    {"[{]", 2},
    {"[\v1]", 1},
    {"[\f]", 1},
    {"[1\xc2\xa0]", 2},
    {"[\xef\xbb\xbf]", 1},
    {"[1]\0"s, 3},
    // objects
    {"{", 1},
    {"{ ", 2},
    {"{\"a\"", 4},
    {"{\"a\" ", 5},
    {"{\"a\":", 5},
    {"{\"a\":1", 6},
    {"{\"a\":1,", 7},
    {"{\"a\":1, ", 8},
    {"{,}", 1},
    {"{\"a\"}", 4},
    {"{\"a\":}", 5},
    {"{\"a\":,}", 5},
    {"{\"a\",1}", 4},
    {"{\"a\" 1}", 5},
    {"{\"a\"::1}", 5},
    {"{\"a\"=1}", 4},
    {"{:1}", 1},
    {"{\"a\":1,}", 7},
    {"{\"a\":1,,\"b\":2}", 7},
    {"{\"a\":1 \"b\":2}", 7},
    {"{\"a\":1;\"b\":2}", 6},
    {"{\"a\":1 2}", 7},
    {"{\"a\":1]", 6},
    {"{]", 1},
    {"{[1]:2}", 1},
    {"{{}:2}", 1},
    {"{1:1}", 1},
    {"{null:1}", 1},
    {"{a:1}", 1},
    {"{'a':1}", 1},
    {"{\"a\":1}}", 7},
    {"{\"a\":1}{", 7},
    {"{}{}", 2},
    {"{} 1", 3},
    {"{\"\\q\":1}", 2},
    {"{\"a\n\":1}", 3},
    {"{\"a\":{\"b\":}}", 10},
    {"{\"a\":[1,{\"b\":2,}]}", 15},
    {"{\"a\":\"b\"\"c\":1}", 8},
    // comments and other dialects
    {"//x\n1", 0},
    {"/**/1", 0},
    {"1//x", 1},
    {"1/**/", 1},
    {"1#x", 1},
    {"[1,/**/2]", 3},
    {"{/**/}", 1},
    {"{\"a\":/**/1}", 5},
    {"...", 0},
    {"[...]", 1},
    {"{\"a\":1,...}", 7},
    {"1 2", 2},
    {"1\n2", 2},
    {"\"a\"\n\"b\"", 4},
    {"\x1e{}", 0},
};

// What RFC 8259 leaves to the parser; Weir's rule and its reason.
struct Open {
    std::string text;
    std::optional<std::size_t> fault;
    std::string_view why;
};
const Open kOpen[] = {
    {R"("\ud800")", {}, "a lone surrogate is grammar; unescaped it is U+FFFD"},
    {R"("\udc00")", {}, "so is the second half alone"},
    {R"("\ud800\ud800")", {}, "and two first halves"},
    {R"("\ude00\ud83d")", {}, "and the halves the wrong way round"},
    {R"("\ud83dx\ude00")", {}, "and halves apart"},
    {R"({"\ud800":1,"\ud801":2})", 13, "two lone surrogates are the same key: both are U+FFFD"},
    {R"({"a":1,"a":2})", 8, "duplicate keys are read in two ways by two programs"},
    {R"({"a":1,"\u0061":2})", 8, "also when they are spelled in two ways"},
    {"{\"\xc3\xa9\":1,\"\\u00e9\":2}", 9, "also beyond ASCII"},
    {R"({"":1,"":2})", 7, "also when they are empty"},
    {"1e400", {}, "numbers are passed on as they are written: nothing overflows here"},
    {"-1e400", {}, "as above"},
    {"1e-400", {}, "as above"},
    {"1" + std::string(1000, '0'), {}, "as above"},
    {std::string(64, '[') + std::string(64, ']'), {}, "64 levels"},
    {std::string(65, '[') + std::string(65, ']'), 64, "and no more"},
    {std::string(100'000, '['), 64, "without recursion"},
    {std::string(32, '[') + "{\"a\":" + std::string(32, '[') + "0", 37 + 31, "objects count too"},
};

TEST(JsonConformance, AcceptsEveryValidText) {
    for (const auto& text : kAccepted) {
        EXPECT_EQ(fault_of(text), std::nullopt) << testing::PrintToString(text);
        EXPECT_EQ(fault_of(" [" + text + "]"), std::nullopt) << testing::PrintToString(text);
        EXPECT_EQ(fault_of("{\"a\":" + text + "}"), std::nullopt) << testing::PrintToString(text);
    }
    EXPECT_GE(std::size(kAccepted) + std::size(kRefused) + std::size(kOpen), 200u);
}

TEST(JsonConformance, RefusesEveryOtherTextAtItsFault) {
    for (const auto& [text, fault] : kRefused) {
        EXPECT_EQ(fault_of(text), fault) << testing::PrintToString(text);
        // Nor is it part of a larger text.
        const std::string inside = R"({"k":[0,{"k":)" + text;
        EXPECT_NE(fault_of(inside + "}]}"), std::nullopt) << testing::PrintToString(text);
    }
}

TEST(JsonConformance, IsOfOneMindWhereTheStandardIsNot) {
    for (const auto& [text, fault, why] : kOpen) {
        EXPECT_EQ(fault_of(text), fault) << testing::PrintToString(text) << ": " << why;
    }
}

TEST(JsonConformance, EveryByteThatBeginsNoValueIsRefusedWhereItStands) {
    const std::string_view begins = "{[\"tfn-0123456789 \t\r\n";
    for (unsigned value = 0; value < 256; ++value) {
        const std::string byte(1, static_cast<char>(value));
        if (begins.find(byte) != std::string_view::npos) {
            continue;
        }
        EXPECT_EQ(fault_of(byte), 0u) << value;
        EXPECT_EQ(fault_of("[" + byte + "]"), value == ']' ? std::optional<std::size_t>(2) : 1u)
            << value;
        EXPECT_EQ(fault_of("{\"a\":" + byte + "}"), 5u) << value;
    }
}

TEST(JsonConformance, EightLettersMayBeEscapedAndNoOtherByte) {
    for (unsigned value = 0; value < 256; ++value) {
        const char byte = static_cast<char>(value);
        const std::string text = std::string("[\"ab\\") + byte + "0041\"]";
        const bool is_escape = std::string_view("\"\\/bfnrtu").find(byte) != std::string_view::npos;
        if (byte == '"') {
            EXPECT_EQ(fault_of(text), std::nullopt);
        } else if (value >= 0x80) {
            EXPECT_EQ(fault_of(text), 5u) << value;  // no UTF-8
        } else {
            EXPECT_EQ(fault_of(text), is_escape ? std::nullopt : std::optional<std::size_t>(4))
                << value;
        }
    }
}

TEST(JsonConformance, WhatEndsAStringIsSeenAtEveryPlaceOfABlock) {
    // The scanner takes 16 bytes at a time: each place of two blocks and a rest.
    for (std::size_t before = 0; before <= 40; ++before) {
        for (const std::size_t after : {0, 1, 7, 15, 16, 17, 33}) {
            const std::string a(before, 'a');
            const std::string b(after, 'b');
            for (unsigned control = 0; control < 0x20; ++control) {
                EXPECT_EQ(fault_of('"' + a + static_cast<char>(control) + b + '"'), before + 1);
            }
            EXPECT_EQ(fault_of('"' + a + "\\q" + b + '"'), before + 1);
            EXPECT_EQ(fault_of('"' + a + "\xff" + b + '"'), before + 1);
            EXPECT_EQ(fault_of('"' + a + '"' + b),
                      b.empty() ? std::nullopt : std::optional(before + 2));
            EXPECT_EQ(fault_of('"' + a + "\\\"" + b), before + after + 3);
            EXPECT_EQ(fault_of('"' + a + "\x7f\x20\\n" + b + '"'), std::nullopt);
        }
    }
}

// The characters of UTF-8 by arithmetic: the bytes one takes at `at`, 0 where there is none.
std::size_t character_at(std::string_view text, std::size_t at) {
    const auto byte = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(at);
    if (lead < 0x80) {
        return 1;
    }
    const std::size_t size = lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
    if (size == 0 || at + size > text.size()) {
        return 0;
    }
    std::uint32_t point = lead & (0x7f >> size);
    for (std::size_t i = 1; i < size; ++i) {
        if (byte(at + i) >> 6 != 2) {
            return 0;
        }
        point = point << 6 | (byte(at + i) & 0x3f);
    }
    const std::uint32_t least = size == 2 ? 0x80 : size == 3 ? 0x800 : 0x10000;
    const bool is_surrogate = point >= 0xd800 && point < 0xe000;
    return point >= least && point <= 0x10ffff && !is_surrogate ? size : 0;
}

std::optional<std::size_t> utf8_fault(std::string_view text) {
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t size = character_at(text, at);
        if (size == 0) {
            return at;
        }
        at += size;
    }
    return std::nullopt;
}

TEST(JsonConformance, KnowsUtf8AtEveryEdgeOfItsTable) {
    const unsigned char edges[] = {0x20, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff};
    std::string text;
    const auto expect_same = [&text] {
        const std::string quoted = '"' + text + '"';
        ASSERT_EQ(fault_of(quoted), utf8_fault(quoted)) << testing::PrintToString(quoted);
    };
    for (unsigned lead = 0x80; lead < 0x100; ++lead) {
        for (unsigned second = 0x23; second < 0x100; ++second) {
            if (second != '\\') {
                text = {static_cast<char>(lead), static_cast<char>(second)};
                expect_same();
            }
        }
        for (const auto second : edges) {
            for (const auto third : edges) {
                text = {
                    static_cast<char>(lead), static_cast<char>(second), static_cast<char>(third)};
                expect_same();
                for (const auto fourth : edges) {
                    text.resize(3);
                    text += static_cast<char>(fourth);
                    expect_same();
                }
            }
        }
    }
}

TEST(JsonConformance, FindsTheFirstFaultOfALongText) {
    // The place is found by halving: every place, in text of one to four bytes a character.
    for (const std::string_view character : {"a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
        std::string good;
        for (int i = 0; i < 100; ++i) {
            good += character;
        }
        for (std::size_t at = 0; at <= good.size(); at += character.size()) {
            for (const std::string_view bad :
                 {"\xff", "\x80", "\x80\x80\x80\x80\x80", "\xe2\x82"}) {
                const std::string text =
                    '"' + good.substr(0, at) + std::string(bad) + good.substr(at) + "\xff" + '"';
                ASSERT_EQ(fault_of(text), at + 1) << testing::PrintToString(text);
            }
        }
    }
}

// A document in pieces, each with what is said where the text ends inside it.
struct Piece {
    enum class Ends { anywhere, whole_only, as_number } ends;
    std::string_view text;
};

TEST(JsonConformance, EveryTruncationIsAFaultOfWhatIsUnfinished) {
    using enum Piece::Ends;
    const Piece pieces[] = {
        {anywhere, " {\"name"},
        {whole_only, "\\u00e9"},
        {whole_only, "\xc3\xa9"},
        {anywhere, "\" : \"va"},
        {whole_only, "\\n"},
        {anywhere, "lue "},
        {whole_only, "\\ud83d"},
        {whole_only, "\\ude00"},
        {whole_only, "\xf0\x9f\x98\x80"},
        {anywhere, "\", \"n\":["},
        {as_number, "-12.50e+07"},
        {anywhere, " , "},
        {whole_only, "true"},
        {anywhere, ","},
        {whole_only, "false"},
        {anywhere, ", "},
        {whole_only, "null"},
        {anywhere, ",[],{},[{\"a\":["},
        {as_number, "0.5"},
        {anywhere, "]}]],\"\":\""},
        {whole_only, "\xe2\x82\xac"},
        {anywhere, "\"} "},
    };
    std::string text;
    for (const auto& piece : pieces) {
        for (std::size_t size = 0; size < piece.text.size(); ++size) {
            const std::string_view part = piece.text.substr(0, size);
            const bool is_whole = piece.ends == anywhere || size == 0 ||
                                  (piece.ends == as_number && Tree::accept(part));
            const std::string cut = text + std::string(part);
            if (cut.ends_with('}') && piece.text == pieces[std::size(pieces) - 1].text) {
                continue;  // only the last blank is missing
            }
            EXPECT_EQ(fault_of(cut), is_whole ? cut.size() : text.size())
                << testing::PrintToString(cut);
        }
        text += piece.text;
    }
    EXPECT_EQ(fault_of(text), std::nullopt);
    EXPECT_TRUE(Tree::accept(text));
}

}  // namespace
}  // namespace weir::dialect::json
