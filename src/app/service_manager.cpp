#include "app/service_manager.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <ctime>

#include "base/text.h"

namespace weir::app {
namespace {

constexpr int kFirstDescriptor = 3;  // as sd_listen_fds(3) has it
constexpr std::int64_t kDescriptorsMax = 512;

std::vector<std::string> split_names(const std::string& text) {
    std::vector<std::string> names;
    std::size_t from = 0;
    while (from <= text.size() && !text.empty()) {
        const std::size_t colon = std::min(text.find(':', from), text.size());
        names.push_back(text.substr(from, colon - from));
        from = colon + 1;
    }
    return names;
}

Result<NamedSockets> adopt(std::vector<int> descriptors, std::string_view name) {
    if (descriptors.empty()) {
        return NamedSockets{};
    }
    WEIR_TRY(auto sockets, net::ListenSockets::adopt(std::move(descriptors), name));
    sockets->share();  // the manager keeps them, and what waits in them, for who comes next
    return NamedSockets{.sockets = std::move(sockets), .is_managed = true};
}

}  // namespace

ServiceManager::ServiceManager(const config::Lookup& environment)
    : socket_(environment("NOTIFY_SOCKET").value_or("")) {}

Result<Inherited> ServiceManager::take_sockets(const config::Lookup& environment) const {
    const auto pid = parse_decimal(environment("LISTEN_PID").value_or(""));
    const auto count = parse_decimal(environment("LISTEN_FDS").value_or(""));
    if (!pid || !count || *pid != static_cast<std::uint64_t>(::getpid()) || *count == 0) {
        return Inherited{};  // they are not for us
    }
    if (*count > kDescriptorsMax) {
        return fail(
            Code::invalid_config,
            fmt::format("LISTEN_FDS says {}: at most {} are taken.", *count, kDescriptorsMax));
    }
    auto names = split_names(environment("LISTEN_FDNAMES").value_or(""));
    if (names.empty()) {
        names = {"api", "operations"};
    }
    std::vector<int> api;
    std::vector<int> operations;
    for (std::size_t i = 0; i < *count; ++i) {
        const std::string name = i < names.size() ? names[i] : "";
        if (name != "api" && name != "operations") {
            return fail(Code::invalid_config,
                        fmt::format("The service manager hands over a socket named '{}': name it "
                                    "api or operations (FileDescriptorName= of the socket unit).",
                                    name));
        }
        (name == "api" ? api : operations).push_back(kFirstDescriptor + static_cast<int>(i));
    }
    Inherited inherited;
    WEIR_TRY(inherited.api, adopt(std::move(api), "api"));
    WEIR_TRY(inherited.operations, adopt(std::move(operations), "operations"));
    return inherited;
}

void ServiceManager::say_ready(std::string_view where) const {
    say(fmt::format("READY=1\nSTATUS=Serves {}", where));
}

void ServiceManager::say_reloading() const {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    say(fmt::format("RELOADING=1\nMONOTONIC_USEC={}",
                    now.tv_sec * 1'000'000LL + now.tv_nsec / 1'000));
}

void ServiceManager::say_stopping() const { say("STOPPING=1\nSTATUS=Lets running calls end"); }

void ServiceManager::say_main_process(int pid) const { say(fmt::format("MAINPID={}", pid)); }

// Best effort: a manager that does not listen must not keep us from serving.
void ServiceManager::say(const std::string& state) const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socket_.empty() || socket_.size() >= sizeof address.sun_path) {
        return;
    }
    std::memcpy(address.sun_path, socket_.data(), socket_.size());
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
    if (socket_.front() == '@') {
        address.sun_path[0] = '\0';  // a name of Linux's own, without a file
    }
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd >= 0) {
        ::sendto(fd,
                 state.data(),
                 state.size(),
                 MSG_NOSIGNAL | MSG_DONTWAIT,
                 reinterpret_cast<const sockaddr*>(&address),
                 size);
        ::close(fd);
    }
}

}  // namespace weir::app
