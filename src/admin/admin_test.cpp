#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "admin/api.h"
#include "auth/stored_keys.h"
#include "runtime/sections.h"

namespace weir::admin {
namespace {

using Json = nlohmann::json;

// A gateway that runs on what it is given, without calls.
class TestControls : public Controls {
public:
    explicit TestControls(std::string yaml) {
        const auto loaded = config::load(runtime::sections(), yaml, "weir.yaml", [](auto) {
            return std::optional<std::string>();
        });
        EXPECT_TRUE(loaded.errors.empty());
        runtime_ = std::move(runtime::Runtime::build(*loaded.snapshot,
                                                     {.resolver = resolver_,
                                                      .counters = counters_,
                                                      .targets = targets_,
                                                      .credentials = credentials_,
                                                      .threads = 1,
                                                      .memory_bytes = 1u << 30})
                                 .value());
    }
    ~TestControls() override { pool_.stop(); }
    Result<Reloaded> reload() override {
        ++reloads;
        return next;
    }
    std::shared_ptr<const runtime::Runtime> runtime() const override { return runtime_; }
    void note_change(std::string_view event, std::string_view what) override {
        notes.push_back(std::string(event) + " " + std::string(what));
    }

    int reloads = 0;
    Reloaded next;
    std::vector<std::string> notes;

private:
    aio::BlockingPool pool_{"test-names", 1, 16};
    net::Resolver resolver_{pool_};
    quota::LimitCounters counters_;
    resilience::TargetTable targets_{1};
    resilience::CredentialsTable credentials_;
    std::shared_ptr<const runtime::Runtime> runtime_;
};

class AdminTest : public testing::Test {
protected:
    AdminTest() {
        char pattern[] = "/tmp/weir-admin-XXXXXX";
        folder_ = ::mkdtemp(pattern);
        database_ = std::move(store::Database::open_sqlite(folder_ + "/weir.db").value());
        keys_.emplace(*database_);
        usage_.emplace(*database_);
        records_.emplace(*keys_);
        authenticator_.emplace(clock_, *records_, pool_, Secret(std::string(32, 'p')));
        api_.emplace(*keys_, *usage_, *authenticator_, controls_, clock_);
    }
    ~AdminTest() override {
        pool_.stop();
        std::filesystem::remove_all(folder_);
    }
    Result<Reply> ask(std::string method,
                      std::string path,
                      std::string body = {},
                      std::string query = {}) {
        return api_->handle(
            {std::move(method), std::move(path), std::move(query), std::move(body)});
    }
    Json good(const Result<Reply>& reply) {
        EXPECT_TRUE(reply.has_value()) << (reply ? "" : reply.error().message());
        return reply ? Json::parse(reply->body) : Json();
    }

