// Who holds a journal's folder, and what is in it. The folder is named by the id of its process and
// has its name only while it may be read: it is made under one suffix and removed under another, so
// that who looks for journals whose process died meets neither half.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "ledger/segment.h"

namespace weir::ledger {

inline constexpr const char* kUnfinished = ".new";
inline constexpr const char* kFinished = ".done";

// Holds the lock where its process does not. Its process living or dead: never waits.
class LockedFolder {
public:
    explicit LockedFolder(const std::filesystem::path& folder);
    ~LockedFolder();
    LockedFolder(const LockedFolder&) = delete;
    bool is_held() const { return held_; }

private:
    int fd_;
    bool held_ = false;
};

// Those in use, each thread's in the order of their records. Errors: storage_unavailable.
Result<std::vector<std::unique_ptr<Segment>>> open_segments(const std::filesystem::path& folder);

}  // namespace weir::ledger
