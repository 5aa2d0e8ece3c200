#include "provider/section.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "aio/blocking_pool.h"
#include "net/resolver.h"
#include "provider/provider.h"

namespace weir::provider {
namespace {

config::Loaded load(std::string_view yaml) {
    return config::load({providers_section()}, yaml, "weir.yaml", [](std::string_view) {
        return std::optional<std::string>();
    });
}

std::string first_error(std::string_view yaml) {
    const auto loaded = load(yaml);
    return loaded.errors.empty() ? "" : config::to_text(loaded.errors.front());
}

TEST(ProvidersSection, EveryKindWithADefaultHasAGoodOne) {
    for (const ProviderKind* kind : all_kinds()) {
        if (!kind->base_url.empty()) {
            EXPECT_FALSE(base_url_of({.kind = kind}).host.empty()) << kind->name;
        }
    }
}

TEST(ProvidersSection, AnAdaptiveLimitIsNoFixedOne) {
    const auto with = [](std::string_view admission) {
        return fmt::format(
            "providers:\n  - {{name: a, kind: vllm, base_url: http://h/v1,\n     "
            "admission: {}}}\n",
            admission);
    };
    const auto loaded = load(with("{adaptive: {enabled: true, most: 64}, queue: 8}"));
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const auto& admission = loaded.snapshot->get<ProvidersSection>().providers.front().admission;
    EXPECT_TRUE(admission.adaptive.enabled);
    EXPECT_EQ(admission.adaptive.most, 64);
    EXPECT_EQ(first_error(with("{adaptive: {enabled: true}, in_flight: 4}")),
              "weir.yaml:3: providers[0].admission.in_flight: adaptive finds the limit out: leave "
              "this out, or bound it by adaptive.most");
    EXPECT_EQ(first_error(with("{adaptive: {least: 9, most: 3}}")),
              "weir.yaml:3: providers[0].admission.adaptive.least: 9 is above `most`, which is 3");
}

TEST(ProvidersSection, AProbeAsksForTheModelsUnlessItIsTold) {
    aio::BlockingPool pool("test", 1, 8);
    net::Resolver resolver(pool);
    const auto head_of = [&](std::string_view provider) {
        const auto loaded = load(fmt::format("providers: [{{name: a, {}}}]", provider));
        EXPECT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
        const auto& section = loaded.snapshot->get<ProvidersSection>().providers.front();
        std::string head;
        (*Provider::make(section, 1, resolver))->begin_probe_head(head);
        return head;
    };
    const std::string openai = head_of("kind: openai, api_key: k, health: {}");
    EXPECT_TRUE(openai.starts_with("GET /v1/models HTTP/1.1\r\nhost: api.openai.com\r\n"))
        << openai;
    EXPECT_NE(openai.find("authorization: Bearer k\r\n"), std::string::npos);
    const std::string claude = head_of("kind: anthropic, api_key: k, health: {interval: 1s}");
    EXPECT_TRUE(claude.starts_with("GET /v1/models HTTP")) << claude;
    EXPECT_NE(claude.find("anthropic-version: "), std::string::npos);
    const std::string own = head_of(
        "kind: vllm, base_url: http://h:8000/v1, health: {path: /health, healthy_after: 1}");
    EXPECT_TRUE(own.starts_with("GET /v1/health HTTP")) << own;
    EXPECT_EQ(first_error("providers: [{name: a, kind: vllm, base_url: http://h/v1, health: "
                          "{path: \"/a b\"}}]"),
              "weir.yaml:1: providers[0].health.path: expected a path such as /models, of at most "
              "256 characters, found '/a b'");
    EXPECT_EQ(first_error("providers: [{name: a, kind: bedrock, region: x, bearer_token: t, "
                          "health: {}}]"),
              "weir.yaml:1: providers[0].health.path: required: kind bedrock has no list of models "
              "that is asked for without a signature");
}

TEST(ProviderKind, HasEachEndpointOnce) {
    for (const ProviderKind* kind : all_kinds()) {
        for (const auto list : {kind->endpoints, kind->versioned_endpoints}) {
            for (std::size_t i = 0; i < list.size(); ++i) {
                EXPECT_TRUE(list[i].path.starts_with('/')) << kind->name;
                for (std::size_t j = 0; j < i; ++j) {
                    EXPECT_FALSE(list[i].surface == list[j].surface &&
                                 list[i].operation == list[j].operation)
                        << kind->name << ' ' << list[i].path;
                }
            }
        }
    }
}

TEST(ProviderKind, SaysWhichOfASurfacesCallsItHas) {
    const auto has = [](std::string_view kind, llm::Surface surface, llm::Operation operation) {
        const auto endpoints = find_kind(kind)->endpoints;
        return std::any_of(endpoints.begin(), endpoints.end(), [&](const Endpoint& endpoint) {
            return endpoint.surface == surface && endpoint.operation == operation;
        });
    };
    using llm::Operation;
    using llm::Surface;
    EXPECT_TRUE(has("openai", Surface::audio, Operation::translation));
    EXPECT_TRUE(has("groq", Surface::audio, Operation::transcription));
    EXPECT_FALSE(has("groq", Surface::images, Operation::generation));
    EXPECT_TRUE(has("xai", Surface::images, Operation::edit));
    EXPECT_FALSE(has("xai", Surface::images, Operation::variation));
    EXPECT_TRUE(has("vllm", Surface::rerank, Operation::only));
    EXPECT_FALSE(has("openai", Surface::rerank, Operation::only));
    EXPECT_FALSE(has("deepseek", Surface::moderations, Operation::only));
}

TEST(ProvidersSection, ReadsAProvider) {
    const auto loaded = load(
        "providers:\n"
        "  - {name: gpu-1, kind: vllm, base_url: http://10.0.0.7:8000/v1, connections_max: 256}\n"
        "  - {name: openai, kind: openai, api_key: sk-x, pass_through: true}\n");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const auto& providers = loaded.snapshot->get<ProvidersSection>().providers;
    ASSERT_EQ(providers.size(), 2u);
    EXPECT_EQ(providers[0].base_url.host, "10.0.0.7");
    EXPECT_EQ(providers[0].connections_max, 256);
    EXPECT_EQ(base_url_of(providers[1]).host, "api.openai.com");
    EXPECT_TRUE(providers[1].pass_through);
}

TEST(ProvidersSection, ReadsSeveralKeys) {
    const auto loaded = load(
        "providers:\n"
        "  - {name: a, kind: anthropic, keys: [{name: one, key: k1, weight: 2}, {name: two, key: "
        "k2}]}\n");
    ASSERT_TRUE(loaded.errors.empty()) << config::to_text(loaded.errors.front());
    const auto& section = loaded.snapshot->get<ProvidersSection>().providers.front();
    aio::BlockingPool pool("test-pool", 1, 1);
    net::Resolver resolver(pool);
    const auto provider = Provider::make(section, 1, resolver);
    ASSERT_TRUE(provider.has_value());
    const auto credentials = (*provider)->credentials();
    ASSERT_EQ(credentials.size(), 2u);
    EXPECT_EQ(credentials[0].name, "one");
    EXPECT_EQ(credentials[0].weight, 2u);
    const auto way = (*provider)->way(llm::Surface::messages, llm::Dialect::anthropic);
    ASSERT_TRUE(way.has_value());
    std::string head;
    (*provider)->begin_head(*way, "m", false, 1, head);
    EXPECT_NE(head.find("x-api-key: k2\r\n"), std::string::npos) << head;
    EXPECT_EQ(head.find("k1"), std::string::npos) << head;
    pool.stop();
}

struct Refusal {
    std::string_view name, yaml, says;
};
class ProvidersSectionRefuses : public testing::TestWithParam<Refusal> {};
TEST_P(ProvidersSectionRefuses, WithItsPlace) {
    EXPECT_NE(first_error(GetParam().yaml).find(GetParam().says), std::string::npos)
        << first_error(GetParam().yaml);
}
INSTANTIATE_TEST_SUITE_P(
    Table,
    ProvidersSectionRefuses,
    testing::Values(
        Refusal{"no_base_url", "providers: [{name: a, kind: vllm}]", "providers[0].base_url"},
        Refusal{"no_key", "providers: [{name: a, kind: openai}]", "providers[0].api_key"},
        Refusal{"unknown_kind", "providers: [{name: a, kind: opnai}]", "providers[0].kind"},
        Refusal{"bad_name", "providers: [{name: A/b, kind: openai, api_key: k}]", "lower-case"},
        Refusal{"same_name",
                "providers:\n- {name: a, kind: openai, api_key: k}\n- {name: a, kind: openai, "
                "api_key: k}",
                "weir.yaml:3: providers[1].name"},
        Refusal{"key_twice",
                "providers: [{name: a, kind: openai, api_key: k, keys: [{name: b, key: k}]}]",
                "providers[0].keys"},
        Refusal{
            "same_key_name",
            "providers: [{name: a, kind: openai, keys: [{name: b, key: k}, {name: b, key: l}]}]",
            "providers[0].keys[1].name"},
        Refusal{"keys_of_aws",
                "providers: [{name: a, kind: bedrock, region: us-east-1, access_key_id: i, "
                "secret_access_key: s, keys: [{name: b, key: k}]}]",
                "providers[0].keys"},
        Refusal{"credential_forwarded",
                "providers: [{name: a, kind: openai, api_key: k, forward_headers: "
                "[authorization]}]",
                "forward_headers[0]"}),
    [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace weir::provider
