#include "app/hand_over_wire.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace weir::app {
namespace {

constexpr std::size_t kControlBytes = CMSG_SPACE(kHandOverDescriptorsMax * sizeof(int));

template <class Call>
int with_address(const std::string& folder, std::string_view file, Call call) {
    const int at = ::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at < 0) {
        return errno;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    const auto end = fmt::format_to_n(
        address.sun_path, sizeof address.sun_path - 1, "/proc/self/fd/{}/{}", at, file);
    *end.out = '\0';
    const int error = call(reinterpret_cast<const sockaddr*>(&address)) == 0 ? 0 : errno;
    ::close(at);
    return error;
}

}  // namespace

HandOverMessage::~HandOverMessage() {
    for (const int fd : descriptors) {
        ::close(fd);
    }
}

bool send_message(int fd, std::string_view text, std::span<const int> descriptors) {
    iovec bytes{.iov_base = const_cast<char*>(text.data()), .iov_len = text.size()};
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    if (!descriptors.empty()) {
        message.msg_control = control.data();
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
    }
    return ::sendmsg(fd, &message, MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
}

Result<HandOverMessage> receive_message(int fd) {
    HandOverMessage received;
    received.text.resize(kHandOverBytesMax);
    iovec bytes{.iov_base = received.text.data(), .iov_len = received.text.size()};
    alignas(cmsghdr) std::array<char, kControlBytes> control{};
    msghdr message{};
    message.msg_iov = &bytes;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t got = ::recvmsg(fd, &message, MSG_CMSG_CLOEXEC);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        return fail(Code::conflict, "The other gateway did not answer in time.");
    }
    received.text.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); got >= 0 && header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
        if (header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
            const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            received.descriptors.resize(count);
            std::memcpy(received.descriptors.data(), CMSG_DATA(header), count * sizeof(int));
        }
    }
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0) {
        return fail(Code::conflict, "The other gateway says more than can be understood.");
    }
    return received;
}

std::string_view line_of(std::string_view text, std::string_view word) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        if (line.starts_with(word) && line.size() > word.size() && line[word.size()] == ' ') {
            return line.substr(word.size() + 1);
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return {};
}

int bind_in(const std::string& folder, std::string_view file, int fd) {
    return with_address(folder, file, [fd](const sockaddr* address) {
        return ::bind(fd, address, sizeof(sockaddr_un));
    });
}

int connect_in(const std::string& folder, std::string_view file, int fd) {
    return with_address(folder, file, [fd](const sockaddr* address) {
        return ::connect(fd, address, sizeof(sockaddr_un));
    });
}

}  // namespace weir::app
