#include "dialect/json/document.h"

#include <gtest/gtest.h>

#include "dialect/json/writer.h"

namespace weir::dialect::json {
namespace {

constexpr std::string_view kText =
    R"( {"a":[1,{"b":"x\ny"},[],null],"n":-2.50,"e":1e3,"t":true,"k\u0065y":{"deep":[[7]]}} )";

TEST(Document, KnowsValuesAndTheirPlaces) {
    Document document;
    const auto root = document.parse(kText, Duplicates::refused);
    ASSERT_TRUE(root);
    const Value a = (*root)["a"];
    EXPECT_EQ(a.size(), 4);
    std::vector<std::string> members;
    for (const Value member : a) {
        members.emplace_back(member.json());
    }
    EXPECT_EQ(members, (std::vector<std::string>{"1", R"({"b":"x\ny"})", "[]", "null"}));
    EXPECT_EQ((*root)["n"].json(), "-2.50");
    EXPECT_EQ((*root)["n"].number(), -2.5);
    EXPECT_EQ((*root)["n"].integer(), std::nullopt);
    EXPECT_EQ((*root)["e"].integer(), 1000);
    EXPECT_EQ((*root)["t"].boolean(), true);
    EXPECT_EQ((*(*root)["key"]["deep"].begin()).json(), "[7]");
    EXPECT_EQ((*root).size(), 5);
}

TEST(Document, GivesNothingForWhatIsNotThere) {
    Document document;
    const auto root = document.parse(kText, Duplicates::refused);
    const Value none = (*root)["x"]["y"]["z"];
    EXPECT_FALSE(none);
    EXPECT_FALSE(none.string());
    EXPECT_EQ(none.json(), "");
    for (const Value member : none) {
        FAIL() << member.json();
    }
    EXPECT_FALSE((*root)["n"]["x"]);
    for (const Value member : (*root)["n"]) {
        FAIL() << member.json();
    }
}

TEST(Document, NamesThePlaceOfAValue) {
    Document document;
    const auto root = document.parse(kText, Duplicates::refused);
    auto second = ++(*root)["a"].begin();
    EXPECT_EQ((*second)["b"].path(), "a[1].b");
    EXPECT_EQ((*second)["b"].string(), "x\ny");
    EXPECT_EQ((*(*(*root)["key"]["deep"].begin()).begin()).path(), "key.deep[0][0]");
    EXPECT_EQ(root->path(), "");
}

TEST(Document, IsUsedAgainAndRefusesWhatIsNoJson) {
    Document document;
    EXPECT_EQ(document.parse(R"({"a":1,"a":2})", Duplicates::refused).error().code(),
              Code::invalid_json);
    const auto last = document.parse(R"({"a":1,"a":2})", Duplicates::allowed);
    EXPECT_EQ((*last)["a"].integer(), 2);
    EXPECT_FALSE(document.parse("[1,", Duplicates::allowed));
    const auto scalar = document.parse("7", Duplicates::allowed);
    EXPECT_EQ(scalar->integer(), 7);
}

TEST(Writer, PutsCommasWhereTheyBelong) {
    std::string out;
    Writer json(out);
    json.object()
        .field("a", "q\"")
        .key("list")
        .array()
        .integer(1)
        .object()
        .end_object()
        .string("x");
    json.array().end_array().end_array().field("t", true).field("n", 0.1).key("z").null();
    json.field_unless_empty("no", "").end_object();
    EXPECT_EQ(out, R"({"a":"q\"","list":[1,{},"x",[]],"t":true,"n":0.1,"z":null})");
}

TEST(Pick, LeavesMembersAsTheyCame) {
    constexpr std::string_view kNames[] = {"a", "c", "no\nt"};
    EXPECT_EQ(pick(R"({"a": 1e3,"b":2,"c":{"b": [ ]},"d":"a"})", kNames),
              R"({"a":1e3,"c":{"b": [ ]}})");
    EXPECT_EQ(pick("{}", kNames), "{}");
    EXPECT_EQ(pick("[1]", kNames), "[1]");
}

}  // namespace
}  // namespace weir::dialect::json
