// The `stream:` section of the configuration. Values.
#pragma once

#include <chrono>

#include "config/snapshot.h"

namespace weir::runtime {

struct StreamSection {
    // How long a client of a stream waits before it is told that its call is alive, and again;
    // zero: it never is.
    std::chrono::milliseconds keepalive{15'000};
};

config::Section stream_section();

}  // namespace weir::runtime
