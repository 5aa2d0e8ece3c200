#include <fmt/format.h>
#include <gtest/gtest.h>
#include <soci/soci.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "store/keys.h"
#include "store/usage.h"

namespace weir::store {
namespace {

class StoreTest : public testing::Test {
protected:
    StoreTest() {
        char pattern[] = "/tmp/weir-store-XXXXXX";
        folder_ = ::mkdtemp(pattern);
    }
    ~StoreTest() override { std::filesystem::remove_all(folder_); }
    std::string path() const { return folder_ + "/weir.db"; }
    std::unique_ptr<Database> open() const {
        auto database = Database::open_sqlite(path());
        EXPECT_TRUE(database) << (database ? "" : database.error().detail());
        return std::move(*database);
    }
    std::string folder_;
};

TEST_F(StoreTest, OpensAgainWhatItMade) {
    open();
    EXPECT_EQ(Keys(*open()).count(), 0);
}

TEST_F(StoreTest, RefusesANewerDatabaseAndWhatIsNone) {
    {
        auto database = open();
        ASSERT_TRUE(database->write([](soci::session& sql) -> Result<void> {
            sql << "INSERT INTO schema_version(version) VALUES(9999)";
            return {};
        }));
    }
    const auto newer = Database::open_sqlite(path());
    ASSERT_FALSE(newer);
    EXPECT_EQ(newer.error().code(), Code::invalid_config);
    EXPECT_NE(newer.error().message().find("newer Weir"), std::string::npos);

    std::ofstream(folder_ + "/text.db") << std::string(4096, 'x');
    const auto text = Database::open_sqlite(folder_ + "/text.db");
    ASSERT_FALSE(text);
    EXPECT_NE(text.error().message().find("not an SQLite file"), std::string::npos);
}

TEST_F(StoreTest, KeysComeBackWhole) {
    auto database = open();
    Keys keys(*database);
    Key key;
    key.public_id = make_uuid_v7(wall_from_micros(1));
    key.name = "it's \"mine\"";
    key.prefix = "sk-weir-abcd";
    key.digest = "00ff";
    key.allowed_models = {"a", "b\"c"};
    key.tags = {"t"};
    key.may_pin = true;
    key.priority = -5;
    key.requests_per_minute = 60;
    key.created_at = wall_from_micros(1'700'000'000'000'001);
    key.expires_at = wall_from_micros(9'000'000'000'000'000);
    const auto made = keys.insert(key);
    ASSERT_TRUE(made) << made.error().detail();
    const auto found = keys.find_by_digest("00ff");
    ASSERT_TRUE(found && *found);
    const Key& back = **found;
    EXPECT_EQ(back.id, made->id);
    EXPECT_EQ(back.public_id, key.public_id);
    EXPECT_EQ(back.name, key.name);
    EXPECT_EQ(back.allowed_models, key.allowed_models);
    EXPECT_TRUE(back.allowed_providers.empty());
    EXPECT_TRUE(back.may_pin);
    EXPECT_EQ(back.priority, -5);
    EXPECT_EQ(back.requests_per_minute, 60);
    EXPECT_EQ(back.concurrency_max, std::nullopt);
    EXPECT_EQ(back.created_at, key.created_at);
    EXPECT_EQ(back.expires_at, key.expires_at);
    EXPECT_EQ(back.revoked_at, std::nullopt);

    EXPECT_FALSE(keys.insert(key)) << "the digest is unique";
    EXPECT_EQ(*keys.revoke(key.public_id, wall_from_micros(7)), true);
    EXPECT_EQ(*keys.revoke(key.public_id, wall_from_micros(8)), true);
    EXPECT_EQ((*keys.find(key.public_id))->revoked_at, wall_from_micros(7));
    EXPECT_EQ(*keys.revoke(make_uuid_v7(wall_from_micros(2)), wall_from_micros(7)), false);
    EXPECT_EQ(keys.list(0, 10)->size(), 1u);
    EXPECT_TRUE(keys.list(made->id, 10)->empty());
}

Call call(int i) {
    Call c;
    c.created_at = wall_from_micros(1'700'000'000'000'000 + i * 500);
    c.request_id = make_uuid_v7(c.created_at);
    c.tenant_id = i % 3 == 0 ? 0 : 1;
    c.key_id = i % 2;
    c.surface = "chat";
    c.model = i % 2 == 0 ? "even" : "odd";
    c.provider = "p";
    c.code = "ok";
    c.status = 200;
    c.input_tokens = i;
    c.cost_nano_usd =
        i % 2 == 0 ? std::optional<std::int64_t>(std::int64_t{1} << 40) : std::nullopt;
    c.attempts.push_back(
        {.provider = "p", .model = "up", .code = "ok", .status = 200, .started_at = c.created_at});
    return c;
}

TEST_F(StoreTest, UsageIsPagedFilteredAndFoundById) {
    auto database = open();
    UsageWriter writer(*database);
    Batch batch{.journal = "j", .positions = {{0, 100}}};
    for (int i = 0; i < 100; ++i) {
        batch.calls.push_back(call(i));
    }
    const auto written = writer.write(batch);
    ASSERT_TRUE(written) << written.error().detail();
    Usage usage(*database);
    UsageFilter filter{.limit = 30};
    std::size_t seen = 0;
    std::int64_t last = 100;
    for (;;) {
        const auto page = usage.page(filter);
        ASSERT_TRUE(page) << page.error().detail();
        for (const Call& c : page->calls) {
            EXPECT_EQ(c.input_tokens, --last);
            ++seen;
        }
        if (!page->next_before_id) {
            break;
        }
        filter.before_id = page->next_before_id;
    }
    EXPECT_EQ(seen, 100u);
    EXPECT_EQ(usage.page({.model = "even", .limit = 1000})->calls.size(), 50u);
    EXPECT_EQ(usage.page({.tenant_id = 0, .key_id = 1, .limit = 1000})->calls.size(), 17u);
    EXPECT_EQ(usage.page({.to = batch.calls[10].created_at, .limit = 1000})->calls.size(), 10u);
    EXPECT_EQ(usage.page({.code = "none"})->calls.size(), 0u);

    const auto found = usage.find(batch.calls[42].request_id);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->input_tokens, 42);
    EXPECT_EQ((*found)->cost_nano_usd, std::int64_t{1} << 40);
    ASSERT_EQ((*found)->attempts.size(), 1u);
    EXPECT_EQ((*found)->attempts[0].model, "up");
    EXPECT_FALSE(*usage.find(make_uuid_v7(wall_from_micros(5))));
}

TEST_F(StoreTest, ABatchAndItsPositionAreOne) {
    auto database = open();
    UsageWriter writer(*database);
    Batch batch{.journal = "j",
                .calls = {call(1)},
                .positions = {{0, 7}},
                .opened = {{"r", "00"}, {"r", "00"}}};
    EXPECT_FALSE(writer.write(batch)) << "the second open call is a duplicate";
    EXPECT_TRUE(writer.journal_state("j")->positions.empty());
    EXPECT_TRUE(Usage(*database).page({})->calls.empty());
    batch.opened.pop_back();
    ASSERT_TRUE(writer.write(batch));
    auto state = writer.journal_state("j");
    EXPECT_EQ(state->positions.at(0), 7);
    EXPECT_EQ(state->open_calls.size(), 1u);
    EXPECT_FALSE(state->finished);
    ASSERT_TRUE(writer.write({.journal = "j", .closed = {"r"}, .finished = true}));
    state = writer.journal_state("j");
    EXPECT_TRUE(state->open_calls.empty());
    EXPECT_TRUE(state->finished);
    ASSERT_TRUE(writer.forget("j"));
    EXPECT_FALSE(writer.journal_state("j")->finished);
}

}  // namespace
}  // namespace weir::store
