// Usage as records: one row per call, one per attempt that was sent to a provider. Rows are written
// in batches by the ledger's drain, together with how far it has read, and read by the admin API in
// keyset pages.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "store/database.h"

namespace weir::store {

struct Attempt {
    std::string provider, model, code;
    std::int64_t status = 0;  // HTTP, 0 where there was no answer
    WallTime started_at{};
    std::int64_t duration_us = 0;
    std::int64_t input_tokens = 0, output_tokens = 0;
    std::optional<std::int64_t> cost_nano_usd;
};

struct Call {
    Uuid request_id;  // version 7: its time is `created_at`, to the millisecond
    std::int64_t tenant_id = 0, key_id = 0;  // 0: none (anonymous)
    WallTime created_at{};
    std::string surface, model, provider, code;  // code "ok", or what went wrong
    std::int64_t status = 0;
    bool streamed = false;
    std::int64_t input_tokens = 0, cache_read_tokens = 0, cache_write_tokens = 0;
    std::int64_t output_tokens = 0, reasoning_tokens = 0;
    bool estimated = false;
    std::optional<std::int64_t> cost_nano_usd;  // absent: no price
    std::int64_t hold_tokens = 0;
    std::optional<std::int64_t> ttft_us;
    std::int64_t total_us = 0, overhead_us = 0;
    std::vector<Attempt> attempts;
};

// A call whose journal segment was recycled before the call ended.
struct OpenCall {
    std::string request_id, record;  // the record as the ledger writes it, in hexadecimal
};

// Something a provider keeps for a tenant, see kept_ids.h.
struct KeptId {
    std::string id;
    std::int64_t tenant_id = 0;
    std::string provider, credential;
    WallTime made_at{};
};

struct Batch {
    std::string journal;
    std::vector<Call> calls;
    std::vector<std::pair<std::int64_t, std::int64_t>> positions;  // thread, sequence
    std::vector<KeptId> kept;
    std::vector<OpenCall> opened;     // to be kept
    std::vector<std::string> closed;  // request ids no longer open
    bool finished = false;            // the journal is done with
};

// Used by one thread.
class UsageWriter {
public:
    explicit UsageWriter(Database& database) : database_(database) {}
    // All of it or none; durable when it returns. Errors: storage_unavailable.
    Result<void> write(const Batch& batch);

    struct JournalState {
        std::unordered_map<std::int64_t, std::int64_t> positions;  // sequence by thread
        std::vector<OpenCall> open_calls;
        bool finished = false;
    };
    Result<JournalState> journal_state(const std::string& journal);
    // The journal's folder is gone: its rows are no longer needed.
    Result<void> forget(const std::string& journal);

private:
    std::int64_t name_id(soci::session& sql, const std::string& text);
    Database& database_;
    std::unordered_map<std::string, std::int64_t> name_ids_;
};

inline constexpr std::size_t kUsagePageMax = 1000;

struct UsageFilter {
    std::optional<std::int64_t> tenant_id, key_id;
    std::optional<std::string> model, provider, code;
    std::optional<WallTime> from, to;       // to is exclusive
    std::optional<std::int64_t> before_id;  // keyset: rows older than this one
    std::size_t limit = 100;
};

struct UsagePage {
    std::vector<Call> calls;  // newest first, without attempts
    std::optional<std::int64_t> next_before_id;
};

class Usage {
public:
    explicit Usage(Database& database) : database_(database) {}
    Result<UsagePage> page(const UsageFilter& filter);
    // With its attempts.
    Result<std::optional<Call>> find(const Uuid& request_id);

private:
    Database& database_;
};

}  // namespace weir::store
