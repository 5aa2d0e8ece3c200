// The scanner against a second parser over mutated documents: of one mind about what is JSON and
// what is in it, but for the differences that are named here.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <vector>

#include "dialect/json/scanner.h"

namespace weir::dialect::json {
namespace {

using Tree = nlohmann::json;
using namespace std::string_view_literals;

// Builds a tree of what the scanner tells.
struct Builder {
    std::string_view text;
    Tree root = Tree();
    std::vector<Tree> open_{};
    std::vector<std::string> keys_{};

    int open(int, std::string_view key, Kind kind) {
        open_.push_back(kind == Kind::object ? Tree::object() : Tree::array());
        keys_.emplace_back(key);
        return 2;
    }
    void close(int, Span span) {
        EXPECT_TRUE(span.in(text).front() == '{' || span.in(text).front() == '[');
        Tree value = std::move(open_.back());
        const std::string key = std::move(keys_.back());
        open_.pop_back();
        keys_.pop_back();
        put(key, std::move(value));
    }
    void scalar(int, std::string_view key, Kind, Span span) {
        put(key, Tree::parse(span.in(text), nullptr, false));
    }
    void put(std::string_view key, Tree value) {
        if (open_.empty()) {
            root = std::move(value);
        } else if (open_.back().is_object()) {
            open_.back()[std::string(key)] = std::move(value);
        } else {
            open_.back().push_back(std::move(value));
        }
    }
};

// Why the other parser refuses.
struct Reason : nlohmann::json_sax<Tree> {
    bool is_surrogate = false, is_overflow = false;
    bool null() override { return true; }
    bool boolean(bool) override { return true; }
    bool number_integer(number_integer_t) override { return true; }
    bool number_unsigned(number_unsigned_t) override { return true; }
    bool number_float(number_float_t, const string_t&) override { return true; }
    bool string(string_t&) override { return true; }
    bool binary(binary_t&) override { return true; }
    bool start_object(std::size_t) override { return true; }
    bool key(string_t&) override { return true; }
    bool end_object() override { return true; }
    bool start_array(std::size_t) override { return true; }
    bool end_array() override { return true; }
    bool parse_error(std::size_t, const std::string&, const Tree::exception& error) override {
        is_surrogate = std::string_view(error.what()).find("surrogate") != std::string_view::npos;
        is_overflow = error.id == 406;
        return false;
    }
};

const std::string_view kSeeds[] = {
    R"({"model":"m","messages":[{"role":"user","content":"What does a weir do?"}],"stream":true})",
    R"({"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a\n\"b\"\\c"}]}]})",
    R"([0,-0,1.5,-2.25e+10,1E-5,18446744073709551615,-9223372036854775808,0.1e1])",
    R"("\u0041\u00e9\u20ac\ud83d\ude00\b\f\n\r\t\/\\\"")",
    "{\"k\xc3\xa9y\":\"\xe2\x82\xac \xf0\x9f\x98\x80\",\"\":[\"\x7f\",\"'\"]}",
    "\r\n\t [ { } , [ ] , { \"a\" : [ true , false , null ] } ]\n",
    R"({"a":{"b":{"c":{"d":[[[[[[1],2],3],4],5],6]}}},"e":"0123456789abcdef0123456789abcdef"})",
    R"([true,false,null,"true",{"false":false,"null":null}])",
    R"({"tools":[{"type":"function","function":{"parameters":{"type":"object"}}}],"n":1})",
    "1",
    "\"x\"",
};

// One to three small changes: most results are broken at one place, some are still JSON.
class Mutator {
public:
    explicit Mutator(std::uint64_t seed) : random_(seed) {}

    std::string next() {
        std::string text(kSeeds[below(std::size(kSeeds))]);
        for (std::size_t changes = 1 + below(3); changes > 0; --changes) {
            change(text);
        }
        return text;
    }

private:
    std::size_t below(std::size_t n) { return random_() % n; }

