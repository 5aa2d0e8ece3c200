#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "aio/signals.h"
#include "app/commands.h"
#include "app/gateway.h"
#include "app/sections.h"
#include "server/section.h"

namespace weir::app {
namespace {

constexpr std::chrono::seconds kTidyInterval{1};
constexpr std::chrono::milliseconds kMemoryInterval{100};
// Mounted configuration maps change without a word: the file's content is compared.
constexpr std::chrono::seconds kWatchInterval{2};

aio::Task<void> tidy_loop(Gateway* gateway) {
    for (;;) {
        const aio::Wake wake = co_await aio::sleep(aio::Deadline::in(kTidyInterval));
        if (wake == aio::Wake::cancelled) {
            co_return;
        }
        gateway->tidy();
    }
}

aio::Task<void> memory_loop(Gateway* gateway) {
    for (;;) {
        const aio::Wake wake = co_await aio::sleep(aio::Deadline::in(kMemoryInterval));
        if (wake == aio::Wake::cancelled) {
            co_return;
        }
        gateway->watch_memory();
    }
}

aio::Task<void> watch_loop(Gateway* gateway) {
    for (;;) {
        const aio::Wake wake = co_await aio::sleep(aio::Deadline::in(kWatchInterval));
        if (wake == aio::Wake::cancelled) {
            co_return;
        }
        gateway->reload_if_changed();
    }
}

aio::Task<void> run_until_signal(Gateway* gateway) {
    aio::Signals signals({SIGTERM, SIGINT, SIGHUP});
    aio::Scope background;
    background.spawn(tidy_loop(gateway));
    background.spawn(watch_loop(gateway));
    background.spawn(memory_loop(gateway));
    while (co_await signals.next() == SIGHUP) {
        const auto outcome = gateway->reload();
        static_cast<void>(outcome);  // the log has said it
    }
    background.cancel();
    co_await background.join();
}

// What a person needs to make the first call, and what is shown only now.
void introduce(const Gateway& gateway, const std::string& data_folder) {
    const std::string base = fmt::format(
        "{}://{}", gateway.has_tls() ? "https" : "http", net::to_text(gateway.listen()));
    fmt::print("Weir serves {}/v1\n", base);
    fmt::print("Operations  http://{}/metrics, /livez, /readyz\n",
               net::to_text(gateway.operations()));
    fmt::print("Data        {}\n", data_folder);
    for (const std::string& provider : gateway.surplus().providers) {
        fmt::print("Provider    {0}, from the environment: call its models as {0}/MODEL\n",
                   provider);
    }
    if (gateway.surplus().simulator) {
        fmt::print("Provider    simulator, built in, because no other was named\n");
    }
    std::string models;
    std::string first_model;
    const auto runtime = gateway.runtime();
    for (const router::Model& model : runtime->catalog.models()) {
        if (!model.name.empty()) {
            models += (models.empty() ? "" : ", ") + model.name;
            first_model = first_model.empty() ? model.name : first_model;
        }
    }
    if (!models.empty()) {
        fmt::print("Models      {}\n", models);
    }
    const FirstKeys& keys = gateway.first_keys();
    if (keys.admin_key) {
        fmt::print("Admin key   {}   (shown this once)\n", keys.admin_key->reveal());
    }
    if (keys.api_key) {
        fmt::print("API key     {}   (shown this once)\n", keys.api_key->reveal());
        if (first_model.empty() && !gateway.surplus().providers.empty()) {
            first_model = gateway.surplus().providers.front() + "/MODEL";
        }
        fmt::print(
            "\ncurl {}/v1/chat/completions -H 'Authorization: Bearer {}' "
            "-H 'Content-Type: application/json' "
            "-d "
            "'{{\"model\":\"{}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello\"}}]}}'\n",
            base,
            keys.api_key->reveal(),
            first_model);
    }
    std::fflush(stdout);
}

}  // namespace

Result<void> write_ready_file(const std::string& file,
                              const std::string& listen,
                              const std::string& operations) {
    if (file.empty()) {
        return {};
    }
    const std::string text =
        fmt::format("{{\"listen\":\"{}\",\"operations\":\"{}\"}}\n", listen, operations);
    const std::string unfinished = file + ".part";
    const int fd = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    const bool written =
        fd >= 0 && ::write(fd, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (fd >= 0) {
        ::close(fd);
    }
    if (!written || std::rename(unfinished.c_str(), file.c_str()) != 0) {
        return fail(Code::invalid_config,
                    fmt::format("Cannot write '{}': {}.", file, std::strerror(errno)));
    }
    return {};
}

int serve(const ServeCommand& command, const config::Lookup& environment) {
    // Before the first thread, so that all inherit it.
    aio::block_signals({SIGTERM, SIGINT, SIGHUP});
    const auto loaded = load_configuration(command.config_file, environment);
    if (!loaded) {
        return report(loaded.error());
    }
    for (const auto& error : loaded->errors) {
        fmt::print(stderr, "{}\n", config::to_text(error));
    }
    if (!loaded->errors.empty()) {
        return kExitConfig;
    }
    auto started = Gateway::start(*loaded->snapshot,
                                  {.config_file = command.config_file,
                                   .data_folder = command.data_folder,
                                   .allow_open = command.allow_open},
                                  environment);
    if (!started) {
        return report(started.error());
    }
    Gateway& gateway = **started;
    introduce(gateway, command.data_folder);
    if (const auto written = write_ready_file(
            command.ready_file, net::to_text(gateway.listen()), net::to_text(gateway.operations()));
        !written) {
        return report(written.error());
    }
    aio::Reactor reactor;
    reactor.run(run_until_signal(&gateway));
    gateway.stop(loaded->snapshot->get<server::ServerSection>().drain);
    return 0;
}

}  // namespace weir::app
