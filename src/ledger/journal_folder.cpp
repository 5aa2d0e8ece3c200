#include "ledger/journal_folder.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

namespace weir::ledger {

// As long as the folder has its name the lock is there; one that was lost must not hide the rest.
LockedFolder::LockedFolder(const std::filesystem::path& folder)
    : fd_(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
}

LockedFolder::~LockedFolder() {
    if (fd_ >= 0) {
        ::close(fd_);
    }
}

Result<std::vector<std::unique_ptr<Segment>>> open_segments(const std::filesystem::path& folder) {
    std::vector<std::unique_ptr<Segment>> segments;
    std::error_code error;  // the folder may vanish while it is read
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.path().extension() == ".seg") {
            WEIR_TRY(auto segment, Segment::open(entry.path()));
            if (segment) {
                segments.push_back(std::move(segment));
            }
        }
    }
    std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) {
        return std::pair(a->thread(), a->first_sequence()) <
               std::pair(b->thread(), b->first_sequence());
    });
    return segments;
}

}  // namespace weir::ledger
