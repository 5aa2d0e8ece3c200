// What a service manager such as systemd hands to a program, and what it wants to hear from it: the
// protocols of sd_listen_fds(3) and sd_notify(3), which are two variables and a datagram. Without
// one nothing is there and nothing is said.
#pragma once

#include <string>
#include <string_view>

#include "app/doors.h"
#include "config/document.h"

namespace weir::app {

class ServiceManager {
public:
    explicit ServiceManager(const config::Lookup& environment);

    // The sockets that were handed over, named `api` and `operations`; without names the first is
    // the one, the second the other. Once. Errors: invalid_config.
    Result<Inherited> take_sockets(const config::Lookup& environment) const;

    void say_ready(std::string_view where) const;
    void say_reloading() const;
    void say_stopping() const;
    // This process goes, and that one stays.
    void say_main_process(int pid) const;

private:
    void say(const std::string& state) const;
    std::string socket_;  // empty: nobody listens
};

}  // namespace weir::app
