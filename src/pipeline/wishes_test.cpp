#include "pipeline/wishes.h"

#include <gtest/gtest.h>

#include <string>

namespace weir::pipeline {
namespace {

using std::chrono::milliseconds;

class Asked {
public:
    explicit Asked(std::string fields)
        : bytes_("POST / HTTP/1.1\r\nhost: a\r\n" + std::move(fields) + "\r\n") {
        parsed_ = parser_.parse(bytes_).value_or(false);
    }
    const net::RequestHead& head() const {
        EXPECT_TRUE(parsed_);
        return parser_.head();
    }

private:
    std::string bytes_;
    net::RequestHeadParser parser_;
    bool parsed_ = false;
};

TEST(Wishes, NothingAskedIsTheKeysOwn) {
    const Asked asked("");
    auth::KeyRecord key;
    key.priority = 2;
    key.tags = {"batch"};
    const auto wishes = read_wishes(asked.head(), key);
    ASSERT_TRUE(wishes.has_value());
    EXPECT_TRUE(wishes->pin.empty());
    EXPECT_FALSE(wishes->timeout.has_value());
    EXPECT_EQ(wishes->priority, 2);
    ASSERT_EQ(wishes->tags().size(), 1u);
    EXPECT_EQ(wishes->tags()[0], "batch");
}

TEST(Wishes, AreReadAndBounded) {
    const Asked asked(
        "x-weir-timeout-ms: 1500\r\nx-weir-priority: high\r\nx-weir-tags: a, b,, a\r\n");
    const auto wishes = read_wishes(asked.head(), {});
    ASSERT_TRUE(wishes.has_value());
    EXPECT_EQ(wishes->timeout, milliseconds{1500});
    EXPECT_EQ(wishes->priority, 0) << "never above the key's";
    ASSERT_EQ(wishes->tags().size(), 2u);
    EXPECT_EQ(wishes->tags()[1], "b");
}

TEST(Wishes, AKeyThatMayPinPins) {
    const Asked asked("x-weir-pin: gpu-1\r\n");
    auth::KeyRecord key;
    const auto refused = read_wishes(asked.head(), key);
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().code(), Code::permission_denied);
    key.may_pin = true;
    const auto wishes = read_wishes(asked.head(), key);
    ASSERT_TRUE(wishes.has_value());
    EXPECT_EQ(wishes->pin, "gpu-1");
}

TEST(Wishes, NonsenseIsRefusedByTheNameOfItsField) {
    std::string many = "x-weir-tags: ";
    for (int i = 0; i < 17; ++i) {
        many += "t" + std::to_string(i) + ",";
    }
    const std::pair<std::string, std::string_view> rows[] = {
        {"x-weir-timeout-ms: 0", kTimeoutField},
        {"x-weir-timeout-ms: -5", kTimeoutField},
        {"x-weir-timeout-ms: 5s", kTimeoutField},
        {"x-weir-timeout-ms: 99999999999", kTimeoutField},
        {"x-weir-priority: urgent", kPriorityField},
        {many, kTagsField},
        {"x-weir-tags: " + std::string(65, 'x'), kTagsField},
    };
    for (const auto& [field, name] : rows) {
        const Asked asked(field + "\r\n");
        const auto wishes = read_wishes(asked.head(), {});
        ASSERT_FALSE(wishes.has_value()) << field;
        EXPECT_EQ(wishes.error().code(), Code::invalid_request) << field;
        EXPECT_EQ(wishes.error().parameter(), name) << field;
    }
}

}  // namespace
}  // namespace weir::pipeline