    void change(std::string& text) {
        static constexpr std::string_view kTelling =
            "{}[]\",:\\/ubfnrtse+-.019aAeE "
            "\t\r\n\0\x1f\x7f\x80\xbf\xc3\xa9\xe2\x82\xed\xa0\xf0\xff"sv;
        static constexpr std::string_view kBits[] = {"\\ud800",
                                                     "\\udc00",
                                                     "\\u0000",
                                                     "null",
                                                     "-0",
                                                     "1e5",
                                                     "e9",
                                                     "[",
                                                     "]",
                                                     "{\"a\":",
                                                     "}",
                                                     ",",
                                                     "\"\"",
                                                     "\\\\",
                                                     "\xef\xbb\xbf",
                                                     "\xc3\xa9",
                                                     "\xed\xa0\x80"};
        const std::size_t at = below(text.size() + 1);
        const std::size_t size = std::min(below(8), text.size() - at);
        const char byte = kTelling[below(kTelling.size())];
        switch (below(7)) {
            case 0:
                text.insert(at, 1, byte);
                return;
            case 1:
                text.replace(at, at < text.size() ? 1 : 0, 1, byte);
                return;
            case 2:
                text.erase(at, size);
                return;
            case 3:
                text.insert(at, std::string(text, at, size));
                return;
            case 4:
                text.insert(at, kBits[below(std::size(kBits))]);
                return;
            case 5:
                text.resize(at);
                return;
            case 6: {
                const std::string_view other = kSeeds[below(std::size(kSeeds))];
                const std::size_t from = below(other.size());
                text.insert(at, other.substr(from, 1 + below(12)));
                return;
            }
        }
    }

    std::mt19937_64 random_;
};

TEST(JsonDifferential, AgreesWithAnotherParserOnMutatedDocuments) {
    constexpr std::uint64_t kSeed = 20'261'121;
    constexpr int kRounds = 200'000;
    Mutator mutator(kSeed);
    int both = 0, neither = 0, surrogates = 0, overflows = 0, nuls = 0, boms = 0;
    for (int round = 0; round < kRounds; ++round) {
        const std::string text = mutator.next();
        Scratch scratch;
        Builder builder{.text = text};
        // Duplicate keys are grammar for the other one.
        const bool ours = scan(text, Duplicates::allowed, scratch, builder).has_value();
        const bool theirs = Tree::accept(text);
        if (ours && theirs) {
            ++both;
            ASSERT_EQ(builder.root, Tree::parse(text))
                << round << ": " << testing::PrintToString(text);
        } else if (!ours && !theirs) {
            ++neither;
        } else if (ours) {
            // It turns strings and numbers into values at once: half a character and what no double
            // holds have none. Weir passes both on as they are written.
            Reason reason;
            Tree::sax_parse(text, &reason);
            ASSERT_TRUE(reason.is_surrogate || reason.is_overflow)
                << round << ": " << testing::PrintToString(text);
            ++(reason.is_surrogate ? surrogates : overflows);
        } else {
            // It takes a NUL for the end of the text, and skips a byte order mark.
            const bool has_nul = text.find('\0') != std::string::npos;
            ASSERT_TRUE(has_nul || text.starts_with("\xef\xbb\xbf"))
                << round << ": " << testing::PrintToString(text);
            ++(has_nul ? nuls : boms);
        }
    }
    // Each kind was met: else the mutations say nothing.
    EXPECT_GT(both, kRounds / 50);
    EXPECT_GT(neither, kRounds / 4);
    for (const int met : {surrogates, overflows, nuls, boms}) {
        EXPECT_GT(met, 0);
    }
}

bool accepts(std::string_view text, Duplicates duplicates) {
    Scratch scratch;
    Builder builder{.text = text};
    return scan(text, duplicates, scratch, builder).has_value();
}

TEST(JsonDifferential, DiffersOnDuplicateKeysAndDepthAsMeant) {
    const std::string twice = R"({"a":1,"a":2})";
    EXPECT_TRUE(Tree::accept(twice));
    EXPECT_FALSE(accepts(twice, Duplicates::refused));
    EXPECT_TRUE(accepts(twice, Duplicates::allowed));
    const std::string deep = std::string(kDepthMax + 1, '[') + std::string(kDepthMax + 1, ']');
    EXPECT_TRUE(Tree::accept(deep));
    EXPECT_FALSE(accepts(deep, Duplicates::allowed));
}

}  // namespace
}  // namespace weir::dialect::json
