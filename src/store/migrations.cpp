#include "store/migrations.h"

#include <fmt/format.h>
#include <soci/soci.h>

#include <span>

namespace weir::store {
namespace {

// Money is nano-dollars, time is microseconds of the wall clock. What repeats in millions of rows
// (models, providers, codes) is a number that `names` resolves: dirty pages are what a drained row
// costs.
const char* const kStep1[] = {
    "CREATE TABLE tenants(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_us BIGINT NOT "
    "NULL)",
    "INSERT INTO tenants(id, name, created_us) VALUES(1, 'default', 0)",
    "CREATE TABLE api_keys(id INTEGER PRIMARY KEY, public_id TEXT NOT NULL UNIQUE, tenant_id "
    "BIGINT NOT NULL "
    "REFERENCES tenants(id), name TEXT NOT NULL, prefix TEXT NOT NULL, digest TEXT NOT NULL "
    "UNIQUE, "
    "allowed_models TEXT NOT NULL, allowed_providers TEXT NOT NULL, may_pin INTEGER NOT NULL, "
    "priority BIGINT NOT NULL, tags TEXT NOT NULL, requests_per_minute BIGINT, concurrency_max "
    "BIGINT, "
    "created_us BIGINT NOT NULL, expires_us BIGINT, revoked_us BIGINT)",
    "CREATE TABLE names(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    // The id is a UUIDv7: its first 48 bits are created_us / 1000, so a row is found by its id
    // through the one index (tenant, time). An index on the id itself would cost more than the row.
    "CREATE TABLE usage_logs(id INTEGER PRIMARY KEY, request_id BLOB NOT NULL, tenant_id BIGINT "
    "NOT NULL, "
    "key_id BIGINT NOT NULL, created_us BIGINT NOT NULL, surface_id BIGINT NOT NULL, model_id "
    "BIGINT NOT NULL, "
    "provider_id BIGINT NOT NULL, code_id BIGINT NOT NULL, status BIGINT NOT NULL, streamed BIGINT "
    "NOT NULL, "
    "input_tokens BIGINT NOT NULL, cache_read_tokens BIGINT NOT NULL, cache_write_tokens BIGINT "
    "NOT NULL, "
    "output_tokens BIGINT NOT NULL, reasoning_tokens BIGINT NOT NULL, estimated BIGINT NOT NULL, "
    "cost_nano_usd BIGINT, hold_tokens BIGINT NOT NULL, ttft_us BIGINT, total_us BIGINT NOT NULL, "
    "overhead_us BIGINT NOT NULL)",
    "CREATE INDEX usage_by_tenant ON usage_logs(tenant_id, created_us)",
    "CREATE TABLE usage_attempts(call_id BIGINT NOT NULL, number BIGINT NOT NULL, provider_id "
    "BIGINT NOT NULL, "
    "model_id BIGINT NOT NULL, code_id BIGINT NOT NULL, status BIGINT NOT NULL, started_us BIGINT "
    "NOT NULL, "
    "duration_us BIGINT NOT NULL, input_tokens BIGINT NOT NULL, output_tokens BIGINT NOT NULL, "
    "cost_nano_usd BIGINT, PRIMARY KEY(call_id, number))",
    // How far each thread's journal is drained, the calls that were open when their segment was
    // recycled, and the journals of dead processes that are done with.
    "CREATE TABLE journal_position(journal TEXT NOT NULL, thread BIGINT NOT NULL, sequence BIGINT "
    "NOT NULL, "
    "PRIMARY KEY(journal, thread))",
    "CREATE TABLE journal_open_calls(journal TEXT NOT NULL, request_id TEXT NOT NULL, record TEXT "
    "NOT NULL, "
    "PRIMARY KEY(journal, request_id))",
    "CREATE TABLE journals_finished(journal TEXT PRIMARY KEY)",
    "CREATE TABLE settings(key TEXT PRIMARY KEY, value TEXT NOT NULL)",
};

// What providers keep for a tenant under ids of their own. The index serves the daily sweep.
const char* const kStep2[] = {
    "CREATE TABLE kept_ids(id TEXT PRIMARY KEY, tenant_id BIGINT NOT NULL, provider TEXT NOT NULL, "
    "expires_us BIGINT NOT NULL)",
    "CREATE INDEX kept_ids_by_expiry ON kept_ids(expires_us)",
};

// With which of a provider's keys.
const char* const kStep3[] = {
    "ALTER TABLE kept_ids ADD COLUMN credential TEXT NOT NULL DEFAULT ''",
};

const std::span<const char* const> kSteps[] = {kStep1, kStep2, kStep3};
constexpr int kVersion = std::size(kSteps);

}  // namespace

Result<void> migrate(soci::session& sql, const std::string& path) {
    sql << "CREATE TABLE IF NOT EXISTS schema_version(version INTEGER NOT NULL)";
    int version = 0;
    sql << "SELECT COALESCE(MAX(version), 0) FROM schema_version", soci::into(version);
    if (version > kVersion) {
        return fail(Code::invalid_config,
                    fmt::format("The database '{}' was made by a newer Weir (version {}, this one "
                                "knows {}): run that "
                                "one, or choose another file.",
                                path,
                                version,
                                kVersion));
    }
    for (int step = version; step < kVersion; ++step) {
        soci::transaction transaction(sql);
        for (const char* statement : kSteps[step]) {
            sql << statement;
        }
        const int reached = step + 1;
        sql << "INSERT INTO schema_version(version) VALUES(:v)", soci::use(reached);
        transaction.commit();
    }
    return {};
}

}  // namespace weir::store
