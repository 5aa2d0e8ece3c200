// The old side of a hand-over: a socket in the data folder, on which a new gateway of the same user
// asks for what this one listens on. One at a time; what ends before it says that it is ready
// changes nothing. On the main thread's reactor.
#pragma once

#include <sys/types.h>

#include <memory>
#include <optional>
#include <string>

#include "aio/descriptor.h"
#include "aio/task.h"
#include "app/gateway.h"

namespace weir::app {

class HandOver {
public:
    // Takes the place of an earlier gateway's socket. Errors: storage_unavailable; the gateway can
    // do without.
    static Result<std::unique_ptr<HandOver>> listen(const std::string& data_folder);
    // Removes the socket where it is still ours.
    ~HandOver();
    HandOver(const HandOver&) = delete;

    // Until a new process has taken over, and the gateway has left its doors to it: that process.
    // nullopt: cancelled.
    aio::Task<std::optional<pid_t>> wait(Gateway& gateway);

private:
    HandOver(std::string folder, int fd) : folder_(std::move(folder)), listener_(fd) {}
    aio::Task<std::optional<pid_t>> talk_to(Gateway& gateway, int fd);

    std::string folder_;
    ino_t file_ = 0;
    aio::Descriptor listener_;
};

}  // namespace weir::app
