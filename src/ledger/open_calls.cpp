#include "ledger/open_calls.h"

#include <unordered_set>

#include "base/text.h"
#include "ledger/journal_folder.h"

namespace weir::ledger {
namespace {

struct Seen {
    std::unordered_map<std::string, Opened> opened;  // by request id; names are not kept
    std::unordered_set<std::string> settled;

    void open(std::string_view payload) {
        if (auto record = decode_opened(payload)) {
            record->model = record->provider = {};  // views of what goes away
            opened.emplace(to_text(record->request_id), *record);
        }
    }
    void read(const Segment& segment) {
        std::size_t at = kSegmentHeaderBytes;
        Segment::View view;
        // A torn record is one that is being written over: the segment has just been taken back.
        while (segment.read(at, view) == Segment::Read::record) {
            if (view.kind == Kind::opened) {
                open(view.payload);
            } else if (view.kind == Kind::settled) {
                if (const auto record = decode_settled(view.payload)) {
                    settled.insert(to_text(record->request_id));
                }
            }
        }
    }
};

}  // namespace

// First the segments, then the database: a call whose segment was taken back in between is in the
// database already, and one that has ended in between is counted once more, which is the safe side.
Result<OpenCalls> read_open_calls(const std::string& folder,
                                  const std::string& journal,
                                  store::UsageWriter& writer) {
    const std::filesystem::path path = std::filesystem::path(folder) / journal;
    if (!std::filesystem::exists(path / "lock") || LockedFolder(path).is_held()) {
        return OpenCalls{};
    }
    Seen seen;
    WEIR_TRY(const auto segments, open_segments(path));
    for (const auto& segment : segments) {
        seen.read(*segment);
    }
    WEIR_TRY(const auto state, writer.journal_state(journal));
    for (const auto& stored : state.open_calls) {
        seen.open(from_hex(stored.record).value_or(""));
    }
    OpenCalls calls{.is_alive = true};
    for (const auto& [id, record] : seen.opened) {
        if (!seen.settled.contains(id)) {
            ++calls.by_key[record.key_id];
            calls.tokens += record.hold_input_tokens + record.hold_output_tokens;
        }
    }
    return calls;
}

}  // namespace weir::ledger
