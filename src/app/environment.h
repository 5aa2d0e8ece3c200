// What the environment adds to the configuration: providers whose key is there, and, where nothing
// names a provider, the built-in simulator.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/side_listener.h"
#include "config/snapshot.h"
#include "simulate/simulator.h"

namespace weir::app {

struct Surplus {
    std::shared_ptr<const config::Snapshot> snapshot;
    std::vector<std::string> providers;       // added from the environment
    std::shared_ptr<SideListener> simulator;  // null: not needed
};

// Errors: invalid_config (no port for the simulator).
Result<Surplus> complete(const config::Snapshot& snapshot,
                         const config::Lookup& environment,
                         std::shared_ptr<SideListener> simulator);

// The simulator on an address. Errors: invalid_config.
Result<std::unique_ptr<SideListener>> start_simulator(const net::SocketAddress& listen,
                                                      const simulate::SimulatorOptions& options);

}  // namespace weir::app
