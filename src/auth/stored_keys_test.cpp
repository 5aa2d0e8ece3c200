#include "auth/stored_keys.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "auth/key.h"
#include "base/random.h"

namespace weir::auth {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

class StoredKeysTest : public testing::Test {
protected:
    StoredKeysTest() {
        std::string pattern = (fs::temp_directory_path() / "weir-auth-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        auto opened = store::Database::open_sqlite((folder_ / "weir.db").string());
        EXPECT_TRUE(opened) << (opened ? "" : opened.error().message());
        database_ = std::move(*opened);
    }
    ~StoredKeysTest() override {
        database_.reset();
        fs::remove_all(folder_);
    }
    fs::path folder_;
    std::unique_ptr<store::Database> database_;
};

TEST_F(StoredKeysTest, AKeyThatWasMadeIsRecognisedUntilItIsRevoked) {
    ManualClock clock;
    store::Keys keys(*database_);
    StoredKeys records(keys);
    aio::BlockingPool pool("keys", 1, 8);
    Authenticator authenticator(clock, records, pool, Secret("pepper"));

    const Secret key = make_key();
    const Uuid id = make_uuid_v7(clock.wall_now());
    const auto inserted = keys.insert({.public_id = id,
                                       .name = "test",
                                       .prefix = std::string(key_prefix(key.reveal())),
                                       .digest = authenticator.stored_digest(key.reveal()),
                                       .allowed_models = {"m"},
                                       .allowed_providers = {"p", "q"},
                                       .may_pin = true,
                                       .priority = 3,
                                       .tags = {"t"},
                                       .requests_per_minute = 60,
                                       .created_at = clock.wall_now(),
                                       .expires_at = clock.wall_now() + 1h});
    ASSERT_TRUE(inserted) << inserted.error().detail();

    const auto who = authenticator.load(key.reveal());
    ASSERT_TRUE(who) << who.error().message();
    const KeyRecord& record = (*who)->key();
    EXPECT_EQ(record.id, inserted->id);
    EXPECT_EQ(record.public_id, id);
    EXPECT_EQ(record.tenant_id, inserted->tenant_id);
    EXPECT_EQ(record.prefix, key_prefix(key.reveal()));
    EXPECT_EQ(record.allowed_models, std::vector<std::string>{"m"});
    EXPECT_EQ(record.allowed_providers, (std::vector<std::string>{"p", "q"}));
    EXPECT_TRUE(record.may_pin);
    EXPECT_EQ(record.priority, 3);
    EXPECT_EQ(record.tags, std::vector<std::string>{"t"});
    EXPECT_EQ(record.requests_per_minute, 60u);
    EXPECT_FALSE(record.concurrency_max);
    EXPECT_EQ(record.expires_at, clock.wall_now() + 1h);
    EXPECT_FALSE(record.revoked_at);

    EXPECT_FALSE(authenticator.load(make_key().reveal()));
    ASSERT_TRUE(keys.revoke(id, clock.wall_now()));
    authenticator.revoke(id);
    EXPECT_FALSE(authenticator.load(key.reveal()));
}

TEST_F(StoredKeysTest, ADatabaseIsBoundToTheMasterKeyOfItsFirstStart) {
    store::Settings settings(*database_);
    const auto first = MasterKey::parse(Secret(std::string(64, '1')), "first");
    const auto second = MasterKey::parse(Secret(std::string(64, '2')), "second");
    ASSERT_TRUE(first && second);
    EXPECT_TRUE(check_master_key(*first, settings));
    EXPECT_TRUE(check_master_key(*first, settings));
    const auto refused = check_master_key(*second, settings);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::invalid_config);
    EXPECT_TRUE(check_master_key(*first, settings)) << "a refusal changes nothing";
}

}  // namespace
}  // namespace weir::auth
