#include <fmt/format.h>

#include <csignal>
#include <cstdio>

#include "aio/signals.h"
#include "app/commands.h"
#include "app/environment.h"
#include "app/machine.h"

namespace weir::app {
namespace {

aio::Task<void> wait_for_signal() {
    aio::Signals signals({SIGTERM, SIGINT});
    co_await signals.next();
}

}  // namespace

int run_simulator(const SimulateCommand& command) {
    aio::block_signals({SIGTERM, SIGINT});
    raise_descriptor_limit();
    const auto address = net::parse_socket_address(command.listen);
    if (!address) {
        return report(address.error());
    }
    const auto listener = start_simulator(*address, command.options);
    if (!listener) {
        return report(listener.error());
    }
    const std::string listen = net::to_text((*listener)->address());
    if (const auto written = write_ready_file(command.ready_file, listen, ""); !written) {
        return report(written.error());
    }
    fmt::print("Simulating a provider at http://{}/v1 (what it served: http://{}/__stats)\n",
               listen,
               listen);
    std::fflush(stdout);
    aio::Reactor reactor;
    reactor.run(wait_for_signal());
    return 0;
}

}  // namespace weir::app
