#include "auth/authenticator.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "aio/reactor.h"
#include "auth/key.h"

namespace weir::auth {
namespace {

using namespace std::chrono_literals;

// A table of keys that counts how often it is asked and can be away.
class FakeRecords final : public KeyRecords {
public:
    Result<std::optional<KeyRecord>> find_by_digest(std::string_view digest_hex) override {
        std::function<void()> interrupt;
        {
            const std::lock_guard guard(lock_);
            ++asked_;
            if (away_) {
                return fail(Code::storage_unavailable, "The database is away.");
            }
            interrupt = std::exchange(before_answer_, nullptr);
        }
        const auto row = find(digest_hex);
        if (interrupt) {
            interrupt();  // what happens here, happens after the row was read
        }
        return row;
    }
    void put(KeyRecord record) {
        const std::lock_guard guard(lock_);
        rows_[record.digest] = std::move(record);
    }
    template <class Change>
    void change(const Uuid& key, Change change) {
        const std::lock_guard guard(lock_);
        for (auto& [digest, row] : rows_) {
            if (row.public_id == key) {
                change(row);
            }
        }
    }
    void remove(const std::string& digest) {
        const std::lock_guard guard(lock_);
        rows_.erase(digest);
    }
    void answer_any_with(const KeyRecord& record) {
        const std::lock_guard guard(lock_);
        any_ = record;
    }
    void set_away(bool away) {
        const std::lock_guard guard(lock_);
        away_ = away;
    }
    void before_answer(std::function<void()> action) {
        const std::lock_guard guard(lock_);
        before_answer_ = std::move(action);
    }
    int asked() const {
        const std::lock_guard guard(lock_);
        return asked_;
    }

private:
    std::optional<KeyRecord> find(std::string_view digest) const {
        const std::lock_guard guard(lock_);
        if (any_) {
            return any_;
        }
        const auto at = rows_.find(std::string(digest));
        return at == rows_.end() ? std::nullopt : std::optional(at->second);
    }
    mutable std::mutex lock_;
    std::map<std::string, KeyRecord> rows_;
    std::optional<KeyRecord> any_;
    std::function<void()> before_answer_;
    int asked_ = 0;
    bool away_ = false;
};

class AuthenticatorTest : public testing::Test {
protected:
    std::string add_key(std::function<void(KeyRecord&)> refine = [](KeyRecord&) {}) {
        const Secret key = make_key();
        const std::string text(key.reveal());
        KeyRecord record{.id = ++last_id_,
                         .public_id = make_uuid_v7(clock_.wall_now()),
                         .tenant_id = kDefaultTenantId,
                         .prefix = std::string(key_prefix(text)),
                         .digest = authenticator_.stored_digest(text)};
        refine(record);
        records_.put(std::move(record));
        return text;
    }
    // As a caller does it: from memory, else looked up.
    Result<IdentityRef> ask(std::string_view credential, Mode mode = Mode::required) {
        if (auto known = authenticator_.find_cached(mode, credential)) {
            return std::move(*known);
        }
        return authenticator_.load(credential);
    }
    void wait_for_background() {
        // One thread, first in, first out: when this has run, so has what was queued before.
        std::mutex lock;
        std::condition_variable done;
        bool ran = false;
        pool_.submit([&] {
            const std::lock_guard guard(lock);
            ran = true;
            done.notify_one();
        });
        std::unique_lock guard(lock);
        done.wait(guard, [&] { return ran; });
    }
    Uuid id_of(std::string_view key) { return (*ask(key))->key().public_id; }

