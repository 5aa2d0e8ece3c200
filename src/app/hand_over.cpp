#include "app/hand_over.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "app/hand_over_wire.h"

namespace weir::app {
namespace {

constexpr int kBacklog = 4;
// How long a new process may take from its first word to the next one: it opens the database, reads
// what crashed ones left and builds itself.
constexpr std::chrono::seconds kBuildMax{120};

// Nobody but the same user gets sockets; the file's mode says so already, and this says it again.
std::optional<pid_t> process_of_same_user(int fd) {
    ucred who{};
    socklen_t size = sizeof who;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0 || who.uid != ::geteuid()) {
        return std::nullopt;
    }
    return who.pid;
}

std::string describe(std::string_view name, const NamedSockets& sockets) {
    return fmt::format("{} {} {}\n",
                       name,
                       sockets.sockets->descriptors().size(),
                       sockets.is_managed ? "managed" : "bound");
}

bool send_sockets(int fd, const NamedSockets& sockets) {
    std::span<const int> left = sockets.sockets->descriptors();
    while (!left.empty()) {
        const auto now = left.first(std::min(left.size(), kHandOverDescriptorsMax));
        if (!send_message(fd, "sockets\n", now)) {
            return false;
        }
        left = left.subspan(now.size());
    }
    return true;
}

// The next message; an empty one where the other side is gone or `deadline` has passed.
aio::Task<HandOverMessage> next_message(aio::Descriptor& peer, aio::Deadline deadline) {
    char first = 0;
    while (::recv(peer.fd(), &first, 1, MSG_PEEK) < 0 && errno == EAGAIN) {
        peer.clear_ready(aio::Direction::read);
        const aio::Wake wake = co_await peer.wait(aio::Direction::read, deadline);
        if (wake != aio::Wake::ready) {
            co_return HandOverMessage{};
        }
    }
    auto received = receive_message(peer.fd());
    co_return received ? std::move(*received) : HandOverMessage{};
}

// While somebody may have our sockets they must not change.
class NoReloads {
public:
    explicit NoReloads(Gateway& gateway) : gateway_(gateway) { gateway_.set_handing_over(true); }
    ~NoReloads() { gateway_.set_handing_over(false); }
    NoReloads(const NoReloads&) = delete;

private:
    Gateway& gateway_;
};

}  // namespace

Result<std::unique_ptr<HandOver>> HandOver::listen(const std::string& data_folder) {
    const int fd = ::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    std::unique_ptr<HandOver> made(new HandOver(data_folder, fd));
    // It has its name once it is finished: who looks for it finds the old one or the new one.
    const std::string unfinished = fmt::format("{}.{}", kHandOverFile, ::getpid());
    const std::string from = data_folder + "/" + unfinished;
    const std::string to = fmt::format("{}/{}", data_folder, kHandOverFile);
    ::unlink(from.c_str());
    int error = bind_in(data_folder, unfinished, fd);
    struct stat status{};
    if (error == 0 &&
        (::chmod(from.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(fd, kBacklog) != 0 ||
         ::stat(from.c_str(), &status) != 0 || ::rename(from.c_str(), to.c_str()) != 0)) {
        error = errno;
        ::unlink(from.c_str());
    }
    if (error != 0) {
        return fail(Code::storage_unavailable,
                    fmt::format("'{}' cannot be made: {}.", to, std::strerror(error)));
    }
    made->file_ = status.st_ino;
    return made;
}

HandOver::~HandOver() {
    const std::string file = fmt::format("{}/{}", folder_, kHandOverFile);
    struct stat status{};
    if (::stat(file.c_str(), &status) == 0 && status.st_ino == file_) {
        ::unlink(file.c_str());
    }
}

aio::Task<std::optional<pid_t>> HandOver::wait(Gateway& gateway) {
    for (;;) {
        const int fd = ::accept4(listener_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            const auto taken = co_await talk_to(gateway, fd);
            if (taken) {
                co_return taken;
            }
            continue;
        }
        listener_.clear_ready(aio::Direction::read);
        const aio::Wake wake =
            co_await listener_.wait(aio::Direction::read, aio::Deadline::never());
        if (wake != aio::Wake::ready) {
            co_return std::nullopt;
        }
    }
}

aio::Task<std::optional<pid_t>> HandOver::talk_to(Gateway& gateway, int fd) {
    aio::Descriptor peer(fd);
    const auto process = process_of_same_user(fd);
    if (!process) {
        co_return std::nullopt;
    }
    const auto deadline = aio::Deadline::in(kBuildMax);
    const HandOverMessage hello = co_await next_message(peer, deadline);
    if (hello.text != fmt::format("{}\n", kHandOverHello)) {
        send_message(
            fd,
            fmt::format("refused The gateway that runs there speaks '{}' only: stop it with "
                        "SIGTERM and start this one without --take-over.\n",
                        kHandOverHello));
        co_return std::nullopt;
    }

    const NoReloads still(gateway);
    const Estate estate = gateway.estate();
    const bool sent = send_message(fd,
                                   fmt::format("{}\npid {}\njournal {}\n{}{}",
                                               kHandOverHello,
                                               ::getpid(),
                                               estate.journal,
                                               describe("api", estate.api),
                                               describe("operations", estate.operations))) &&
                      send_sockets(fd, estate.api) && send_sockets(fd, estate.operations);
    if (!sent) {
        co_return std::nullopt;
    }
    const HandOverMessage ready = co_await next_message(peer, deadline);
    if (!ready.text.starts_with("ready")) {
        // Where it lives still it learns that it came too late.
        send_message(fd,
                     fmt::format("refused The gateway that runs there waited {} s and goes on.\n",
                                 kBuildMax.count()));
        gateway.note_change("hand_over.given_up", "the new process was never ready");
        co_return std::nullopt;
    }
    const std::string_view names = line_of(ready.text, "ready");
    gateway.leave_doors({.api = names.contains("api"), .operations = names.contains("operations")});
    send_message(fd, "yours\n");
    co_return process;
}

}  // namespace weir::app
