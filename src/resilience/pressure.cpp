#include "resilience/pressure.h"

#include <unistd.h>

#include <fstream>

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

// "MemTotal:  16384 kB" is the first line.
std::uint64_t memory_of_machine(const std::filesystem::path& file) {
    constexpr std::uint64_t kKilobyte = 1024;
    std::ifstream in(file);
    std::string name;
    std::uint64_t kilobytes = 0;
    return in >> name >> kilobytes && name == "MemTotal:" ? kilobytes * kKilobyte : 0;
}

// The process' group in one hierarchy: "0::/system.slice/weir.service", "4:memory:/docker/1a2b".
// "/" where the process is in a namespace of its own, or the hierarchy is not there.
std::string group_of_process(const std::filesystem::path& proc, std::string_view hierarchy) {
    std::ifstream in(proc / "self/cgroup");
    for (std::string line; std::getline(in, line);) {
        const std::size_t at = line.find(hierarchy);
        if (at != std::string::npos && at == line.find(':')) {
            return line.substr(at + hierarchy.size());
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
    : proc_(std::move(proc)), machine_bytes_(memory_of_machine(proc_ / "meminfo")) {
    add_groups(groups, group_of_process(proc_, "::"), false);
    add_groups(groups / "memory", group_of_process(proc_, ":memory:"), true);
}

// The group and all above it. What a container sees of the hierarchy begins at its own group,
// though the path may be the host's: then only the last of them is there.
void MemoryReader::add_groups(const std::filesystem::path& root, std::string_view own, bool is_v1) {
    std::filesystem::path up = std::filesystem::path(own).lexically_normal().relative_path();
    for (;; up = up.parent_path()) {
        const std::filesystem::path group = root / up;
        groups_.push_back(is_v1 ? Group{.limit = group / "memory.limit_in_bytes",
                                        .used = group / "memory.usage_in_bytes",
                                        .stat = group / "memory.stat",
                                        .cached = "total_inactive_file"}
                                : Group{.limit = group / "memory.max",
                                        .used = group / "memory.current",
                                        .stat = group / "memory.stat",
                                        .cached = "inactive_file"});
        if (up.empty()) {
            return;
        }
    }
}

// What is above the machine's memory limits nothing: v1 says so of all groups without a limit.
std::optional<std::uint64_t> MemoryReader::limit_of(const Group& group) const {
    const auto limit = read_number(group.limit);
    const bool holds = limit && *limit != 0 && (machine_bytes_ == 0 || *limit < machine_bytes_);
    return holds ? limit : std::nullopt;
}

std::uint64_t MemoryReader::limit() const {
    std::uint64_t smallest = machine_bytes_;
    for (const Group& group : groups_) {
        if (const auto limit = limit_of(group)) {
            smallest = smallest == 0 ? *limit : std::min(smallest, *limit);
        }
    }
    return smallest;
}

MemoryUse MemoryReader::read() const {
    MemoryUse fullest;
    for (const Group& group : groups_) {
        const auto limit = limit_of(group);
        const auto used = read_number(group.used);
        if (!limit || !used) {
            continue;
        }
        const std::uint64_t cached = read_stat(group.stat, group.cached);
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
    const auto page = static_cast<std::uint64_t>(std::max(::sysconf(_SC_PAGESIZE), 1L));
    return {.used = pages_resident * page, .limit = machine_bytes_};
}

}  // namespace weir::resilience
