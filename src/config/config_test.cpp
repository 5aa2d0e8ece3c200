#include <fmt/format.h>
#include <gtest/gtest.h>

#include "config/snapshot.h"

namespace weir::config {
namespace {

using namespace std::chrono_literals;

TEST(ConfigValues, FollowTheGrammar) {
    EXPECT_EQ(parse_duration("250ms"), 250ms);
    EXPECT_EQ(parse_duration("30d"), std::chrono::days{30});
    EXPECT_EQ(parse_rate("60/min"), (Rate{60, 60s}));
    EXPECT_EQ(parse_percent("25%"), 0.25);
    EXPECT_EQ(parse_size("32MiB"), 32u << 20);
    EXPECT_EQ(parse_money("0.15 USD")->nano_usd(), 150'000'000);
    for (const auto* bad :
         {"", "5", "s", "-5s", "5 s", "5S", "1e3s", "99999999999999999999s", "9999999999999d"}) {
        EXPECT_FALSE(parse_duration(bad)) << bad;
    }
    for (const auto* bad : {"", "60", "60/m", "/min", "-1/s", "99999999999/s"}) {
        EXPECT_FALSE(parse_rate(bad)) << bad;
    }
    for (const auto* bad : {"", "10", "101%", "-1%", "1.5%"}) {
        EXPECT_FALSE(parse_percent(bad)) << bad;
    }
    for (const auto* bad : {"", "MiB", "32mib", "99999999999999GiB"}) {
        EXPECT_FALSE(parse_size(bad)) << bad;
    }
    for (const auto* bad : {"", "25", "25USD", "25 EUR", "-1 USD"}) {
        EXPECT_FALSE(parse_money(bad)) << bad;
    }
}

enum class Mode : unsigned char { required, off };
struct Server {
    std::string listen = "127.0.0.1:8080";
    std::int64_t threads = 0;
    std::chrono::milliseconds patience{10s};
    Mode mode = Mode::required;
    std::vector<std::string> trusted;
};
struct Provider {
    std::string name;
    Secret key;
    std::optional<Rate> rate;
};
using Providers = std::vector<Provider>;
struct DefaultModel {
    std::string name;
};

std::vector<Section> sections() {
    Object<Server> server;
    server.field("listen", &Server::listen, text(), "where")
        .field("threads", &Server::threads, integer(0, 64), "how many")
        .field("patience", &Server::patience, duration(1s, 1h), "how long")
        .field("mode",
               &Server::mode,
               word<Mode>({{"required", Mode::required}, {"off", Mode::off}}),
               "who")
        .field("trusted", &Server::trusted, list(text()), "whom");
    Object<Provider> provider;
    provider.required("name", &Provider::name, text(), "its name")
        .field("key", &Provider::key, secret(), "its key")
        .field("rate", &Provider::rate, optional(rate()), "its rate")
        .check([](const Provider& p, const Position& at, Reporter& reporter) {
            if (p.name == "bad") {
                reporter.report(at.node.place, at.path, "bad is taken");
            }
        });
    return {section<Server>("server", "the server", server.type()),
            section<Providers>("providers", "who answers", list(provider.type()))};
}

std::optional<std::string> environment(std::string_view name) {
    if (name == "KEY") {
        return "s3cret: [not yaml]";
    }
    if (name == "EMPTY") {
        return "";
    }
    return std::nullopt;
}

Loaded read(std::string_view text) { return load(sections(), text, "weir.yaml", &environment); }

TEST(Config, ReadsWhatIsRight) {
    const auto loaded = read(
        "server: {listen: '[::1]:1', threads: 4, mode: off, trusted: [a, b]}\n"
        "providers:\n"
        "  - {name: one, key: '${KEY}', rate: 5/s}\n"
        "  - name: ${UNSET:-two}$$${EMPTY:-x}\n");
    ASSERT_TRUE(loaded.snapshot) << to_text(loaded.errors.at(0));
    const auto& server = loaded.snapshot->get<Server>();
    EXPECT_EQ(server.listen, "[::1]:1");
    EXPECT_EQ(server.threads, 4);
    EXPECT_EQ(server.mode, Mode::off);
    EXPECT_EQ(server.patience, 10s);
    EXPECT_EQ(server.trusted.size(), 2u);
    const auto& providers = loaded.snapshot->get<Providers>();
    ASSERT_EQ(providers.size(), 2u);
    EXPECT_EQ(providers[0].key.reveal(), "s3cret: [not yaml]");
    EXPECT_EQ(providers[0].rate, (Rate{5, 1s}));
    EXPECT_EQ(providers[1].name, "two$x");
    EXPECT_TRUE(read("").snapshot);
}

struct BadCase {
    std::string_view text, message;
};
TEST(Config, SaysWhereAndWhatWasExpected) {
    for (const auto& c : {
             BadCase{"server:\n  lisen: x\n",
                     "weir.yaml:2: server.lisen: unknown key; did you mean 'listen'?"},
             BadCase{"sever: {}\n", "weir.yaml:1: sever: unknown key; did you mean 'server'?"},
             BadCase{"banana: 1\n",
                     "weir.yaml:1: banana: unknown key; known here: server, providers"},
             BadCase{
                 "server: {threads: many}\n",
                 "weir.yaml:1: server.threads: expected a whole number from 0 to 64, found 'many'"},
             BadCase{"server: {threads: 99999999999999999999}\n",
                     "weir.yaml:1: server.threads: expected a whole number from 0 to 64, found "
                     "'99999999999999999999'"},
             BadCase{"server: {patience: 1ms}\n",
                     "weir.yaml:1: server.patience: expected a duration from 1000ms to 3600000ms, "
                     "found '1ms'"},
             BadCase{"server: {mode: on}\n",
                     "weir.yaml:1: server.mode: expected one of required, off, found 'on'"},
             BadCase{"server: [1]\n", "weir.yaml:1: server: expected a map of keys, found a list"},
             BadCase{"providers:\n  - key: x\n",
                     "weir.yaml:2: providers[0].name: this key is required"},
             BadCase{"providers:\n  - name: a\n    key: [x]\n",
                     "weir.yaml:3: providers[0].key: expected a secret, such as ${NAME}"},
             BadCase{"providers:\n  - name: bad\n", "weir.yaml:2: providers[0]: bad is taken"},
             BadCase{"server: {}\nserver: {}\n",
                     "weir.yaml:2: the key 'server' stands twice, first at line 1"},
             BadCase{
                 "server: {listen: '${NOPE}'}\n",
                 "weir.yaml:1: the variable NOPE is not set: set it, or write ${NOPE:-fallback}"},
             BadCase{"server: {listen: a$b}\n",
                     "weir.yaml:1: a lone '$': write $$ for a dollar sign, ${NAME} for a variable"},
             BadCase{"a: &x {}\n",
                     "weir.yaml:1: anchors are not taken here: write the value where it is needed"},
             BadCase{"server: {<<: {}}\n",
                     "weir.yaml:1: merge keys are not taken here: write the values out"},
             BadCase{"- a\n", "weir.yaml:1: the file must be a map of sections: `server: {…}`"},
         }) {
        const auto loaded = read(c.text);
        ASSERT_FALSE(loaded.snapshot) << c.text;
        EXPECT_EQ(to_text(loaded.errors.at(0)), c.message);
    }
}

TEST(Config, ListsEveryErrorAndNeverASecret) {
    const auto loaded = read(
        "server: {threads: x, mode: y}\nproviders: [{name: 1, key: \"${KEY}\\n\"}, {nme: z}]\n");
    EXPECT_EQ(loaded.errors.size(), 5u);
    for (const auto& error : loaded.errors) {
        EXPECT_EQ(to_text(error).find("s3cret"), std::string::npos);
    }
}

TEST(Config, MalformedTextIsAMessageNotACrash) {
    for (const std::string_view text :
         {"server: {", "\t- a", "a: b: c", "'", "%YAML 9.9", "a: [1, 2", "{}{}", "? a"}) {
        EXPECT_FALSE(read(text).snapshot) << text;
    }
    EXPECT_FALSE(read(std::string(100'000, '[')).snapshot);
    EXPECT_FALSE(read("a: " + std::string(100'000, '{')).snapshot);
}

TEST(Config, SchemaNamesEveryKey) {
    const std::string schema = json_schema(sections());
    for (const auto* key :
         {"\"server\"", "\"listen\"", "\"writeOnly\":true", "\"required\":[\"name\"]"}) {
        EXPECT_NE(schema.find(key), std::string::npos) << key;
    }
}

}  // namespace
}  // namespace weir::config
