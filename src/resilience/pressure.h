// Sheds calls before memory runs out, because the kernel's way of doing it ends them all. The app
// reads how much is used every 100 ms; calls are then refused by chance, low priority first: half
// of the way up all low calls and half of the normal ones go, at its end all. Any thread asks; one
// updates.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "resilience/wait_queue.h"

namespace weir::resilience {

// Shares of the memory limit: from here calls are shed, from there all of them.
inline constexpr double kShedFrom = 0.85;
inline constexpr double kShedAll = 0.95;
// What use has to fall before less is shed, so that memory that comes and goes does not make calls
// flap.
inline constexpr double kShedGap = 0.05;

struct MemoryUse {
    std::uint64_t used = 0;
    std::uint64_t limit = 0;  // 0: unknown, nothing is shed
};

// How much of all calls is to be shed, 0 to 1; `before` is what the last judgement said.
double judge(const MemoryUse& use, double before);
// What that means for one class: 0 to 1.
double shed_share(Priority priority, double pressure);

class Pressure {
public:
    void update(const MemoryUse& use) {
        pressure_.store(judge(use, pressure()), std::memory_order_relaxed);
    }
    double pressure() const { return pressure_.load(std::memory_order_relaxed); }
    // Whether this call is to be refused (503 overloaded). A load where memory is there.
    bool sheds(Priority priority, std::uint64_t random) const {
        const double now = pressure();
        return now > 0 && static_cast<double>(random >> 11) * 0x1.0p-53 < shed_share(priority, now);
    }

private:
    std::atomic<double> pressure_{0};
};

// What the process and its limit are: of the control groups it is in (v2, or v1's memory
// hierarchy), the one that is fullest, without what the kernel caches of files and would give back;
// where none has a limit, the process' own memory and the machine's. Any thread.
class MemoryReader {
public:
    explicit MemoryReader(std::filesystem::path proc = "/proc",
                          std::filesystem::path groups = "/sys/fs/cgroup");

    // limit 0 where nothing can be read.
    MemoryUse read() const;
    // The smallest limit that holds for the process; 0 where nothing can be read.
    std::uint64_t limit() const;

private:
    // The files of one control group, as its version names them.
    struct Group {
        std::filesystem::path limit, used, stat;
        std::string_view cached;  // the line of `stat` that says what is only cached
    };
    void add_groups(const std::filesystem::path& root, std::string_view own, bool is_v1);
    std::optional<std::uint64_t> limit_of(const Group& group) const;
    MemoryUse read_process() const;

    std::filesystem::path proc_;
    std::uint64_t machine_bytes_;
    std::vector<Group> groups_;  // from the process' own one up
};

}  // namespace weir::resilience
