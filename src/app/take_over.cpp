#include "app/take_over.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/hand_over_wire.h"
#include "base/text.h"

namespace weir::app {
namespace {

// What is asked for is at hand: a gateway that needs longer is stuck.
constexpr timeval kAnswerMax{.tv_sec = 10, .tv_usec = 0};

Failure misunderstood() {
    return fail(Code::conflict,
                "The gateway that runs there does not speak this version of the hand-over: stop it "
                "with SIGTERM and start this one without --take-over.");
}

}  // namespace

Result<std::unique_ptr<TakeOver>> TakeOver::ask(const std::string& data_folder) {
    std::unique_ptr<TakeOver> take_over(
        new TakeOver(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0)));
    const int fd = take_over->fd_;
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kAnswerMax, sizeof kAnswerMax);
    const int error = connect_in(data_folder, kHandOverFile, fd);
    if (error == ENOENT || error == ECONNREFUSED) {
        return nullptr;  // none runs, or the last one died
    }
    if (error != 0) {
        return fail(Code::invalid_config,
                    fmt::format("The gateway that runs on '{}' cannot be asked: {}. It must belong "
                                "to the same user.",
                                data_folder,
                                std::strerror(error)));
    }
    send_message(fd, fmt::format("{}\n", kHandOverHello));
    WEIR_TRY(take_over->receive());
    return take_over;
}

TakeOver::~TakeOver() { ::close(fd_); }

Result<void> TakeOver::receive() {
    WEIR_TRY(const HandOverMessage offer, receive_message(fd_));
    if (const auto why = line_of(offer.text, "refused"); !why.empty()) {
        return fail(Code::conflict, std::string(why));
    }
    if (offer.text.empty()) {
        return fail(
            Code::conflict,
            "The gateway that runs there does not hand over: it belongs to another user, or "
            "has just ended.");
    }
    if (!offer.text.starts_with(fmt::format("{}\n", kHandOverHello))) {
        return misunderstood();
    }
    journal_ = line_of(offer.text, "journal");
    WEIR_TRY(sockets_.api, receive_sockets("api", line_of(offer.text, "api")));
    WEIR_TRY(sockets_.operations, receive_sockets("operations", line_of(offer.text, "operations")));
    return {};
}

// "4 bound" or "1 managed": so many descriptors come next.
Result<NamedSockets> TakeOver::receive_sockets(std::string_view name, std::string_view line) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const auto count = parse_decimal(line.substr(0, space));
    if (!count || *count == 0) {
        return misunderstood();
    }
    HandOverMessage all;  // closes them where one is missing
    while (all.descriptors.size() < *count) {
        WEIR_TRY(HandOverMessage next, receive_message(fd_));
        if (next.descriptors.empty()) {
            return misunderstood();
        }
        all.descriptors.insert(
            all.descriptors.end(), next.descriptors.begin(), next.descriptors.end());
        next.descriptors.clear();
    }
    WEIR_TRY(auto sockets, net::ListenSockets::adopt(std::exchange(all.descriptors, {}), name));
    const bool is_managed = line.substr(space).starts_with(" managed");
    if (is_managed) {
        sockets->share();
    }
    return NamedSockets{.sockets = std::move(sockets), .is_managed = is_managed};
}

Result<void> TakeOver::finish(const Doors& doors) {
    std::string ready = "ready";
    ready += doors.api.sockets == sockets_.api.sockets ? " api" : "";
    ready += doors.operations.sockets == sockets_.operations.sockets ? " operations" : "";
    // Where the other side is gone by now its last word can still be read.
    send_message(fd_, ready + "\n");
    WEIR_TRY(const HandOverMessage last, receive_message(fd_));
    if (const auto why = line_of(last.text, "refused"); !why.empty()) {
        return fail(Code::conflict, std::string(why));
    }
    return {};  // it lets nobody in any more, or it is dead: its sockets are ours alone
}

}  // namespace weir::app
