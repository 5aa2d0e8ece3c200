// The one secret from which Weir derives all others: the pepper of API keys, the key that seals
// provider credentials, the keys of audit and sessions. It comes from the environment (its value is
// passed in) or from a file in the data folder. Immutable; any thread.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/secret.h"

namespace weir::auth {

inline constexpr std::size_t kMasterKeySize = 32;
inline constexpr std::string_view kMasterKeyFile = "master.key";

// The labels of HKDF. A label is never reused for another purpose.
inline constexpr std::string_view kPepperLabel = "key-pepper";

class MasterKey {
public:
    // 32 bytes as 64 hexadecimal digits or as base64 (standard or URL alphabet, padding optional).
    // `origin` names the source in the message; fails with invalid_config. Surrounding white space
    // is not part of the value.
    static Result<MasterKey> parse(const Secret& text, std::string_view origin);

    // The file `master.key` in the folder, made there with mode 0600 at the first start; of two
    // processes that start at once, both get the same key. Fails with invalid_config where the file
    // can be read by others, belongs to someone else, is not a regular file or has no key in it,
    // and where the folder cannot be written. Blocks.
    static Result<MasterKey> open(const std::filesystem::path& data_folder);

    // 32 bytes for one purpose.
    Secret derive(std::string_view label) const;

    // Written beside the first secret that is stored, and compared at each start: says whether a
    // database was written under this key, and nothing about the key.
    std::string check_value() const;
    // Fails with invalid_config where `stored` came from another key.
    Result<void> check(std::string_view stored) const;

private:
    explicit MasterKey(Secret bytes) : bytes_(std::move(bytes)) {}
    Secret bytes_;
};

}  // namespace weir::auth
