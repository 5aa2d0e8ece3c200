// The command line. Only this file reads argv and the environment.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdlib>

#include "app/commands.h"
#include "app/version.h"
#include "cli/admin_client.h"
#include "cli/commands.h"
#include "config/values.h"

namespace {

using namespace weir;

std::optional<std::string> environment(std::string_view name) {
    const char* value = std::getenv(std::string(name).c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

// An option whose text has a grammar of its own.
template <class T, class Parse>
CLI::Option* parsed(CLI::App* command, std::string name, T& into, Parse parse, std::string doc) {
    return command->add_option_function<std::string>(
        std::move(name),
        [&into, parse](const std::string& text) {
            auto value = parse(text);
            if (!value) {
                if constexpr (std::is_same_v<std::decay_t<decltype(value.error())>, std::string>) {
                    throw CLI::ValidationError("expected " + value.error());
                } else {
                    throw CLI::ValidationError(value.error().message());
                }
            }
            into = std::move(*value);
        },
        std::move(doc));
}

void add_serve(CLI::App& program, int& status) {
    auto command = std::make_shared<app::ServeCommand>();
    CLI::App* serve = program.add_subcommand("serve", "Run the gateway until SIGTERM.");
    serve->add_option("--config", command->config_file, "the configuration file (YAML)");
    serve->add_option("--data", command->data_folder, "the folder of what is kept")
        ->capture_default_str();
    serve->add_option("--ready-file", command->ready_file, "written when calls are taken");
    serve->add_flag("--allow-open",
                    command->allow_open,
                    "allow auth.mode off on an address that others can reach");
    serve->add_flag("--take-over",
                    command->take_over,
                    "take the place of the gateway that runs on the data folder, if one does: no "
                    "call is lost");
    serve->callback([command, &status] { status = app::serve(*command, environment); });
}

void add_simulate(CLI::App& program, int& status) {
    auto command = std::make_shared<app::SimulateCommand>();
    CLI::App* simulate = program.add_subcommand(
        "simulate", "Run the simulated provider, in all four dialects: for tests and first steps.");
    auto& options = command->options;
    simulate->add_option("--listen", command->listen, "where it listens")->capture_default_str();
    simulate->add_option("--ready-file", command->ready_file, "written when calls are taken");
    simulate->add_option("--seed", options.seed, "of its texts and its luck")
        ->capture_default_str();
    simulate->add_option(
        "--tps", options.tokens_per_second, "tokens a second; as fast as it can unless set");
    parsed(simulate,
           "--ttft",
           options.first_token,
           config::parse_duration,
           "until the first token, such as 200ms");
    parsed(simulate,
           "--jitter",
           options.jitter,
           config::parse_percent,
           "how much each pause varies, such as 20%");
    simulate->add_option("--slots", options.slots, "calls at once; no limit unless set");
    simulate->add_option("--queue", options.queue, "calls that wait for a slot; more get a 429");
    parsed(simulate,
           "--fail",
           options.failures,
           simulate::parse_failure_rates,
           "shares of calls that fail, such as 429=0.1,reset=0.01");
    simulate->add_option("--cache-prefix-bytes",
                         options.cache_prefix_bytes,
                         "a prompt whose first bytes were seen answers sooner");
    simulate->callback([command, &status] { status = app::run_simulator(*command); });
}

void add_config(CLI::App& program, int& status) {
    CLI::App* config = program.add_subcommand("config", "Check the configuration.");
    config->require_subcommand(1);
    auto file = std::make_shared<std::string>();
    auto json = std::make_shared<bool>(false);
    CLI::App* check =
        config->add_subcommand("check", "Say everything that is wrong with a file; 78 if any is.");
    check->add_option("--config,file", *file, "the configuration file (YAML)")->required();
    check->add_flag("--json", *json, "for programs");
    check->callback(
        [file, json, &status] { status = app::check_config(*file, environment, *json); });
    config->add_subcommand("schema", "Print the JSON Schema of the file, for editors.")
        ->callback([&status] { status = app::print_config_schema(); });
}

// The commands that speak the admin API of a running gateway.
std::shared_ptr<cli::Server> add_server_options(CLI::App* command) {
    auto server = std::make_shared<cli::Server>();
    server->url = environment("WEIR_URL").value_or("http://127.0.0.1:8080");
    server->admin_key = Secret(environment("WEIR_ADMIN_KEY").value_or(""));
    command->add_option("--url", server->url, "the gateway (or WEIR_URL)")->capture_default_str();
    command->add_option("--ca-file", server->ca_file, "PEM file with the authorities to trust");
    command->add_flag("--json", server->json, "for programs");
    return server;
}

void add_keys(CLI::App& program, int& status) {
    CLI::App* keys =
        program.add_subcommand("keys", "API keys. The admin key is read from WEIR_ADMIN_KEY.");
    keys->require_subcommand(1);

    CLI::App* create = keys->add_subcommand("create", "Make a key; it is shown this once.");
    auto facts = std::make_shared<cli::NewKey>();
    create->add_option("--name", facts->name, "what people call it");
    create->add_option("--model", facts->allowed_models, "a model it may use; all unless set");
    create->add_option(
        "--provider", facts->allowed_providers, "a provider it may use; all unless set");
    create->add_option("--tag", facts->tags, "a tag of it");
    create->add_option(
        "--requests-per-minute", facts->requests_per_minute, "how often it may call");
    create->add_option("--concurrency", facts->concurrency_max, "how many calls at once");
    create->add_option("--expires-at", facts->expires_at, "such as 2027-01-31T00:00:00Z");
    auto create_at = add_server_options(create);
    create->callback([=, &status] { status = cli::create_key(*create_at, *facts); });

    CLI::App* list = keys->add_subcommand("list", "All keys.");
    auto list_at = add_server_options(list);
    list->callback([=, &status] { status = cli::list_keys(*list_at); });

    CLI::App* revoke = keys->add_subcommand("revoke", "Revoke a key, at once and for good.");
    auto id = std::make_shared<std::string>();
    revoke->add_option("id", *id, "its id, as `weir keys list` shows it")->required();
    auto revoke_at = add_server_options(revoke);
    revoke->callback([=, &status] { status = cli::revoke_key(*revoke_at, *id); });
}

void add_reload(CLI::App& program, int& status) {
    CLI::App* reload =
        program.add_subcommand("reload",
                               "Have a running gateway read its configuration again. The admin key "
                               "is read from WEIR_ADMIN_KEY.");
    auto at = add_server_options(reload);
    reload->callback([=, &status] { status = cli::reload(*at); });
}

void add_usage(CLI::App& program, int& status) {
    CLI::App* usage = program.add_subcommand(
        "usage", "What calls used. The admin key is read from WEIR_ADMIN_KEY.");
    auto query = std::make_shared<cli::UsageQuery>();
    usage->add_option("request-id", query->request_id, "one call, with its attempts");
    usage->add_option("--limit", query->limit, "how many, newest first")->capture_default_str();
    usage->add_option("--model", query->model, "only this model");
    usage->add_option("--provider", query->provider, "only this provider");
    usage->add_option("--code", query->code, "only this outcome: ok, or an error's code");
    usage->add_option("--key", query->key_id, "only this key, by its id");
    usage->add_option("--from", query->from, "such as 2026-11-01T00:00:00Z");
    usage->add_option("--to", query->to, "such as 2026-12-01T00:00:00Z");
    auto at = add_server_options(usage);
    usage->callback([=, &status] { status = cli::show_usage(*at, *query); });
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App program{"Weir: one gateway between applications and model providers."};
    program.require_subcommand(1);
    program.set_version_flag("--version", std::string(weir::app::kVersion));
    int status = 0;
    add_serve(program, status);
    add_simulate(program, status);
    add_config(program, status);
    add_keys(program, status);
    add_usage(program, status);
    add_reload(program, status);
    program.add_subcommand("version", "Print the version.")->callback([] {
        fmt::print("weir {}\n", weir::app::kVersion);
    });
    try {
        program.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return program.exit(error);
    }
    return status;
}
