#include "ledger/recovery.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "ledger/drain.h"
#include "ledger/segment.h"

namespace weir::ledger {
namespace {

class LockedFolder {
public:
    explicit LockedFolder(const std::filesystem::path& folder)
        : fd_(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
        held_ = fd_ >= 0 && ::flock(fd_, LOCK_EX | LOCK_NB) == 0;
    }
    ~LockedFolder() {
        if (fd_ >= 0) {
            ::close(fd_);
        }
    }
    LockedFolder(const LockedFolder&) = delete;
    bool is_held() const { return held_; }

private:
    int fd_;
    bool held_ = false;
};

Result<void> recover_one(const std::filesystem::path& folder,
                         store::UsageWriter& writer,
                         Recovered& recovered) {
    const std::string name = folder.filename();
    WEIR_TRY(auto state, writer.journal_state(name));
    if (!state.finished) {
        std::vector<std::unique_ptr<Segment>> segments;
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
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
        std::unordered_map<std::string, std::string> open;  // request id to payload
        for (const auto& stored : state.open_calls) {
            open[stored.request_id] = from_hex(stored.record).value_or("");
        }
        store::Batch batch{.journal = name};
        const auto flush = [&]() -> Result<void> {
            for (const auto& [thread, sequence] : state.positions) {
                batch.positions.emplace_back(thread, sequence);
            }
            WEIR_TRY(writer.write(batch));
            batch = {.journal = name};
            return {};
        };
        for (const auto& segment : segments) {
            std::int64_t& position = state.positions[segment->thread()];
            std::size_t at = kSegmentHeaderBytes;
            Segment::View view;
            Segment::Read read = segment->read(at, view);
            for (; read == Segment::Read::record; read = segment->read(at, view)) {
                const auto sequence = static_cast<std::int64_t>(view.sequence);
                if (view.kind == Kind::opened) {
                    if (const auto record = decode_opened(view.payload)) {
                        open[to_text(record->request_id)] = view.payload;
                    }
                } else if (view.kind == Kind::kept) {
                    const auto record = decode_kept(view.payload);
                    if (record && sequence > position) {
                        batch.kept.push_back(to_row(*record));
                    }
                } else if (const auto record = decode_settled(view.payload)) {
                    open.erase(to_text(record->request_id));
                    if (sequence > position) {
                        batch.calls.push_back(to_row(*record));
                        ++recovered.calls;
                    }
                }
                position = std::max(position, sequence);
                if (batch.calls.size() + batch.kept.size() >= kBatchRowsMax) {
                    WEIR_TRY(flush());
                }
            }
            recovered.torn += read == Segment::Read::torn ? 1 : 0;
        }
        for (const auto& [id, payload] : open) {
            if (const auto record = decode_opened(payload)) {
                batch.calls.push_back(to_interrupted_row(*record));
                ++recovered.interrupted;
            }
        }
        // In the same transaction as the interrupted calls: begun again, nothing is written twice.
        batch.finished = true;
        WEIR_TRY(flush());
    }
    std::error_code error;
    std::filesystem::remove_all(folder, error);
    ++recovered.journals;
    return error ? Result<void>{} : writer.forget(name);
}

}  // namespace

Result<Recovered> recover(const std::string& folder, store::UsageWriter& writer) {
    Recovered recovered;
    std::error_code error;
    std::vector<std::filesystem::path> journals;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (entry.is_directory() && parse_uuid(entry.path().filename().string())) {
            journals.push_back(entry.path());
        }
    }
    std::sort(journals.begin(), journals.end());  // the oldest first: the names are UUIDv7
    for (const auto& journal : journals) {
        const LockedFolder lock(journal);
        if (lock.is_held()) {  // else its process lives
            WEIR_TRY(recover_one(journal, writer, recovered));
        }
    }
    return recovered;
}

}  // namespace weir::ledger
