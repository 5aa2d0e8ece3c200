#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include "aio/channel.h"
#include "aio/signals.h"
#include "app/commands.h"
#include "app/gateway.h"
#include "app/hand_over.h"
#include "app/sections.h"
#include "app/service_manager.h"
#include "app/take_over.h"
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

// What the main thread waits for: a signal's number, or that another process has taken over.
struct Event {
    int signal = 0;
    std::optional<pid_t> successor;
};
using Events = aio::Channel<Event>;
constexpr std::size_t kEventsMax = 4;

aio::Task<void> signal_loop(Events* events) {
    aio::Signals signals({SIGTERM, SIGINT, SIGHUP});
    for (;;) {
        const int signal = co_await signals.next();
        if (signal == 0) {
            co_return;
        }
        co_await events->send({.signal = signal});
    }
}

aio::Task<void> hand_over_loop(Gateway* gateway, std::string data_folder, Events* events) {
    auto made = HandOver::listen(data_folder);
    if (!made) {
        gateway->note_change("hand_over.impossible", made.error().message());
        co_return;
    }
    const auto successor = co_await (*made)->wait(*gateway);
    if (successor) {
        co_await events->send({.successor = successor});
    }
}

aio::Task<void> run_until_end(Gateway* gateway,
                              const std::string* data_folder,
                              const ServiceManager* manager) {
    Events events(kEventsMax);
    aio::Scope background;
    background.spawn(signal_loop(&events));
    background.spawn(hand_over_loop(gateway, *data_folder, &events));
    background.spawn(tidy_loop(gateway));
    background.spawn(watch_loop(gateway));
    background.spawn(memory_loop(gateway));
    for (;;) {
        const auto event = co_await events.receive();
        if (!event || event->signal != SIGHUP) {
            if (event && event->successor) {
                manager->say_main_process(*event->successor);
                gateway->note_change("hand_over.begun", fmt::format("to {}", *event->successor));
            } else {
                manager->say_stopping();
            }
            break;
        }
        manager->say_reloading();
        const auto outcome = gateway->reload();
        static_cast<void>(outcome);  // the log has said it
        manager->say_ready(net::to_text(gateway->doors().api.sockets->address()));
    }
    background.cancel();
    co_await background.join();
}

// What a person needs to make the first call, and what is shown only now.
void introduce(const Gateway& gateway, const Doors& doors, const std::string& data_folder) {
    const std::string base = fmt::format("{}://{}",
                                         doors.tls != nullptr ? "https" : "http",
                                         net::to_text(doors.api.sockets->address()));
    fmt::print("Weir serves {}/v1\n", base);
    fmt::print("Operations  http://{}/metrics, /livez, /readyz\n",
               net::to_text(doors.operations.sockets->address()));
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

// With what is inherited: of a gateway that runs, or of the service manager.
Result<std::unique_ptr<Gateway>> start(const ServeCommand& command,
                                       const config::Snapshot& snapshot,
                                       const config::Lookup& environment,
                                       const ServiceManager& manager,
                                       std::unique_ptr<TakeOver>& take_over) {
    GatewayOptions options{.config_file = command.config_file,
                           .data_folder = command.data_folder,
                           .allow_open = command.allow_open};
    if (command.take_over) {
        WEIR_TRY(take_over, TakeOver::ask(command.data_folder));
    }
    if (take_over) {
        options.sockets = take_over->sockets();
    } else {
        WEIR_TRY(options.sockets, manager.take_sockets(environment));
    }
    return Gateway::start(snapshot, options, environment);
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
    const ServiceManager manager(environment);
    std::unique_ptr<TakeOver> take_over;
    const auto started = start(command, *loaded->snapshot, environment, manager, take_over);
    if (!started) {
        return report(started.error());
    }
    Gateway& gateway = **started;
    {
        const Doors doors = gateway.doors();  // a copy: sockets that are held do not close
        if (take_over) {
            if (const auto finished = take_over->finish(doors); !finished) {
                return report(finished.error());
            }
            gateway.follow(take_over->journal());
            take_over.reset();
        }
        gateway.open();
        introduce(gateway, doors, command.data_folder);
        const std::string listen = net::to_text(doors.api.sockets->address());
        const std::string operations = net::to_text(doors.operations.sockets->address());
        if (const auto written = write_ready_file(command.ready_file, listen, operations);
            !written) {
            return report(written.error());
        }
        manager.say_ready(listen);
    }
    aio::Reactor reactor;
    reactor.run(run_until_end(&gateway, &command.data_folder, &manager));
    gateway.stop();
    return 0;
}

}  // namespace weir::app