    std::string folder_;
    SystemClock clock_;
    aio::BlockingPool pool_{"test", 1, 16};
    std::unique_ptr<store::Database> database_;
    std::optional<store::Keys> keys_;
    std::optional<store::Usage> usage_;
    std::optional<auth::StoredKeys> records_;
    std::optional<auth::Authenticator> authenticator_;
    TestControls controls_{
        "providers: [{name: a, kind: openai, keys: [{name: one, key: k1}, {name: two, key: k2}]},\n"
        "  {name: b, kind: vllm, base_url: http://127.0.0.1:2/v1}]\n"
        "models: [{name: team/chat, targets: [{provider: a, model: x, weight: 9},\n"
        "  {provider: b, model: y}, {provider: b, model: z}]}]\n"};
    std::optional<Api> api_;
};

TEST_F(AdminTest, AReloadSaysWhatCameOfIt) {
    EXPECT_EQ(good(ask("POST", "/api/v1/reload"))["result"], "in_force");
    controls_.next.errors = {"weir.yaml:3: models[0]: no"};
    const auto refused = ask("POST", "/api/v1/reload", "{}");
    ASSERT_TRUE(refused.has_value());
    EXPECT_EQ(refused->status, 400);
    EXPECT_EQ(Json::parse(refused->body)["errors"][0], "weir.yaml:3: models[0]: no");
    EXPECT_FALSE(ask("POST", "/api/v1/reload", R"({"file":"x"})").has_value());
    EXPECT_EQ(controls_.reloads, 2);
}

TEST_F(AdminTest, TargetsAreShownAndChanged) {
    const Json list = good(ask("GET", "/api/v1/router/targets"));
    ASSERT_EQ(list["data"].size(), 3u);
    EXPECT_EQ(list["data"][0]["provider"], "a");
    EXPECT_EQ(list["data"][0]["breaker"], "closed");
    EXPECT_EQ(list["data"][0]["keys"][1]["name"], "two");
    EXPECT_EQ(list["data"][0]["keys"][1]["state"], "on");
    const std::string path = "/api/v1/router/models/team%2Fchat";
    EXPECT_EQ(good(ask("GET", path))["targets"][0]["configured_weight"], 9);
    const Json changed = good(ask(
        "PUT",
        path,
        R"({"targets":[{"provider":"a","weight":0},{"provider":"b","model":"z","service":"drained"}]})"));
    EXPECT_EQ(changed["targets"][0]["weight"], 0);
    EXPECT_EQ(changed["targets"][1]["service"], "on");
    EXPECT_EQ(changed["targets"][2]["service"], "drained");
    EXPECT_EQ(changed["targets"][2]["healthy"], false);
    EXPECT_EQ(controls_.notes.size(), 2u);
    const Json back = good(ask("PUT", path, R"({"targets":[{"provider":"a","weight":null}]})"));
    EXPECT_TRUE(back["targets"][0]["weight"].is_null());
}

TEST_F(AdminTest, AStrategyIsChangedAndGivenBack) {
    const std::string path = "/api/v1/router/models/team%2Fchat";
    const Json before = good(ask("GET", path));
    EXPECT_EQ(before["strategy"], "weighted");
    const Json changed = good(ask("PUT", path, R"({"strategy":"cost"})"));
    EXPECT_EQ(changed["strategy"], "cost");
    EXPECT_EQ(changed["configured_strategy"], "weighted");
    const auto runtime = controls_.runtime();
    EXPECT_EQ(runtime->models[0]->strategy(), router::Strategy::cost);
    EXPECT_EQ(controls_.notes, std::vector<std::string>{"router.strategy_changed team/chat: cost"});
    // Both at once, or neither.
    EXPECT_FALSE(
        ask("PUT", path, R"({"strategy":"latency","targets":[{"provider":"c"}]})").has_value());
    EXPECT_EQ(good(ask("GET", path))["strategy"], "cost");
    const Json back = good(ask("PUT", path, R"({"strategy":null})"));
    EXPECT_EQ(back["strategy"], "weighted");
    EXPECT_EQ(controls_.notes.back(), "router.strategy_changed team/chat: as configured");
}

TEST_F(AdminTest, ABadChangeChangesNothing) {
    const std::string path = "/api/v1/router/models/team%2Fchat";
    for (const std::string_view body : {
             R"({})",
             R"({"targets":[]})",
             R"({"strategy":"cheapest"})",
             R"({"strategy":"conditional"})",
             R"({"strategy":1})",
             R"({"strategy":"cost","targets":[]})",
             R"({"targets":[{"weight":1}]})",
             R"({"targets":[{"provider":"c"}]})",
             R"({"targets":[{"provider":"b","weight":1}]})",
             R"({"targets":[{"provider":"a","weight":-1}]})",
             R"({"targets":[{"provider":"a","weight":3},{"provider":"a","service":"asleep"}]})",
             R"({"targets":[{"provider":"a","wight":3}]})",
         }) {
        EXPECT_FALSE(ask("PUT", path, std::string(body)).has_value()) << body;
    }
    EXPECT_TRUE(good(ask("GET", path))["targets"][0]["weight"].is_null());
    EXPECT_EQ(good(ask("GET", path))["strategy"], "weighted");
    EXPECT_FALSE(ask("GET", "/api/v1/router/models/nobody").has_value());
}

TEST_F(AdminTest, AKeyIsShownOnceAndWorksUntilItIsRevoked) {
    const Json made = good(ask("POST",
                               "/api/v1/keys",
                               R"({"name":"app","requests_per_minute":60,"tags":["a"],)"
                               R"("expires_at":"2099-01-01T00:00:00Z"})"));
    const std::string key = made["key"];
    const std::string path = "/api/v1/keys/" + made["id"].get<std::string>();
    EXPECT_EQ(key.substr(0, 12), made["prefix"].get<std::string>());
    EXPECT_TRUE(authenticator_->load(key).has_value());

    const Json shown = good(ask("GET", path));
    EXPECT_FALSE(shown.contains("key"));
    EXPECT_EQ(shown["requests_per_minute"], 60);
    EXPECT_TRUE(shown["concurrency_max"].is_null());
    EXPECT_EQ(shown["expires_at"], "2099-01-01T00:00:00.000000Z");

    EXPECT_FALSE(good(ask("DELETE", path))["revoked_at"].is_null());
    EXPECT_FALSE(authenticator_->load(key).has_value());
}

TEST_F(AdminTest, ListsKeysInPages) {
    for (int i = 0; i < 5; ++i) {
        good(ask("POST", "/api/v1/keys", fmt::format(R"({{"name":"k{}"}})", i)));
    }
    std::vector<std::string> names;
    std::string query = "limit=2";
    for (;;) {
        const Json page = good(ask("GET", "/api/v1/keys", {}, query));
        for (const Json& key : page["data"]) {
            names.push_back(key["name"]);
        }
        if (page["next"].is_null()) {
            break;
        }
        query = "limit=2&after=" + page["next"].get<std::string>();
    }
    EXPECT_EQ(names, (std::vector<std::string>{"k0", "k1", "k2", "k3", "k4"}));
}

struct Refusal {
    std::string_view name, method, path, body, query;
    Code code;
};
class AdminRefuses : public AdminTest, public testing::WithParamInterface<Refusal> {};
TEST_P(AdminRefuses, WhatItDoesNotUnderstand) {
    const auto& with = GetParam();
    const auto reply = ask(std::string(with.method),
                           std::string(with.path),
                           std::string(with.body),
                           std::string(with.query));
    ASSERT_FALSE(reply.has_value()) << reply->body;
    EXPECT_EQ(reply.error().code(), with.code) << reply.error().message();
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    AdminRefuses,
    testing::Values(
        Refusal{"broken_json", "POST", "/api/v1/keys", "{", "", Code::invalid_json},
        Refusal{"no_object", "POST", "/api/v1/keys", "[]", "", Code::invalid_request},
        Refusal{
            "unknown_field", "POST", "/api/v1/keys", R"({"nmae":"x"})", "", Code::unknown_field},
        Refusal{
            "twice", "POST", "/api/v1/keys", R"({"name":"a","name":"b"})", "", Code::invalid_json},
        Refusal{"something_behind_a_nul",
                "POST",
                "/api/v1/keys",
                std::string_view("{}\0{", 4),
                "",
                Code::invalid_json},
        Refusal{
            "byte_order_mark", "POST", "/api/v1/keys", "\xef\xbb\xbf{}", "", Code::invalid_json},
        Refusal{"no_utf8", "POST", "/api/v1/keys", "{\"name\":\"\xff\"}", "", Code::invalid_json},
        Refusal{"no_utf8_in_a_query", "GET", "/api/v1/usage", "", "%ff=1", Code::invalid_request},
        Refusal{"wrong_type", "POST", "/api/v1/keys", R"({"name":1})", "", Code::invalid_request},
        Refusal{"zero_rate",
                "POST",
                "/api/v1/keys",
                R"({"requests_per_minute":0})",
                "",
                Code::invalid_request},
        Refusal{"no_time",
                "POST",
                "/api/v1/keys",
                R"({"expires_at":"tomorrow"})",
                "",
                Code::invalid_request},
        Refusal{"no_such_key",
                "GET",
                "/api/v1/keys/01900000-0000-7000-8000-000000000000",
                "",
                "",
                Code::not_found},
        Refusal{"no_id", "DELETE", "/api/v1/keys/1", "", "", Code::not_found},
        Refusal{"unknown_filter", "GET", "/api/v1/usage", "", "modle=x", Code::unknown_field},
        Refusal{"limit_too_large", "GET", "/api/v1/usage", "", "limit=1001", Code::invalid_request},
        Refusal{"bad_percent", "GET", "/api/v1/usage", "", "model=%zz", Code::invalid_request},
        Refusal{"no_such_call",
                "GET",
                "/api/v1/usage/01900000-0000-7000-8000-000000000000",
                "",
                "",
                Code::not_found}),
    [](const auto& info) { return std::string(info.param.name); });

TEST_F(AdminTest, ALongNameIsNotSaidBackWhole) {
    const std::string name(100'000, 'x');
    for (const std::string& body :
         {"{\"" + name + "\":1}", "{\"" + name + "\":1,\"" + name + "\":1}"}) {
        const auto reply = ask("POST", "/api/v1/keys", body);
        ASSERT_FALSE(reply.has_value());
        EXPECT_LT(reply.error().message().size(), 1000u);
        EXPECT_LT(reply.error().parameter().size(), 1000u);
    }
    const auto queried = ask("GET", "/api/v1/usage", "", name + "=1");
    ASSERT_FALSE(queried.has_value());
    EXPECT_LT(queried.error().message().size(), 1000u);
}

TEST_F(AdminTest, UsageNamesTheKeyAndKeepsEveryCent) {
    const Json made = good(ask("POST", "/api/v1/keys", "{}"));
    const auto record = keys_->find(*parse_uuid(made["id"].get<std::string>()));
    store::Call call{.request_id = make_uuid_v7(clock_.wall_now()),
                     .tenant_id = 1,
                     .key_id = (*record)->id,
                     .created_at = clock_.wall_now(),
                     .surface = "chat",
                     .model = "m x",
                     .provider = "p",
                     .code = "ok",
                     .status = 200,
                     .input_tokens = 3,
                     .output_tokens = 4,
                     .cost_nano_usd = 1'234};
    call.attempts.push_back({.provider = "p", .model = "u", .code = "ok", .status = 200});
    store::UsageWriter writer(*database_);
    ASSERT_TRUE(writer.write({.journal = "j", .calls = {call}}).has_value());

    const Json list = good(ask("GET", "/api/v1/usage", {}, "model=m%20x&limit=10"));
    ASSERT_EQ(list["data"].size(), 1u);
    EXPECT_EQ(list["data"][0]["key_id"], made["id"]);
    EXPECT_EQ(list["data"][0]["cost_usd"], "0.000001234");
    EXPECT_EQ(good(ask("GET", "/api/v1/usage", {}, "model=other"))["data"].size(), 0u);
    const Json one = good(ask("GET", "/api/v1/usage/" + to_text(call.request_id)));
    EXPECT_EQ(one["attempts"][0]["model"], "u");
}

TEST(AllowedMethods, KnowsEveryPathAndNoOther) {
    EXPECT_EQ(allowed_methods("/api/v1/keys"), "GET, POST");
    EXPECT_EQ(allowed_methods("/api/v1/keys/x"), "GET, DELETE");
    EXPECT_EQ(allowed_methods("/api/v1/usage/x"), "GET");
    for (const std::string_view path :
         {"/api/v1/keys/", "/api/v1/keys/x/y", "/api/v1/keysx", "/"}) {
        EXPECT_EQ(allowed_methods(path), "") << path;
    }
}

}  // namespace
}  // namespace weir::admin
