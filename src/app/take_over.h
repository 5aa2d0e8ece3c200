// The new side of a hand-over: asks the gateway that runs on a data folder for its listening
// sockets, and tells it when it may go. Until then nothing has changed for that one: who fails is
// forgotten. Blocks.
#pragma once

#include <memory>
#include <string>

#include "app/doors.h"

namespace weir::app {

class TakeOver {
public:
    // null: no gateway runs there. Errors: invalid_config (it cannot be asked), conflict (it
    // refuses, or speaks another version).
    static Result<std::unique_ptr<TakeOver>> ask(const std::string& data_folder);
    ~TakeOver();
    TakeOver(const TakeOver&) = delete;

    const Inherited& sockets() const { return sockets_; }
    const std::string& journal() const { return journal_; }
    // Everything is built, with these doors: the other one lets nobody in any more when it returns,
    // or is dead. Errors: conflict, where it has given up waiting.
    Result<void> finish(const Doors& doors);

private:
    explicit TakeOver(int fd) : fd_(fd) {}
    Result<void> receive();
    Result<NamedSockets> receive_sockets(std::string_view name, std::string_view line);

    int fd_;
    Inherited sockets_;
    std::string journal_;
};

}  // namespace weir::app
