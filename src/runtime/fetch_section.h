// The `fetch:` section of the configuration: files that clients name by URLs, which a provider does
// not get by itself. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "config/snapshot.h"
#include "net/address.h"

namespace weir::runtime {

inline constexpr std::uint64_t kFetchBytesMost = 64u << 20;
inline constexpr std::int64_t kFetchesPerCallMost = 64;

struct FetchSection {
    bool enabled = false;
    bool allow_http = false;
    std::vector<net::Network> allow_private;
    std::uint64_t bytes_max = 20u << 20;        // of all files of a call together
    std::chrono::milliseconds timeout{10'000};  // for all files of a call
    std::vector<std::string> types{"image/*", "application/pdf"};
    std::int64_t per_call_max = 8;
    std::string ca_file;  // empty: the system's
};

config::Section fetch_section();

}  // namespace weir::runtime