    ManualClock clock_;
    FakeRecords records_;
    aio::BlockingPool pool_{"keys", 1, 64};
    Authenticator authenticator_{clock_, records_, pool_, Secret("pepper"), 64 * 8};
    std::int64_t last_id_ = 0;
};

TEST_F(AuthenticatorTest, KnowsAKeyAndAsksTheStoreOnce) {
    const auto key = add_key([](KeyRecord& record) {
        record.tenant_id = 7;
        record.allowed_models = {"a", "b"};
        record.may_pin = true;
    });
    for (int i = 0; i < 100; ++i) {
        const auto who = ask(key);
        ASSERT_TRUE(who);
        EXPECT_FALSE((*who)->anonymous());
        EXPECT_EQ((*who)->key().id, 1);
        EXPECT_EQ((*who)->key().tenant_id, 7);
        EXPECT_TRUE((*who)->key().may_pin);
        EXPECT_TRUE((*who)->may_use_model("b"));
        EXPECT_FALSE((*who)->may_use_model("c"));
        EXPECT_TRUE((*who)->may_use_provider("any"));
    }
    EXPECT_EQ(records_.asked(), 1);
}

struct ModeCase {
    std::string_view name;
    Mode mode;
    std::string_view credential;    // "good" stands for a good key
    std::optional<bool> anonymous;  // nullopt: refused
};
class ModeTest : public AuthenticatorTest, public testing::WithParamInterface<ModeCase> {};
TEST_P(ModeTest, Decides) {
    const auto key = add_key();
    const auto who =
        ask(GetParam().credential == "good" ? key : GetParam().credential, GetParam().mode);
    ASSERT_EQ(who.has_value(), GetParam().anonymous.has_value());
    if (who) {
        EXPECT_EQ((*who)->anonymous(), *GetParam().anonymous);
        EXPECT_EQ((*who)->limits() == nullptr, *GetParam().anonymous);
        EXPECT_EQ((*who)->key().tenant_id, kDefaultTenantId);
        EXPECT_EQ((*who)->key().id, *GetParam().anonymous ? 0 : 1);
        EXPECT_TRUE((*who)->still_valid(clock_.wall_now()));
    } else {
        EXPECT_EQ(who.error().code(), Code::invalid_api_key);
    }
}
INSTANTIATE_TEST_SUITE_P(Auth,
                         ModeTest,
                         testing::Values(ModeCase{"required_good", Mode::required, "good", false},
                                         ModeCase{"required_none", Mode::required, "", {}},
                                         ModeCase{"required_wrong", Mode::required, "x", {}},
                                         ModeCase{"optional_good", Mode::optional, "good", false},
                                         ModeCase{"optional_none", Mode::optional, "", true},
                                         ModeCase{"optional_wrong", Mode::optional, "x", {}},
                                         ModeCase{"off_good", Mode::off, "good", true},
                                         ModeCase{"off_none", Mode::off, "", true},
                                         ModeCase{"off_wrong", Mode::off, "x", true}),
                         [](const auto& info) { return std::string{info.param.name}; });

TEST_F(AuthenticatorTest, UnknownRevokedExpiredAndMalformedAreTheSameAnswer) {
    const auto revoked =
        add_key([&](KeyRecord& record) { record.revoked_at = clock_.wall_now() - 1s; });
    const auto expired = add_key([&](KeyRecord& record) { record.expires_at = clock_.wall_now(); });
    const Secret unknown = make_key();
    const auto good = add_key();
    const std::string altered = good.substr(0, kKeySize - 1) + (good.back() == 'a' ? 'b' : 'a');
    std::set<std::string> words;
    // Looked up, and from memory.
    for (int i = 0; i < 2; ++i) {
        for (const std::string& credential : {revoked,
                                              expired,
                                              std::string(unknown.reveal()),
                                              altered,
                                              std::string("sk-other-123"),
                                              good + "x",
                                              good.substr(0, kKeySize - 1),
                                              std::string(100'000, 'x')}) {
            const auto who = ask(credential);
            ASSERT_FALSE(who);
            EXPECT_EQ(who.error().code(), Code::invalid_api_key);
            EXPECT_EQ(who.error().detail(), "");
            words.insert(who.error().message());
        }
    }
    EXPECT_EQ(words.size(), 1u);
}

TEST_F(AuthenticatorTest, AWrongKeyIsAnsweredFromMemoryForAWhile) {
    const Secret wrong = make_key();
    for (int i = 0; i < 100; ++i) {
        EXPECT_FALSE(ask(wrong.reveal()));
    }
    EXPECT_EQ(records_.asked(), 1);
    clock_.advance(kUnknownFor);
    EXPECT_FALSE(ask(wrong.reveal()));
    EXPECT_EQ(records_.asked(), 2);
}

TEST_F(AuthenticatorTest, AFloodOfWrongKeysPushesOutNoGoodOne) {
    const auto key = add_key();
    ASSERT_TRUE(ask(key));
    for (int i = 0; i < 20'000; ++i) {
        EXPECT_FALSE(ask(make_key().reveal()));
    }
    EXPECT_EQ(authenticator_.cached_keys(), 1u);
    const int asked = records_.asked();
    EXPECT_TRUE(ask(key));
    EXPECT_EQ(records_.asked(), asked);
}

TEST_F(AuthenticatorTest, ExpiryIsCheckedOnEachUse) {
    const auto key =
        add_key([&](KeyRecord& record) { record.expires_at = clock_.wall_now() + 2s; });
    const auto who = ask(key);
    ASSERT_TRUE(who);
    clock_.advance(1999ms);
    EXPECT_TRUE(ask(key));
    EXPECT_TRUE((*who)->still_valid(clock_.wall_now()));
    clock_.advance(1ms);
    EXPECT_FALSE(ask(key));
    EXPECT_EQ(records_.asked(), 1);
    EXPECT_FALSE((*who)->still_valid(clock_.wall_now()));
}

TEST_F(AuthenticatorTest, AnExtendedKeyIsRecognisedAgain) {
    const auto key =
        add_key([&](KeyRecord& record) { record.expires_at = clock_.wall_now() + 1s; });
    const auto id = id_of(key);
    clock_.advance(1s);
    EXPECT_FALSE(ask(key));
    records_.change(id, [](KeyRecord& record) { record.expires_at.reset(); });
    authenticator_.refresh(id);
    EXPECT_TRUE(ask(key));
}

TEST_F(AuthenticatorTest, ARevocationHereActsAtOnce) {
    const auto key = add_key();
    const auto other = add_key();
    const auto who = ask(key);
    ASSERT_TRUE(who && ask(other));
    records_.change((*who)->key().public_id,
                    [&](KeyRecord& record) { record.revoked_at = clock_.wall_now(); });
    authenticator_.revoke((*who)->key().public_id);
    EXPECT_FALSE(ask(key));
    EXPECT_FALSE((*who)->still_valid(clock_.wall_now())) << "calls that run see it too";
    EXPECT_TRUE(ask(other));
    clock_.advance(1h);
    EXPECT_FALSE(ask(key));
}

TEST_F(AuthenticatorTest, ARevocationHoldsThoughTheStoreLagsBehind) {
    const auto key = add_key();
    authenticator_.revoke(id_of(key));
    for (int i = 0; i < 20; ++i) {
        EXPECT_FALSE(ask(key));
        EXPECT_FALSE(authenticator_.load(key));
        clock_.advance(1s);
    }
}

TEST_F(AuthenticatorTest, ALookUpThatBeganBeforeARevocationCannotUndoIt) {
    Uuid id;
    const auto key = add_key([&](KeyRecord& record) { id = record.public_id; });
    records_.before_answer([&] {
        records_.change(id, [&](KeyRecord& record) { record.revoked_at = clock_.wall_now(); });
        authenticator_.revoke(id);
    });
    EXPECT_FALSE(authenticator_.load(key));
    EXPECT_EQ(records_.asked(), 2) << "asked again, as the first answer was from before";
    EXPECT_FALSE(ask(key));
}

TEST_F(AuthenticatorTest, ARevocationElsewhereActsWithinTheFreshTime) {
    const auto key = add_key();
    const auto id = id_of(key);
    records_.change(id, [&](KeyRecord& record) { record.revoked_at = clock_.wall_now(); });
    clock_.advance(kFreshFor);
    EXPECT_FALSE(ask(key));
}

TEST_F(AuthenticatorTest, AKeyInUseIsRefreshedInTheBackgroundOnce) {
    const auto key = add_key();
    ASSERT_TRUE(ask(key));
    for (int round = 1; round <= 5; ++round) {
        clock_.advance(kRefreshAfter);
        for (int i = 0; i < 10; ++i) {
            EXPECT_TRUE(authenticator_.find_cached(Mode::required, key)) << "never waits";
        }
        wait_for_background();
        EXPECT_EQ(records_.asked(), 1 + round);
    }
}

TEST_F(AuthenticatorTest, ABackgroundRefreshFindsARevocation) {
    const auto key = add_key();
    const auto who = ask(key);
    ASSERT_TRUE(who);
    records_.change((*who)->key().public_id,
                    [&](KeyRecord& record) { record.revoked_at = clock_.wall_now(); });
    clock_.advance(kRefreshAfter);
    EXPECT_TRUE(ask(key)) << "the one that starts the refresh";
    wait_for_background();
    EXPECT_FALSE(ask(key));
    EXPECT_FALSE((*who)->still_valid(clock_.wall_now()));
}

TEST_F(AuthenticatorTest, ChangedFactsReachTheNextCallAndTheCountsGoOn) {
    const auto key = add_key([](KeyRecord& record) { record.requests_per_minute = 60; });
    const auto before = ask(key);
    ASSERT_TRUE(before);
    (*before)->limits()->in_flight = 3;
    const auto id = (*before)->key().public_id;
    records_.change(id, [](KeyRecord& record) { record.requests_per_minute = 5; });
    authenticator_.refresh(id);
    const auto after = ask(key);
    ASSERT_TRUE(after);
    EXPECT_EQ((*before)->key().requests_per_minute, 60u) << "a running call keeps what it pinned";
    EXPECT_EQ((*after)->key().requests_per_minute, 5u);
    EXPECT_EQ((*after)->limits(), (*before)->limits());
    EXPECT_EQ((*after)->limits()->in_flight, 3u);
}

TEST_F(AuthenticatorTest, ACachedVerdictCarriesOverWhileTheStoreIsAway) {
    const auto key = add_key();
    const auto never_seen = add_key();
    ASSERT_TRUE(ask(key));
    records_.set_away(true);
    int asked_before = records_.asked();
    for (auto age = 0ms; age < kStaleFor; age += 100ms) {
        ASSERT_TRUE(ask(key)) << age;
        wait_for_background();
        clock_.advance(100ms);
    }
    // Once for each retry interval, not once for each call.
    EXPECT_LE(records_.asked() - asked_before, 60);
    const auto late = ask(key);
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().code(), Code::storage_unavailable);
    EXPECT_TRUE(late.error().retry_after());
    const auto unknown = ask(never_seen);
    ASSERT_FALSE(unknown);
    EXPECT_EQ(unknown.error().code(), Code::storage_unavailable) << "not a 401: nobody knows";
    records_.set_away(false);
    EXPECT_TRUE(ask(key));
    EXPECT_TRUE(ask(never_seen));
}

TEST_F(AuthenticatorTest, ARevokedKeyStaysRevokedWhileTheStoreIsAway) {
    const auto key = add_key();
    const auto id = id_of(key);
    records_.set_away(true);
    clock_.advance(kFreshFor);
    EXPECT_TRUE(ask(key));
    authenticator_.revoke(id);
    EXPECT_FALSE(ask(key));
}

TEST_F(AuthenticatorTest, ARowWithAnotherDigestIsNotAccepted) {
    records_.answer_any_with(KeyRecord{.id = 1, .digest = std::string(64, '0')});
    const auto who = ask(make_key().reveal());
    ASSERT_FALSE(who);
    EXPECT_EQ(who.error().code(), Code::invalid_api_key);
}

TEST_F(AuthenticatorTest, MoreKeysThanFitAreForgottenInTheOrderOfUse) {
    const auto favourite = add_key();
    ASSERT_TRUE(ask(favourite));
    for (int i = 0; i < 3000; ++i) {
        clock_.advance(1us);
        ASSERT_TRUE(ask(add_key()));
        ASSERT_TRUE(ask(favourite));
        EXPECT_LE(authenticator_.cached_keys(), 64u * 8u);
    }
    EXPECT_EQ(records_.asked(), 3001) << "the one in steady use was never forgotten";
}

TEST_F(AuthenticatorTest, AKeyThatLimitsOrServesACallIsNeverForgotten) {
    Authenticator small(clock_, records_, pool_, Secret("pepper"), 64);  // one a shard
    const auto ends = (clock_.steady_now() + 10s).time_since_epoch().count();
    std::vector<IdentityRef> calls;
    std::vector<std::pair<std::string, KeyLimitState*>> kept;
    int refused = 0;
    for (int i = 0; i < 1000; ++i) {
        const auto key = add_key();
        auto who = small.load(key);
        if (!who) {
            EXPECT_EQ(who.error().code(), Code::overloaded);
            ++refused;
            continue;
        }
        kept.emplace_back(key, (*who)->limits());
        switch (i % 3) {
            case 0:
                (*who)->limits()->request_cell = ends;
                break;
            case 1:
                (*who)->limits()->in_flight = 1;
                break;
            default:
                calls.push_back(std::move(*who));
        }
    }
    EXPECT_EQ(kept.size(), 64u);
    EXPECT_EQ(refused, 1000 - 64);
    for (const auto& [key, state] : kept) {
        const auto who = small.find_cached(Mode::required, key);
        ASSERT_TRUE(who && *who);
        EXPECT_EQ((**who)->limits(), state);
    }
    // At rest, each can be replaced.
    for (const auto& [key, state] : kept) {
        state->in_flight = 0;
    }
    calls.clear();
    clock_.advance(10s);
    for (int i = 0; i < 200; ++i) {
        EXPECT_TRUE(small.load(add_key()));
    }
}

aio::Task<void> identify(Authenticator& authenticator,
                         std::string_view credential,
                         aio::Deadline deadline,
                         std::optional<Result<IdentityRef>>& answer) {
    auto who = co_await authenticator.identify(Mode::required, credential, deadline);
    answer.emplace(std::move(who));
}

TEST_F(AuthenticatorTest, IdentifyLooksUpOnThePoolAndThenAnswersAtOnce) {
    const auto key = add_key();
    aio::Reactor reactor;
    for (int i = 0; i < 3; ++i) {
        std::optional<Result<IdentityRef>> answer;
        reactor.run(identify(authenticator_, key, aio::Deadline::never(), answer));
        ASSERT_TRUE(answer && *answer);
        EXPECT_EQ((**answer)->key().id, 1);
    }
    EXPECT_EQ(records_.asked(), 1);
    std::optional<Result<IdentityRef>> answer;
    reactor.run(identify(authenticator_, make_key().reveal(), aio::Deadline::never(), answer));
    ASSERT_TRUE(answer && !*answer);
    EXPECT_EQ(answer->error().code(), Code::invalid_api_key);
}

TEST_F(AuthenticatorTest, AStoreThatIsTooSlowIsTheStoresFault) {
    const auto key = add_key();
    std::mutex block;
    std::unique_lock blocked(block);
    records_.before_answer([&] { const std::lock_guard wait(block); });
    aio::Reactor reactor;
    std::optional<Result<IdentityRef>> answer;
    reactor.run(identify(authenticator_, key, aio::Deadline::at(SteadyTime{1ns}), answer));
    blocked.unlock();
    ASSERT_TRUE(answer && !*answer);
    EXPECT_EQ(answer->error().code(), Code::storage_unavailable);
    pool_.stop();  // before the reactor that its late answer goes to
}

TEST_F(AuthenticatorTest, NobodyPassesOnceARevocationReturnedWhateverRaces) {
    for (int round = 0; round < 20; ++round) {
        const auto key = add_key();
        const auto id = id_of(key);
        std::atomic<bool> revoked{false};
        std::atomic<int> passed_after{0};
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 3; ++t) {
                threads.emplace_back([&, t] {
                    for (int i = 0; i < 300; ++i) {
                        const bool was_revoked = revoked.load();
                        const auto who = t == 0 ? authenticator_.load(key) : ask(key);
                        passed_after += was_revoked && who ? 1 : 0;
                        if (t == 1 && i % 50 == 0) {
                            authenticator_.refresh(id);
                        }
                    }
                });
            }
            records_.change(id, [&](KeyRecord& record) { record.revoked_at = clock_.wall_now(); });
            authenticator_.revoke(id);
            revoked = true;
        }
        EXPECT_EQ(passed_after.load(), 0);
    }
}

TEST_F(AuthenticatorTest, AnAdminKeyMatchesItselfOnlyAndAnEmptyOneNothing) {
    const AdminKey key(authenticator_.stored_digest("correct horse"));
    EXPECT_TRUE(key.matches(authenticator_, "correct horse"));
    for (const std::string_view other : {"", "correct hors", "correct horse ", "Correct horse"}) {
        EXPECT_FALSE(key.matches(authenticator_, other)) << other;
    }
    const AdminKey none{std::string_view()};
    EXPECT_FALSE(none.matches(authenticator_, ""));
    EXPECT_FALSE(none.matches(authenticator_, "x"));
}

}  // namespace
}  // namespace weir::auth
