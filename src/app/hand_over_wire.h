// How two gateways talk during a hand-over: whole messages over a Unix socket, a little text each,
// with listening sockets beside it. The text is versioned, as the two may be of different age.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace weir::app {

inline constexpr std::string_view kHandOverFile = "hand-over.sock";  // in the data folder
inline constexpr std::string_view kHandOverHello = "weir-hand-over 1";
inline constexpr std::size_t kHandOverBytesMax = 16u << 10;
// The kernel takes up to 253 in one message.
inline constexpr std::size_t kHandOverDescriptorsMax = 128;

struct HandOverMessage {
    std::string text;  // empty: the other side is gone
    std::vector<int> descriptors;

    HandOverMessage() = default;
    HandOverMessage(HandOverMessage&& other) noexcept = default;
    ~HandOverMessage();  // closes what was not taken out
};

// All of it or nothing. False: the other side is gone.
bool send_message(int fd, std::string_view text, std::span<const int> descriptors = {});
// The next message; blocks where the socket does. Errors: conflict, where it is none of these.
Result<HandOverMessage> receive_message(int fd);

// The rest of the line that begins with this word; empty: there is none.
std::string_view line_of(std::string_view text, std::string_view word);

// Folders have long names and the addresses of Unix sockets are short: binds or connects by way of
// the folder's descriptor. 0, or errno.
int bind_in(const std::string& folder, std::string_view file, int fd);
int connect_in(const std::string& folder, std::string_view file, int fd);

}  // namespace weir::app
