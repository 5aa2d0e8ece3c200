#include "resilience/pressure.h"

#include <unistd.h>

#include <fstream>
#include <optional>

#include "base/text.h"

namespace weir::resilience {
namespace {

// The first word of a file that is a number; "max" is none.
std::optional<std::uint64_t> read_number(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string word;
    return in >> word ? parse_decimal(word) : std::nullopt;
}

// "name value" lines.
std::uint64_t read_stat(const std::filesystem::path& file, std::string_view name) {
    std::ifstream in(file);
    std::string word;
    std::uint64_t value = 0;
    while (in >> word >> value) {
        if (word == name) {
            return value;
        }
    }
    return 0;
}

// In kilobytes: "MemTotal:  16384 kB" is the first line.
std::uint64_t memory_of_machine(const std::filesystem::path& file) {
    std::ifstream in(file);
    std::string name;
    std::uint64_t kilobytes = 0;
    return in >> name >> kilobytes && name == "MemTotal:" ? kilobytes : 0;
}

// "0::/system.slice/weir.service"; "/" where the process is in a namespace of its own.
std::string group_of_process(const std::filesystem::path& proc) {
    constexpr std::string_view kUnified = "0::";
    std::ifstream in(proc / "self/cgroup");
    for (std::string line; std::getline(in, line);) {
        if (line.starts_with(kUnified)) {
            return line.substr(kUnified.size());
        }
    }
    return "/";
}

double fullness(const MemoryUse& use) {
    return use.limit == 0 ? 0 : static_cast<double>(use.used) / static_cast<double>(use.limit);
}

}  // namespace

double judge(const MemoryUse& use, double before) {
    const auto rising = [](double full) {
        return std::clamp((full - kShedFrom) / (kShedAll - kShedFrom), 0.0, 1.0);
    };
    const double full = fullness(use);
    // More at once; less only when it has fallen by the gap.
    return use.limit == 0 ? 0 : std::clamp(before, rising(full), rising(full + kShedGap));
}

// Each class goes over half of the way: low over the first, normal over the middle, high over the
// second.
double shed_share(Priority priority, double pressure) {
    constexpr double kBegins[] = {0.5, 0.25, 0};
    return std::clamp((pressure - kBegins[static_cast<std::size_t>(priority)]) * 2, 0.0, 1.0);
}

MemoryReader::MemoryReader(std::filesystem::path proc, std::filesystem::path groups)
    : proc_(std::move(proc)) {
    const std::filesystem::path own =
        std::filesystem::path(group_of_process(proc_)).lexically_normal().relative_path();
    for (std::filesystem::path up = own;; up = up.parent_path()) {
        groups_.push_back(groups / up);
        if (up.empty()) {
            break;
        }
    }
}

MemoryUse MemoryReader::read() const {
    MemoryUse fullest;
    for (const auto& group : groups_) {
        const auto limit = read_number(group / "memory.max");
        const auto used = read_number(group / "memory.current");
        if (!limit || *limit == 0 || !used) {
            continue;
        }
        const std::uint64_t cached = read_stat(group / "memory.stat", "inactive_file");
        const MemoryUse use{.used = *used - std::min(cached, *used), .limit = *limit};
        if (fullest.limit == 0 || fullness(use) > fullness(fullest)) {
            fullest = use;
        }
    }
    return fullest.limit != 0 ? fullest : read_process();
}

MemoryUse MemoryReader::read_process() const {
    std::ifstream statm(proc_ / "self/statm");
    std::uint64_t pages_mapped = 0;
    std::uint64_t pages_resident = 0;
    if (!(statm >> pages_mapped >> pages_resident)) {
        return {};
    }
    constexpr std::uint64_t kKilobyte = 1024;
    const auto page = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 1L));
    return {.used = pages_resident * page,
            .limit = memory_of_machine(proc_ / "meminfo") * kKilobyte};
}

}  // namespace weir::resilience
