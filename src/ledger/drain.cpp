#include "ledger/drain.h"

#include <unordered_set>

#include "base/text.h"

namespace weir::ledger {

// What a step would change, applied to the drain only when the database has taken it.
struct Drain::Progress {
    // As it lies in the segment: most are settled in the step that reads them.
    struct Begun {
        std::string_view record;
        unsigned thread;
    };

    store::Batch batch;
    std::vector<Cursor> cursors;
    std::unordered_map<Uuid, Begun, UuidHash> opened;
    std::unordered_set<Uuid, UuidHash> settled;  // of those opened before this step
    std::unordered_set<Uuid, UuidHash> kept;     // of those in batch.opened
    std::vector<unsigned> recycle;               // threads whose first segment is done with
    std::size_t records = 0;

    void take(const Segment::View& view, unsigned thread, const OpenCalls& known);
    void keep(const Uuid& id, std::string_view record) {
        const auto* bytes = reinterpret_cast<const unsigned char*>(record.data());
        batch.opened.push_back({to_text(id), to_hex({bytes, record.size()})});
        kept.insert(id);
    }
};

void Drain::Progress::take(const Segment::View& view, unsigned thread, const OpenCalls& known) {
    ++records;
    if (view.kind == Kind::opened) {
        if (const auto record = decode_opened(view.payload)) {
            opened.emplace(record->request_id, Begun{view.payload, thread});
        }
        return;
    }
    if (view.kind == Kind::kept) {
        if (const auto record = decode_kept(view.payload)) {
            batch.kept.push_back(to_row(*record));
        }
        return;
    }
    const auto record = decode_settled(view.payload);
    if (!record) {
        return;
    }
    batch.calls.push_back(to_row(*record));
    const Uuid& id = record->request_id;
    if (opened.erase(id) > 0) {
        return;
    }
    const auto open = known.find(id);
    if (open != known.end()) {
        if (open->second.stored) {
            batch.closed.push_back(to_text(id));
        }
        settled.insert(id);
    }
}

Drain::Drain(Journal& journal, store::UsageWriter& writer)
    : journal_(journal), writer_(writer), cursors_(journal.threads()) {}

Result<bool> Drain::step() {
    Progress progress{.cursors = cursors_};
    progress.batch.journal = journal_.name();
    for (unsigned thread = 0; thread < journal_.threads(); ++thread) {
        read_first_segment(thread, progress);
    }
    if (progress.records == 0 && progress.recycle.empty()) {
        return false;
    }
    WEIR_TRY(writer_.write(progress.batch));
    cursors_ = std::move(progress.cursors);
    for (const auto& [id, begun] : progress.opened) {
        open_.emplace(id, Open{std::string(begun.record), begun.thread, false});
    }
    for (const Uuid& id : progress.settled) {
        open_.erase(id);
    }
    for (const Uuid& id : progress.kept) {
        open_.at(id).stored = true;
    }
    for (const unsigned thread : progress.recycle) {
        journal_.recycle_first(thread);
    }
    drained_.fetch_add(progress.records, std::memory_order_relaxed);
    return !progress.recycle.empty() || progress.batch.calls.size() >= kBatchRowsMax;
}

void Drain::read_first_segment(unsigned thread, Progress& progress) {
    Cursor& cursor = progress.cursors[thread];
    const std::uint64_t before = cursor.sequence;
    const std::vector<Segment*> chain = journal_.chain(thread);
    const Segment& segment = *chain.front();
    const bool sealed =
        segment.is_sealed();  // asked before reading: the end that is met then is final
    Segment::View view;
    bool at_end = false;
    while (progress.batch.calls.size() + progress.batch.kept.size() < kBatchRowsMax) {
        if (segment.read(cursor.at, view) != Segment::Read::record) {
            at_end = true;
            break;
        }
        cursor.sequence = view.sequence;
        progress.take(view, thread, open_);
    }
    if (cursor.sequence != before) {
        progress.batch.positions.emplace_back(thread, static_cast<std::int64_t>(cursor.sequence));
    }
    if (!at_end || !sealed || chain.size() < 2) {
        return;
    }
    // The segment is done with. What was opened in it and is open still goes to the database before
    // the file is used again: a crash must find it there.
    for (const auto& [id, open] : open_) {
        if (!open.stored && open.thread == thread && !progress.settled.contains(id)) {
            progress.keep(id, open.record);
        }
    }
    for (const auto& [id, begun] : progress.opened) {
        if (begun.thread == thread) {
            progress.keep(id, begun.record);
        }
    }
    progress.recycle.push_back(thread);
    cursor.at = kSegmentHeaderBytes;
}

}  // namespace weir::ledger
