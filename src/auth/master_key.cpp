#include "auth/master_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <optional>
#include <system_error>
#include <utility>

#include "auth/digest.h"
#include "base/random.h"
#include "base/text.h"

namespace weir::auth {
namespace {

// Part of the check value's derivation: shows the key's identity, never its use.
constexpr std::string_view kCheckLabel = "check";
constexpr std::size_t kCheckSize = 16;
// 64 hexadecimal digits and white space; a longer file is something else.
constexpr std::size_t kFileSizeMax = 256;

class File {
public:
    explicit File(int descriptor) : descriptor_(descriptor) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    explicit operator bool() const { return descriptor_ >= 0; }
    int operator*() const { return descriptor_; }

private:
    int descriptor_;
};

std::string reason(int error) { return std::generic_category().message(error); }

std::optional<unsigned> base64_value(char c) {
    if (c >= 'A' && c <= 'Z') {
        return static_cast<unsigned>(c - 'A');
    }
    if (c >= 'a' && c <= 'z') {
        return static_cast<unsigned>(c - 'a' + 26);
    }
    if (c >= '0' && c <= '9') {
        return static_cast<unsigned>(c - '0' + 52);
    }
    if (c == '+' || c == '-') {
        return 62;
    }
    if (c == '/' || c == '_') {
        return 63;
    }
    return std::nullopt;
}

// A line of a file or a variable: with its end, whichever system wrote it.
std::string_view without_white_space(std::string_view text) {
    constexpr std::string_view kWhite = " \t\r\n";
    const auto first = text.find_first_not_of(kWhite);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

// Exactly 32 bytes: 43 characters, the last of which carries four bits.
std::optional<std::string> from_base64(std::string_view text) {
    if (text.size() == 44 && text.back() == '=') {
        text.remove_suffix(1);
    }
    if (text.size() != 43) {
        return std::nullopt;
    }
    std::string bytes;
    bytes.reserve(kMasterKeySize);
    unsigned bits = 0;
    unsigned held = 0;
    for (const char c : text) {
        const auto value = base64_value(c);
        if (!value) {
            return std::nullopt;
        }
        held = (held << 6 | *value) & 0xfff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            bytes += static_cast<char>(held >> bits & 0xff);
        }
    }
    if ((held & ((1u << bits) - 1)) != 0) {
        return std::nullopt;
    }
    return bytes;
}

Result<void> check_permissions(const struct stat& info, const std::string& path) {
    if (!S_ISREG(info.st_mode)) {
        return fail(Code::invalid_config, fmt::format("{} is not a regular file.", path));
    }
    // Root could read anybody's file: that anybody could then read Weir's secrets.
    if (info.st_uid != ::geteuid() && info.st_uid != 0) {
        return fail(Code::invalid_config,
                    fmt::format("{} belongs to another user (uid {}); make the user that runs "
                                "Weir its owner.",
                                path,
                                info.st_uid));
    }
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
        return fail(Code::invalid_config,
                    fmt::format("{} is open to other users (mode {:04o}); run `chmod 600 {}`.",
                                path,
                                static_cast<unsigned>(info.st_mode) & 07777u,
                                path));
    }
    return {};
}

// nullopt where there is no such file.
Result<std::optional<Secret>> read_file(const std::string& path) {
    const File file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
    if (!file) {
        const int error = errno;
        if (error == ENOENT) {
            return std::optional<Secret>();
        }
        if (error == ELOOP) {
            return fail(Code::invalid_config,
                        fmt::format("{} is a symbolic link; put the file itself there.", path));
        }
        return fail(Code::invalid_config,
                    fmt::format("{} cannot be read: {}.", path, reason(error)));
    }
    struct stat info{};
    if (::fstat(*file, &info) != 0) {
        return fail(Code::invalid_config,
                    fmt::format("{} cannot be read: {}.", path, reason(errno)));
    }
    WEIR_TRY(check_permissions(info, path));
    std::string text(kFileSizeMax + 1, '\0');
    std::size_t size = 0;
    while (size < text.size()) {
        const auto got = ::read(*file, text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return fail(Code::invalid_config,
                        fmt::format("{} cannot be read: {}.", path, reason(errno)));
        }
        if (got == 0) {
            break;
        }
        size += static_cast<std::size_t>(got);
    }
    if (size > kFileSizeMax) {
        text.clear();  // no key: parse() says so
    }
    text.resize(std::min(size, text.size()));
    return std::optional<Secret>(std::in_place, std::move(text));
}

bool write_whole(int descriptor, std::string_view text) {
    while (!text.empty()) {
        const auto put = ::write(descriptor, text.data(), text.size());
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put <= 0) {
            return false;
        }
        text.remove_prefix(static_cast<std::size_t>(put));
    }
    return ::fsync(descriptor) == 0;
}

