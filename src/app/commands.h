// The subcommands that need no running gateway. Each prints what it has to say and returns the exit
// status: 0, 1, or 78 (EX_CONFIG of sysexits.h) where the configuration is at fault.
#pragma once

#include <string>

#include "base/error.h"
#include "config/document.h"
#include "simulate/simulator.h"

namespace weir::app {

inline constexpr int kExitFailure = 1;
inline constexpr int kExitConfig = 78;

struct ServeCommand {
    std::string config_file;
    std::string data_folder = "weir-data";
    std::string ready_file;  // written when calls are taken: {"listen":…,"operations":…}
    bool allow_open = false;
    bool take_over = false;  // take the place of the gateway that runs there, if one does
};
// Runs until SIGTERM or SIGINT.
int serve(const ServeCommand& command, const config::Lookup& environment);

struct SimulateCommand {
    std::string listen = "127.0.0.1:9001";
    std::string ready_file;
    simulate::SimulatorOptions options;
};
int run_simulator(const SimulateCommand& command);

int check_config(const std::string& file, const config::Lookup& environment, bool json);
int print_config_schema();

// Says on stderr what went wrong; returns the exit status for it.
int report(const Error& error);
// Where `file` is named: {"listen":"…","operations":"…"}, whole or not at all.
Result<void> write_ready_file(const std::string& file,
                              const std::string& listen,
                              const std::string& operations);

}  // namespace weir::app
