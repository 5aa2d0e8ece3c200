#include "runtime/runtime.h"

#include <gtest/gtest.h>

#include "price/catalog.h"
#include "runtime/sections.h"

namespace weir::runtime {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load(sections(), yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
}

// What outlives every Runtime.
struct Lent {
    quota::LimitCounters counters;
    resilience::TargetTable targets{1};
    resilience::CredentialsTable credentials;
    Surroundings to(net::Resolver& resolver) {
        return {.resolver = resolver,
                .counters = counters,
                .targets = targets,
                .credentials = credentials,
                .threads = 2,
                .memory_bytes = 1u << 30};
    }
};

TEST(Runtime, BuildsFromAnEmptyConfiguration) {
    const auto loaded = load("");
    ASSERT_TRUE(loaded.errors.empty());
    EXPECT_TRUE(check(*loaded.snapshot, "weir.yaml").empty());
    aio::BlockingPool pool("test", 1, 8);
    net::Resolver resolver(pool);
    Lent lent;
    const auto runtime = Runtime::build(*loaded.snapshot, lent.to(resolver));
    ASSERT_TRUE(runtime.has_value());
    EXPECT_EQ((*runtime)->auth_mode, auth::Mode::required);
    EXPECT_EQ((*runtime)->output_rules, nullptr);
}

TEST(Runtime, FindsTheProviderOfAModel) {
    const auto loaded = load(
        "providers: [{name: a, kind: vllm, base_url: http://127.0.0.1:1/v1}, {name: b, kind: vllm, "
        "base_url: http://127.0.0.1:2/v1}]\n"
        "models: [{name: m, targets: [{provider: b, model: x}]}]\n"
        "guardrails: {output: {banned_words: [secret]}}\n");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    aio::BlockingPool pool("test", 1, 8);
    net::Resolver resolver(pool);
    Lent lent;
    const auto runtime = Runtime::build(*loaded.snapshot, lent.to(resolver));
    ASSERT_TRUE(runtime.has_value());
    const auto model = (*runtime)->catalog.resolve("m");
    ASSERT_TRUE(model.has_value());
    EXPECT_EQ((*runtime)->providers[model->model->first().provider]->name(), "b");
    EXPECT_NE((*runtime)->output_rules, nullptr);
}

TEST(Runtime, WhatStaysIsCarriedOverToTheNextOne) {
    const auto before = load(
        "providers: [{name: a, kind: vllm, base_url: http://127.0.0.1:1/v1}, {name: b, kind: vllm, "
        "base_url: http://127.0.0.1:2/v1}]\n"
        "models: [{name: m, targets: [{provider: a, model: x}, {provider: b, model: x}]}]\n");
    const auto after = load(
        "providers: [{name: b, kind: vllm, base_url: http://127.0.0.1:2/v1}, {name: a, kind: vllm, "
        "base_url: http://127.0.0.1:3/v1}]\n"
        "models: [{name: m, targets: [{provider: b, model: x}, {provider: a, model: x}]}]\n");
    ASSERT_TRUE(before.errors.empty() && after.errors.empty());
    aio::BlockingPool pool("test", 1, 8);
    net::Resolver resolver(pool);
    Lent lent;
    const auto first = Runtime::build(*before.snapshot, lent.to(resolver));
    ASSERT_TRUE(first.has_value());
    const auto second = Runtime::build(*after.snapshot, lent.to(resolver), first->get());
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ((*second)->providers[0]->upstream(), (*first)->providers[1]->upstream());
    EXPECT_NE((*second)->providers[1]->upstream(), (*first)->providers[0]->upstream())
        << "it is at another address now";
    EXPECT_EQ((*second)->targets[0], (*first)->targets[1]);
    EXPECT_EQ((*second)->targets[1], (*first)->targets[0]);
}

TEST(Runtime, WhatAnOperatorSaidOfAModelOutlivesAReload) {
    const std::string_view provider =
        "providers: [{name: a, kind: vllm, base_url: http://127.0.0.1:1/v1}]\n";
    const auto with = [&](std::string_view names) {
        std::string yaml(provider);
        yaml += "models:\n";
        for (const char name : names) {
            yaml += std::string("  - {name: ") + name + ", targets: [{provider: a, model: x}]}\n";
        }
        return load(yaml);
    };
    aio::BlockingPool pool("test", 1, 8);
    net::Resolver resolver(pool);
    Lent lent;
    const auto first = Runtime::build(*with("mn").snapshot, lent.to(resolver));
    ASSERT_TRUE(first.has_value());
    (*first)->models[0]->set_strategy(router::Strategy::cost);
    const auto second = Runtime::build(*with("nm").snapshot, lent.to(resolver), first->get());
    ASSERT_TRUE(second.has_value());
    EXPECT_EQ((*second)->models[0]->strategy(), std::nullopt);
    EXPECT_EQ((*second)->models[1]->strategy(), router::Strategy::cost);
}

TEST(Runtime, PricesOfTheProvidersKindHold) {
    const auto loaded = load(
        "providers: [{name: a, kind: deepseek, api_key: k, pass_through: true}]\n"
        "models: [{name: m, targets: [{provider: a, model: deepseek-chat}]}]\n");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    aio::BlockingPool pool("test", 1, 8);
    net::Resolver resolver(pool);
    Lent lent;
    const auto runtime = Runtime::build(*loaded.snapshot, lent.to(resolver));
    ASSERT_TRUE(runtime.has_value());
    const price::CatalogEntry* listed = price::find("deepseek", "deepseek-chat");
    ASSERT_NE(listed, nullptr);
    for (const std::string_view name : {"m", "a/deepseek-chat"}) {
        const auto& catalog = (*runtime)->catalog;
        const auto resolved = *catalog.resolve(name);
        EXPECT_EQ(catalog.choice(resolved, resolved.model->first()).rates, &listed->rates) << name;
    }
}

TEST(Sections, AModelOfNoProviderIsAnErrorWithItsPlace) {
    const auto loaded = load("models:\n  - {name: m, targets: [{provider: b, model: x}]}\n");
    ASSERT_TRUE(loaded.errors.empty());
    const auto errors = check(*loaded.snapshot, "weir.yaml");
    ASSERT_EQ(errors.size(), 1u);
    EXPECT_EQ(errors[0].place.line, 2);
}

}  // namespace
}  // namespace weir::runtime