// Written whole under another name and then linked, which fails where the file is there already: no
// crash leaves half a key, and of two processes one wins.
Result<void> make_file(const std::filesystem::path& folder, const std::string& path) {
    std::array<unsigned char, kMasterKeySize> key;
    std::array<unsigned char, 8> suffix;
    secure_random(key);
    secure_random(suffix);
    const std::string draft = fmt::format("{}.{}", path, to_hex(suffix));
    const Secret text(to_hex(key) + "\n");
    key.fill(0);

    const auto cannot = [&](int error) {
        return fail(Code::invalid_config,
                    fmt::format("The master key cannot be written to {}: {}. Give Weir a data "
                                "folder it may write to, or set WEIR_MASTER_KEY.",
                                path,
                                reason(error)));
    };
    {
        const File file(
            ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
        if (!file) {
            return cannot(errno);
        }
        if (!write_whole(*file, text.reveal())) {
            const int error = errno;
            ::unlink(draft.c_str());
            return cannot(error);
        }
    }
    const int error = ::link(draft.c_str(), path.c_str()) == 0 ? 0 : errno;
    ::unlink(draft.c_str());
    if (error != 0 && error != EEXIST) {
        return cannot(error);
    }
    // The name must outlive a power cut: what is stored under the key is lost without it.
    const File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory || ::fsync(*directory) != 0) {
        return cannot(errno);
    }
    return {};
}

}  // namespace

Result<MasterKey> MasterKey::parse(const Secret& text, std::string_view origin) {
    const std::string_view value = without_white_space(text.reveal());
    auto bytes = value.size() == 2 * kMasterKeySize ? from_hex(value) : from_base64(value);
    if (!bytes) {
        return fail(Code::invalid_config,
                    fmt::format("{} holds no key: it must be 32 bytes as 64 hexadecimal digits or "
                                "as base64, for example from `openssl rand -hex 32`.",
                                origin));
    }
    return MasterKey(Secret(std::move(*bytes)));
}

Result<MasterKey> MasterKey::open(const std::filesystem::path& data_folder) {
    const std::string path = (data_folder / kMasterKeyFile).string();
    WEIR_TRY(auto text, read_file(path));
    if (!text) {
        WEIR_TRY(make_file(data_folder, path));
        WEIR_TRY(text, read_file(path));
        if (!text) {
            return fail(Code::invalid_config,
                        fmt::format("{} was removed while Weir started.", path));
        }
    }
    return parse(*text, path);
}

Secret MasterKey::derive(std::string_view label) const { return auth::derive(bytes_, label); }

std::string MasterKey::check_value() const {
    const Secret derived = derive(kCheckLabel);
    const std::string_view bytes = derived.reveal().substr(0, kCheckSize);
    return to_hex({reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()});
}

Result<void> MasterKey::check(std::string_view stored) const {
    if (stored == check_value()) {
        return {};
    }
    return fail(Code::invalid_config,
                "The database was written under another master key. Start Weir with the key it was "
                "made with (WEIR_MASTER_KEY, or master.key in the data folder): under any other "
                "one no API key can be recognised and no sealed credential opened.");
}

}  // namespace weir::auth
