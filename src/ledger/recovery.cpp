#include "ledger/recovery.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_map>

#include "base/text.h"
#include "ledger/drain.h"
#include "ledger/journal_folder.h"

namespace weir::ledger {
namespace {

Result<void> recover_one(const std::filesystem::path& folder,
                         store::UsageWriter& writer,
                         Recovered& recovered) {
    const std::string name = folder.filename();
    WEIR_TRY(auto state, writer.journal_state(name));
    if (!state.finished) {
        WEIR_TRY(const auto segments, open_segments(folder));
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
    ++recovered.journals;
    // Nobody may find half of it under its name, nor all of it once it is forgotten.
    const std::filesystem::path gone = folder.string() + kFinished;
    std::error_code error;
    std::filesystem::rename(folder, gone, error);
    if (error) {
        return {};
    }
    WEIR_TRY(writer.forget(name));
    std::filesystem::remove_all(gone, error);
    return {};
}

// What a process left that died while it made its journal or removed it.
void remove_leftovers(const std::filesystem::path& folder) {
    const std::string suffix = folder.extension();
    if (suffix != kFinished && suffix != kUnfinished) {
        return;
    }
    std::error_code error;
    const bool has_lock = std::filesystem::exists(folder / "lock", error);
    if (!has_lock && suffix == kUnfinished) {
        return;  // being made this very moment
    }
    const LockedFolder lock(folder);
    if (!has_lock || lock.is_held()) {
        std::filesystem::remove_all(folder, error);
    }
}

}  // namespace

Result<Recovered> recover(const std::string& folder, store::UsageWriter& writer) {
    Recovered recovered;
    std::error_code error;
    std::vector<std::filesystem::path> journals;
    for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
        if (parse_uuid(entry.path().filename().string())) {
            journals.push_back(entry.path());
        } else {
            remove_leftovers(entry.path());
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
